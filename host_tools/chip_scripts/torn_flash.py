"""Runs on the interpreter: a NOR flash in memory under its VfsLfs2, cut at and inside programs and erases.

It tears as host_tools/power_cuts/flash_chip.py does where a littlefs lies, but that nothing here allocates once it is
made, and nothing raises: littlefs is C, and no exception may pass through it. power_cuts/tearing.py counts what either
leaves.
"""

import random

import micropython
import vfs

BLOCK = 4096
PLACE = 32  # the least that is programmed
FALLS = (0, 0, 5, 128, 230, 253, 256, 256)  # in 256, how likely a bit of a torn program falls
IO_ERROR = -5
GEOMETRY = {"readsize": 128, "progsize": 32, "lookahead": 128}  # as firmware/drivers/data_layout.py


@micropython.viper
def read(source: ptr8, at: int, to: ptr8, count: int):  # noqa: F821 - known to the compiler of viper code
    """`count` bytes from `source` at `at` to the beginning of `to`."""
    for index in range(count):
        to[index] = source[at + index]


@micropython.viper
def programmed(to: ptr8, at: int, source: ptr8, first: int, count: int):  # noqa: F821
    """Bits of `to` fall where those of `count` bytes of `source` from `first` on are 0."""
    for index in range(first, first + count):
        to[at + index] = to[at + index] & source[index]


@micropython.viper
def torn(to: ptr8, at: int, source: ptr8, first: int, count: int, falls: int, seed: int):  # noqa: F821
    """As programmed(), but each bit falls with a chance of `falls` in 256."""
    for index in range(first, first + count):
        stays = 0
        bit = 1
        while bit < 256:
            seed = seed * 69069 + 1
            if ((seed >> 16) & 255) >= falls:
                stays |= bit
            bit <<= 1
        to[at + index] = to[at + index] & (source[index] | stays)


@micropython.viper
def risen(to: ptr8, at: int, count: int, seed: int):  # noqa: F821
    """Bits of `count` bytes rise: all of them with seed 0, else some by chance."""
    for index in range(count):
        if seed:
            seed = seed * 69069 + 1
            to[at + index] = to[at + index] | ((seed >> 16) & 255)
        else:
            to[at + index] = 255


@micropython.viper
def cleared(to: ptr8, at: int, count: int):  # noqa: F821
    """All bits of `count` bytes fall."""
    for index in range(count):
        to[at + index] = 0


class Chance:
    """The part of random.Random that a Life uses; one at a time, for the interpreter has one generator."""

    def __init__(self, seed):
        random.seed(seed & 0x3FFFFFFF)
        self.random, self.choice = random.random, random.choice
        self.randint, self.randrange = random.randint, random.randrange

    def randbytes(self, count):
        """So many random bytes."""
        return bytes([random.getrandbits(8) for _ in range(count)])


