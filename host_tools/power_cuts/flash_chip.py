"""A NOR flash in memory: programs only clear bits, erases take a block, and the supply may fail inside either.

It tears as cells do whose pulse was cut. A torn program leaves any subset of its zero bits, of which some read
differently each time; of a long one the first bytes may be there whole, for a chip programs page by page. A torn erase
leaves anything, also a block that reads all ones and is not erased, whose bits fall later. What follows the firmware's
own rules is watched: a place programmed twice with other bytes (`over_written`), a block whose erase was cut and that
is programmed all the same (`unsound`).

The first blocks may hold a littlefs (`steady`). There the same is left, but each bit reads alike: "read must return a
consistent (but may be arbitrary) value on every read" (littlefs, bd/lfs_emubd.h). Nothing is watched there, for it
programs again where a cut program left no trace. For the interpreter the same: chip_scripts/torn_flash.py.
"""

BLOCK = 4096
PLACE = 32  # bytes that one program of the journal takes, and the least one of littlefs
IO_ERROR = -5  # what littlefs is told by a dead chip; nothing here may raise through it
BITS = tuple(1 << bit for bit in range(8))


class FlashChip:
    """The block device of littlefs-python and of the firmware; `cut_in` operations from now the supply fails."""

    def __init__(self, blocks, chance, steady=0):
        """blocks: of 4096 bytes; chance: random.Random of what a torn operation leaves; steady: of a littlefs."""
        self.blocks = blocks
        self.buffer = bytearray(b"\xff" * (blocks * BLOCK))
        self.erases = [0] * blocks
        self.programmed_b = 0
        self.operations = 0
        self.cut_in = 0  # 0: never
        self.is_dead = False
        self.was_inside = self.was_erase = False  # whether the last cut tore an operation; what it was
        self.was_in = 0  # the block
        self.over_written = 0  # programs that asked a cleared bit to rise: a real flash would garble them
        self.unsound = 0
        self.refuses = 0  # error that each program and erase gives without a cut, 0: none
        self._steady_b = steady * BLOCK
        self.weak = {}  # number of a place: {address of a byte: {bit: how likely it reads 1}}
        self.half_erased = set()  # blocks
        self.tried = {}  # number of a place: bytes of a torn program there
        self._chance = chance

    def power_on(self, cut_in):
        """The supply is back, and fails again that many operations later (0: never)."""
        self.is_dead = False
        self.cut_in = cut_in
        for block in self.half_erased:
            for _ in range(self._chance.randrange(4)):
                self.buffer[block * BLOCK + self._chance.randrange(BLOCK)] &= self._chance.randrange(256)

    def read(self, cfg, block, off, size):
        """What littlefs reads; a dead chip's bytes reach nobody."""
        start = block * BLOCK + off
        found = self.buffer[start : start + size]
        if self.weak and start >= self._steady_b:
            for place in range(start // PLACE, (start + size - 1) // PLACE + 1):
                for at, bits in self.weak.get(place, {}).items():
                    if start <= at < start + size:
                        self._waver(found, at - start, bits)
        return found

    def _waver(self, found, index, bits):
        """Read the bits of one byte that read differently each time."""
        for bit, likely in bits.items():
            found[index] |= bit
            if self._chance.random() >= likely:
                found[index] ^= bit

    def prog(self, cfg, block, off, data):
        """Bits of `data` are cleared."""
        start = block * BLOCK + off
        if self.is_dead:
            return IO_ERROR
        if self.refuses:
            return self.refuses
        self.operations += 1
        self.programmed_b += len(data)
        if start >= self._steady_b:
            self._watch(block, start, data)
        if self._is_cut():
            self.was_in = block
            self._tear_program(start, data)
            return IO_ERROR
        self._clear(start, data)
        return 0

    def erase(self, cfg, block):
        """A block is all ones."""
        if self.is_dead:
            return IO_ERROR
        if self.refuses:
            return self.refuses
        self.operations += 1
        self.erases[block] += 1
        if self._is_cut():
            self.was_in = block
            self.half_erased.add(block)
            self._tear_erase(block * BLOCK)
            return IO_ERROR
        self.buffer[block * BLOCK : (block + 1) * BLOCK] = b"\xff" * BLOCK
        self.half_erased.discard(block)
        for known in (self.weak, self.tried):
            for place in [place for place in known if place * PLACE // BLOCK == block]:
                del known[place]
        return 0

    def sync(self, cfg):
        """There is nothing to wait for."""
        return IO_ERROR if self.is_dead else 0

    def readblocks(self, number, buffer, offset=0):
        """As esp32.Partition; a dead chip says no."""
        if self.is_dead:
            return IO_ERROR
        buffer[:] = self.read(None, number, offset, len(buffer))
        return 0

    def writeblocks(self, number, data, offset=0):
        """As esp32.Partition."""
        return self.prog(None, number, offset, data)

    def ioctl(self, what, number):
        """6 erases a block, 4 and 5 tell the size."""
        return self.erase(None, number) if what == 6 else {4: self.blocks, 5: BLOCK}.get(what, 0)

    def _is_cut(self):
        """Whether the supply fails in this operation."""
        if not self.cut_in:
            return False
        self.cut_in -= 1
        self.is_dead = self.cut_in == 0
        return self.is_dead

    def _watch(self, block, start, data):
        """Count what nobody may do: whether it shows or not, a place that was tried once is no erased one."""
        self.unsound += block in self.half_erased
        for at in range(start, start + len(data), PLACE):
            piece = bytes(data[at - start : at - start + PLACE])
            is_blank = self.buffer[at : at + len(piece)].count(0xFF) == len(piece)
            self.over_written += self.tried.get(at // PLACE, piece if is_blank else None) != piece

    def _clear(self, start, data):
        """A program that came to its end."""
        before = int.from_bytes(self.buffer[start : start + len(data)], "little")
        after = before & int.from_bytes(data, "little")
        self.buffer[start : start + len(data)] = after.to_bytes(len(data), "little")
        if not self.weak:
            return
        for place in range(start // PLACE, (start + len(data) - 1) // PLACE + 1):
            for at, bits in self.weak.pop(place, {}).items():
                left = {bit: likely for bit, likely in bits.items() if not start <= at < start + len(data)}
                left |= {bit: likely for bit, likely in bits.items() if bit not in left and data[at - start] & bit}
                if left:
                    self.weak.setdefault(place, {})[at] = left

    def _tear_program(self, start, data):
        """The first bytes of a long one may be there, and of the rest any subset of the bits."""
        whole = self._chance.choice((0, self._chance.randrange(len(data)))) if len(data) > PLACE else 0
        self._clear(start, data[:whole])
        self._tear_bits(start + whole, data[whole:])

    def _tear_bits(self, start, data):
        """Any subset of the zero bits, of those that fell and of those that did not some read differently each time."""
        chance = self._chance
        self.was_inside, self.was_erase = True, False
        falls = chance.choice((0, 0, 0.02, 0.5, 0.9, 0.99, 1, 1))
        wavers = chance.choice((0, 0.004, 0.03, 0.5)) if start >= self._steady_b else 0
        for at in range(max(start, self._steady_b), start + len(data), PLACE):
            self.tried.setdefault(at // PLACE, bytes(data[at - start : at - start + PLACE]))
        for index, octet in enumerate(data):
            for bit in BITS:
                if octet & bit:
                    continue
                if chance.random() < wavers:
                    self._weaken(start + index, bit)
                elif chance.random() < falls:
                    self.buffer[start + index] &= ~bit
                    self.weak.get((start + index) // PLACE, {}).get(start + index, {}).pop(bit, None)

    def _weaken(self, at, bit):
        """From now on this bit reads differently each time."""
        self.weak.setdefault(at // PLACE, {}).setdefault(at, {})[bit] = self._chance.choice((0.02, 0.5, 0.98))

    def _tear_erase(self, start):
        """Nothing, all that shows, a part was erased and a part holds bits of no meaning, or some blocks of zeros."""
        chance = self._chance
        way = chance.choice((0, 1, 1, 2, 3))
        self.was_inside, self.was_erase = way >= 2, True
        if way == 1:
            self.buffer[start : start + BLOCK] = b"\xff" * BLOCK
        elif way == 2:
            self.buffer[start : start + BLOCK] = self._half_erased(start)
        elif way == 3:  # a chip programs a block to zeros before it erases it
            at = start + chance.randrange(BLOCK)
            self.buffer[at : start + BLOCK] = bytes(start + BLOCK - at)

    def _half_erased(self, start):
        """A block of which some bits rose and others did not yet."""
        chance = self._chance
        at = chance.randrange(BLOCK)
        length = chance.randrange(1, BLOCK - at + 1)
        before = self.buffer[start : start + BLOCK]
        middle = chance.randbytes(length)
        return bytes(
            b"\xff" * at + bytes(a | b for a, b in zip(before[at : at + length], middle)) + before[at + length :]
        )
