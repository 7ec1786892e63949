"""The whole firmware on the 32-bit interpreter for days of simulated time: its live heap each hour, and what it grows.

Compiled firmware with control loop, MQTT, page, ledger, log, state and flight recorder on the interpreter's own
littlefs; a car, a broker and viewers beside it. Readings are made, not measured, and a tick is longer than a board's.
"""

import functools
import json
import math
import os
import re
import subprocess
import tempfile
import time
from pathlib import Path

from host_tools import bootstrap, chip
from host_tools.mosquitto import free_port

HEAP = "1m"
TICK_MS = 460  # twenty of the board's: what a tick leaves behind is measured by budgets, here it is days that count
HOUR_S = 3600
DAY_H = 24
MOST_HOURS = 140  # chip_scripts/soak_world.py


class Broken(Exception):
    """The firmware ended; the text says how."""


@functools.cache
def firmware():
    """Folder of the compiled firmware; made once."""
    return chip.compiled(chip.firmware_sources(), "budgets")


def lived(hours, seed, **more):
    """(list of live heap in B at each hour, dict of counts) of one run. Errors: Broken.

    more: tick_ms, hour_s (seconds between two looks), leak_b (bytes that a planted leak keeps each hour), tell
    (function that gets each line).
    """
    folders = bootstrap.ROOT / "host_tools"
    tell = more.pop("tell", None)
    with tempfile.TemporaryDirectory(prefix="ebb-soak-") as folder:
        page = Path(folder) / "page.gz"
        page.write_bytes(bytes(12_000))
        ports = {"web_host": "127.0.0.1", "web_port": free_port(), "mqtt_host": "127.0.0.1", "mqtt_port": free_port()}
        board = str(bootstrap.ROOT / "hardware" / "boards" / "reference.json")
        paths = {"board_path": board, "page_path": str(page), "flash_path": str(Path(folder) / "flash")}
        config = {
            "box": "garage",
            "owner_token": "soak",
            "owner_password": "right",
            "data_dir": "/flash/data",
            "has_outside_time": True,
        }
        config |= {"hours": hours, "seed": seed & 0x3FFFFFFF, "tick_ms": TICK_MS, "hour_s": HOUR_S, "leak_b": 0}
        told = Path(folder) / "config.json"
        told.write_text(json.dumps({**config, **ports, **paths, **more}))
        command = [*chip.interpreter(), "-X", f"heapsize={HEAP}"]
        env = {**os.environ, "MICROPYPATH": f"{folders / 'chip_scripts'}:{folders / 'sim'}:{firmware()}:.frozen"}
        command += [str(folders / "chip_scripts" / "whole_soak.py"), str(told)]
        return read(command, env, tell)


def read(command, env, tell):
    """(heap of each hour, counts) of what the interpreter prints. Errors: Broken."""
    heaps, lines = [], []
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        for line in process.stdout or ():
            lines.append(line.rstrip())
            found = re.match(r"hour: \d+ heap: (\d+) B", line)
            if found:
                heaps.append(int(found[1]))
                if tell:
                    tell(line.rstrip())
    if process.returncode:
        raise Broken("\n".join(lines[-12:]))
    counts: dict = {name: int(count) for name, count in re.findall(r"(\w+): (\d+)", lines[-2])}
    counts["answers"] = json.loads(lines[-1].partition(" ")[2])
    counts["said"] = [line for line in lines if line.startswith("ebb:")]
    return heaps, counts


def growth(heaps, a_day):
    """(B a day of a straight line through the later half, its standard error, least of the last day − least of the
    first once warm).

    heaps: one a look; a_day: looks a day. The first day, or half of a shorter run, is for warming up.
    """
    late = heaps[len(heaps) // 2 :]
    middle = (len(late) - 1) / 2
    mean = sum(late) / len(late)
    across = sum((at - middle) ** 2 for at in range(len(late)))
    slope = sum((at - middle) * (heap - mean) for at, heap in enumerate(late)) / max(1, across)
    beside = sum((heap - mean - slope * (at - middle)) ** 2 for at, heap in enumerate(late))
    error = math.sqrt(beside / max(1, len(late) - 2) / max(1, across))
    warm = heaps[min(a_day, len(heaps) // 2) :]
    part = max(1, min(a_day, len(warm) // 2))
    return slope * a_day, error * a_day, min(warm[-part:]) - min(warm[:part])


def report(hours, seed, tick_ms):
    """Print the figures; True when the heap does not grow and nothing failed."""
    begun_s = time.monotonic()
    print(f"whole_soak_seed: {seed}")
    if not 2 <= hours <= MOST_HOURS:
        raise SystemExit(f"soak: --whole takes 2 to {MOST_HOURS} hours.")
    heaps, counts = lived(hours, seed, tick_ms=tick_ms, tell=lambda line: print(line, flush=True))
    slope, error, grown = growth(heaps, DAY_H)
    print(f"whole_soak_hours: {hours} h in ticks of {tick_ms} ms, {time.monotonic() - begun_s:.0f} s")
    print(f"whole_soak_heap: {min(heaps)} B least, {max(heaps)} B most")
    print(f"whole_soak_slope: {slope:.0f} B a day over the later half, standard error {error:.0f}")
    print(f"whole_soak_growth: {grown} B from the first day once warm to the last")
    for name, count in counts.items():
        print(f"whole_soak_{name}: {count}")
    return grown <= 0 and not counts["failures"] and counts["connected"]
