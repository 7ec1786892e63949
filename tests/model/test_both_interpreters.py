"""I8: the same inputs give the same Decision on CPython and on the 32-bit MicroPython, tick for tick."""

import json
import os
import random
import subprocess
import sys

from host_tools import bootstrap, chip
from host_tools.sim import world
from host_tools.sim.box import Box

SCRIPT = bootstrap.ROOT / "host_tools" / "chip_scripts" / "replay.py"
SEED = random.SystemRandom().randrange(1 << 31)


def recorded(seed, path):
    """One life of a box, written as one line of JSON a tick."""
    chance = random.Random(seed)
    box = Box(chance.choice("polite slow stubborn overdraws simplified pulsing".split()), seed)
    taken = box.inbox.take
    lines = []
    asked = []

    def take():
        asked[:] = taken()
        return tuple(asked)

    box.inbox.take = take
    box.watch = lambda: lines.append(json.dumps([box.loop.readings, asked]))
    box.run_ms(3000)
    world.change(box.plant, {"car": {"is_plugged": True}})
    for number in range(8):
        box.run_ms(chance.randrange(1000, 8000))
        kind = chance.choice(("pause", "limit", "resume", "fault", "unplug", "owner"))
        if kind in ("pause", "limit"):
            fields = {"id": f"p{number}", "kind": kind, "duration_s": chance.randrange(1, 30)}
            fields.update({"limit_ma": chance.randrange(20_000)} if kind == "limit" else {})
            box.grid(json.dumps(fields).encode())
        elif kind == "resume":
            box.grid(b"resume")
        elif kind == "owner":
            box.owner("charge_now")
        elif kind == "fault":
            name = chance.choice(("diode_missing", "adc_zero", "pilot_short_12v", "residual_trip"))
            world.change(box.plant, {"faults": {name: chance.random() < 0.5}})
        else:
            world.change(box.plant, {"car": {"is_plugged": chance.random() < 0.5}})
    path.write_text("\n".join(lines) + "\n")
    return len(lines)


def replayed(command, path):
    """What the script prints."""
    env = {**os.environ, "MICROPYPATH": f"{bootstrap.ROOT}:.frozen", "PYTHONPATH": str(bootstrap.ROOT)}
    done = subprocess.run([*command, str(SCRIPT), str(path)], capture_output=True, text=True, env=env, check=True)
    return done.stdout


def test_decisions_are_the_same(tmp_path):
    print("seed", SEED)
    for number in range(4):
        path = tmp_path / f"life{number}.jsonl"
        ticks = recorded(SEED + number, path)
        here = replayed([sys.executable], path)
        assert here == replayed([*chip.interpreter(), "-X", "heapsize=4m"], path)
        assert f"replayed: {ticks} ticks" in here


def test_one_other_millivolt_is_seen(tmp_path):
    path = tmp_path / "life.jsonl"
    recorded(1, path)
    before = replayed([sys.executable], path)
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    rows[len(rows) // 2][0][0] += 1
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert replayed([sys.executable], path) != before
