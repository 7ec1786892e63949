"""Runs on the interpreter: ledger_cuts.py SEED CUTS [BUG]; the ledger on its own VfsLfs2 loses its supply CUTS times.

Prints one line of counts; a find is a line of its own.
"""

import sys

import micropython
from torn_flash import BLOCK, Ground, TornFlash

from firmware.services import flash_files, ledger_start
from host_tools.power_cuts.life import Broken, Life


def in_place(path, data):
    """A planted bug: without another name to write under first."""
    with open(path, "wb") as file:
        file.write(data[: len(data) // 2])
    with open(path, "wb") as file:
        file.write(data)


def counted_twice(head, quarter):
    """A planted bug: the quarter hour that was recorded is still in the head."""
    return head


def shown_not_to_allocate():
    """Each operation, whole, torn and refused, with the heap locked. Errors: MemoryError."""
    flash, octets = TornFlash(2), bytearray(64)
    micropython.heap_lock()
    try:
        for number in range(300):
            flash.cut_in = 0 if number < 100 else 1
            flash.fails_at = 0 if number < 200 else 1
            flash.is_dead = False
            flash.writeblocks(1, octets, number % 32)
            flash.is_dead = False
            flash.ioctl(6, number & 1)
            flash.is_dead = False
            flash.readblocks(1, octets, BLOCK - 64)
    finally:
        micropython.heap_unlock()


shown_not_to_allocate()
seed, cuts = int(sys.argv[1]), int(sys.argv[2])
if "in_place" in sys.argv:
    flash_files.write_whole = in_place
if "counted_twice" in sys.argv:
    ledger_start.without_minutes = counted_twice
life = Life(seed, Ground())
try:
    life.run(cuts)
except Broken as error:
    print("find: seed %d, after %d cuts: %s" % (seed, life.counts["cuts"], error))
print(" ".join(["%s: %d" % pair for pair in sorted(life.counts.items())]))