class TornFlash:
    """The block device; `cut_in` operations from now the supply fails, 0: never. As flash_chip.FlashChip."""

    def __init__(self, blocks):
        self.blocks = blocks
        self.buffer = bytearray(blocks * BLOCK)
        risen(self.buffer, 0, blocks * BLOCK, 0)
        self.cut_in = self.operations = 0
        self._half_erased = bytearray(blocks)  # 1: its erase was cut
        self.is_dead = self.was_inside = self.was_erase = False
        self.fails_at = 0  # the operation from now on that fails without a cut, 0: none
        self.error = IO_ERROR  # what it fails with
        self.stays = False  # whether all after it fail too
        self.failed = 0

    def power_on(self, cut_in):
        """The supply is back, and fails again that many operations later (0: never)."""
        self.is_dead = False
        self.cut_in = cut_in
        for block in range(self.blocks):
            if self._half_erased[block]:
                for _ in range(random.getrandbits(2)):
                    self.buffer[block * BLOCK + random.getrandbits(12)] &= random.getrandbits(8)

    def readblocks(self, number, buffer, offset=0):
        """A dead chip gives nothing."""
        if self.is_dead:
            return IO_ERROR
        read(self.buffer, number * BLOCK + offset, buffer, len(buffer))
        return 0

    def writeblocks(self, number, buffer, offset=0):
        """Bits of `buffer` are cleared."""
        if self.is_dead:
            return IO_ERROR
        if self._is_refused():
            return self.error
        at = number * BLOCK + offset
        self.operations += 1
        if self._is_cut():
            self._tear_program(at, buffer)
            return IO_ERROR
        programmed(self.buffer, at, buffer, 0, len(buffer))
        return 0

    def ioctl(self, operation, argument):
        """4 and 5 tell the size, 6 erases a block."""
        if operation == 4:
            return self.blocks
        if operation == 5:
            return BLOCK
        if operation != 6:
            return 0
        if self.is_dead:
            return IO_ERROR
        if self._is_refused():
            return self.error
        self.operations += 1
        if self._is_cut():
            self._half_erased[argument] = 1
            self._tear_erase(argument * BLOCK)
            return IO_ERROR
        self._half_erased[argument] = 0
        risen(self.buffer, argument * BLOCK, BLOCK, 0)
        return 0

    def _is_refused(self):
        """Whether this operation fails though there is power."""
        if not self.fails_at:
            return False
        if self.fails_at > 1:
            self.fails_at -= 1
            return False
        self.failed += 1
        if not self.stays:
            self.fails_at = 0
        return True

    def _is_cut(self):
        """Whether the supply fails in this operation."""
        if not self.cut_in:
            return False
        self.cut_in -= 1
        self.is_dead = self.cut_in == 0
        return self.is_dead

    def _tear_program(self, at, buffer):
        """The first bytes of a long one may be there, and of the rest any subset of the bits."""
        count = len(buffer)
        whole = 0
        if count > PLACE and random.getrandbits(1):
            whole = random.getrandbits(14) % count
        self.was_inside, self.was_erase = True, False
        programmed(self.buffer, at, buffer, 0, whole)
        falls = FALLS[random.getrandbits(3)]
        torn(self.buffer, at, buffer, whole, count - whole, falls, random.getrandbits(24))

    def _tear_erase(self, at):
        """Nothing, all that shows, a part was erased and a part holds bits of no meaning, or some blocks of zeros."""
        way = random.getrandbits(10) % 5
        self.was_inside = way < 2
        self.was_erase = True
        if way == 0:
            first = random.getrandbits(12)
            count = 1 + random.getrandbits(14) % (BLOCK - first)
            risen(self.buffer, at, first, 0)
            risen(self.buffer, at + first, count, 1 + random.getrandbits(16))
        elif way == 1:
            first = random.getrandbits(12)
            cleared(self.buffer, at + first, BLOCK - first)
        elif way < 4:
            risen(self.buffer, at, BLOCK, 0)


class Ground:
    """What a Life of host_tools/power_cuts stands on here: the interpreter's own littlefs, mounted at FOLDER."""

    FOLDER = "/flash/"

    def __init__(self):
        self._is_mounted = False

    def chance_of(self, seed):
        """Chance."""
        return Chance(seed)

    def chip_of(self, blocks, chance):
        """TornFlash; what it tears it takes from the one generator that there is."""
        return TornFlash(blocks)

    def formatted(self, chip):
        """Make a file system on the chip."""
        vfs.VfsLfs2.mkfs(chip, **GEOMETRY)

    def mounted(self, chip):
        """The file system is there, a fresh one each time. Errors: OSError."""
        self.take_away()
        vfs.mount(vfs.VfsLfs2(chip, **GEOMETRY), self.FOLDER[:-1])
        self._is_mounted = True

    def take_away(self):
        """It is there no more; nothing is written by that."""
        if self._is_mounted:
            vfs.umount(self.FOLDER[:-1])
        self._is_mounted = False
