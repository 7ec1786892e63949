"""Every story runs as it expects, and what happens on the wires is what was reviewed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from host_tools.sim.scenario import BadScenario, Scenario

FOLDER = Path(__file__).parent
LONG = ("whole_day",)
FILES = sorted(FOLDER.glob("*.scenario"))


def trace_of(file, out):
    """Text of a story's trace; a long one runs where simulations run fast."""
    if file.stem not in LONG:
        return Scenario(file.name, file.read_text()).run().trace()
    command = [sys.executable, "-m", "host_tools", "scenario", str(file), "--trace", str(out)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=FOLDER.parent.parent)
    assert done.returncode == 0, done.stdout + done.stderr
    return out.read_text()


def test_there_are_stories():
    assert len(FILES) >= 20


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_story(file, tmp_path):
    found = trace_of(file, tmp_path / "trace")
    committed = FOLDER / "traces" / f"{file.stem}.trace"
    if os.environ.get("EBB_WRITE_TRACES"):
        committed.write_text(found)
    assert found == committed.read_text(), "the trace changed: review it, then set EBB_WRITE_TRACES=1"


@pytest.mark.parametrize(
    ("text", "words"),
    (
        ("plug in", "x:1: the first line names the car"),
        ("car polite, wiring 16 A\nat 5 s fly", "x:2: nobody understands 'fly'"),
        ("car rocket, wiring 16 A\nat 5 s plug in\nat 9 s expect dancing", "x:3: nobody knows what"),
        ("car polite, wiring 16 A\nat 9 s plug in\nat 5 s plug out", "x:3: 5 s is over already"),
        ("car polite, wiring 16 A\nat 5 s expect charging", "x:2: expected charging, found idle"),
        ("car polite, wiring 16 A\nat 5 s fault gremlins on", "x:2: There is no fault 'gremlins'"),
        ("car polite, wiring 16 A\nmains 230 0 V", "x:2: nobody understands 'mains 230 0 V'"),
        ("car polite, wiring 16 A\nmains 900 V", "x:2: 'mains.voltages_mv' must be a list"),
        ("car polite, wiring 16 A\nmains 10 Hz", "x:2: 'mains.frequency_mhz' must be a whole number"),
        ("car polite, wiring 16 A\ntemperature 300 C", "x:2: 'temperature_tenths_c' must be a whole number"),
        ("car polite, wiring 3 A", "x:1: wiring_limit_ma must be"),
        ("car polite, wiring 16 A\ncar slow, wiring 16 A", "x:2: the car comes first, and once"),
        ("car polite, wiring 16 A\ngrid pauses for 9 h", "x:2: the grid's command was refused"),
    ),
)
def test_bad_text_is_told_with_its_line(text, words):
    with pytest.raises(BadScenario) as caught:
        Scenario("x", text).run()
    assert str(caught.value).startswith(words)
