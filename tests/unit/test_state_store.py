"""State on flash: saved when it changes, not too often, in two files in turn; flash that fails is said once."""

import asyncio
import os
import unittest

from ram_area import RamArea
from samples import Box, claim

from firmware.core import claims, faults
from firmware.core.records import Active, Faults, Memory, Ref
from firmware.services import flash_files, state_store
from firmware.services.flash_gate import gate
from firmware.services.journal import Journal
from firmware.services.state_store import StateStore

FOLDER = "state_store_test"


class Plain:
    """Named values, as attributes."""


class App:
    """What the store asks of the App; `at_ms` is the time."""

    def __init__(self, memory, epoch_ms=None):
        self.loop = Plain()
        self.loop.memory = memory
        self.board = self
        self.epoch_ms = epoch_ms
        self.noticed = []
        self.submitted = []
        self.room = 99

    def boot_epoch_ms(self):
        return self.epoch_ms

    def wall_s(self):
        return None if self.epoch_ms is None else (self.epoch_ms + self.loop.memory.now_ms) // 1000

    def notice(self, name, code):
        self.noticed.append((name, code))

    def submit(self, asked):
        if not self.room:
            return asked
        self.room -= 1
        self.submitted.append(asked)
        return None


def at(memory, now_ms, **parts):
    """Memory of another moment; parts: rows of grid claims, active faults, seen, counts."""
    found = memory.faults
    if "active" in parts or "counts" in parts:
        found = Faults((), parts.get("active", ()), parts.get("counts", ()), "")
    known = claims.first_claims(parts["rows"], now_ms) if "rows" in parts else memory.claims
    rest = (
        found,
        memory.offer,
        memory.energy,
        memory.wear,
        memory.outputs,
        parts.get("seen", memory.seen),
        memory.local,
    )
    return Memory(now_ms, memory.pilot, memory.stage, known, *rest)


