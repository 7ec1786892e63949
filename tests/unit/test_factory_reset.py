"""Factory reset: everything of the owner's goes, even when the power fails in the middle; the meter's total stays."""

import asyncio
import os
import unittest

from ram_area import RamArea
from samples import chosen

from firmware.core import settings
from firmware.services import factory_reset, flash_files, ledger_start
from firmware.services.flash_gate import gate
from firmware.services.journal import Journal
from firmware.services.settings_store import SettingsStore
from firmware.wire import ledger_record
from firmware.wire.journal_record import STATE
from firmware.wire.ledger_record import NO_WH, Head, Quarter, Session

FOLDER = "factory_reset_test/"
PERSONAL = (
    "settings.json",
    "settings.old",
    "sessions-0.bin",
    "quarters-0.bin",
    "log-3",
    "security-1",
    "flight0.bin",
    "x.new",
)
PERSONAL += ("ledger-1.bin.new",)
DONE = "factory_reset.done"
STAYING = ("state.0", "state.1", "console.txt")
MINUTES = (0,) * 14 + (5000,)
OLDER = Head(4, 1_795_176_000, 5_000, 7, 0, 4_000, 0, 1_795_170_000, 600, 0, 1_994_640, MINUTES)
NEWER = Head(5, 1_795_176_030, 5_100, 8, 0, 4_000, 0, 1_795_170_000, 630, 0, 1_994_640, MINUTES)
QUARTER = Quarter(0, 1_994_640, 5_200, 9, MINUTES)  # written just before the next head would have been
SESSION = Session(0, 1_795_100_000, 1_795_103_600, 3600, 1_000, 0, 4_000, 0)
NO_MINUTES = (0,) * 15
HEADS = ("ledger-0.bin", "ledger-1.bin")
removed, write_whole = flash_files.removed, flash_files.write_whole


class Cut(Exception):
    """The power went."""


