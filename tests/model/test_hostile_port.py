"""Hostile waveforms at the port never get the coil on against the wire, and planted mistakes are found by them."""

import random

import pytest

from firmware.core import conditions, interlock, pilot, units
from host_tools import hostile_port, jobs
from host_tools.hostile import shrunk

SEED = random.SystemRandom().randrange(1 << 31)
PLANTED_SEED = 1  # what must be found is looked for in the same waveforms each time
COUNT = 2000
ALWAYS = interlock.first_guard(0)._replace(may_close=True)


def test_hostile_waveforms(tmp_path, monkeypatch):
    monkeypatch.setattr(jobs, "LOG", tmp_path / "campaigns.csv")
    assert hostile_port.report(COUNT, SEED, False)
    assert ",hostile," in (tmp_path / "campaigns.csv").read_text()


def first_found(most, rule):
    """(case, words) of the first waveform among `most` that breaks a rule, by the beginning of its name."""
    for number in range(most):
        case, _ = hostile_port.case_of(PLANTED_SEED, number)
        try:
            hostile_port.played(case)
        except hostile_port.Unsafe as unsafe:
            if str(unsafe).startswith(rule):
                return case, str(unsafe)
    raise AssertionError(f"seed {PLANTED_SEED}: not found in {most} waveforms")


SWAPPED = (("A", 10200, 99999), ("C", 7200, 10800), ("B", 4200, 7800), *pilot.BANDS[3:])
WIDE = (*pilot.BANDS[:2], ("C", 4200, 8800), *pilot.BANDS[3:])


@pytest.mark.parametrize(
    ("module", "field", "planted", "rule"),
    (
        (pilot, "BANDS", SWAPPED, "I1 letter"),
        (pilot, "BANDS", WIDE, "I1 letter"),
        (units, "LETTER_STABLE_MS", 0, "S5 stable"),
        (units, "LETTER_STABLE_MS", 450, "S5 stable"),
        (pilot, "is_diode_good", lambda readings, mode: True, "I1 diode"),
        (units, "STOP_LIMIT_MS", 60_000, "x1"),
        (units, "CLOSE_HOLD_MS", 0, "S5 closings"),
        (interlock, "permit", lambda guard, readings, outputs, is_ventilated: ALWAYS, "I1"),
        (interlock, "C_HIGH_MV", 9100, "I1 letter"),
        (interlock, "X1_MOST_MS", 6200, "x1"),
        (interlock, "DIODE_LOST_MS", 700, "diode"),
        (interlock, "tested", lambda test, readings: interlock.PASSED, "I1 self-test"),
        (interlock, "is_signalled", lambda outputs, mode_for_ms: True, "I1 state F"),
    ),
)
def test_planted_mistakes_are_found(monkeypatch, module, field, planted, rule):
    hostile_port.starts()  # of the healthy firmware
    monkeypatch.setattr(module, field, planted)
    if field == "is_diode_good":
        # S9 would open in its place: a low half without a diode is far off.
        monkeypatch.setattr(conditions, "LOW_HALF_MV", (-99_999, 99_999))
    case, words = first_found(4000, rule)
    shorter = shrunk.shrunk(case)
    assert len(shorter[4]) <= len(case[4])
    assert words.split(":")[0] in shrunk.table(shorter)


def test_a_broken_off_run_goes_on(tmp_path):
    results = jobs.Results("some", 1, False, tmp_path)
    assert jobs.done([("a", 1), ("b", 2)], str, results, False) == {"a": "1", "b": "2"}
    with results.path.open("a") as file:
        file.write('["c", ')
    again = jobs.Results("some", 1, True, tmp_path)
    assert jobs.done([("a", 7), ("b", 8), ("c", 9)], str, again, False) == {"a": "1", "b": "2", "c": "9"}
