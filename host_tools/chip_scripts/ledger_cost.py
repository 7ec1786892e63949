"""Runs on the interpreter: how long a look of the ledger blocks, on its own VfsLfs2 over a flash in memory."""

import gc
import os
import time

import ram_flash
import utime
import vfs

from firmware.core.records import Energy
from firmware.services import ledger_start
from firmware.services.flash_files import tally
from firmware.services.ledger import Ledger

BLOCKS = 64
HOURS = 12
LIVES = 5
NOON_S = 1_795_176_000


class Flash(ram_flash.Flash):
    """Counts what is read and erased."""

    def __init__(self):
        super().__init__(BLOCKS)
        self.erases = self.reads = 0

    def readblocks(self, number, buffer, offset=0):
        self.reads += 1
        super().readblocks(number, buffer, offset)

    def ioctl(self, operation, argument):
        self.erases += operation == 6
        return super().ioctl(operation, argument)


def lived():
    """([us of each write], erases, us of a start, [reads of each], [CPU us of each]), on a new flash."""
    flash = Flash()
    vfs.VfsLfs2.mkfs(flash)
    vfs.mount(vfs.VfsLfs2(flash), "/flash")
    os.mkdir("/flash/data")
    ledger = Ledger("/flash/data/", ledger_start.found("/flash/data/", 40))
    wh, mwh, begun = 0, 0, None
    times_us, reads, cpu_us = [], [], []
    for now_s in range(5, HOURS * 3600, 5):
        if now_s % 3600 == 0:
            begun = None if begun else (wh, mwh, now_s * 1000)
        mwh += 15_000
        wh, mwh = wh + mwh // 1000, mwh % 1000
        wh0, mwh0, at_ms = begun or (None, 0, 0)
        meter = Energy(wh, mwh, 0, wh0, mwh0, at_ms)
        gc.collect()
        before, flash.reads = tally.writes, 0
        start_us, start_cpu = time.ticks_us(), utime.clock()
        ledger.step(now_s * 1000, NOON_S + now_s, meter)
        for_cpu, for_us = utime.clock() - start_cpu, time.ticks_diff(time.ticks_us(), start_us)
        if tally.writes > before:
            times_us.append(for_us)
            reads.append(flash.reads)
            cpu_us.append(int(for_cpu * 1_000_000))
    start_us = time.ticks_us()
    ledger_start.found("/flash/data/", 40)
    start_us = time.ticks_diff(time.ticks_us(), start_us)
    vfs.umount("/flash")
    return times_us, flash.erases, start_us, reads, cpu_us


# The least of several lives for each write: what else the PC did meanwhile is no time of the ledger.
lives = [lived() for _ in range(LIVES)]
times_us = sorted([min([life[0][index] for life in lives]) for index in range(len(lives[0][0]))])
print("ledger_write_mean: %d us" % (sum(times_us) // len(times_us)))
print("ledger_write_p99: %d us" % times_us[len(times_us) * 99 // 100])
print("ledger_write_max: %d us" % times_us[-1])
# A write costs what littlefs reads for it: most where a folder is full and is put in order in a fresh block.
cpu_us = [min([life[4][index] for life in lives]) for index in range(len(times_us))]
print("ledger_write_cpu_max: %d us (the interpreter tells whole ms)" % max(cpu_us))
reads = sorted(lives[0][3])
print("ledger_write_reads: %d at the median, %d at most" % (reads[len(reads) // 2], reads[-1]))
print("ledger_write_read: %d ns a read" % (sum(times_us) * 1000 // sum(reads)))
print("ledger_writes: %d in %d h, %d erases" % (len(times_us), HOURS, lives[0][1]))
print("ledger_start: %d us" % min([life[2] for life in lives]))
