"""The one file of a slot: what it gives back, what it refuses, and that one open file serves them all."""

import os
import unittest

from firmware import slot_archive
from firmware.slot_archive import Archive, key_of

PATH = "slot_archive.tmp"
CONTENTS = (("firmware", None), ("firmware/app.mpy", b"M\x06code"), ("firmware/words.txt", b"a | one\nb | two\n"))


def packed(contents):
    """An archive, made by the format's own words (firmware/slot_archive.py)."""
    at = 10 + 10 * len(contents)
    rows, data = b"", b""
    for path, octets in contents:
        length_b = 0xFFFFFF if octets is None else len(octets)
        rows += key_of(path) + (at + len(data)).to_bytes(3, "big") + length_b.to_bytes(3, "big")
        data += octets or b""
    return b"ebbslot1" + len(contents).to_bytes(2, "big") + rows + data


def write(octets):
    with open(PATH, "wb") as file:
        file.write(octets)


class Contents(unittest.TestCase):
    def setUp(self):
        write(packed(CONTENTS))
        self.archive = Archive(PATH)

    def tearDown(self):
        self.archive.umount()
        os.remove(PATH)

    def test_what_is_there(self):
        self.archive.mount(True, False)
        self.assertEqual(self.archive.stat("/firmware")[0], 0x4000)
        self.assertEqual(
            self.archive.stat("/firmware/app.mpy")[:1] + self.archive.stat("firmware/app.mpy")[6:7], (0x8000, 6)
        )
        self.assertEqual(self.archive.open("/firmware/app.mpy", "rb").read(), b"M\x06code")

    def test_what_is_not(self):
        for path in ("/firmware/app.py", "/firmware/app", "/", "", "/firmware/words"):
            with self.assertRaises(OSError):
                self.archive.stat(path)
        for path, mode in (("/firmware", "rb"), ("/firmware/app.mpy", "wb"), ("/nothing", "rb")):
            with self.assertRaises(OSError):
                self.archive.open(path, mode)

    def test_a_member_is_read_in_pieces_and_no_further(self):
        one, other = [self.archive.open(path, "rb") for path in ("/firmware/words.txt", "firmware/words.txt")]
        with one as same:
            self.assertIs(same, one)
            self.assertEqual(one.read(3), b"a |")
            self.assertEqual(other.read(), b"a | one\nb | two\n")
            self.assertEqual((one.read(5), one.read(100), one.read(1)), (b" one\n", b"b | two\n", b""))
        self.assertEqual((one.seek(0, 2), one.seek(-4, 2), one.seek(1, 1), one.seek(-9)), (16, 12, 13, 0))
        self.assertEqual((other.seek(14), other.read()), (14, b"o\n"))
        self.assertEqual((other.seek(99), other.read()), (99, b""))
        one.close()

    def test_a_long_module_is_a_stream_that_feeds_the_watchdog(self):
        fed = []
        before, slot_archive.MOST_AT_ONCE_B = slot_archive.MOST_AT_ONCE_B, 3
        try:
            stream = self.archive.open("/firmware/app.mpy", "rb")
            buffer = bytearray(4)
            self.assertEqual((stream.readinto(buffer), bytes(buffer)), (4, b"M\x06co"))
            slot_archive.feeds.append(lambda: fed.append(1))
            self.assertEqual((stream.readinto(buffer), bytes(buffer[:2]), stream.readinto(buffer)), (2, b"de", 0))
            self.assertEqual((len(fed), stream.ioctl(11, 0), stream.ioctl(4, 0)), (2, 255, 0))
        finally:
            slot_archive.MOST_AT_ONCE_B = before
            slot_archive.feeds.clear()


class Damaged(unittest.TestCase):
    def test_what_is_no_archive_is_refused(self):
        whole = packed(CONTENTS)
        for octets in (b"", whole[:9], whole[:39], b"x" + whole[1:]):
            write(octets)
            with self.assertRaises(OSError):
                Archive(PATH)
        os.remove(PATH)
        with self.assertRaises(OSError):
            Archive(PATH)

    def test_one_that_is_cut_off_says_so_when_it_is_read(self):
        write(packed(CONTENTS)[:-1])
        archive = Archive(PATH)
        with self.assertRaises(OSError):
            archive.open("/firmware/words.txt", "rb").read()
        archive.umount()
        os.remove(PATH)

    def test_a_key_is_found_only_where_a_row_begins(self):
        # The place of the first row holds the key of the second, in part over its end.
        key = key_of("b")
        rows = key_of("a") + key[:3] + key[3:] + b"\0\0" + key + (40).to_bytes(3, "big") + (1).to_bytes(3, "big")
        write(b"ebbslot1" + (2).to_bytes(2, "big") + rows + bytes(10) + b"x")
        archive = Archive(PATH)
        self.assertEqual(archive.open("b", "rb").read(), b"x")
        archive.umount()
        os.remove(PATH)


if __name__ == "__main__":
    unittest.main()
