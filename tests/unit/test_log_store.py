"""The log on flash: it goes on over restarts, a flood or damage costs little of it, a flash in trouble nothing."""

import asyncio
import os
import unittest

from samples import command, phrase

from firmware.core.records import Event
from firmware.services import flash_files, log_segments, log_store
from firmware.services.event_log import MOST_KEPT, EventLog, rank
from firmware.wire import log_lines

FOLDER = "log_store_test"
FIRM = (
    ("security", ("login", "10.0.0.2")),
    ("security", ("issuers", "10.0.0.2")),
    ("service", ("installation", "wiring_limit_ma")),
    ("fault", ("S2",)),
    ("crash", ("ValueError", "")),
    ("update_refused", ("older", "mqtt")),
    ("backup", ("made", "10.0.0.2")),
)
WALL_S = 1_795_266_000
MINUTE_MS = 60_000


class Board:
    wall = WALL_S

    def wall_s(self):
        return self.wall


class App:
    """What the log asks of the App."""

    version = "0.1.0"

    def __init__(self):
        self.config = {"data_dir": FOLDER + "/"}
        self.at_ms = 0
        self.log = EventLog()
        self.board = Board()
        self.phrases = self
        self.phrase = phrase
        self.told = []

    def now_ms(self):
        return self.at_ms

    def tell(self, name, words):
        self.told.append(words)
        self.log.put(self.at_ms, Event("service", (name, words)))


def emptied():
    for name in os.listdir(FOLDER):
        os.remove(FOLDER + "/" + name)


def sizes():
    """{name: bytes} of the files of the log."""
    return {name: os.stat(FOLDER + "/" + name)[6] for name in os.listdir(FOLDER)}


def content(name):
    with open(FOLDER + "/" + name, "rb") as file:
        return file.read()


def put_in_place(name, octets):
    with open(FOLDER + "/" + name, "wb") as file:
        file.write(octets)


class Box:
    """A started App with its LogStore; run() lets minutes pass."""

    def __init__(self):
        flash_files.tally = flash_files.Tally()
        self.app = App()
        self.store = log_store.LogStore(self.app, FOLDER)
        asyncio.run(self.store.begin())

    def put(self, code, *args):
        self.app.log.put(self.app.at_ms, Event(code, args))

    def run(self, ms, step_ms=1000):
        end_ms = self.app.at_ms + ms
        while self.app.at_ms < end_ms:
            while self.store.gather():
                pass
            self.store.write(self.app.at_ms)
            self.app.at_ms += step_ms
        return self

    def entries(self, picked=(0, 1)):
        return list(self.store.entries(picked))

    def codes(self):
        return [log_lines.name_of(entry.code) + ":" + entry.tag for entry in self.entries()]


class Case(unittest.TestCase):
    def setUp(self):
        try:
            os.mkdir(FOLDER)
        except OSError:
            emptied()

    def tearDown(self):
        emptied()
        os.rmdir(FOLDER)


