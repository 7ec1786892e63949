"""Settings and state on the chip's own littlefs, cut at every flash operation: old or new, never a mixture (P3, F1)."""

import os
import re
import subprocess

from host_tools import bootstrap, chip

TESTS = bootstrap.ROOT / "tests"


def counts(script, *planted):
    """{name: count} of the last line that a script prints."""
    command = [*chip.interpreter(), "-X", "heapsize=8m", str(TESTS / "chip" / script), *planted]
    env = {**os.environ, "MICROPYPATH": f"{TESTS / 'chip'}:{TESTS / 'unit'}:{bootstrap.ROOT}:.frozen"}
    done = subprocess.run(command, capture_output=True, text=True, env=env, check=True)
    print(done.stdout)
    return {name: int(count) for name, count in re.findall(r"(\w+): (\d+)", done.stdout.splitlines()[-1])}


def test_settings_cut_at_every_operation_are_old_or_new():
    found = counts("cut_settings.py")
    assert found["bad"] == 0
    assert found["cuts"] >= 100 and found["second"] >= 1000
    assert found["old"] and found["new"]


def test_state_cut_or_failing_at_every_operation_is_old_or_new():
    """An error is told, and the next save is whole; how long a save keeps the interpreter is printed, not judged."""
    found = counts("cut_state.py")
    assert found["bad"] == 0
    assert found["cuts"] >= 100 and found["errors"] >= 100


def test_a_planted_bug_is_found():
    assert counts("cut_settings.py", "bug")["bad"] > 0
    assert counts("cut_state.py", "bug")["bad"] > 0
