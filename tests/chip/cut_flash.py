"""Runs on MicroPython: a NOR flash in memory under the interpreter's own littlefs, which loses its power or fails."""

import vfs

BLOCK_B, BLOCKS, READ_B = 4096, 16, 32
ERASED = b"\xff" * BLOCK_B
FAILED = -5  # EIO; a device never raises


class Flash:
    """NOR flash in memory whose power goes at the operation number `left`, in the middle of a write or an erase."""

    def __init__(self):
        self.memory = bytearray(b"\xff" * (BLOCK_B * BLOCKS))
        self.left = 1 << 29
        self.error = 0  # after the power went every operation fails
        self.part = 1  # how much of the operation in which it goes is done: quarters
        self.is_once = False  # it is no cut but an error: the next operation works again

    def _is_cut(self):
        if self.error and self.is_once:
            self.error = 0
        if self.error:
            return True
        self.left -= 1
        if self.left < 0:
            self.error = FAILED
        return False

    def readblocks(self, block, buffer, offset=0):
        if self.error and not self.is_once:
            return self.error
        at = block * BLOCK_B + offset
        memoryview(buffer)[:] = memoryview(self.memory)[at : at + len(buffer)]
        return 0

    def writeblocks(self, block, buffer, offset=0):
        if self._is_cut():
            return self.error
        count = len(buffer) * self.part // 4 if self.error else len(buffer)
        at = block * BLOCK_B + offset
        memoryview(self.memory)[at : at + count] = memoryview(buffer)[:count]
        return self.error

    def ioctl(self, number, block):
        if number == 4:
            return BLOCKS
        if number == 5:
            return BLOCK_B
        if number == 6:
            if self._is_cut():
                return self.error
            at = block * BLOCK_B
            count = BLOCK_B * self.part // 4 if self.error else BLOCK_B
            memoryview(self.memory)[at : at + count] = memoryview(ERASED)[:count]
            return self.error
        return 0


def mounted(flash):
    """Mount the flash at /d."""
    vfs.mount(vfs.VfsLfs2(flash, progsize=READ_B, readsize=READ_B), "/d")


def unmounted():
    """The power went: nothing is written any more."""
    vfs.umount("/d")