class Kept(Case):
    def test_it_goes_on_over_a_restart(self):
        box = Box()
        box.put("fault", "S2")
        box.put("security", "login", "10.0.0.7")
        box.run(2 * MINUTE_MS)
        # What was everyday waits for company, and goes with what was grave.
        box.put("state", "idle", "testing")
        box.run(6 * MINUTE_MS)
        again = Box()
        self.assertEqual(again.codes(), ["start:0.1.0", "fault:S2", "security:login", "state:idle", "start:0.1.0"])
        self.assertEqual([entry.seq for entry in again.entries()], [1, 2, 3, 4, 5])
        self.assertEqual([entry.start for entry in again.entries()], [1, 1, 1, 1, 2])
        self.assertEqual([entry.tag for entry in again.entries((1,))], ["0.1.0", "login", "0.1.0"])
        text = b"".join(again.store.pieces(log_lines.as_text, (0, 1))).decode()
        self.assertEqual(len(text.split("\n")), 6)
        self.assertTrue("2026-11-21T13:00:00Z alarm fault S2 [#2 start 1 +0.000 s]\n" in text, text)

    def test_when_it_is_written(self):
        box = Box()
        box.put("fault", "S2")
        box.run(MINUTE_MS)
        self.assertEqual(sizes(), {})  # faults.md P2: none in the first minute
        box.run(2000)
        self.assertEqual(sizes(), {"log-1.bin": 64, "security-1.bin": 64})
        box.put("state", "idle", "testing")
        box.run(4 * MINUTE_MS)
        self.assertEqual(sizes(), {"log-1.bin": 64, "security-1.bin": 64})
        box.run(MINUTE_MS + 2000)
        self.assertEqual(sizes(), {"log-1.bin": 128, "security-1.bin": 64})
        box.put("security", "login", "")
        box.run(1000)
        self.assertEqual(sizes(), {"log-1.bin": 128, "security-1.bin": 128})
        for number in range(16):
            box.put("fault_gone", "X%d" % number)
            box.run(1000)
        box.run(30_000)
        self.assertEqual(sizes()["log-1.bin"], 64 * 18)

    def test_a_factory_reset_is_told_until_it_is_on_flash(self):
        put_in_place("factory_reset.done", b"")
        for _ in range(2):  # the power fails before anything is written
            self.assertEqual(Box().run(30_000).codes(), ["start:0.1.0", "reset:"])
        box = Box().run(2 * MINUTE_MS)
        self.assertEqual(sorted(sizes()), ["security-1.bin"])
        self.assertEqual(Box().codes(), ["start:0.1.0", "reset:", "start:0.1.0"])
        self.assertEqual([entry.tag for entry in box.entries((1,))], ["0.1.0", ""])

    def test_a_factory_reset_is_not_told_by_everyday_events(self):
        put_in_place("factory_reset.done", b"")
        box = Box()
        box.put("fault", "S2")
        genuine = flash_files.append

        def failing(path, octets):
            if "security" in path:
                raise OSError(5)
            genuine(path, octets)

        flash_files.append = failing
        try:
            box.run(2 * MINUTE_MS)
        finally:
            flash_files.append = genuine
        self.assertEqual(sorted(sizes()), ["factory_reset.done", "log-1.bin"])
        self.assertTrue("reset:" in Box().codes())

    def test_the_moment_is_that_of_the_event(self):
        box = Box()
        box.app.at_ms = 100_000
        box.put("fault", "S2")
        box.app.at_ms = 130_000
        box.run(1000)
        self.assertEqual([(entry.at_ms, entry.wall_s) for entry in box.entries()][-1], (100_000, WALL_S - 30))
        box.app.board.wall = None
        box.put("fault", "S3")
        box.run(1000)
        self.assertEqual(box.entries()[-1].wall_s, 0)
        box.app.board.wall = 5
        box.app.at_ms = 2**48
        self.put_late(box)

    def put_late(self, box):
        box.app.log.put(0, Event("fault", ("S6",)))
        box.run(1000)
        self.assertEqual((box.entries()[-1].at_ms, box.entries()[-1].wall_s), (0, 0))

    def test_a_clock_set_back_ten_years_changes_no_order(self):
        box = Box()
        box.put("fault", "S2")
        box.run(2 * MINUTE_MS)
        box.app.board.wall = WALL_S - 315_360_000
        box.put("fault", "S3")
        box.run(2 * MINUTE_MS)
        again = Box()
        self.assertEqual(again.codes(), ["start:0.1.0", "fault:S2", "fault:S3", "start:0.1.0"])


