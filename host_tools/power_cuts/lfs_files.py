"""The firmware's open() and os on a littlefs of the host, with the geometry that VfsLfs2 takes on a board."""

import errno
import random

from littlefs import lfs
from littlefs.errors import LittleFSError

from firmware.services import factory_reset, flash_files, ledger_start, log_segments, make_room, record_files
from host_tools.power_cuts.flash_chip import BLOCK, FlashChip

# As firmware/drivers/data_layout.py mounts: VfsLfs2 takes a cache of four reads, 100 cycles before a pair moves.
GEOMETRY = {"read_size": 128, "prog_size": 32, "cache_size": 512, "lookahead_size": 128, "block_cycles": 100}
FOLDER = "/"
STORING = (flash_files, record_files, ledger_start, log_segments, factory_reset, make_room)  # all that ask for files
chance_of = random.Random
FLAG = lfs.LFSFileFlag
FLAGS = {
    "rb": FLAG.rdonly,
    "wb": FLAG.wronly | FLAG.creat | FLAG.trunc,
    "ab": FLAG.wronly | FLAG.creat | FLAG.append,
}


class File:
    """One open file."""

    def __init__(self, call, handle):
        """call: LfsFiles.call."""
        self._call = call
        self._handle = handle

    def __enter__(self):
        return self

    def __exit__(self, *what):
        self._call(lfs.file_close, self._handle)

    def write(self, data):
        """Number of bytes. Errors: OSError."""
        return self._call(lfs.file_write, self._handle, bytes(data))

    def read(self, count):
        """Bytes. Errors: OSError."""
        return self._call(lfs.file_read, self._handle, count)

    def seek(self, at):
        """Go to a byte. Errors: OSError."""
        self._call(lfs.file_seek, self._handle, at, 0)


class LfsFiles:
    """A mounted file system; has what the storing modules ask of `os` and open()."""

    def __init__(self, chip, blocks=0):
        """blocks: the first ones, 0: all. Errors: OSError when it cannot be mounted."""
        self._chip = chip
        self.cfg = lfs.LFSConfig(context=chip, block_size=BLOCK, block_count=blocks or chip.blocks, **GEOMETRY)
        self._fs = lfs.LFSFilesystem()
        self.call(lfs.mount, self.cfg)

    def call(self, function, *values):
        """A call of littlefs, with its errors as the firmware knows them: OSError.

        Without power nothing is called: littlefs asserts that nobody goes on with it after a write that failed so.
        """
        if self._chip.is_dead:
            raise OSError(errno.EIO)
        try:
            return function(self._fs, *values)
        except LittleFSError as error:
            raise OSError(-error.code) from None

    def open(self, path, mode):
        """File. Errors: OSError."""
        return File(self.call, self.call(lfs.file_open, path, FLAGS[mode]))

    def stat(self, path):
        """Tuple whose seventh is the length. Errors: OSError."""
        return (0,) * 6 + (self.call(lfs.stat, path).size,)

    def rename(self, old, new):
        """Errors: OSError."""
        self.call(lfs.rename, old, new)

    def remove(self, path):
        """Errors: OSError."""
        self.call(lfs.remove, path)

    def listdir(self, path):
        """Names. Errors: OSError."""
        handle = self.call(lfs.dir_open, path)
        names = []
        entry = self.call(lfs.dir_read, handle)
        while entry:
            if entry.name not in (".", ".."):
                names.append(entry.name)
            entry = self.call(lfs.dir_read, handle)
        self.call(lfs.dir_close, handle)
        return names

    def used_blocks(self):
        """Blocks that hold something."""
        return lfs.fs_size(self._fs)

    def put_under(self):
        """From now on the storing modules of the firmware use this."""
        for module in STORING:
            module.os = self
            module.open = self.open


def chip_of(blocks, chance):
    """A FlashChip that holds nothing but a littlefs."""
    return FlashChip(blocks, chance, steady=blocks)


def mounted(chip, blocks=0):
    """The LfsFiles that the storing modules use from now on; blocks: as LfsFiles. Errors: OSError."""
    files = LfsFiles(chip, blocks)
    files.put_under()
    return files


def take_away():
    """The storing modules use the computer's files again."""
    import builtins
    import os

    for module in STORING:
        module.os = os
        module.open = builtins.open


def formatted(chip, blocks=0):
    """Make a file system on the first blocks of the chip, 0: on all."""
    cfg = lfs.LFSConfig(context=chip, block_size=BLOCK, block_count=blocks or chip.blocks, **GEOMETRY)
    lfs.format(lfs.LFSFilesystem(), cfg)
