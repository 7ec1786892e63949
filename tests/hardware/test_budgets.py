"""Memory and size against the committed table, with 5 % of slack; times are printed and never judged here."""

import csv
import functools

import pytest

from host_tools import bootstrap, budgets
from host_tools.device import build

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
    assert found <= float(row["goal"])


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
    files = build.made("reference").files
    within("mpy_per_slot", sum(len(data) for path, data in files.items() if path.endswith(".mpy")))


def test_the_table_keeps_its_goals():
    for row in TABLE.values():
        assert float(row["value"]) <= float(row["goal"]), row
