"""Factory reset: everything of the owner's goes, even when the power fails in the middle; the meter's total stays."""

import os
import unittest

from samples import chosen

from firmware.core import settings
from firmware.services import factory_reset, flash_files
from firmware.services.settings_store import SettingsStore

FOLDER = "factory_reset_test/"
PERSONAL = ("settings.json", "settings.old", "sessions-1", "quarters-0", "log-3", "security-1", "flight0.bin", "x.new")
DONE = "factory_reset.done"
STAYING = ("ledger-0.bin", "ledger-1.bin", "state.0", "state.1", "console.txt")
removed = flash_files.removed


class Cut(Exception):
    """The power went."""


class Reset(unittest.TestCase):
    def setUp(self):
        os.mkdir(FOLDER[:-1])

    def tearDown(self):
        flash_files.removed = removed
        for name in os.listdir(FOLDER):
            if name == "folder":
                os.rmdir(FOLDER + name)
            else:
                os.remove(FOLDER + name)
        os.rmdir(FOLDER[:-1])

    def fill(self):
        """A box in use, whose reset was begun."""
        for name in PERSONAL + STAYING:
            flash_files.write_whole(FOLDER + name, b"x")
        SettingsStore(FOLDER).save(chosen(wifi_ssid="home", wifi_password="correct-horse"))
        flash_files.write_whole(FOLDER + factory_reset.MARKER, b"console.txt\nconfig.json")

    def cut_after(self, count):
        """Let the power fail after so many removals."""
        left = [count]

        def cutting(path):
            if not left[0]:
                raise Cut
            left[0] -= 1
            return removed(path)

        flash_files.removed = cutting

    def names(self):
        return sorted(os.listdir(FOLDER))

    def test_all_of_it_goes_and_the_rest_stays(self):
        self.fill()
        os.mkdir(FOLDER + "folder")
        self.assertTrue(factory_reset.cleared(FOLDER))
        self.assertEqual(self.names(), sorted(STAYING + ("folder", DONE)))
        self.assertFalse(factory_reset.is_begun(FOLDER))
        self.assertEqual(SettingsStore(FOLDER).load(), (settings.defaults(), ""))

    def test_a_cut_anywhere_is_made_good_by_the_next_start(self):
        cuts = 0
        while True:
            self.fill()
            self.cut_after(cuts)
            try:
                factory_reset.cleared(FOLDER)
            except Cut:
                cuts += 1
            else:
                break
            finally:
                flash_files.removed = removed
            self.assertEqual(SettingsStore(FOLDER).load(), (settings.defaults(), ""))
            self.assertEqual(self.names(), sorted(STAYING + (DONE,)))
        # That of the reset before, from the second time on.
        self.assertEqual(cuts, len(PERSONAL) + 1)

    def test_what_cannot_be_deleted_is_tried_again(self):
        self.fill()
        flash_files.removed = lambda path: "sessions" not in path and removed(path)
        self.assertFalse(factory_reset.cleared(FOLDER))
        self.assertTrue(factory_reset.is_begun(FOLDER))
        flash_files.removed = removed
        self.assertEqual(SettingsStore(FOLDER).load(), (settings.defaults(), ""))
        self.assertEqual(self.names(), sorted(STAYING + (DONE,)))
        self.assertEqual(factory_reset.done_in(FOLDER), FOLDER + DONE)

    def test_without_a_marker_nothing_goes(self):
        self.fill()
        os.remove(FOLDER + factory_reset.MARKER)
        self.assertEqual(SettingsStore(FOLDER).load()[0].wifi_ssid, "home")
        self.assertEqual(self.names(), sorted(PERSONAL + STAYING))

    def test_a_folder_that_is_not_there(self):
        self.assertFalse(factory_reset.is_begun("nowhere/"))
        self.assertEqual(factory_reset.done_in("nowhere/"), "")
        self.assertTrue(factory_reset.cleared("nowhere/"))


if __name__ == "__main__":
    unittest.main()
