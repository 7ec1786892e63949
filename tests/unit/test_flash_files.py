"""Files on flash: whole or not at all, bounded, counted, and never too many in a minute."""

import os
import unittest

from firmware.services import flash_files

PATH = "flash_files_test.bin"


def there(path):
    """Whether a file is there."""
    try:
        os.stat(path)
    except OSError:
        return False
    return True


class Files(unittest.TestCase):
    def tearDown(self):
        for name in (PATH, PATH + flash_files.NEW):
            flash_files.removed(name)

    def test_a_whole_file_takes_the_place_of_the_old_one(self):
        for data in (b"old", b"newer and longer", b""):
            flash_files.write_whole(PATH, data)
            self.assertEqual(flash_files.read_bounded(PATH, 100), data)
            self.assertFalse(there(PATH + flash_files.NEW))

    def test_what_cannot_be_put_in_place_leaves_nothing_behind(self):
        os.mkdir(PATH)
        try:
            with self.assertRaises(OSError):
                flash_files.write_whole(PATH, b"x")  # no file takes the place of a folder
            self.assertFalse(there(PATH + flash_files.NEW))
        finally:
            os.rmdir(PATH)
        with self.assertRaises(OSError):
            flash_files.write_whole("no_such_folder/x", b"x")

    def test_reading_is_bounded(self):
        flash_files.write_whole(PATH, b"12345")
        self.assertEqual(flash_files.read_bounded(PATH, 5), b"12345")
        with self.assertRaises(OSError):
            flash_files.read_bounded(PATH, 4)
        with self.assertRaises(OSError):
            flash_files.read_bounded(PATH + ".missing", 4)

    def test_append(self):
        flash_files.append(PATH, b"one")
        flash_files.append(PATH, b"two")
        self.assertEqual(flash_files.read_bounded(PATH, 9), b"onetwo")

    def test_removed_says_whether_it_was_there(self):
        flash_files.write_whole(PATH, b"x")
        self.assertTrue(flash_files.removed(PATH))
        self.assertFalse(flash_files.removed(PATH))

    def test_every_write_is_counted(self):
        tally = flash_files.tally
        before = tally.writes, tally.written_b
        flash_files.write_whole(PATH, b"123")
        flash_files.append(PATH, b"45")
        self.assertEqual((tally.writes - before[0], tally.written_b - before[1]), (2, 5))


class Rate(unittest.TestCase):
    def test_nothing_plain_in_the_first_minute(self):
        tally = flash_files.Tally()
        self.assertFalse(tally.may_write(59_999, False))
        self.assertTrue(tally.may_write(59_999, True))
        self.assertTrue(tally.may_write(60_000, False))

    def test_ten_a_minute_and_four_of_them_for_what_is_urgent(self):
        tally = flash_files.Tally()
        found = [tally.may_write(100_000 + at, False) for at in range(8)]
        self.assertEqual(found, [True] * 6 + [False] * 2)
        self.assertEqual([tally.may_write(100_010 + at, True) for at in range(6)], [True] * 4 + [False] * 2)
        self.assertFalse(tally.may_write(159_999, True))
        self.assertTrue(tally.may_write(160_000, True))
        self.assertFalse(tally.may_write(160_000, True))


if __name__ == "__main__":
    unittest.main()