class Held:
    """An App whose button was held for 10 s; kept: what each attempt to store its state gives."""

    def __init__(self, kept, closes=False):
        self.kept, self.closes = list(kept), closes
        self.state = self.ledger = self.board = self.phrases = self
        self.loop = self.memory = self.outputs = self.claims = self
        self.is_contactor_closed, self.coil_on_ms, self.rows = False, -1_000_000, ()
        self.config = {"data_dir": FOLDER}
        self.noticed, self.is_restarted = [], False
        self.journal = Journal(RamArea(6))
        while self.journal.step(True):
            pass
        self.journal.put(STATE, b"a latch")
        while self.journal.step(False):
            pass

    def tell(self, name, words):
        pass

    def phrase(self, code):
        return (code,)

    def now_ms(self):
        return 100_000

    wall_s = now_ms

    def save(self, now_ms, wall_s):
        pass

    async def keep(self, app):
        self.is_contactor_closed = self.closes
        return self.kept.pop(0)

    def notice(self, name, code):
        self.noticed.append(code)

    def restart(self):
        self.is_restarted = True

    def ended(self):
        """(whether it starts anew, what was told, values that the journal still has) after the reset."""
        gate.watch(self)
        try:
            asyncio.run(factory_reset.run(self))
        finally:
            gate.watch(None)
        return self.is_restarted, self.noticed, list(self.journal.values())


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
        for name in HEADS:
            removed(FOLDER + name)
        for name, octets in (
            ("ledger-0.bin", ledger_record.packed_head(OLDER)),
            ("ledger-1.bin", ledger_record.packed_head(NEWER)),
            ("quarters-0.bin", ledger_record.packed_quarter(QUARTER)),
            ("sessions-0.bin", ledger_record.packed_session(SESSION)),
        ):
            flash_files.write_whole(FOLDER + name, octets)
        with open(FOLDER + "ledger-1.bin.new", "wb") as file:
            file.write(b"x")  # a save that broke off
        SettingsStore(FOLDER).save(chosen(wifi_ssid="home", wifi_password="correct-horse"))
        flash_files.write_whole(FOLDER + factory_reset.MARKER, b"console.txt\nconfig.json")

    def cut_after(self, count):
        """Let the power fail after so many removals and writes."""
        left = [count]

        def cutting(path):
            if not left[0]:
                raise Cut
            left[0] -= 1
            return removed(path)

        def cutting_write(path, data):
            if not left[0]:
                raise Cut
            left[0] -= 1
            write_whole(path, data)

        flash_files.removed, flash_files.write_whole = cutting, cutting_write

    def names(self):
        """What lies there but the heads of the ledger."""
        return sorted([name for name in os.listdir(FOLDER) if name not in HEADS])

    def check_ledger(self):
        """The total as history knew it, and nothing of anybody."""
        found = ledger_start.found(FOLDER, 40)
        bare = (0, 5_200, 9, 0, NO_WH, 0, 0, 0, 0, 0, NO_MINUTES)
        self.assertEqual((tuple(found.head)[1:], found.session, found.words), (bare, None, ""))
        self.assertEqual((found.quarters.last, found.sessions.last), (0, 0))
        heads = [name for name in HEADS if name in os.listdir(FOLDER)]
        self.assertEqual(len(heads), 1)  # no copy of what was before
        self.assertEqual(flash_files.read_bounded(FOLDER + heads[0], 90)[5:9], bytes(4))

    def test_all_of_it_goes_and_the_rest_stays(self):
        self.fill()
        os.mkdir(FOLDER + "folder")
        self.assertTrue(factory_reset.cleared(FOLDER))
        self.assertEqual(self.names(), sorted(STAYING + ("folder", DONE)))
        self.assertFalse(factory_reset.is_begun(FOLDER))
        self.assertEqual(SettingsStore(FOLDER).load(), (settings.defaults(), ""))
        self.check_ledger()

    def test_the_total_outlives_a_ledger_without_heads(self):
        self.fill()
        for name in HEADS:
            flash_files.write_whole(FOLDER + name, b"x")
        self.assertTrue(factory_reset.cleared(FOLDER))
        self.check_ledger()

    def test_a_box_that_never_charged(self):
        self.assertTrue(factory_reset.cleared(FOLDER))
        found = ledger_start.found(FOLDER, 40)
        self.assertEqual((found.head.wh, found.head.mwh, found.session, found.words), (0, 0, None, ""))

    def test_a_full_flash_has_room_once_all_else_is_gone(self):
        for is_full_for in (1, 2):
            self.fill()
            left = [is_full_for]

            def failing(path, data, left=left):
                left[0] -= 1
                if left[0] >= 0:
                    raise OSError(28)
                write_whole(path, data)

            flash_files.write_whole = failing
            try:
                self.assertEqual(factory_reset.cleared(FOLDER), is_full_for == 1)
            finally:
                flash_files.write_whole = write_whole
            self.assertEqual(factory_reset.is_begun(FOLDER), is_full_for == 2)
            if is_full_for == 1:
                self.check_ledger()
            else:
                # What the heads knew is still there, for the next start.
                self.assertTrue(factory_reset.cleared(FOLDER))
                self.assertEqual(ledger_start.found(FOLDER, 40).head.wh, 5_100)

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
                flash_files.removed, flash_files.write_whole = removed, write_whole
            self.assertEqual(SettingsStore(FOLDER).load(), (settings.defaults(), ""))
            self.assertEqual(self.names(), sorted(STAYING + (DONE,)))
            self.check_ledger()
        # Beside these the head is written, its other copy goes, and what the reset before left to be told.
        self.assertEqual(cuts, len(PERSONAL) + 3)

    def test_what_cannot_be_deleted_is_tried_again(self):
        self.fill()
        flash_files.removed = lambda path: "sessions" not in path and removed(path)
        self.assertFalse(factory_reset.cleared(FOLDER))
        self.assertTrue(factory_reset.is_begun(FOLDER))
        flash_files.removed = removed
        self.assertEqual(SettingsStore(FOLDER).load(), (settings.defaults(), ""))
        self.assertEqual(self.names(), sorted(STAYING + (DONE,)))
        self.assertEqual(factory_reset.done_in(FOLDER), FOLDER + DONE)

    def test_no_latch_is_lost_where_the_flash_takes_no_state(self):
        self.fill()
        self.assertEqual(Held((True,)).ended(), (True, [], []))
        self.fill()
        self.assertEqual(Held((False, True)).ended(), (True, [], []))  # there was room once all else was gone
        self.fill()
        self.assertEqual(Held((False, False)).ended(), (False, ["reset.not_whole"], [(STATE, b"a latch")]))

    def test_a_coil_that_came_on_meanwhile_ends_it_before_anything_goes(self):
        self.fill()
        self.assertEqual(Held((False,), True).ended(), (False, ["reset.not_now"], [(STATE, b"a latch")]))

    def test_without_a_marker_nothing_goes(self):
        self.fill()
        os.remove(FOLDER + factory_reset.MARKER)
        self.assertEqual(SettingsStore(FOLDER).load()[0].wifi_ssid, "home")
        self.assertEqual(self.names(), sorted(PERSONAL + STAYING))

    def test_a_folder_that_is_not_there(self):
        self.assertFalse(factory_reset.is_begun("nowhere/"))
        self.assertEqual(factory_reset.done_in("nowhere/"), "")
        self.assertFalse(factory_reset.cleared("nowhere/"))


if __name__ == "__main__":
    unittest.main()
