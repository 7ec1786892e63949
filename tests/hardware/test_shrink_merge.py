"""What firmware/app.py loads at once becomes one module that does the same: each rule with a program for it."""

import re
import subprocess
import sys

import pytest

from host_tools.device import shrink, shrink_move, shrink_names

LOW = """
import json
from collections import namedtuple
STEPS = (1, 2)
Level = namedtuple("Level", ("height_mm",))
class Message:
    def text(self):
        return "low"
class Late(ValueError):
    pass
def status(height_mm):
    return json.dumps([Level(height_mm).height_mm, STEPS[0]])
def clear(height_mm, status=5):
    return [status for status in (height_mm, status)]
total = 7
"""
HIGH = """
import json
from firmware.core import low as place, bounds
from firmware.core.low import Level, status as told
class Message:
    total = 3
    def text(self, low=2):
        return told(low) + str(self.total) + str(place.total + bounds.MOST)
    def status(self):
        return status(4)
def status(low):
    def clear(total):
        return total + low
    hidden = [place for place in (8, 9)]
    return [clear(1), json.dumps(hidden), place.clear(3), (lambda status: status + 1)(2)]
total = status(6)
"""
LAZY = """
from firmware.core import high, low
from firmware.core.low import Level, Late
def late():
    from firmware.core import low as place
    try:
        raise Late(place.status(1))
    except Late as error:
        return [str(error), type(error).__name__, high.Message().text(), low.total, Level(4).height_mm]
"""
APP = """
from firmware.core import high
from firmware.core.high import Level
from firmware.core import low
def run():
    from firmware.core import lazy
    return [high.total, high.Message().text(), high.Message().status(), low.Message().text(), lazy.late()]
class App:
    idle = "idle"
    def __init__(self, low):
        self.low = low
    def status(self, total):
        low = self.low
        return low(total) + "charging" + self.idle
result = [run(), App(high.told).status(2), Level(1).height_mm]
"""
PROGRAM = {
    "firmware/core/bounds.py": "MOST = 4\n",
    "firmware/core/low.py": LOW,
    "firmware/core/high.py": HIGH,
    "firmware/core/lazy.py": LAZY,
    "firmware/app.py": APP,
}
OUTSIDE = "from firmware import app\nfrom firmware.core import low\nprint(app.result, low.status(3), low.Late)\n"


def said(folder, sources):
    """What the program outside prints with these modules."""
    for path, text in sources.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    (folder / "outside.py").write_text(OUTSIDE)
    done = subprocess.run([sys.executable, "outside.py"], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr + "\n".join(f"# {path}\n{text}" for path, text in sources.items())
    return done.stdout.replace("firmware.core.low.", "").replace("firmware.app.", "")


def test_the_whole_does_what_its_modules_did(tmp_path):
    made, names = shrink.shrunk(PROGRAM, [OUTSIDE])
    assert said(tmp_path / "made", made) == said(tmp_path / "plain", PROGRAM)
    assert sorted(made) == ["firmware/app.py", "firmware/core/lazy.py", "firmware/core/low.py"]
    assert (
        made["firmware/app.py"].count("import json") == 1 and "firmware.core import low" not in made["firmware/app.py"]
    )
    assert re.search(r"def (idle|charging|low|text)\(", made["firmware/app.py"]), (
        "called like a text that is there anyway"
    )
    assert len(made["firmware/core/low.py"].splitlines()) == 3, "a door of three lines for the program outside"
    told = [one for long in names["firmware/app.py"].values() for one in long.split("|")]
    assert "firmware/core/low.py:status" in told and "firmware/core/high.py:status" in told


def test_modules_in_a_ring_are_refused():
    ring = {
        "firmware/app.py": "from firmware.core import one\n",
        "firmware/core/one.py": "from firmware.core import two\ndef f():\n    return two.g()\n",
        "firmware/core/two.py": "from firmware.core import one\ndef g():\n    return one.f()\n",
    }
    with pytest.raises(shrink_names.Unsafe, match="itself"):
        shrink.shrunk(ring, [])


def test_two_modules_of_one_name_are_refused():
    twins = {
        "firmware/app.py": "from firmware.core import one\nfrom firmware.wire import one as two\n",
        "firmware/core/one.py": "def f():\n    return 1\n",
        "firmware/wire/one.py": "def f():\n    return 2\n",
    }
    with pytest.raises(shrink_names.Unsafe, match="two modules"):
        shrink.shrunk(twins, [])


@pytest.mark.parametrize(
    "source, words",
    (
        ("from firmware.core import low\nkept = [low]\n", "as a thing"),
        ("from firmware.core import low\nkept = low.gone\n", "not its own"),
        ("from firmware.core import low\ndef f(x=low.total):\n    return x\n", "as a default"),
        ("from firmware.core import low\nlow = 3\n", "two things"),
        ("from firmware.core import low as one\ndef f():\n    from firmware import app as one\n", "two things"),
    ),
)
def test_ways_to_a_module_that_cannot_be_followed(source, words):
    sources = {"firmware/app.py": source, "firmware/core/low.py": "total = []\n"}
    with pytest.raises(shrink_names.Unsafe, match=words):
        shrink.shrunk(sources, [])


def test_without_looking_at_what_a_function_binds_the_program_breaks(tmp_path, monkeypatch):
    """Planted: nothing inside a function hides a name of its module any more."""
    monkeypatch.setattr(shrink_move, "bound", lambda scope: set())
    with pytest.raises((AssertionError, shrink_names.Unsafe)):
        made, _ = shrink.shrunk(PROGRAM, [OUTSIDE])
        assert said(tmp_path / "made", made) == said(tmp_path / "plain", PROGRAM)
