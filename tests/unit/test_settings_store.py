"""Settings on flash: two copies, and 6 A behind a lock where neither can be believed."""

import os
import unittest

from samples import chosen

from firmware.core import settings
from firmware.services import flash_files
from firmware.services.settings_copies import safe
from firmware.services.settings_store import SettingsStore
from firmware.wire import sealed_text, settings_file

FOLDER = "settings_store_test"
NEWEST, BEFORE = FOLDER + "/settings.json", FOLDER + "/settings.old"
FIRST, SECOND, THIRD = chosen(wiring_limit_ma=10000), chosen(wiring_limit_ma=13000), chosen(wiring_limit_ma=16000)


def put(path, payload):
    """Write a file as a tool would."""
    with open(path, "wb") as file:
        file.write(payload)


def there(path):
    """The bytes of a file."""
    return flash_files.read_bounded(path, 9999)


class Store(unittest.TestCase):
    def setUp(self):
        os.mkdir(FOLDER)

    def tearDown(self):
        for name in os.listdir(FOLDER):
            os.remove(FOLDER + "/" + name)
        os.rmdir(FOLDER)

    def load(self):
        return SettingsStore(FOLDER + "/").load()

    def save(self, *rows):
        store = SettingsStore(FOLDER)
        store.load()
        for row in rows:
            store.save(row)

    def test_a_new_box(self):
        self.assertEqual(self.load(), (settings.defaults(), ""))

    def test_what_was_saved_last_is_in_force_and_the_one_before_is_kept(self):
        self.save(FIRST, SECOND, THIRD)
        self.assertEqual(self.load(), (THIRD, ""))
        self.assertEqual(settings_file.settings_of(there(NEWEST)), (2, 3, THIRD))
        self.assertEqual(settings_file.settings_of(there(BEFORE)), (2, 2, SECOND))
        self.save(FIRST)
        self.assertEqual(settings_file.settings_of(there(NEWEST))[1], 4)

    def test_a_damaged_newest_gives_way_to_the_one_before(self):
        self.save(FIRST, SECOND)
        for payload in (b"", b"nonsense", there(NEWEST)[:-1], b'{"phases": 2}', b'{"wings": 1}', bytes(9000)):
            put(NEWEST, payload)
            self.assertEqual(self.load(), (FIRST, "previous"), payload[:20])

    def test_the_good_copy_is_not_given_up_for_a_damaged_one(self):
        self.save(FIRST, SECOND)
        put(NEWEST, b"nonsense")
        self.save(THIRD)
        self.assertEqual(self.load(), (THIRD, ""))
        self.assertEqual(settings_file.settings_of(there(BEFORE))[2], FIRST)

    def test_a_cut_between_the_two_renames(self):
        self.save(FIRST, SECOND)
        os.rename(NEWEST, BEFORE)
        self.assertEqual(self.load(), (SECOND, "previous"))
        self.save(THIRD)
        self.assertEqual(self.load(), (THIRD, ""))

    def test_both_damaged_is_6_amperes_behind_a_lock(self):
        self.save(FIRST, SECOND)
        put(NEWEST, b"x")
        put(BEFORE, b"y")
        made, code = self.load()
        self.assertEqual((made.wiring_limit_ma, made.locked_until_allowed, code), (6000, True, "factory_safe"))
        self.assertEqual(made, safe())
        self.save(FIRST)
        self.assertEqual(self.load(), (FIRST, ""))

    def test_one_damaged_and_none_before(self):
        put(NEWEST, b'{"wiring_limit_ma": 16000')
        self.assertEqual(self.load(), (safe(), "factory_safe"))
        os.remove(NEWEST)
        put(BEFORE, b"")
        self.assertEqual(self.load(), (safe(), "factory_safe"))

    def test_where_files_were_lost_the_journal_gives_no_installation_back(self):
        changes = [b'[57, {"wiring_limit_ma": 32000, "phases": 3}]', b'[58, {"wiring_limit_ma": 16000}]', b"[null, {}]"]
        put(NEWEST, b"lost")
        for _ in range(2):
            store = SettingsStore(FOLDER)
            made, code = store.load()
            self.assertEqual((made, code), (safe(), "factory_safe"))
            for octets in changes:
                made = store.take(octets, made)
            self.assertEqual(made, safe())
        store.save(FIRST)
        later = SettingsStore(FOLDER)
        made, code = later.load()
        for octets in changes:
            made = later.take(octets, made)
        self.assertEqual((made, code), (FIRST, ""))
        self.assertEqual(later.take(b'[59, {"wiring_limit_ma": 13000}]', made), SECOND)

    def test_what_cannot_be_read_is_not_missing(self):
        os.mkdir(NEWEST)  # opening or reading a folder is an error other than "not there"
        try:
            self.assertEqual(self.load(), (safe(), "factory_safe"))
        finally:
            os.rmdir(NEWEST)

    def test_a_file_of_a_tool_counts_and_is_kept_as_the_one_before(self):
        self.save(FIRST, SECOND)
        put(NEWEST, b'{"wiring_limit_ma": 32000}')
        self.assertEqual(self.load(), (chosen(wiring_limit_ma=32000), ""))
        self.save(THIRD)
        self.assertEqual(self.load(), (THIRD, ""))
        put(NEWEST, b"x")
        self.assertEqual(self.load(), (chosen(wiring_limit_ma=32000), "previous"))

    def test_of_two_numbered_files_the_higher_number_counts(self):
        put(NEWEST, settings_file.packed(FIRST, 4))
        put(BEFORE, settings_file.packed(SECOND, 5))
        self.assertEqual(self.load(), (SECOND, "previous"))

    def test_a_newer_firmwares_file(self):
        text = settings_file.packed(FIRST, 4).decode().partition(sealed_text.MARK)[0]
        text = text.replace('"version": 2', '"wings": 2, "version": 3')
        put(NEWEST, (text + sealed_text.MARK + sealed_text.crc_of(text) + '"}').encode())
        self.assertEqual(self.load(), (FIRST, "newer"))

    def test_a_save_that_fails_leaves_what_was(self):
        self.save(FIRST, SECOND)
        os.mkdir(NEWEST + flash_files.NEW)
        try:
            with self.assertRaises(OSError):
                self.save(THIRD)
        finally:
            os.rmdir(NEWEST + flash_files.NEW)
        self.assertEqual(self.load(), (SECOND, ""))


if __name__ == "__main__":
    unittest.main()
