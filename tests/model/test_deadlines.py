"""Every deadline of the fault table is held over random phases of tick, pilot and mains, on both seams."""

import random
from types import SimpleNamespace

import pytest

from firmware.core import faults, units
from host_tools.deadlines import report, rows
from host_tools.deadlines.trial import Trial, warm

SEED = random.SystemRandom().randrange(1 << 31)
TRIALS = 4  # of each row on the fast seam, one through the real drivers; the sweep itself is `latency --deadlines`


def swept(path, names, trials):
    """Whether all is held, with the CSV written to path."""
    options = SimpleNamespace(trials=trials, seed=SEED, rows=names, keep_going=False, has_processes=True)
    return report.report(options, path)


def test_every_deadline_is_held(tmp_path, capsys):
    path = tmp_path / "deadlines.csv"
    is_held = swept(path, [], TRIALS)
    printed = capsys.readouterr().out
    assert is_held, "\n".join([f"seed {SEED}", *(line for line in printed.split("\n") if "NOT HELD" in line)])
    lines = path.read_text().splitlines()
    assert lines[0] == report.HEADER
    assert len(lines) == 1 + 2 * len(rows.ROWS)


def test_every_row_of_the_fault_table_with_a_deadline_is_swept():
    swept_ids = {row.name.split()[0] for row in rows.ROWS}
    for fault in faults.FAULTS:
        # Wear, crashes and the variants of a row that a profile selects have no deadline of their own here.
        if fault[0][0] in "SK" and fault[3] and fault[0] not in ("S14r", "S17p"):
            name = fault[0] if fault[0] in swept_ids else fault[0].rstrip("abcds")
            assert name in swept_ids, fault[0]


@pytest.mark.parametrize(
    ("name", "change"),
    (
        ("S18", lambda patch: patch.setattr(faults, "FAULTS", later("S18", 300))),
        ("S12b", lambda patch: patch.setattr(faults, "FAULTS", later("S12b", 400))),
        ("K4", lambda patch: patch.setattr(faults, "FAULTS", later("K4", 200))),
        ("N6", lambda patch: patch.setattr(units, "STOP_LIMIT_MS", 5950)),
        ("S5", lambda patch: patch.setattr(units, "LETTER_STABLE_MS", 400)),
    ),
)
def test_a_planted_delay_is_found(monkeypatch, tmp_path, name, change):
    change(monkeypatch)
    warm.clear()
    options = SimpleNamespace(trials=4, seed=SEED, rows=[name], keep_going=False, has_processes=False)
    assert not report.report(options, tmp_path / "deadlines.csv")
    warm.clear()


def later(name, for_ms):
    """The fault table with one row confirmed later."""
    return tuple((*row[:1], row[1] + for_ms, *row[2:]) if row[0] == name else row for row in faults.FAULTS)


def test_a_fault_comes_between_two_ticks():
    row = rows.chosen(["S18"])[0]
    phases_us = set()
    for number in range(8):
        trial = Trial(row, "fast", f"{SEED}:{number}")
        trial.measured()
        phases_us.add(trial.edges[0][0] % 1000)
    assert len(phases_us) > 4
