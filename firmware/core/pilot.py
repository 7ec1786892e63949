"""The control pilot: which letter the car shows, and which duty tells it how many amperes it may draw."""

from firmware.core import units
from firmware.core.records import Pilot

# (letter, stays down to, stays up to) in mV at the pin of a box whose own level is 12 V. B and C meet in the middle of
# what cars may show: 8.06 V (1870 Ω) and more, 6.5 V and less. Upward from C there is no hysteresis: a car that has let
# go is never taken for one that asks (docs/decisions/0021). F is −12 V where the wallbox did not ask for it.
BANDS: "tuple[LetterBand, ...]" = (
    ("A", 10500, 99999),
    ("B", 7000, 10800),
    ("C", 4430, 7300),
    ("D", 1200, 4800),
    ("E", -1500, 1800),
    ("F", -99999, -1500),
)
LEARNT_PART, LEARNT_MV = 8, 24  # so much of the difference a tick, and nothing of one that is noise
UNSEEN_MS = 1 << 50  # stable_at_ms of a letter that no reading has shown


def letter_of(high_mv: int, before: "Letter", own_mv: int = units.NOMINAL_MV) -> "Letter":
    """Letter "A"–"F" for a high half in mV, with hysteresis around the letter seen before (requirements §1).

    It is judged as a part of the box's own level: what source and ADC are off by, car and level share.
    """
    high_mv = high_mv * units.NOMINAL_MV // own_mv
    index = 0
    while BANDS[index][0] != before:
        index += 1
    while high_mv > BANDS[index][2]:
        index -= 1
    while high_mv < BANDS[index][1]:
        index += 1
    return BANDS[index][0]


def first_pilot(now_ms: int) -> "Pilot":
    """Pilot as it is at power-on: nothing seen yet, taken as no car, and not stable before the first fresh reading."""
    return Pilot("A", UNSEEN_MS, now_ms + units.JUDGE_AFTER_MS, False, units.NOMINAL_MV)


def learnt_mv(pilot: "Pilot", readings: "Readings") -> int:
    """The box's own level after these readings: that of an empty plug, stable, and never outside of 12 V ± 5 %."""
    own_mv, high_mv = pilot.own_mv, readings.pilot_high_mv
    if pilot.letter != "A" or readings.now_ms < pilot.stable_at_ms:
        return own_mv
    if high_mv is None or abs(high_mv - own_mv) <= LEARNT_MV or not units.OWN_MV[0] <= high_mv <= units.OWN_MV[1]:
        return own_mv
    return own_mv + (high_mv - own_mv) // LEARNT_PART


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
            letter = letter_of(high_mv, before, pilot.own_mv)
            if is_ventilated and letter == "D":
                letter = "C"
        elif low_mv is not None and low_mv < BANDS[5][2]:
            letter = "F"
    is_diode_seen = pilot.is_diode_seen
    if letter == "A":
        is_diode_seen = False
    elif not is_diode_seen and is_diode_good(readings, mode) and readings.now_ms >= pilot.judge_at_ms:
        is_diode_seen = True
    is_seen = high_mv is not None or low_mv is not None
    if pilot.stable_at_ms == UNSEEN_MS and not is_seen:
        return pilot
    # A letter of an ADC that may stand still is the letter, but it is not stable (faults.md S8).
    is_stale = readings.pilot_age_ms > units.FRESH_MS or readings.currents_age_ms > units.FRESH_MS
    if letter != before or is_stale or pilot.stable_at_ms == UNSEEN_MS:
        stable_at_ms = readings.now_ms + units.LETTER_STABLE_MS
        return Pilot(letter, stable_at_ms, pilot.judge_at_ms, is_diode_seen, pilot.own_mv)
    own_mv = learnt_mv(pilot, readings) if mode != "low" else pilot.own_mv
    if is_diode_seen is not pilot.is_diode_seen or own_mv != pilot.own_mv:
        return Pilot(letter, pilot.stable_at_ms, pilot.judge_at_ms, is_diode_seen, own_mv)
    return pilot


def is_diode_good(readings: "Readings", mode: "PilotMode") -> bool:
    """Whether the low half proves the car's diode; only PWM can (requirements §1)."""
    return mode == "pwm" and readings.pilot_low_mv is not None and readings.pilot_low_mv <= units.DIODE_LOW_MV


def without_diode(pilot: "Pilot") -> "Pilot":
    """Pilot of a car whose diode was not seen yet."""
    return Pilot(pilot.letter, pilot.stable_at_ms, pilot.judge_at_ms, False, pilot.own_mv)


def restarted(pilot: "Pilot", now_ms: int, is_new_mode: bool) -> "Pilot":
    """Pilot whose 500 ms of stable letter start anew, as after a duty change or a contactor move (requirements §1)."""
    judge_at_ms = now_ms + units.JUDGE_AFTER_MS if is_new_mode else pilot.judge_at_ms
    return Pilot(pilot.letter, now_ms + units.LETTER_STABLE_MS, judge_at_ms, pilot.is_diode_seen, pilot.own_mv)


def duty_permille(offered_ma: int) -> int:
    """Duty in permille for an offer in mA, rounded down; 1000 (x1) below 6 A (requirements §1)."""
    if offered_ma < units.MIN_OFFER_MA:
        return 1000
    if offered_ma < units.EDGE_52_MA:
        return min(offered_ma, units.EDGE_51_MA) // 60
    return min(offered_ma, units.MAX_OFFER_MA) // 250 + 640
