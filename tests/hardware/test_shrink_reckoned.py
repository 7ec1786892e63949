"""What the build reckons is what the firmware would have: outcomes written out, and what nobody asks for gone."""

import pytest

from host_tools import chip
from host_tools.device import shrink, shrink_names

FAULTS = """
ROWS = (("S2", 5), ("S3", 6))
def row_of(name):
    index = 0
    while ROWS[index][0] != name:
        index += 1
    return index
S2, S3 = row_of("S2"), row_of("S3")
"""
CHARGING = """
from firmware.core import faults, states
def must_open(s):
    return s & 1 << faults.S3
def never(s):
    return never(s - 1) if s else LEFT
LEFT = (1, 2)
CALLED = print("loaded")
def rows_by_state():
    return tuple((name, ((must_open, "faulted"),)) for name in states.NAMES)
ROWS = rows_by_state()
"""
APP = """
from firmware.core import charging
from firmware.core import faults as table
result = [(name, [(guard(3), to) for guard, to in rows]) for name, rows in charging.ROWS] + [table.S2, table.ROWS[1]]
"""
PROGRAM = {
    "firmware/core/states.py": 'NAMES = ("idle", "charging")\n',
    "firmware/core/faults.py": FAULTS,
    "firmware/core/charging.py": CHARGING,
    "firmware/app.py": APP,
}


def run(source):
    """`result` of the whole, which imports nothing."""
    found = {}
    exec(source, found)
    return found["result"]


def test_outcomes_stand_where_the_calls_were(capsys):
    made = shrink.shrunk(PROGRAM, ["app.result"])[0]["firmware/app.py"]
    assert run(made) == [("idle", [(2, "faulted")]), ("charging", [(2, "faulted")]), 0, ("S3", 6)]
    assert capsys.readouterr().out.count("loaded") == 2, "by the build, and by the firmware"
    assert made.count("def ") == 1 and "while" not in made and "1 << 1" in made
    assert "(1, 2)" not in made, "only a function that calls itself alone spoke of it"


def test_what_a_program_outside_asks_for_stays():
    made = shrink.shrunk(PROGRAM, ["from firmware.core import charging\ncharging.never(1)\napp.result"])[0]
    assert "(1, 2)" in made["firmware/app.py"]
    assert "never = app." in made["firmware/core/charging.py"]


def test_the_tables_of_the_firmware_are_as_the_core_makes_them():
    from firmware.core import charging, faults

    made = shrink.shrunk(chip.plain_sources(), chip.callers())[0]["firmware/app.py"]
    assert f"1 << {faults.K4}" in made and "'faulted'" in made
    assert made.count("'faulted'), (") + made.count("'faulted'),)") >= sum(
        to == "faulted" for _, rows in charging.ROWS for _, to in rows
    )
    assert "faults.md" not in made and "idle testing waiting" not in made


TABLED = """
from collections import namedtuple
PINS = ("coil_adc", "earth_adc")
FACTS = ("tick_name", "pins_name")
SAID = ("other_name", "asked_name")
Pins = namedtuple("Pins", PINS)
Facts = namedtuple("Facts", FACTS)
Said = namedtuple("Said", SAID)
def read(board):
    return Facts(board["tick_name"], Pins(*[board[name] for name in PINS]))
result = read(dict(zip("tick_name coil_adc earth_adc".split(), (4, 5, 6))))
result = (result.tick_name, result.pins_name.earth_adc, len(PINS), "coil_" + "adc" in PINS, Said(1, 2).asked_name)
"""


def test_fields_that_a_table_names_are_short_and_the_table_stays():
    made = shrink.shrunk({"firmware/app.py": TABLED}, ["app.result\ngetattr(app, 'asked_name')"])[0]["firmware/app.py"]
    assert run(made) == run(TABLED) == (4, 6, 2, True, 2)
    assert ".earth_adc" not in made and "pins_name'," not in made
    assert ".tick_name" in made and ".asked_name" in made, "its text stands elsewhere, a program outside asks for it"


def test_an_outcome_that_cannot_be_written_is_refused():
    wrong = {**PROGRAM, "firmware/core/faults.py": "def row_of(name):\n    return [name]\nS2 = row_of('S2')\n"}
    with pytest.raises(shrink_names.Unsafe, match="written out"):
        shrink.shrunk(wrong, ["app.result"])
