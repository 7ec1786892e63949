"""Memory and size against the committed table, with 5 % of slack; times are printed and never judged here."""

import csv
import functools

import pytest

from host_tools import bootstrap, budgets, flash_cost
from host_tools.device import boards, build, chips

SLACK = 1.05
with (bootstrap.ROOT / "docs" / "budgets.csv").open() as file:
    TABLE = {row["name"]: row for row in csv.DictReader(file)}


@functools.cache
def lines_of(script):
    """What a script prints; run once for all that is held to the table."""
    return budgets.on_chip(script)


def within(name, found):
    """Print a figure and hold it to the table and to its goal."""
    row = TABLE[name]
    print(f"{name}: {found} {row['unit']} (table {row['value']}, goal {row['goal']})")
    assert found <= float(row["value"]) * SLACK
    assert found <= float(row["goal"]) or row["missed"]


def test_heap_of_the_control_part_and_of_what_keeps_its_state():
    alone, keeping = budgets.control_part_b()
    within("heap_control_part", alone)
    within("heap_keeping", keeping)


@pytest.mark.parametrize("when", ("at_start", "after_13_days"))
def test_garbage_of_a_tick(when):
    within(f"tick_garbage_{when}", budgets.number_of(lines_of("tick_cost.py"), f"tick_garbage_{when}"))


@pytest.mark.parametrize("name", ("recorder_heap", "recorder_garbage"))
def test_the_flight_recorder(name):
    within(name, budgets.number_of(lines_of("flight_cost.py"), name))


@pytest.mark.parametrize("name", ("history_code", "history_heap"))
def test_the_history_while_it_is_read(name):
    within(name, budgets.number_of(lines_of("history_cost.py"), name))


def test_an_update_while_it_comes():
    lines = budgets.update_lines()
    assert "update_outcome: stored" in lines
    for name in ("update_code_heap", "announced_code_heap", "update_heap_most"):
        within(name, budgets.number_of(lines, name))


def test_size_of_a_slot():
    within("mpy_per_slot", build.mpy_bytes(build.made("reference").inside))


def test_the_longest_call_into_littlefs_with_a_full_history():
    """Only with the coil off (test_quiet_flash): it is to stay well under what the watchdog waits then."""
    facts = boards.loaded("reference")
    times = {which: chips.flash_times(chips.loaded(facts["chip"]), which) for which in chips.WHICH}
    readsize = flash_cost.READSIZES[-1]
    assert flash_cost.littlefs(readsize, facts, times, 1)
    slow = {**times, "worst": {row: 3 * us for row, us in times["worst"].items()}}
    assert not flash_cost.littlefs(readsize, facts, slow, 1), "a flash that is three times as slow is found out"


def judged(table):
    """Rows of a table that are over their goal and do not say so, or say so and are not."""
    return [name for name, row in table.items() if (float(row["value"]) > float(row["goal"])) != bool(row["missed"])]


def test_a_row_over_its_goal_names_the_decision_that_says_why():
    assert judged(TABLE) == []
    for row in TABLE.values():
        assert not row["missed"] or list((bootstrap.ROOT / "docs" / "decisions").glob(row["missed"] + "-*.md")), row
    planted = {**TABLE, "tick_garbage_at_start": {**TABLE["tick_garbage_at_start"], "value": "2000"}}
    assert judged(planted) == ["tick_garbage_at_start"]
    assert judged({"heap_whole": {**TABLE["heap_whole"], "value": "300000"}}) == ["heap_whole"], "an excuse too many"


@pytest.mark.parametrize("name", ("wrover", "reference"))
def test_the_chips_own_memory_through_tls_reconnects(name, monkeypatch):
    chip = boards.loaded(name)["chip"]
    free_b, largest_b = budgets.idf_least(chip)
    print(f"idf_free_{name}: {free_b} B, idf_largest_{name}: {largest_b} B")
    assert free_b >= budgets.IDF_FREE_B and largest_b >= budgets.IDF_LARGEST_B
    monkeypatch.setattr(budgets, "IDF_SOCKETS", budgets.IDF_SOCKETS + 2)
    assert budgets.idf_least(chip)[0] <= free_b - 2 * 4096, "two more sockets leave less"
