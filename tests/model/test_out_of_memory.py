"""Memory runs out on the real interpreter: services give way first, and no tick leaves a contactor closed (X4)."""

import os
import re
import subprocess

import pytest

from host_tools import bootstrap, chip

HEAP = "600k"  # of sources, which are larger than the firmware's modules; filled by the test in any case

pytestmark = pytest.mark.needs_chip


def squeezed(*what, heap=HEAP):
    """What tests/chip/squeezed.py prints."""
    root = bootstrap.ROOT
    paths = f"{root / 'tests' / 'chip'}:{root / 'tests' / 'unit'}:{root}:.frozen"
    command = [*chip.interpreter(), "-X", f"heapsize={heap}", str(root / "tests" / "chip" / "squeezed.py"), *what]
    done = subprocess.run(
        command, capture_output=True, text=True, env={**os.environ, "MICROPYPATH": paths}, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_service_that_takes_all_memory_gives_way_and_the_tick_goes_on():
    assert squeezed("hog") == "openings: 0 told: [('web', 'gives its memory back')] tick lives: True\n"


@pytest.mark.parametrize("used_b", ("0", "130000", "250000"))
@pytest.mark.parametrize("kept_b", ("640", "832", "1024", "1280", "2048"))
def test_a_service_that_takes_a_little_more_each_tick_gives_way_in_time(kept_b, used_b):
    """Collections come seldom while much is free: what they find is looked at in time all the same."""
    assert squeezed("slow", kept_b, used_b, heap="700k") == "openings: 0 told: ['web'] used: True\n"


def test_any_allocation_of_a_tick_may_fail():
    """None leaves the tick by an exception, none leaves the contactor closed, and no pause is lost."""
    found = squeezed("tick")
    failed, bad = map(int, re.search(r"failed: (\d+) bad: (\d+)", found).groups())
    assert bad == 0, found
    assert failed > 20, "the squeeze was felt"
