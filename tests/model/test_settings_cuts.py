"""Settings on the chip's own littlefs, cut at every flash operation: old or new are in force (faults.md P3, F1)."""

import os
import re
import subprocess

from host_tools import bootstrap, chip

SCRIPT = bootstrap.ROOT / "tests" / "chip" / "cut_settings.py"


def counts(*planted):
    """{name: count} of the line that the script prints."""
    command = [*chip.interpreter(), "-X", "heapsize=8m", str(SCRIPT), *planted]
    env = {**os.environ, "MICROPYPATH": f"{bootstrap.ROOT}:.frozen"}
    done = subprocess.run(command, capture_output=True, text=True, env=env, check=True)
    print(done.stdout)
    return {name: int(count) for name, count in re.findall(r"(\w+): (\d+)", done.stdout.splitlines()[-1])}


def test_a_cut_at_every_operation_leaves_old_or_new():
    found = counts()
    assert found["bad"] == 0
    assert found["cuts"] >= 100 and found["second"] >= 1000
    assert found["old"] and found["new"]


def test_a_planted_bug_is_found():
    assert counts("bug")["bad"] > 0
