"""What is wrong in this tick: one bit for each row of the fault table, judged before anything is confirmed."""

from firmware.core import faults, local, offer, pilot, states, units

STALE_MS = 150  # older than this the reading is not one (faults.md S8)
LOW_HALF_MV = (-12_800, -11_200)  # −12 V ± 5 % and what measuring adds: beyond it the ADC drifted (faults.md S9)
START_HELD_MS = 10_000  # mains good for so long before a start (requirements §2)
SENSOR_STARTS_MS = 2000  # what a leakage sensor says before is its own start (unconfirmed)
OPENED_MS = 1000  # a car may hold its filter charged for so long (requirements §2, welded contactor)
FEEDBACK_MS = 200  # a mirror contact has followed by then
EARLY_TRIP_MS = 10_000  # a trip so soon after closing is no accident (requirements §2, leakage trip)
HOT_OPENINGS, HOT_WINDOW_MS = 3, 2_592_000_000  # requirements §2, relay life: three in 30 days
PEN_MV = (207_000, 253_000)  # UK open PEN (unconfirmed)
OFF_MHZ = 3000
DARK_PART = 2  # a phase under half of its voltage is dark: what hangs on it tells nothing of the contactor


def conditions(memory: "Memory", readings: "Readings", settings: "SettingsRecord") -> int:
    """Bit mask over FAULTS of what is wrong in this tick, judged with the pilot letter of this tick."""
    letter = memory.pilot.letter
    mode = memory.outputs.pilot_mode
    state = memory.stage.state
    mask = measured(memory, readings, mode)
    if letter >= "D" and mode != "low":
        mask |= 1 << (faults.S6 if letter == "D" else faults.S3)
    if readings.is_residual_tripped and is_leak(memory, readings):
        mask |= 1 << tripped_row(memory, readings)
    if memory.stage.test == "failed":
        mask |= 1 << faults.S15
    mask |= place(memory, readings, settings)
    if states.is_closed(state):
        mask |= currents(memory, readings, settings)
    return mask | contactor(memory, readings, settings)


def is_leak(memory: "Memory", readings: "Readings") -> bool:
    """Whether a trip is one of leakage, in whatever state: all but those that the box asked for (faults.md S14).

    With no car under power and a contactor that is proven open nothing can leak: that is for the self-test to say.
    """
    here, now_ms = memory.local, readings.now_ms
    if here.asked is not None or now_ms - here.begun_ms < SENSOR_STARTS_MS:
        return False
    if memory.stage.state not in ("idle", "testing", "faulted") or faults.is_active(memory.faults.active, faults.S14):
        return True
    is_dead = not readings.output_live_poles and not readings.is_feedback_closed
    return not is_dead or now_ms - here.moved_at_ms < OPENED_MS


def tripped_row(memory: "Memory", readings: "Readings") -> int:
    """S14, or S14r where the board may try again by itself and the trip did not come at once (requirements §2)."""
    is_early = readings.now_ms - memory.local.moved_at_ms <= EARLY_TRIP_MS
    return faults.S14R if memory.local.kit.has_leakage_retry and not is_early else faults.S14


def measured(memory: "Memory", readings: "Readings", mode: "PilotMode") -> int:
    """Bits for a pilot that cannot be what the wallbox itself drives: stale, out of range, a half missing, no diode."""
    high_mv = readings.pilot_high_mv
    low_mv = readings.pilot_low_mv
    if readings.pilot_age_ms > STALE_MS or readings.currents_age_ms > STALE_MS:
        return 1 << faults.S8
    if (high_mv is not None and high_mv > units.PILOT_MOST_MV) or (
        low_mv is not None and low_mv < -units.PILOT_MOST_MV
    ):
        return 1 << faults.S8
    if readings.now_ms < memory.pilot.judge_at_ms or mode == "low":
        return 0
    if high_mv is None:
        return 1 << (faults.S8 if low_mv is None else faults.S3)
    letter = memory.pilot.letter
    is_own = letter == "A" and readings.now_ms >= memory.pilot.stable_at_ms
    if is_own and not units.OWN_MV[0] <= high_mv <= units.OWN_MV[1]:
        return 1 << faults.S9  # an empty plug shows the box's own level: source, wire or ADC is off
    if mode != "pwm" or letter > "D":
        return 0
    if low_mv is None:
        # At 12 V a missing low half is a short to +12 V; the letter alone would read as "no car" (faults.md S3).
        return 1 << faults.S3 if letter == "A" else 1 << faults.S8 | 1 << faults.S2
    if letter != "A" and not pilot.is_diode_good(readings, mode):
        return 1 << faults.S2
    return 0 if LOW_HALF_MV[0] <= low_mv <= LOW_HALF_MV[1] or letter == "A" else 1 << faults.S9


