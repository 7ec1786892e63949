"""The second opinion: from raw readings alone it may say that the contactor must be open, never more."""

from collections import namedtuple

# This module shares no code and no number with the state machine, on purpose (architecture, one tick).
C_LOW_MV, C_HIGH_MV = 4200, 7800  # letter C with its widest edges (requirements §1)
D_LOW_MV = 1200  # letter D down to here, on ventilated boards
NO_CAR_MV = 11_000  # above: nobody at the plug, whatever was seen before is void; B of a box at 12.6 V is under 10.5
REAL_MV = 13_500  # beyond it the reading is not a pilot
DIODE_MV = -10_000  # low half of a car with its diode (requirements §1)
DIODE_LOST_MS = 450  # faults.md S2: off within 500 ms
X1_MOST_MS = 6060  # requirements §1: under load at the latest 6.1 s after the x1 edge, one tick kept for the relay
FRESH_MS = 150  # older readings are no readings
EARTH_LOST_MS = 450  # faults.md S16: off within 500 ms
ASKED, TRIPPED, PASSED = 0, 1, 2  # the leakage sensor since this car came: nothing seen, seen to trip, seen to clear
MODE_SETTLED_MS = 60  # the low half says nothing in the first two ticks after a change of mode

# What the interlock remembers: wire mode and since when, whether a diode was seen on this car, when it was last good.
Guard: "type[GuardRecord]" = namedtuple(  # pyright: ignore[reportUntypedNamedTuple, reportAssignmentType]
    "Guard", ("mode", "mode_at_ms", "has_diode", "diode_at_ms", "test", "no_earth_ms", "may_close")
)


def first_guard(now_ms: int) -> "GuardRecord":
    """Guard at power-on: nothing is allowed."""
    return Guard("high", now_ms, False, now_ms, ASKED, None, False)


def permit(guard: "GuardRecord", readings: "Readings", outputs: "Outputs", is_ventilated: bool) -> "GuardRecord":
    """The Guard after this tick; its may_close says whether `outputs` may energise the contactor.

    readings were taken under guard.mode; outputs are what decide() asks for now.
    """
    now_ms = readings.now_ms
    has_diode, diode_at_ms = diode(guard, readings)
    mode, mode_at_ms = guard.mode, guard.mode_at_ms
    if outputs.pilot_mode != mode:
        mode, mode_at_ms = outputs.pilot_mode, now_ms
    test = tested(guard.test, readings)
    no_earth_ms = None if readings.is_earth_ok else now_ms if guard.no_earth_ms is None else guard.no_earth_ms
    may_close = (
        outputs.is_contactor_closed
        and is_car_asking(readings, is_ventilated)
        and has_diode
        and now_ms - diode_at_ms < DIODE_LOST_MS
        and test == PASSED
        and not readings.is_residual_tripped
        and (no_earth_ms is None or now_ms - no_earth_ms < EARTH_LOST_MS)
        and is_signalled(outputs, now_ms - mode_at_ms)
    )
    made = Guard(mode, mode_at_ms, has_diode, diode_at_ms, test, no_earth_ms, may_close)
    return guard if made == guard else made


def refused(guard: "GuardRecord") -> "GuardRecord":
    """The Guard that says no."""
    return Guard(*guard[:-1], False) if guard.may_close else guard


def tested(test: int, readings: "Readings") -> int:
    """Whether the leakage sensor was seen to trip and to clear since this car came; an empty plug forgets it."""
    if readings.pilot_high_mv is not None and readings.pilot_high_mv > NO_CAR_MV:
        return ASKED
    if readings.is_residual_tripped:
        return TRIPPED
    return PASSED if test == TRIPPED else test


def diode(guard: "GuardRecord", readings: "Readings") -> "tuple[bool, int]":
    """(has_diode, diode_at_ms) after these readings; only PWM proves or disproves it, an empty plug forgets it."""
    high_mv = readings.pilot_high_mv
    if high_mv is not None and high_mv > NO_CAR_MV:
        return False, guard.diode_at_ms
    if guard.mode != "pwm":
        return guard.has_diode, readings.now_ms if guard.has_diode else guard.diode_at_ms
    low_mv = readings.pilot_low_mv
    if low_mv is not None and -REAL_MV <= low_mv <= DIODE_MV:
        return True, readings.now_ms
    if readings.now_ms - guard.mode_at_ms < MODE_SETTLED_MS:
        return guard.has_diode, readings.now_ms
    return guard.has_diode, guard.diode_at_ms


def is_car_asking(readings: "Readings", is_ventilated: bool) -> bool:
    """Whether fresh, believable readings show letter C, or D where the room is ventilated."""
    high_mv = readings.pilot_high_mv
    if high_mv is None or readings.pilot_age_ms > FRESH_MS or readings.currents_age_ms > FRESH_MS:
        return False
    return (D_LOW_MV if is_ventilated else C_LOW_MV) <= high_mv <= C_HIGH_MV


def is_signalled(outputs: "Outputs", mode_for_ms: int) -> bool:
    """Whether the pilot signals an allowed current, or was withdrawn so recently that the car may still let go."""
    if outputs.pilot_mode == "pwm":
        return 100 <= outputs.duty_permille <= 960
    return outputs.pilot_mode == "high" and mode_for_ms <= X1_MOST_MS