class Bounds(Case):
    def test_files_are_few_and_short(self):
        box = Box()
        box.run(MINUTE_MS)
        for number in range(1200):
            box.put("fault_gone", "X%d" % number)
            if number % 10 == 9:
                box.run(30_000)
        found = sizes()
        self.assertEqual(sorted(found)[-1], "security-1.bin")
        self.assertEqual(len(found), 13)
        self.assertTrue(max(found.values()) <= log_segments.SEGMENT_B, found)
        entries = box.entries((0,))
        tags = [entry.tag for entry in entries]
        self.assertEqual(tags[-1], "X1199")
        self.assertTrue(len(tags) >= 11 * 64, len(tags))
        self.assertEqual(tags, ["X%d" % number for number in range(1200)][-len(tags) :])
        self.assertEqual(entries[0].seq + len(tags) - 1, entries[-1].seq)

    def test_everyday_events_push_out_no_security(self):
        box = Box()
        box.put("security", "wrong_login", "10.0.0.7")
        for number in range(1500):
            box.put("fault_gone", "X%d" % number)
            if number % 10 == 9:
                box.run(30_000)
        # Nor do starts: a box that is switched on and off a lot goes on in the same file.
        for _ in range(20):
            Box().run(2 * MINUTE_MS)
        self.assertEqual([entry.tag for entry in Box().entries((1,))], ["0.1.0", "wrong_login"] + ["0.1.0"] * 21)
        self.assertEqual([name for name in sizes() if name.startswith("security")], ["security-1.bin"])

    def test_a_flood_hides_no_fault_and_wears_no_flash(self):
        box = Box()
        box.run(2 * MINUTE_MS)
        before = flash_files.tally.writes
        for second in range(600):
            for number in range(500):
                box.put("refused", command(limit_ma=number), "busy")
                if number == 250 and second % 60 == 7:
                    box.put("fault", "S%d" % (second // 60 + 2))
            box.run(1000)
        writes = flash_files.tally.writes - before
        self.assertTrue(writes <= 22, writes)
        faults = [entry.tag for entry in box.entries() if log_lines.name_of(entry.code) == "fault"]
        self.assertEqual(faults, ["S%d" % number for number in range(2, 12)])
        self.assertTrue(len(box.entries()) < 700, len(box.entries()))
        # Nothing is missed unseen: what was not kept one by one was counted.
        told = 0
        for entry in box.entries():
            name = log_lines.name_of(entry.code)
            told += entry.times if name == "refused" else entry.number if name == "lost" else 0
        self.assertEqual(told + box.store._lost, 300_000)

    def test_many_different_ones_are_lost_and_counted(self):
        box = Box()
        for number in range(100):
            box.put("fault_gone", "X%d" % number)
            if number % 20 == 19:
                box.run(1000)
        waiting = box.entries()
        self.assertEqual(len(waiting), log_store.MOST_WAITING + 1)
        box.run(4 * MINUTE_MS)
        lost = [entry for entry in box.entries() if log_lines.name_of(entry.code) == "lost"]
        self.assertEqual([entry.number for entry in lost], [100 - log_store.MOST_WAITING])

    def test_the_ring_in_memory(self):
        log = EventLog()
        for number in range(24):
            log.put(number, Event("fault", ("A%d" % number,)))
        log.put(24, Event("refused", ()))
        self.assertEqual([row[0] for row in log.newest()], list(range(2, 26)))
        log.put(25, Event("fault", ("B",)))
        self.assertEqual([row[0] for row in log.newest()], list(range(2, 25)) + [26])
        self.assertEqual(log.count, 26)

    def test_no_flood_takes_the_place_of_a_login_a_key_or_a_fault(self):
        for code, args in FIRM:
            log = EventLog()
            log.put(0, Event(code, args))
            for number in range(1, 500):  # pauses and their ends, over MQTT, each with the change of state that follows
                for other in ("received", "grid", "state", "letter", "charge_now", "fault_gone"):
                    log.put(number, Event(other, ()))
                log.put(number, Event("service", ("mqtt", "")))
            self.assertEqual((log.newest()[0][0], log.newest()[0][2:]), (1, (code, args)))
            self.assertEqual(len(log.newest()), MOST_KEPT)

    def test_of_the_firm_the_oldest_goes_once_there_is_nothing_else(self):
        log = EventLog()
        for number in range(100):
            log.put(number, Event("security", ("login", "%d" % number)))
            log.put(number, Event("charge_now", ()))
        self.assertEqual([row[2] for row in log.newest()], ["security"] * (MOST_KEPT - 1) + ["charge_now"])
        self.assertEqual(log.newest()[-2][3], ("login", "99"))

    def test_what_is_firm_is_security_or_an_alarm(self):
        for name, severity, is_security, _ in log_lines.CODES:
            if name not in ("lost", "later"):  # log_store.py makes them
                is_firm = rank((1, 0, name, ("",))) == 2
                self.assertEqual(is_firm, is_security or severity == log_lines.ALARM, name)
        self.assertTrue("installation" in log_lines.GUARDED_SERVICES)

    def test_a_flood_while_the_car_charges_leaves_places_for_faults(self):
        stream = log_store.Stream(None)

        def added(code, tag):
            return stream.add(log_lines.noted(code, (tag,), (1, 1, 0, 0)))

        for number in range(100):
            for code in ("state", "letter"):
                added(code, "%d" % number)
            for code in ("command", "received", "refused", "duplicate", "replayed"):
                stream.add(log_lines.noted(code, (command(),), (1, 1, 0, 0)))
        self.assertEqual(len(stream.waiting), log_store.MOST_FLOOD)
        self.assertEqual([added("fault", "S%d" % number) for number in range(16)], [True] * 16)
        self.assertFalse(added("fault", "S16"))


class Guessed(Case):
    """Somebody without a password in the owner's network."""

    def wrong(self, box, count, address="10.0.0.66"):
        for _ in range(count):
            box.put("security", "wrong_login", address)
            box.run(20_000, 5000)

    def guesses(self, box):
        return [entry for entry in box.entries((1,)) if entry.tag == "wrong_login"]

    def test_wrong_passwords_push_nothing_out_and_are_counted_in_one_entry(self):
        box = Box().run(2 * MINUTE_MS)
        for event in (("security", "login", "10.0.0.66"), ("backup", "made", "10.0.0.66")):
            box.put(*event)
        box.run(MINUTE_MS)
        before = [entry.seq for entry in box.entries((1,))]
        self.wrong(box, 400)
        self.wrong(box, 1, "10.0.0.67")
        box.run(6 * MINUTE_MS)
        self.assertEqual([entry.seq for entry in box.entries((1,)) if entry.tag != "wrong_login"], before)
        found = self.guesses(box)
        self.assertEqual([(entry.times, entry.what, entry.number) for entry in found], [(401, "10.0.0.67", 0)])

    def test_an_endless_flood_is_written_every_five_minutes(self):
        box = Box().run(2 * MINUTE_MS)
        before = flash_files.tally.writes
        for number in range(2160):  # six hours, from as many addresses as there are
            box.put("security", "wrong_login", "10.0.%d.%d" % (number >> 8, number & 0xFF))
            box.run(10_000, 5000)
        self.assertTrue(65 <= flash_files.tally.writes - before <= 73, flash_files.tally.writes - before)
        self.assertEqual([(entry.times, entry.what) for entry in self.guesses(box)], [(2160, "10.0.8.111")])
        self.assertEqual(sizes()["guesses.bin"], log_lines.ENTRY_B)
        self.assertEqual(len(box.entries((1,))), 2)

    def test_those_that_find_no_place_in_memory_are_counted_as_well(self):
        box = Box().run(2 * MINUTE_MS)
        for number in range(MOST_KEPT):
            box.put("fault", "S%d" % number)
        box.run(10 * MINUTE_MS)
        for _ in range(10):  # each takes the place of the one before it
            for number in range(50):
                box.put("security", "wrong_login", "10.0.0.%d" % number)
            box.put("security", "login", "10.0.0.2")
            box.run(1000)
        self.assertEqual([(entry.times, entry.what) for entry in self.guesses(box)], [(500, "10.0.0.49")])
        box.run(10 * MINUTE_MS)
        self.assertEqual([entry for entry in box.entries() if log_lines.name_of(entry.code) == "lost"], [])

    def test_each_of_a_few_is_on_flash_at_once(self):
        box = Box().run(2 * MINUTE_MS)
        for count in (1, 2, 3):
            self.wrong(box, 1)
            self.assertEqual([entry.times for entry in self.guesses(Box())], [count])
            box.run(10 * MINUTE_MS)

    def test_a_flash_in_trouble_is_tried_each_hour_and_loses_none(self):
        box = Box().run(2 * MINUTE_MS)
        tries = []
        genuine = flash_files.write_whole

        def failing(path, octets):
            tries.append(path)
            raise OSError(5)

        flash_files.write_whole = failing
        try:
            for _ in range(72):  # six hours
                self.wrong(box, 1)
                box.run(5 * MINUTE_MS - 20_000, 5000)
        finally:
            flash_files.write_whole = genuine
        self.assertEqual(tries, [FOLDER + "/guesses.bin"] * 6)
        self.assertTrue(box.app.told and "guesses.bin" not in sizes())
        box.run(60 * MINUTE_MS, 5000)
        self.assertEqual([entry.times for entry in self.guesses(Box())], [72])

    def test_a_damaged_file_is_none(self):
        Box().run(2 * MINUTE_MS)
        box = Box().run(2 * MINUTE_MS)
        self.wrong(box, 5)
        box.run(6 * MINUTE_MS)
        whole = content("guesses.bin")
        garbled = bytearray(whole)
        garbled[14] ^= 1
        other = log_lines.packed(log_lines.noted("security", ("login", "10.0.0.2"), (9, 1, 0, 0)))
        for octets in (b"", whole[:40], bytes(garbled), whole + b"x", bytes(5000), other):
            put_in_place("guesses.bin", octets)
            put_in_place("guesses.bin.new", whole[:30])
            box = Box().run(2 * MINUTE_MS)
            self.assertEqual(self.guesses(box), [])
            self.wrong(box, 1)
            self.assertEqual([entry.times for entry in self.guesses(Box())], [1])
            seqs = [entry.seq for entry in box.entries()]
            self.assertEqual(seqs, sorted(set(seqs)))

    def test_while_the_coil_is_on_they_wait_and_can_be_read(self):
        box = Box().run(2 * MINUTE_MS)
        self.wrong(box, 2)
        before = content("guesses.bin")
        genuine = log_store.gate.may_touch_files
        log_store.gate.may_touch_files = lambda: False
        try:
            self.wrong(box, 40)
            self.assertEqual([entry.times for entry in self.guesses(box)], [42])
        finally:
            log_store.gate.may_touch_files = genuine
        self.assertEqual(content("guesses.bin"), before)
        box.run(MINUTE_MS)
        self.assertEqual([entry.times for entry in self.guesses(Box())], [42])

    def test_a_car_that_comes_while_the_log_begins_takes_none_away(self):
        box = Box().run(2 * MINUTE_MS)
        self.wrong(box, 7)
        box.run(6 * MINUTE_MS)
        genuine_last, genuine_gate = log_segments.LogSegments.last, log_store.gate.may_touch_files

        async def last(segments):
            log_store.gate.may_touch_files = lambda: False
            return 0, 0

        log_segments.LogSegments.last = last
        try:
            box = Box()
        finally:
            log_segments.LogSegments.last, log_store.gate.may_touch_files = genuine_last, genuine_gate
        self.wrong(box, 1)
        self.assertEqual([entry.times for entry in self.guesses(box)], [8])

    def test_the_moment_is_the_first_that_is_known(self):
        box = Box()
        box.app.board.wall = None
        self.wrong(box, 2)
        found = self.guesses(box)[0]
        self.assertEqual((found.wall_s, found.times, found.number), (0, 2, 20))
        box.run(2 * MINUTE_MS)
        box = Box()
        self.wrong(box, 2)
        found = self.guesses(box)[0]
        self.assertEqual((found.wall_s, found.start, found.times, found.number), (WALL_S, 2, 4, 0))
        box.app.board.wall = WALL_S - 1000  # a clock that is set back
        self.wrong(box, 1)
        self.assertEqual([(entry.wall_s, entry.number) for entry in self.guesses(box)], [(WALL_S, 0)])

    def test_the_count_ends_where_its_place_does(self):
        first = log_lines.noted("security", ("wrong_login", "10.0.0.2"), (1, 1, 0, 1))
        first = type(first)(*(first[:4] + (log_lines.MOST_TIMES,) + first[5:]))
        last = log_lines.noted("security", ("wrong_login", "10.0.0.3"), (2, 1, 0, 2**32 - 1))
        made = log_lines.gone_on(first, last)
        self.assertEqual((made.times, made.number), (log_lines.MOST_TIMES, log_lines.MOST_NUMBER))
        self.assertEqual(log_lines.opened(log_lines.packed(made), 0), made)

    def test_the_entry_goes_on_over_a_restart_and_tells_first_and_last(self):
        box = Box().run(2 * MINUTE_MS)
        self.wrong(box, 3)
        box.run(6 * MINUTE_MS)
        first = self.guesses(box)[0]
        box = Box().run(2 * MINUTE_MS)
        self.assertEqual(self.guesses(box), [first])
        box.app.board.wall = WALL_S + 86_400
        self.wrong(box, 1, "10.0.0.9")
        found = self.guesses(box)[0]
        self.assertEqual((found.seq, found.wall_s, found.times, found.what), (first.seq, first.wall_s, 4, "10.0.0.9"))
        self.assertTrue(abs(found.number - 86_400) < 600)
        seqs = [entry.seq for entry in box.entries()]
        self.assertEqual(len(set(seqs)), len(seqs))

    def test_another_address_is_never_counted_on_an_entry(self):
        stream = log_store.Stream(None)
        for number in range(12):
            stream.add(log_lines.noted("security", ("login", "10.0.0.2"), (number, 1, 0, 0)))
        stream.add(log_lines.noted("security", ("login", "10.0.0.66"), (12, 1, 0, 0)))
        told = [(entry.what, entry.times) for entry in stream.waiting]
        self.assertEqual(told[-2:], [("10.0.0.2", 5), ("10.0.0.66", 1)])

    def test_everyday_trouble_with_ever_other_words_leaves_places_for_faults(self):
        stream = log_store.Stream(None)
        for number in range(100):
            stream.add(log_lines.noted("service", ("memory", "%d" % number), (number, 1, 0, 0)))
        self.assertEqual(len(stream.waiting), log_store.MOST_ALIKE)

    def test_what_is_kept_apart_on_flash_is_firm_in_memory(self):
        for name in log_lines.GUARDED_SERVICES:
            log = EventLog()
            log.put(0, Event("service", (name, "words")))
            for _ in range(2 * MOST_KEPT):
                log.put(1, Event("state", ("idle", "testing")))
            self.assertEqual(log.newest()[0][3][0], name)

    def test_wrong_passwords_take_no_place_of_a_login(self):
        log = EventLog()
        log.put(0, Event("security", ("login", "10.0.0.66")))
        for number in range(2 * MOST_KEPT):
            log.put(number, Event("security", ("wrong_login", "10.0.0.66")))
        self.assertEqual(log.newest()[0][3][0], "login")


class Damage(Case):
    def filled(self):
        """(names and bytes of the files, their entries) of a box that has run for a while."""
        box = Box()
        for number in range(100):
            box.put("fault_gone", "X%d" % number)
            if number % 10 == 9:
                box.run(MINUTE_MS)
        box.put("security", "login", "")
        box.run(10 * MINUTE_MS)
        return {name: content(name) for name in os.listdir(FOLDER)}, box.entries()

    def test_a_garbled_byte_costs_one_record(self):
        files, entries = self.filled()
        self.assertEqual(sorted(files), ["log-1.bin", "log-2.bin", "security-1.bin"])
        octets = files["log-2.bin"]
        for at in range(0, len(octets), 61):
            changed = bytearray(octets)
            changed[at] ^= 0x10
            put_in_place("log-2.bin", changed)
            again = Box()
            found = again.entries()
            gone = [entry for entry in entries if entry not in found]
            self.assertEqual(len(gone), 1, at)
            self.assertEqual(len(found), len(entries))
            # No number comes twice, not even that of what is lost.
            self.assertTrue(found[-1].seq > entries[-1].seq, at)

    def test_a_file_cut_anywhere(self):
        files, entries = self.filled()
        octets = files["log-2.bin"]
        for count in range(0, len(octets) + 1, 29):
            put_in_place("log-2.bin", octets[:count])
            again = Box()
            found = again.entries()
            kept = [entry for entry in entries if entry in found]
            self.assertEqual(len(entries) - len(kept), (len(octets) - count + 63) // 64)
            # What comes next is in line: behind half a record it goes to a file of its own.
            again.put("fault", "S2")
            again.run(2 * MINUTE_MS)
            self.assertEqual(Box().codes()[-2:], ["fault:S2", "start:0.1.0"])
            self.assertEqual(content("log-2.bin")[:count], octets[:count])
            self.assertEqual("log-3.bin" in sizes(), count % 64 > 0)
            for name in os.listdir(FOLDER):
                os.remove(FOLDER + "/" + name)
            for name in files:
                put_in_place(name, files[name])

    def test_nothing_whole_anywhere(self):
        files, entries = self.filled()
        for name in files:
            put_in_place(name, b"\xff" * len(files[name]))
        again = Box()
        self.assertEqual(again.codes(), ["start:0.1.0"])
        self.assertTrue(again.entries()[0].seq > 64)

    def test_files_that_are_none_of_ours(self):
        for name in ("log-.bin", "log-1.bin.new", "log-x.bin", "log--3.bin", "log-99999999999.bin", "flight-1.bin"):
            put_in_place(name, b"x")
        put_in_place("log-5.bin", bytes(5000))
        box = Box()
        box.put("fault", "S2")
        box.run(2 * MINUTE_MS)
        self.assertEqual(box.codes(), ["start:0.1.0", "fault:S2"])
        self.assertEqual(sizes()["log-6.bin"], 64)
        self.assertEqual(len(sizes()), 9)


class Trouble(Case):
    def failing(self, number, times):
        """Let append() fail `times` times with an errno, after half of the bytes."""
        real = flash_files.append
        left = [times]

        def append(path, octets):
            if left[0]:
                left[0] -= 1
                real(path, octets[: len(octets) // 2 + 7])
                raise OSError(number)
            real(path, octets)

        return real, append

    def test_a_flash_in_trouble_loses_nothing_and_is_told_once(self):
        for number in (28, 5):
            for times in (1, 2, 30):
                emptied()
                old = Box()
                for count in range(900):
                    old.put("fault_gone", "X%d" % count)
                    if count % 10 == 9:
                        old.run(MINUTE_MS)
                before = len(old.run(10 * MINUTE_MS).entries())
                box = Box()
                real, flash_files.append = self.failing(number, times)
                try:
                    for count in range(3):
                        box.put("fault", "S%d" % (count + 2))
                        box.run(2 * MINUTE_MS)
                    before = flash_files.tally.writes
                    box.run(40 * 60 * MINUTE_MS, MINUTE_MS)
                finally:
                    flash_files.append = real
                self.assertEqual(len(box.app.told), 1, (number, times))
                self.assertTrue("kept in memory" in box.app.told[0], box.app.told)
                self.assertTrue(flash_files.tally.writes - before < 60, flash_files.tally.writes - before)
                again = Box()
                found = [code for code in again.codes() if not code.startswith("fault_gone")]
                # The halves that were written of what failed are there twice at most, and never once.
                for wanted in ("fault:S2", "service:log", "fault:S3", "fault:S4"):
                    self.assertEqual(found.count(wanted), 1, (number, times, found))
                if number == 5:
                    self.assertTrue(len(again.entries()) > before - 64, (before, len(again.entries())))
                numbers = [entry.seq for entry in again.entries()]
                self.assertEqual(numbers, sorted(set(numbers)))

    def test_trouble_that_comes_back_is_told_again(self):
        box = Box()
        for _ in range(2):
            box.put("fault", "S2")
            real, flash_files.append = self.failing(5, 1)
            try:
                box.run(5 * MINUTE_MS)
            finally:
                flash_files.append = real
        self.assertEqual(len(box.app.told), 2)

    def test_a_full_flash_takes_the_oldest_file(self):
        box = Box()
        for number in range(200):
            box.put("fault_gone", "X%d" % number)
            if number % 10 == 9:
                box.run(MINUTE_MS)
        names = sorted(sizes())
        self.assertEqual(names[0], "log-1.bin")
        box.put("fault", "S2")
        real, flash_files.append = self.failing(28, 1)
        try:
            box.run(3 * MINUTE_MS)
        finally:
            flash_files.append = real
        self.assertFalse("log-1.bin" in sizes())
        self.assertEqual(box.codes()[-2:], ["fault:S2", "service:log"])
        real, flash_files.append = self.failing(5, 1)
        before = len(sizes())
        box.put("fault", "S3")
        try:
            box.run(3 * MINUTE_MS)
        finally:
            flash_files.append = real
        self.assertTrue(len(sizes()) >= before)

    def test_a_folder_that_is_not_there(self):
        app = App()
        store = log_store.LogStore(app, "no_such_folder")
        asyncio.run(store.begin())
        app.log.put(0, Event("fault", ("S2",)))
        app.at_ms = 2 * MINUTE_MS
        while store.gather():
            pass
        store.write(app.at_ms)
        self.assertEqual(len(app.told), 1)
        shown = b"".join(store.pieces(log_lines.as_json, (0, 1))).decode().split("\n")
        self.assertEqual(len(shown), 4, shown)

    def test_what_is_written_while_it_is_read_comes_once(self):
        box = Box()
        box.run(MINUTE_MS)
        for number in range(70):
            box.put("fault_gone", "X%d" % number)
            if number % 10 == 9:
                box.run(30_000)
        wanted = [entry.seq for entry in box.entries()]
        rows = box.store.entries((0, 1))
        found = [next(rows).seq for _ in range(10)]
        box.run(10 * MINUTE_MS)
        found += [entry.seq for entry in rows]
        self.assertEqual(found, wanted)
        # And a file that has gone meanwhile takes only its own records along.
        rows = box.store.entries((0, 1))
        next(rows)
        os.remove(FOLDER + "/log-2.bin")
        self.assertEqual([entry.seq for entry in rows], [seq for seq in wanted if 1 < seq <= 65])
