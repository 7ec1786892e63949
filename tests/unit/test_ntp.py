"""SNTP: exact bytes, every field that makes an answer a bad one, every cut, both eras."""

import os
import unittest

from firmware.wire import ntp

COOKIE = b"\x01\x02\x03\x04\xfa\xfb\xfc\xfd"
NOW_S = 1_790_000_000


def answer(seconds, first=0x24, stratum=2, fraction=0):
    """An answer whose transmit timestamp holds these seconds since 1900, in 32 bits."""
    stamp = bytes((seconds >> 24 & 255, seconds >> 16 & 255, seconds >> 8 & 255, seconds & 255, fraction, 0, 0, 0))
    return bytes((first, stratum)) + b"\x06\xe9" + b"\x00" * 20 + COOKIE + b"\x00" * 8 + stamp


GOOD = answer(NOW_S + ntp.EPOCH_S)


class Request(unittest.TestCase):
    def test_bytes(self):
        asked = ntp.request(COOKIE)
        self.assertEqual(len(asked), 48)
        self.assertEqual(asked, b"\x23" + bytes(39) + COOKIE)


class Answer(unittest.TestCase):
    def test_time(self):
        self.assertEqual(ntp.opened(GOOD, COOKIE), NOW_S)
        self.assertEqual(ntp.opened(GOOD + b"key", COOKIE), NOW_S)
        self.assertEqual(ntp.opened(answer(NOW_S + ntp.EPOCH_S, fraction=127), COOKIE), NOW_S)
        self.assertEqual(ntp.opened(answer(NOW_S + ntp.EPOCH_S, fraction=128), COOKIE), NOW_S + 1)

    def test_eras(self):
        rollover_s = 2_085_978_496  # 2036-02-07 06:28:16 UTC
        for seconds, wall_s in (
            (0xFFFFFFFF, rollover_s - 1),
            (0, rollover_s),
            (1, rollover_s + 1),
            (0x7FFFFFFF, rollover_s + 0x7FFFFFFF),
            (0x80000000, -61_505_152),  # 1968; what is too early is refused by who knows how early (wall_clock.py)
            (1_735_689_600 + ntp.EPOCH_S, 1_735_689_600),
        ):
            self.assertEqual(ntp.opened(answer(seconds), COOKIE), wall_s, seconds)

    def test_bad_answers(self):
        self.assertIsNone(ntp.opened(GOOD, COOKIE[:7] + b"\x00"))
        self.assertIsNone(ntp.opened(GOOD, b"\x00" + COOKIE[1:]))
        self.assertIsNone(ntp.opened(GOOD, bytes(8)))
        for mode in range(8):
            found = ntp.opened(answer(NOW_S + ntp.EPOCH_S, first=0x20 | mode), COOKIE)
            self.assertEqual(found, NOW_S if mode == 4 else None)
        for leap in range(4):
            found = ntp.opened(answer(NOW_S + ntp.EPOCH_S, first=leap << 6 | 0x24), COOKIE)
            self.assertEqual(found, None if leap == 3 else NOW_S)
        for stratum in range(256):
            found = ntp.opened(answer(NOW_S + ntp.EPOCH_S, stratum=stratum), COOKIE)
            self.assertEqual(found, NOW_S if 1 <= stratum <= 15 else None)

    def test_cut_at_every_byte(self):
        for size in range(48):
            self.assertIsNone(ntp.opened(GOOD[:size], COOKIE))

    def test_any_bytes_at_all(self):
        seed = int.from_bytes(os.urandom(4), "little")
        print("seed", seed)
        state = seed | 1
        for turn in range(2000):
            made = bytearray(GOOD)
            for _ in range(6):
                state = (state * 1103515245 + 12345) & 0x7FFFFFFF
                made[(state >> 8) % 48] = state >> 20 & 255
            found = ntp.opened(made[: 30 + (state >> 4) % 30], COOKIE)
            self.assertTrue(found is None or -61_505_152 <= found <= 0xFFFFFFFF)


if __name__ == "__main__":
    unittest.main()
