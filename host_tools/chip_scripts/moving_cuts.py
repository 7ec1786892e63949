"""Runs on the interpreter: moving_cuts.py SEED CUTS [BUG]; a data partition of an older firmware is divided, and cut.

A flash in memory with two partitions, of the data and of the slots, loses its supply at and inside programs and
erases, CUTS times in many lives; each start mounts as today's starter does. In the end every file must be there as it
was. A box that was never started is among them. Prints one line.
"""

import random
import sys

import vfs
from torn_flash import TornFlash

from firmware.drivers import data_layout

DATA_BLOCKS, SLOT_BLOCKS = 256, 200
MOST_STARTS = 40


class Board:
    """One flash with two partitions."""

    def __init__(self):
        self.flash = TornFlash(DATA_BLOCKS + SLOT_BLOCKS)
        self.data = data_layout.Part(self.flash, 0, DATA_BLOCKS)
        self.slots = data_layout.Part(self.flash, DATA_BLOCKS, SLOT_BLOCKS)
        self.had_data = False  # what the chip's own store knows


def taken_away():
    """Nothing is mounted."""
    data_layout.unmounted()
    try:
        vfs.umount("/")
    except OSError:
        pass


def started(board):
    """As starter.py of an older firmware; then the layout: (whether it is divided, Layout). Errors: OSError."""
    taken_away()
    vfs.mount(vfs.VfsLfs2(board.slots), "/")
    try:
        vfs.mount(vfs.VfsLfs2(board.data), "/data")
    except OSError:
        vfs.VfsLfs2.mkfs(board.data)
        vfs.mount(vfs.VfsLfs2(board.data), "/data")
        if board.had_data:
            with open("/data/settings.json", "w") as file:
                file.write("lost")
    board.had_data = True
    made = data_layout.Layout(board.data, lambda: None)
    return made.prepare(True), made


def filled(board):
    """{path: bytes} of an older box, stored."""
    taken_away()
    vfs.VfsLfs2.mkfs(board.slots)
    if random.getrandbits(3) == 0:
        return {}
    board.had_data = True
    vfs.VfsLfs2.mkfs(board.data)
    vfs.mount(vfs.VfsLfs2(board.slots), "/")
    vfs.mount(vfs.VfsLfs2(board.data), "/data")
    kept = {}
    for number in range(random.getrandbits(4) + 1):
        octets = bytes([random.getrandbits(8) for _ in range(random.getrandbits(random.getrandbits(8) % 12 + 2))])
        kept["/file-%d.bin" % number] = octets
    kept["/settings.json"] = b'{"wiring_limit_ma": 16000}'
    for path in kept:
        with open("/data" + path, "wb") as file:
            file.write(kept[path])
    vfs.umount("/data")
    return kept


def looked_at(kept):
    """Words of what is wrong, "" where all is there."""
    there = data_layout.found("/data")
    if sorted(there) != sorted(kept):
        return "files %r in place of %r" % (sorted(there), sorted(kept))
    for path in kept:
        with open("/data" + path, "rb") as file:
            if file.read() != kept[path]:
                return "%s is not what it was" % path
    return ""


def life(seed, counts):
    """One box from the old layout to the new one. Words of what is wrong."""
    random.seed(seed)
    board = Board()
    flash, kept = board.flash, filled(board)
    for start in range(MOST_STARTS):
        flash.power_on(1 + random.getrandbits(16) % (1 << 1 + random.getrandbits(4) % 11))
        if start == MOST_STARTS - 1:
            flash.power_on(0)
        try:
            is_divided, made = started(board)
        except OSError as error:
            if not flash.is_dead:
                return "a start failed with power on: %r" % error
        if flash.is_dead:
            counts["cuts"] += 1
            counts["inside"] += flash.was_inside
            continue
        if not is_divided:
            return "not divided: %r" % made.code
        words = looked_at(kept)
        if words:
            return words
        counts["divided"] += 1
        if random.getrandbits(2) == 0:
            return ""
    return ""


seed, cuts = int(sys.argv[1]), int(sys.argv[2])
if "whole_first" in sys.argv:
    genuine = data_layout.Layout._copied

    def forgetful(self, paths, source, target):
        if target == data_layout.FILES:
            data_layout.write(data_layout.WHOLE, "")
        genuine(self, paths, source, target)

    data_layout.Layout._copied = forgetful
counts = {"cuts": 0, "inside": 0, "divided": 0, "lives": 0}
while counts["cuts"] < cuts:
    words = life(seed + counts["lives"], counts)
    counts["lives"] += 1
    if words:
        print("find: seed %d: %s" % (seed + counts["lives"] - 1, words))
        break
print(" ".join(["%s: %d" % pair for pair in sorted(counts.items())]))
