"""Task `replay`: decides a flight record anew and names the first tick that differs."""

import argparse
import csv
import os
import subprocess
import sys

from firmware.core.records import Readings
from host_tools import bootstrap, chip
from host_tools.flight import reader, rerun

SCRIPT = bootstrap.ROOT / "host_tools" / "chip_scripts" / "flight.py"


def unpacked(record, out):
    """Write the readings of every tick as CSV: one row a tick, a column a field (three for each phase triple)."""
    writer = csv.writer(out, lineterminator="\n")
    names = []
    for name in Readings._fields:
        names += [f"{name}_l{phase}" for phase in (1, 2, 3)] if name in ("currents_ma", "voltages_mv") else [name]
    writer.writerow([*names, "commands", "crash"])
    for segment in record.segments:
        for tick in segment.ticks:
            row = []
            for field in tick.readings or (tick.crash[0],) + (None,) * 2 + ((None,) * 3,) * 2 + (None,) * 13:
                row += field if isinstance(field, tuple) else [int(field) if isinstance(field, bool) else field]
            crash = tick.crash[1] if tick.crash else ""
            writer.writerow([*row, " ".join(one.kind for one in tick.asked), crash])


def on_chip(path):
    """Exit code of the same script on the real MicroPython. Errors: chip.NoChip."""
    env = {**os.environ, "MICROPYPATH": f"{bootstrap.ROOT}:.frozen"}
    command = [*chip.interpreter(), "-X", "heapsize=16m", str(SCRIPT), str(path)]
    done = subprocess.run(command, capture_output=True, text=True, env=env)
    print(done.stdout, end="", file=sys.stderr if done.returncode == 2 else sys.stdout)
    codes = {0: 0, 2: 2, 3: 1}  # 1 is what an exception of the script itself leaves
    if done.returncode not in codes:
        raise chip.NoChip("the re-run on MicroPython failed: " + done.stderr.strip()[-300:])
    return codes[done.returncode]


def run(argv):
    """Run the task: 0 nothing differs, 1 a tick differs, 2 no readable record."""
    made = argparse.ArgumentParser(prog="python3 -m host_tools replay", description=__doc__)
    made.add_argument("file", metavar="FILE", help="flight-<number>.bin of a box (or of the demo's data folder)")
    made.add_argument("--runtime", choices=("micropython", "cpython"), default="cpython")
    made.add_argument("--unpack", action="store_true", help="print the readings as CSV instead")
    options = made.parse_args(argv)
    try:
        with open(options.file, "rb") as file:
            octets = file.read(reader.MOST_B + 1)
        if options.unpack:
            unpacked(reader.opened(octets), sys.stdout)
            return 0
        if options.runtime == "micropython":
            return on_chip(options.file)
        return 0 if rerun.report(octets, print) else 1
    except reader.Broken as error:
        print(f"ebb: {options.file}: {error}.", file=sys.stderr)
    except OSError as error:
        print(f"ebb: {options.file} cannot be read: {error.strerror or error}.", file=sys.stderr)
    except chip.NoChip as error:
        print(f"ebb: {error}", file=sys.stderr)
    return 2
