"""Runs on the interpreter: re-runs a flight record; ends with 0 no difference, 3 a difference, 2 no readable record."""

import sys

from host_tools.flight import reader, rerun

try:
    with open(sys.argv[1], "rb") as file:
        octets = file.read(reader.MOST_B + 1)
    is_same = rerun.report(octets, print)
except (reader.Broken, OSError) as error:
    print("ebb: %s" % error)
    sys.exit(2)
sys.exit(0 if is_same else 3)
