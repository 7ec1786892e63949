"""The event log on the chip's own littlefs: a full and then a broken flash lose nothing of it, and it wears little."""

import os
import re
import subprocess

import pytest

from host_tools import bootstrap, chip


@pytest.fixture(scope="module")
def said():
    """What the script of the interpreter prints."""
    root = bootstrap.ROOT
    paths = f"{root / 'tests' / 'chip'}:{root / 'tests' / 'unit'}:{root}:.frozen"
    script = root / "host_tools" / "chip_scripts" / "log_on_flash.py"
    command = [*chip.interpreter(), "-X", "heapsize=4m", str(script)]
    done = subprocess.run(
        command, capture_output=True, text=True, env={**os.environ, "MICROPYPATH": paths}, timeout=200
    )
    assert done.returncode == 0, done.stdout + done.stderr
    print(done.stdout)
    return done.stdout


def test_nothing_is_lost(said):
    assert "full: 28\n" in said
    assert "kept: True\n" in said
    assert "told: 1 S2: 1 S3: 1\n" in said
    assert "in order: True of security: 2\n" in said


def test_a_write_costs_about_one_erase(said):
    files, erases = map(int, re.search(r"files: (\d+) erases: (\d+)", said).groups())
    assert files == 6  # 300 records of 64 in a file, and one of security
    assert erases <= 60  # 31 writes
