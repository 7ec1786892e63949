"""A NOR flash in memory: programs only clear bits, erases take a block, and the supply may fail inside either."""

BLOCK = 4096
IO_ERROR = -5  # what littlefs is told by a dead chip; nothing here may raise through it


class FlashChip:
    """The block device of littlefs-python; `cut_in` operations from now the supply fails."""

    def __init__(self, blocks, chance):
        """blocks: of 4096 bytes; chance: random.Random for what a torn operation leaves."""
        self.blocks = blocks
        self.buffer = bytearray(b"\xff" * (blocks * BLOCK))
        self.erases = [0] * blocks
        self.programmed_b = 0
        self.operations = 0
        self.cut_in = 0  # 0: never
        self.is_dead = False
        self.was_inside = self.was_erase = False  # whether the last cut tore an operation; what it was
        self.over_written = 0  # programs that asked a cleared bit to rise: a real flash would garble them
        self.refuses = 0  # error that each program and erase gives without a cut, 0: none
        self._chance = chance

    def power_on(self, cut_in):
        """The supply is back, and fails again that many operations later (0: never)."""
        self.is_dead = False
        self.cut_in = cut_in

    def read(self, cfg, block, off, size):
        """What littlefs reads; a dead chip's bytes reach nobody."""
        start = block * BLOCK + off
        return self.buffer[start : start + size]

    def prog(self, cfg, block, off, data):
        """Bits of `data` are cleared."""
        start = block * BLOCK + off
        if self.is_dead:
            return IO_ERROR
        if self.refuses:
            return self.refuses
        self.operations += 1
        self.programmed_b += len(data)
        if self._is_cut():
            self._tear_program(start, data)
            return IO_ERROR
        if self.buffer[start : start + len(data)].count(0xFF) != len(data):
            self.over_written += 1
        self.buffer[start : start + len(data)] = data
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
            self._tear_erase(block * BLOCK)
            return IO_ERROR
        self.buffer[block * BLOCK : (block + 1) * BLOCK] = b"\xff" * BLOCK
        return 0

    def sync(self, cfg):
        """There is nothing to wait for."""
        return IO_ERROR if self.is_dead else 0

    def _is_cut(self):
        """Whether the supply fails in this operation."""
        if not self.cut_in:
            return False
        self.cut_in -= 1
        self.is_dead = self.cut_in == 0
        return self.is_dead

    def _tear_program(self, start, data):
        """Nothing, all, or the first bytes and some bits of the next were programmed."""
        chance = self._chance
        done = chance.choice((0, len(data), chance.randrange(len(data) + 1)))
        self.was_inside, self.was_erase = 0 < done < len(data), False
        self.buffer[start : start + done] = data[:done]
        if self.was_inside:
            self.buffer[start + done] &= data[done] | chance.randrange(256)

    def _tear_erase(self, start):
        """Nothing, all, or a part was erased, and a part holds bits of no meaning."""
        chance = self._chance
        way = chance.randrange(3)
        self.was_inside, self.was_erase = way == 2, True
        if way == 0:
            return
        self.buffer[start : start + BLOCK] = b"\xff" * BLOCK if way == 1 else self._half_erased(start)

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