def place(memory: "Memory", readings: "Readings", settings: "SettingsRecord") -> int:
    """Bits of what surrounds the box: cable, heat, earth, mains, lid, and sensors that see nothing or too much."""
    here = memory.local
    mask = 0
    ohm = readings.proximity_ohm
    if ohm is not None and not local.PLUG_LEAST_OHM <= ohm <= local.PLUG_MOST_OHM and memory.pilot.letter != "A":
        mask |= 1 << faults.S7
    if here.heat:
        if here.heat == local.HEAT_UNKNOWN:
            mask |= 1 << faults.S13C
        elif here.heat == local.HEAT_STOP:
            mask |= 1 << faults.S13A | 1 << faults.S13B
    if not readings.is_earth_ok:
        mask |= 1 << faults.S16
    if not readings.is_lid_closed:
        mask |= 1 << faults.S18
    if max(readings.currents_ma) >= units.SATURATED_MA:
        mask |= 1 << faults.S11
    if here.blind >= local.BLIND_SESSIONS or (readings.power_mw < 0 and max(readings.currents_ma) > units.HOT_MA):
        mask |= 1 << faults.S10
    mask |= mains(memory, readings, settings)
    if len(here.hot_at_ms) >= HOT_OPENINGS and readings.now_ms - here.hot_at_ms[-HOT_OPENINGS] < HOT_WINDOW_MS:
        mask |= 1 << faults.W2
    return mask | 1 << faults.W1 if memory.wear.operations * 5 >= here.kit.rated_operations * 4 else mask


def mains(memory: "Memory", readings: "Readings", settings: "SettingsRecord") -> int:
    """Bits of the mains: too far off to go on, not yet good enough to begin (requirements §2, mains)."""
    mask = 0
    here = memory.local
    held_ms = local.R37_HELD_MS if settings.has_r37_rules else START_HELD_MS
    if here.mains_at_ms is None or readings.now_ms - here.mains_at_ms < held_ms:
        mask = 0 if memory.outputs.is_contactor_closed else 1 << faults.S17S
        nominal_mv, off_mhz = settings.nominal_mv, readings.frequency_mhz
        is_near = off_mhz is None or abs(off_mhz - settings.nominal_hz * 1000) < OFF_MHZ
        if not is_near or not local.is_within(readings, settings, nominal_mv * 4 // 5, nominal_mv * 23 // 20):
            mask |= 1 << faults.S17
    if settings.guards_open_pen and not local.is_within(readings, settings, PEN_MV[0], PEN_MV[1]):
        mask |= 1 << faults.S17P
    return mask


def contactor(memory: "Memory", readings: "Readings", settings: "SettingsRecord") -> int:
    """Bits of a contactor, its feedback or its pin that are not where they were told to be."""
    for_ms = readings.now_ms - memory.local.moved_at_ms
    if memory.outputs.is_contactor_closed:
        wired = lit_poles(readings, settings)
        if not readings.is_relay_pin_high:
            # The lease lapsed, or the interlock said no: what is open stays open, and closes by the usual way only.
            return 1 << faults.X3
        is_closed = readings.output_live_poles & wired == wired and readings.is_feedback_closed
        return 0 if is_closed else 1 << faults.K2
    mask = 1 << faults.K4 if readings.is_relay_pin_high else 0
    if readings.output_live_poles:
        return mask | 1 << faults.K1 if for_ms >= OPENED_MS else mask
    if for_ms >= OPENED_MS and units.HOT_MA < max(readings.currents_ma) < units.SATURATED_MA:
        # Where no voltage is, none flows: the sensor is wrong, not the contactor (faults.md S8).
        mask |= 1 << faults.S8
    return mask | 1 << faults.K3 if readings.is_feedback_closed and for_ms >= FEEDBACK_MS else mask


def lit_poles(readings: "Readings", settings: "SettingsRecord") -> int:
    """Bits of the poles that must be live behind a closed contactor: behind a dark phase nothing is (faults.md K2).

    The neutral's pole is measured against a phase, and told only where all of them are there.
    """
    wired = 0
    for index in range(settings.phases):
        if readings.voltages_mv[index] * DARK_PART >= settings.nominal_mv:
            wired |= 1 << index
    return wired | 8 if wired == (7 if settings.phases == 3 else 1) else wired


def currents(memory: "Memory", readings: "Readings", settings: "SettingsRecord") -> int:
    """Bits of the over-current steps for the largest phase, judged only while the contactor is closed."""
    if readings.now_ms - memory.local.moved_at_ms < local.INRUSH_MS and memory.stage.state == "charging":
        return 0
    most_ma = max(readings.currents_ma)
    reference_ma = offer.reference_ma(memory.offer, readings.now_ms)
    mask = 0
    if most_ma * 10 > reference_ma * 11 + 5000:
        mask = 1 << faults.S12A
        if most_ma * 10 > reference_ma * 13 + 10_000:
            mask |= 1 << faults.S12B
        if most_ma > reference_ma * 2 and most_ma > units.MIN_OFFER_MA:
            mask |= 1 << faults.S12C
    if memory.local.over > offer.heat_most(reference_ma):
        mask |= 1 << faults.S12H
    if most_ma * 4 > settings.wiring_limit_ma * 5:
        mask |= 1 << faults.S12D
    return mask
