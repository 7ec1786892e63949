"""The parsers make the same of the same bytes on CPython and on the chip's interpreter, whatever the bytes (I8)."""

import os
import random
import subprocess
import sys

import pytest

from host_tools import bootstrap, chip
from host_tools.faults import task as faults_task
from host_tools.fuzz import campaign, targets

EACH = 3000
# Not compared: requests, a part of which is microdot's; and what json.loads() reads behind a checksum or a signature,
# for the chip's takes control characters in a text and members without commas.
NAMES = [row[0] for row in targets.TARGETS if row[0] not in ("http", "stored", "state", "update")]


def inputs(seed, count):
    """[(name, hex)] of every target's seeds and of as many changed ones."""
    found = []
    for name in NAMES:
        tested = targets.target(name)
        seeds = tested.seeds()
        chance = random.Random(f"{seed}:{name}:chip").random
        drawn = seeds + [campaign.drawn(tested, chance, seeds) for _ in range(count - len(seeds))]
        found += [(name, octets.hex()) for octets in drawn]
    return [(name, hexed) for name, hexed in found if hexed]


def told(command, path, paths):
    """Lines of the script under an interpreter."""
    script = str(bootstrap.ROOT / "host_tools" / "chip_scripts" / "parsers.py")
    env = {**os.environ, "MICROPYPATH": paths, "PYTHONPATH": paths.split(":")[0]}
    done = subprocess.run([*command, script, str(path)], capture_output=True, text=True, env=env, timeout=300)
    assert done.returncode == 0, (done.stdout + done.stderr)[-2000:]
    return done.stdout.splitlines()


@pytest.fixture(scope="module")
def interpreter():
    return [*chip.interpreter(), "-X", "heapsize=4m"]


def test_both_make_the_same_of_anything(interpreter, tmp_path):
    seed = faults_task.seed_of_commit()
    rows = inputs(seed, EACH)
    path = tmp_path / "inputs"
    path.write_text("".join(f"{name} {hexed}\n" for name, hexed in rows))
    ours = told([sys.executable], path, str(bootstrap.ROOT))
    theirs = told(interpreter, path, f"{bootstrap.ROOT}:.frozen")
    print(f"seed {seed}: {len(rows)} inputs")
    assert len(ours) == len(theirs) == len(rows) >= 0.9 * EACH * len(NAMES)
    assert not [line for line in ours if "ESCAPED" in line]
    different = [row for row in zip(rows, ours, theirs, strict=True) if row[1] != row[2]]
    assert not different, (len(different), different[:3])
