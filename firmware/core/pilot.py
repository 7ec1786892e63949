"""The control pilot: which letter the car shows, and which duty tells it how many amperes it may draw."""

from firmware.core import units
from firmware.core.records import Pilot

# (letter, stays down to, stays up to) in mV at the pin: the edges 10.5, 7.5, 4.5 and 1.5 V of requirements §1, each
# widened by 0.3 V of hysteresis. F is −12 V where the wallbox itself did not ask for it.
BANDS: "tuple[LetterBand, ...]" = (
    ("A", 10200, 99999),
    ("B", 7200, 10800),
    ("C", 4200, 7800),
    ("D", 1200, 4800),
    ("E", -1500, 1800),
    ("F", -99999, -1500),
)


def letter_of(high_mv: int, before: "Letter") -> "Letter":
    """Letter "A"–"F" for a high half in mV, with hysteresis around the letter seen before (requirements §1)."""
    index = 0
    while BANDS[index][0] != before:
        index += 1
    while high_mv > BANDS[index][2]:
        index -= 1
    while high_mv < BANDS[index][1]:
        index += 1
    return BANDS[index][0]


def first_pilot(now_ms: int) -> "Pilot":
    """Pilot as it is at power-on: nothing seen yet, taken as no car."""
    return Pilot("A", now_ms + units.LETTER_STABLE_MS, now_ms + units.JUDGE_AFTER_MS, False)


def watched(pilot: "Pilot", readings: "Readings", mode: "PilotMode", is_ventilated: bool = False) -> "Pilot":
    """The Pilot after one tick of readings, while `mode` ("high" | "pwm" | "low") is on the wire. In a ventilated room
    letter D asks like C, and is C from here on (requirements §1, state D).

    A half that was not seen leaves the letter standing; the fault table opens after 100 ms of that.
    """
    before = pilot.letter
    letter = before
    high_mv, low_mv = readings.pilot_high_mv, readings.pilot_low_mv
    if mode != "low":
        # Beyond the rails it is no pilot: nobody was unplugged, but no letter is stable (faults.md S8, S5).
        if (high_mv or 0) > units.PILOT_MOST_MV or (high_mv is None and (low_mv or 0) < -units.PILOT_MOST_MV):
            # From the next reading on, which is not here yet.
            return restarted(pilot, readings.now_ms + units.JUDGE_AFTER_MS, False)
        if high_mv is not None:
            letter = letter_of(high_mv, before)
            if is_ventilated and letter == "D":
                letter = "C"
        elif low_mv is not None and low_mv < BANDS[5][2]:
            letter = "F"
    is_diode_seen = pilot.is_diode_seen
    if letter == "A":
        is_diode_seen = False
    elif not is_diode_seen and is_diode_good(readings, mode) and readings.now_ms >= pilot.judge_at_ms:
        is_diode_seen = True
    # A letter of an ADC that may stand still is the letter, but it is not stable (faults.md S8).
    if letter != before or readings.pilot_age_ms > units.FRESH_MS or readings.currents_age_ms > units.FRESH_MS:
        return Pilot(letter, readings.now_ms + units.LETTER_STABLE_MS, pilot.judge_at_ms, is_diode_seen)
    if is_diode_seen is not pilot.is_diode_seen:
        return Pilot(letter, pilot.stable_at_ms, pilot.judge_at_ms, is_diode_seen)
    return pilot


def is_diode_good(readings: "Readings", mode: "PilotMode") -> bool:
    """Whether the low half proves the car's diode; only PWM can (requirements §1)."""
    return mode == "pwm" and readings.pilot_low_mv is not None and readings.pilot_low_mv <= units.DIODE_LOW_MV


def restarted(pilot: "Pilot", now_ms: int, is_new_mode: bool) -> "Pilot":
    """Pilot whose 500 ms of stable letter start anew, as after a duty change or a contactor move (requirements §1)."""
    judge_at_ms = now_ms + units.JUDGE_AFTER_MS if is_new_mode else pilot.judge_at_ms
    return Pilot(pilot.letter, now_ms + units.LETTER_STABLE_MS, judge_at_ms, pilot.is_diode_seen)


def duty_permille(offered_ma: int) -> int:
    """Duty in permille for an offer in mA, rounded down; 1000 (x1) below 6 A (requirements §1)."""
    if offered_ma < units.MIN_OFFER_MA:
        return 1000
    if offered_ma < units.EDGE_52_MA:
        return min(offered_ma, units.EDGE_51_MA) // 60
    return min(offered_ma, units.MAX_OFFER_MA) // 250 + 640
