"""The floor of the chip's own memory: when TLS may begin, and what is told once and not again."""

import unittest

from firmware.wire import memory_floor
from firmware.wire.memory_floor import LEAST, LOW

KB = 1024
WELL = (40 * KB, 30 * KB, 30 * KB)


class Enough(unittest.TestCase):
    def test_both_the_sum_and_one_block_count(self):
        for memory, is_enough in (
            (None, True),
            (WELL, True),
            ((24 * KB, 20 * KB, 0), True),
            ((24 * KB - 1, 20 * KB, 0), False),
            ((200 * KB, 20 * KB - 1, 0), False),
            ((1328, 496, 1328), False),  # a box without PSRAM whose heap grew after its radio (docs/decisions/0012)
        ):
            self.assertEqual(memory_floor.is_enough(memory), is_enough, memory)


class Told(unittest.TestCase):
    def test_each_word_comes_once(self):
        told = 0
        for memory, codes, after in (
            (None, (), 0),
            (WELL, (), 0),
            ((23 * KB, 22 * KB, 20 * KB), ("low",), LOW),
            ((23 * KB, 22 * KB, 20 * KB), (), LOW),
            ((25 * KB, 21 * KB, 20 * KB), (), LOW),  # enough, and not yet well
            ((32 * KB, 22 * KB - 1, 20 * KB), (), LOW),
            ((32 * KB, 22 * KB, 20 * KB), ("well",), 0),
            ((32 * KB, 22 * KB, 8 * KB - 1), ("least",), LEAST),
            ((32 * KB, 22 * KB, 8 * KB - 1), (), LEAST),
            ((10 * KB, 22 * KB, 100), ("low",), LOW | LEAST),
            (None, (), LOW | LEAST),
            (WELL, ("well",), LEAST),
        ):
            told, found = memory_floor.stepped(told, memory)
            self.assertEqual((found, told), (codes, after), memory)

    def test_low_and_used_up_at_once(self):
        self.assertEqual(memory_floor.stepped(0, (1328, 496, 1328)), (LOW | LEAST, ("low", "least")))


if __name__ == "__main__":
    unittest.main()
