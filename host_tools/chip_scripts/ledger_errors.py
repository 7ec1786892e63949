"""Runs on the interpreter: the n-th program or erase under its VfsLfs2 fails, once or for good; the ledger goes on."""

import ram_flash
import vfs

from firmware.core.records import Energy
from firmware.services import flash_files, ledger_start
from firmware.services.ledger import Ledger
from firmware.wire import ledger_record

BLOCKS = 24
NOON_S = 1_795_176_000
MOST = 60  # the n-th of so many operations
STEPS = 40
IO_ERROR = -5


class Flash(ram_flash.Flash):
    """fails_at: 0 never, else the operation that fails, all from there on where it stays."""

    def __init__(self):
        super().__init__(BLOCKS)
        self.operations = self.fails_at = self.failed = 0
        self.stays = False

    def is_broken(self):
        self.operations += 1
        is_broken = self.fails_at and (
            self.operations == self.fails_at or (self.stays and self.operations > self.fails_at)
        )
        self.failed += bool(is_broken)
        return is_broken

    def writeblocks(self, number, buffer, offset=0):
        return IO_ERROR if self.is_broken() else super().writeblocks(number, buffer, offset)

    def ioctl(self, operation, argument):
        return IO_ERROR if operation == 6 and self.is_broken() else super().ioctl(operation, argument)


def counted(ledger, wh, now_s, steps):
    """(wh, now_s) after so many looks of 35 s with 7 Wh in each."""
    for _ in range(steps):
        now_s += 35
        wh += 7
        ledger.step(now_s * 1000, NOON_S + now_s, Energy(wh, 0, 0, 3, 0, 0))
    return wh, now_s


def minutes_mwh(found):
    """Sum of all minutes on flash."""
    total = sum(found.head.minutes_mwh)
    for number in range(found.quarters.first, found.quarters.last + 1):
        octets = flash_files.read_bounded(found.quarters.path(number), ram_flash.BLOCK)
        for at in range(0, len(octets), ledger_record.QUARTER_B):
            total += sum(ledger_record.quarter_of(octets[at : at + ledger_record.QUARTER_B]).minutes_mwh)
    return total


def tried(number, stays):
    """(operations that failed, trouble while they did, trouble after, whether all is on flash) of one life."""
    flash = Flash()
    vfs.VfsLfs2.mkfs(flash)
    vfs.mount(vfs.VfsLfs2(flash), "/flash")
    ledger = Ledger("/flash/", ledger_start.found("/flash/", 40))
    wh, now_s = counted(ledger, 3, 30, 30)
    flash.operations, flash.fails_at, flash.stays = 0, number, stays
    troubles = ""
    for _ in range(STEPS):
        wh, now_s = counted(ledger, wh, now_s, 1)
        troubles = troubles or ledger.trouble
    flash.fails_at = 0
    wh, now_s = counted(ledger, wh, now_s, 8)
    trouble = ledger.trouble
    vfs.umount("/flash")
    vfs.mount(vfs.VfsLfs2(flash), "/flash")
    found = ledger_start.found("/flash/", 40)
    is_whole = minutes_mwh(found) == found.head.wh * 1000 == wh * 1000
    is_same_session = found.session == (3, 0, -1 - found.head.session_s * 1000)
    vfs.umount("/flash")
    return flash.failed, troubles, trouble, is_whole and is_same_session and not found.words


told = lost = 0
for stays in (False, True):
    for number in range(1, MOST + 1):
        failed, during, after, is_stored = tried(number, stays)
        assert failed, number
        told += during == "broken"
        if after or not is_stored:
            lost += 1
            print("operation", number, "stays", stays, during, after)
print("ledger_errors: %d operations, %d told" % (2 * MOST, told))
print("ledger_errors_lost: %d" % lost)