class Store(unittest.TestCase):
    def setUp(self):
        os.mkdir(FOLDER)
        self.memory = Box().memory
        self.store = StateStore(FOLDER + "/")
        self.store.restored(self.memory, False)
        self.app = App(self.memory)
        flash_files.tally = flash_files.Tally()

    def tearDown(self):
        for name in os.listdir(FOLDER):
            os.remove(FOLDER + "/" + name)
        os.rmdir(FOLDER)

    def look(self, memory):
        """One look at this Memory; whether something was written."""
        before = flash_files.tally.writes
        self.app.loop.memory = memory
        if self.store._is_due(memory):
            asyncio.run(self.store.keep(self.app))
        return flash_files.tally.writes > before

    def next_start(self, is_power_return=False):
        """(Memory, code) of the next start."""
        return StateStore(FOLDER).restored(Box().memory, is_power_return)

    def grid(self, number, now_ms):
        """Memory with grid claim and id of that number."""
        ref = Ref("grid", "p%d" % number, 0)
        rows = (claim(ref=ref, from_ms=now_ms, until_ms=now_ms + 600_000),)
        return at(self.memory, now_ms, rows=rows, seen=(ref,))

    def test_a_new_box_writes_nothing(self):
        self.assertEqual(self.next_start(), (Box().memory, ""))
        for now_ms in (500, 60_000, 120_000, 1_000_000):
            self.assertFalse(self.look(at(self.memory, now_ms)))
        self.assertEqual(os.listdir(FOLDER), [])

    def test_a_command_is_saved_at_once_and_the_time_left_each_minute(self):
        self.assertTrue(self.look(self.grid(1, 500)))
        self.assertFalse(self.look(at(self.app.loop.memory, 700)))
        self.assertFalse(self.look(at(self.app.loop.memory, 60_499)))
        self.assertTrue(self.look(at(self.app.loop.memory, 60_500)))
        made, code = self.next_start()
        self.assertEqual((made.claims.rows[-1].until_ms, made.seen[0].id, code), (540_000, "p1", ""))
        self.assertEqual(sorted(os.listdir(FOLDER)), ["state.0", "state.1"])

    def test_the_number_of_a_signed_command_is_saved_at_once_and_known_to_the_next_start(self):
        self.store.seqs = (("dso1", "box", 7),)
        self.assertTrue(self.look(at(self.memory, 500)))
        self.assertFalse(self.look(at(self.memory, 700)))
        self.store.seqs = (("dso1", "box", 7), ("dso1", "all", 8))
        self.assertTrue(self.look(at(self.memory, 900)))
        next_one = StateStore(FOLDER)
        self.assertEqual(next_one.restored(Box().memory, False)[1], "")
        self.assertEqual(next_one.seqs, self.store.seqs)
        next_one.restored(Box().memory, True)
        self.assertEqual(next_one.seqs, self.store.seqs, "a power cut is no way to play commands again")

    def test_a_latch_is_saved_at_once_in_the_midst_of_a_flood(self):
        written = [self.look(self.grid(number, 1000 + number)) for number in range(50)]
        self.assertEqual(written, [True] * 6 + [False] * 44)
        memory = at(self.grid(50, 1060), 1060, active=(Active(faults.S14, True, 0),))
        self.assertTrue(self.look(memory))
        made, _ = self.next_start()
        self.assertEqual([fault.row for fault in made.faults.active], [faults.S14])
        # A minute later the newest of the flood is on flash too.
        self.assertTrue(self.look(self.grid(51, 61_100)))

    def test_counts_wait_for_the_first_minute(self):
        counts = ((faults.S16, 1, 100),)
        self.assertFalse(self.look(at(self.memory, 59_000, counts=counts)))
        self.assertTrue(self.look(at(self.memory, 60_000, counts=counts)))
        self.assertFalse(self.look(at(self.memory, 119_999, counts=counts + ((faults.X1, 1, 100),))))

    def test_a_latch_that_ends_is_saved_too(self):
        self.look(at(self.memory, 500, active=(Active(faults.S14, True, 0),)))
        self.assertTrue(self.look(at(self.memory, 600, active=())))
        self.assertEqual(self.next_start()[0].faults.active, ())

    def test_a_damaged_file_gives_way_to_the_one_before(self):
        self.look(self.grid(1, 500))
        self.look(self.grid(2, 600))
        for name, kept in (("state.0", "p1"), ("state.1", "p2")):
            with open(FOLDER + "/" + name, "rb") as file:
                whole = file.read()
            for payload in (b"", b"x", whole[:-1], bytes(20_000)):
                with open(FOLDER + "/" + name, "wb") as file:
                    file.write(payload)
                made, code = self.next_start()
                self.assertEqual((made.seen[0].id, code), (kept, "state_before"))
            with open(FOLDER + "/" + name, "wb") as file:
                file.write(whole)
        for name in ("state.0", "state.1"):
            with open(FOLDER + "/" + name, "wb") as file:
                file.write(b"x")
        self.assertEqual(self.next_start(), (Box().memory, "state_lost"))

    def test_flash_that_fails_is_said_once_and_tried_again(self):
        for name in ("state.1.new", "state.0.new"):
            os.mkdir(FOLDER + "/" + name)
        self.assertTrue(self.look(self.grid(1, 500)))
        self.assertTrue(self.look(self.grid(1, 700)))
        self.assertEqual(self.app.noticed, [("state", "stored.state_fails")])
        for name in ("state.1.new", "state.0.new"):
            os.rmdir(FOLDER + "/" + name)
        self.assertTrue(self.look(self.grid(1, 900)))
        self.assertFalse(self.look(self.grid(1, 900)))
        self.assertEqual(self.next_start()[0].seen[0].id, "p1")

    def test_a_latch_that_a_broken_journal_was_given_goes_into_a_file_once_the_coil_is_off(self):
        area = RamArea(6)
        made = Journal(area)
        while made.step(True):
            pass
        self.store = StateStore(FOLDER, made)
        self.store.restored(self.memory, False)
        loop = Plain()
        loop.board, loop.coil_on_ms, loop.now_ms = loop, 0, lambda: 5000
        loop.memory = Plain()
        loop.memory.outputs = Plain()
        loop.memory.outputs.is_contactor_closed = True
        memory = at(self.memory, 5000, active=(Active(faults.S14, True, 0),))
        gate.watch(loop)
        try:
            area.fails = 1 << 20
            self.assertFalse(self.look(memory))
            for _ in range(20):
                made.step(False)
            self.assertEqual(made.trouble, "broken")
            loop.memory.outputs.is_contactor_closed = False
            self.assertTrue(self.look(memory), "in the first minute of a start as well")
        finally:
            gate.watch(None)
        self.assertEqual([fault.row for fault in self.next_start()[0].faults.active], [faults.S14])


class Clock(unittest.TestCase):
    ROWS = (
        claim(from_ms=-980, until_ms=9020),
        claim(source="house", until_ms=None),
        claim(source="owner", until_ms=9020),
        claim(source="ramp", until_ms=9050, ref=Ref("a", "b", 1)),
    )

    def told(self, epoch_ms, room=99):
        """([(until, gap)] of what was submitted, what is left to tell)."""
        app = App(Box().memory, epoch_ms)
        app.room = room
        left = state_store.aged(app, (1_000_000, 20, self.ROWS))
        return [(asked.until_ms, asked.after_ms) for asked in app.submitted], left

    def test_how_long_the_box_was_off(self):
        self.assertEqual(self.told(1_000_004_000 - 20), ([(9020, 4000), (9050, 4000)], None))

    def test_a_clock_set_back_cuts_nothing(self):
        self.assertEqual(self.told(1_000_000_000 - 20), ([], None))
        self.assertEqual(self.told(0), ([], None))

    def test_a_full_inbox_hears_the_rest_later(self):
        told, left = self.told(1_000_004_000 - 20, 1)
        self.assertEqual((told, left), ([(9020, 4000)], (1_000_000, 20, self.ROWS[3:])))


if __name__ == "__main__":
    unittest.main()
