"""Task `setup`: only the installation."""

import argparse
import sys

from host_tools import chip


def run(argv):
    """Install the packages (already done when this runs) and, with --chip, the real MicroPython."""
    parser = argparse.ArgumentParser(prog="python3 -m host_tools setup", description=__doc__)
    parser.add_argument("--chip", action="store_true", help="also fetch the 32-bit MicroPython interpreter")
    options = parser.parse_args(argv)
    print("packages: installed in .venv")
    if options.chip:
        try:
            print("chip: " + chip.described(chip.interpreter()))
        except chip.NoChip as missing:
            print(f"ebb: {missing}", file=sys.stderr)
            return 2
    return 0
