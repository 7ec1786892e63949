"""Runs on the interpreter: torn_kinds.py SEED; one line of what cut operations leave on its flash in memory."""

import sys

from torn_flash import Chance, TornFlash

from host_tools.power_cuts import tearing

Chance(int(sys.argv[1]))
print(" ".join(["%s: %d" % pair for pair in tearing.counted(lambda: TornFlash(2)).items()]))
