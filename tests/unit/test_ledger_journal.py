"""The ledger while the coil is on: everything goes into the journal, no file is touched, and the next start has it."""

import os
import unittest

from ram_area import RamArea
from samples import Box

from firmware.core.records import Energy
from firmware.services import flash_files, journal_start, ledger, ledger_replay, ledger_start, record_files
from firmware.services.flash_gate import gate
from firmware.services.journal import Journal
from firmware.services.ledger import Ledger
from firmware.wire import journal_record, ledger_record
from firmware.wire.ledger_record import NO_WH, Counted, Head

FOLDER = "ledger_journal_test/"
NOON_S = 1_795_176_000  # a quarter hour begins
SECTORS = 12


class Shut:
    """A ControlLoop whose coil is on as long as is_on."""

    def __init__(self):
        self.is_on = False
        self.memory = self.outputs = self.board = self
        self.coil_on_ms = -1_000_000

    @property
    def is_contactor_closed(self):
        return self.is_on

    def now_ms(self):
        return 0


def touched(*values, **more):
    raise AssertionError("a file was touched while the coil was on")


class Life:
    """A box whose ledger has a journal; the supply is cut at any moment, and the journal with it."""

    def __init__(self, area=None):
        self.loop = Shut()
        self.area = RamArea(SECTORS) if area is None else area
        self.boot(NOON_S)

    def boot(self, wall_s=None):
        gate.watch(None)
        self.loop.is_on = False
        self.journal = Journal(self.area)
        start = ledger_start.found(FOLDER, 40)
        self.replay = ledger_replay.Replay(start)
        for kind, octets in self.journal.values():
            self.replay.take(kind, octets)
        self.ledger = Ledger(FOLDER, self.replay.found, self.journal)
        self.ledger.newest, self.ledger.is_ahead = self.replay.newest, self.replay.is_ahead
        self.meter = ledger_start.resumed(Box().memory, self.replay.found).energy
        self.now_ms, self.wall_s = 0, wall_s
        gate.watch(self.loop)
        return self

    def run(self, for_s, mwh_a_second=0):
        """Seconds with this much energy in each; the journal has all the turns it wants."""
        for _ in range(for_s):
            self.now_ms += 1000
            if self.wall_s is not None:
                self.wall_s += 1
            meter = self.meter
            mwh = meter.mwh + mwh_a_second
            self.meter = Energy(meter.wh + mwh // 1000, mwh % 1000, 0, *meter[3:])
            for _ in range(20):  # COPY_S
                writes = flash_files.tally.writes
                self.ledger.step(self.now_ms, self.wall_s, self.meter)
                if self.ledger._copied is None or flash_files.tally.writes != writes:
                    break
            while self.journal.step(not self.loop.is_on):
                pass
        return self

    def close(self):
        self.loop.is_on = True
        return self

    def open(self):
        self.loop.is_on = False
        return self

    def plug(self):
        self.meter = Energy(self.meter.wh, self.meter.mwh, 0, self.meter.wh, self.meter.mwh, self.now_ms)
        return self

    def unplug(self):
        self.meter = Energy(self.meter.wh, self.meter.mwh, 0, None, 0, 0)
        return self

    def total_mwh(self):
        return self.meter.wh * 1000 + self.meter.mwh

    def rows(self, files, record_of):
        """Every record of some files."""
        made = []
        for number in range(files.first, files.last + 1):
            size_b = record_files.length_of(files.path(number))
            octets = flash_files.read_bounded(files.path(number), size_b) if size_b else b""
            made += [record_of(octets[at : at + files.record_b]) for at in range(0, size_b, files.record_b)]
        return made

    def quarters(self):
        return self.rows(self.ledger.quarters, ledger_record.quarter_of)

    def sessions(self):
        return self.rows(self.ledger.sessions, ledger_record.session_of)


class Case(unittest.TestCase):
    def setUp(self):
        self.tearDown()
        os.mkdir(FOLDER[:-1])

    def tearDown(self):
        gate.watch(None)
        try:
            for name in os.listdir(FOLDER[:-1]):
                os.remove(FOLDER + name)
            os.rmdir(FOLDER[:-1])
        except OSError:
            pass


class WhileTheCoilIsOn(Case):
    def test_no_file_is_touched_and_each_count_takes_one_slot(self):
        life = Life().run(80).plug().run(25).close()
        before = flash_files.tally.writes
        life.run(21, 5)
        life.area.programs = []
        seq = life.journal._seq
        life.run(600, 5)
        self.assertEqual(flash_files.tally.writes, before)
        self.assertEqual(life.journal._seq - seq, 30)
        self.assertTrue(len(life.area.programs) <= 33)
        self.assertTrue(life.total_mwh() - life.ledger.wh * 1000 - life.ledger.mwh <= 20 * 5)

    def test_a_cut_at_any_second_loses_20_seconds_at_most_and_what_was_shown_stays(self):
        for seconds in list(range(1, 45)) + [299, 300, 301, 880, 899, 900, 901, 905, 925, 1810]:
            self.setUp()
            life = Life().run(80).plug().run(25).close().run(seconds, 7)
            shown, total_mwh = (life.ledger.wh, life.ledger.mwh), life.total_mwh()
            life.boot(NOON_S + 200 + seconds)
            self.assertTrue(total_mwh - 21 * 7 <= life.total_mwh() <= total_mwh, seconds)
            self.assertTrue((life.meter.wh, life.meter.mwh) >= shown)
            self.assertEqual(life.replay.is_ahead, seconds > 20 or life.total_mwh() > 0)
            life.run(70)
            self.assertFalse(life.ledger.is_ahead)
            history = life.quarters()
            running_mwh = sum(life.ledger._minutes_mwh)
            self.assertEqual(sum([sum(one.minutes_mwh) for one in history]) + running_mwh, life.total_mwh())
            self.assertEqual([one.seq for one in history], list(range(len(history))))

    def test_minutes_are_where_they_were(self):
        life = Life().run(80).plug().run(40).close().run(500, 7)
        minutes = list(life.ledger._minutes_mwh)
        life.boot()
        self.assertEqual(sum(minutes) - life.total_mwh(), 500 * 7 - life.total_mwh())
        found = life.replay.found.head.minutes_mwh
        self.assertEqual(list(found[:9]), minutes[:9])
        self.assertTrue(0 <= minutes[9] + minutes[10] - found[9] - found[10] <= 20 * 7)

    def test_the_session_goes_on_after_a_cut_and_ends_once(self):
        life = Life().run(80).plug().run(25).close().run(700, 5)
        begun_s = life.ledger.session_wall_s
        life.boot(NOON_S + 900)
        self.assertEqual((life.meter.session_wh, life.ledger.session_wall_s), (0, begun_s))
        self.assertTrue(-725_000 <= life.meter.session_at_ms <= -700_000, life.meter.session_at_ms)
        life.run(70).close().run(300, 5).open().unplug().run(5)
        (found,) = life.sessions()
        self.assertEqual((found.from_wh, found.from_wall_s), (0, begun_s))
        self.assertEqual(found.to_wh * 1000 + found.to_mwh, life.total_mwh())

    def test_sessions_that_end_while_the_coil_is_on_come_into_files_later_and_once(self):
        life = Life().run(80).close()
        for _ in range(12):
            life.plug().run(50, 5).unplug().run(1)
        self.assertEqual(life.sessions(), [])
        numbers = [record_files.seq_of(octets) for octets in life.ledger.newest]
        self.assertEqual(numbers, list(range(2, 12)))
        life.boot(NOON_S + 9000)
        self.assertEqual([record_files.seq_of(octets) for octets in life.ledger.newest], list(range(2, 12)))
        life.run(62)  # a cut while files get them
        self.assertTrue(0 < len(life.sessions()) < 12)
        life.boot(NOON_S + 9900).run(90)
        self.assertEqual([one.seq for one in life.sessions()], list(range(12)))
        self.assertTrue(life.journal.checkpoint())
        life.run(1)
        self.assertEqual(list(life.journal.values()), [])
        self.assertEqual([record_files.seq_of(octets) for octets in life.boot().ledger.newest], list(range(2, 12)))

    def test_a_night_of_many_charges_without_a_checkpoint_counts_nothing_twice(self):
        life = Life().run(80)
        for _ in range(6):
            life.plug().close().run(1000, 3).open().run(7).unplug().run(30)
        life.run(40)
        self.assertEqual(sum([sum(one.minutes_mwh) for one in life.quarters()]), 18_000 - sum(life.ledger._minutes_mwh))
        self.assertEqual([one.seq for one in life.sessions()], list(range(6)))
        self.assertEqual(life.boot().total_mwh(), 18_000)

    def test_a_turn_judges_a_few_slots_however_long_the_values_are(self):
        life = Life().run(80).plug().run(25).close().run(25, 5)
        for _ in range(50):
            self.assertTrue(life.journal.put(journal_record.STATE, bytes(420)))
            life.run(1)
        life.run(900, 5).open()
        judged, genuine = [], journal_record.slot_of

        def slot_of(octets):
            judged[-1] += 1
            return genuine(octets)

        journal_record.slot_of = slot_of
        try:
            for _ in range(3000):
                judged.append(0)
                life.now_ms += 50
                life.ledger.step(life.now_ms, None, life.meter)
                if not life.ledger.is_ahead:
                    break
        finally:
            journal_record.slot_of = genuine
        self.assertTrue(sum(judged) > 1000 and max(judged) <= journal_start.TURN_SLOTS, (sum(judged), max(judged)))
        self.assertFalse(life.ledger.is_ahead)
        self.assertTrue(len(life.quarters()) > 0)

    def test_a_file_that_is_newer_wins(self):
        life = Life().run(80).plug().close().run(100, 5).open().run(30)
        newest = life.total_mwh()
        self.assertFalse(life.ledger.is_ahead)
        life.boot()
        self.assertEqual((life.total_mwh(), life.replay.is_ahead), (newest, False))
        self.assertTrue(len(list(life.journal.values())) >= 4)


class BetweenRecordAndHead(Case):
    """With the coil off a record goes into its file, and a second later the head; the supply fails in between."""

    def cut_behind(self, is_there):
        """A charge that ended, cut once a file has the record, and its car gone; Life after the next start."""
        life = Life().run(80).plug().close().run(300, 5).open()
        for _ in range(5):
            if is_there(life):
                break
            life.run(1)
        self.assertTrue(life.ledger.is_ahead, "the head is still to come")
        return life.boot(NOON_S + 2000)

    def unplugged(self, life):
        if life.meter.session_wh is not None:
            life.unplug()
        return life.sessions()

    def test_a_session_that_a_file_has_does_not_go_on(self):
        life = self.cut_behind(self.unplugged)
        self.assertEqual((life.meter.session_wh, life.replay.found.head.session_seq), (None, 1))
        life.run(70)
        self.assertEqual([(one.seq, one.to_wh - one.from_wh) for one in life.sessions()], [(0, 1)])
        self.assertEqual(life.total_mwh(), 1500)

    def test_a_quarter_hour_that_a_file_has_is_not_counted_again(self):
        life = self.cut_behind(self.clock_set)
        self.assertEqual((sum(life.ledger._minutes_mwh), life.replay.found.head.quarter_seq), (0, 1))
        life.run(70).plug().close().run(100, 5).open().unplug().run(20)
        minutes_mwh = sum([sum(one.minutes_mwh) for one in life.quarters()]) + sum(life.ledger._minutes_mwh)
        self.assertEqual((minutes_mwh, life.total_mwh()), (2000, 2000))

    def clock_set(self, life):
        life.wall_s = NOON_S + 1800
        return life.quarters()

    def test_what_flows_before_the_head_is_stored_belongs_to_the_next_quarter_hour(self):
        life = Life().run(80).plug().close().run(300, 5).open()
        while not self.clock_set(life):
            life.run(1)
        life.close().run(100, 7).boot(NOON_S + 3000)
        self.assertEqual([sum(one.minutes_mwh) for one in life.quarters()], [1500])
        self.assertEqual(sum(life.ledger._minutes_mwh), life.total_mwh() - 1500)
        self.assertTrue(life.total_mwh() >= 1500 + 80 * 7)


class Trouble(Case):
    def test_without_a_journal_it_waits_and_says_only_what_is_stored(self):
        gate.watch(None)
        life = Life()
        life.ledger._journal = Journal(None)
        life.run(80).plug().run(25, 1)
        shown = life.ledger.wh, life.ledger.mwh
        life.close().run(9 * 3600, 5)
        self.assertEqual((life.ledger.wh, life.ledger.mwh), shown)
        self.assertTrue(len(life.ledger._waiting) <= ledger.MOST_WAITING)
        total_mwh = life.total_mwh()
        life.open().run(60)
        self.assertEqual(life.ledger.wh * 1000 + life.ledger.mwh, total_mwh)
        self.assertEqual(len(life.quarters()), ledger.MOST_WAITING)

    def test_what_waited_for_an_open_contactor_does_not_make_room_for_a_session_that_ends(self):
        gate.watch(None)
        life = Life()
        life.ledger._journal = Journal(None)
        life.run(80).plug().close().run(5 * 3600, 5).open().run(3).unplug().run(60)
        self.assertEqual([one.seq for one in life.quarters()], list(range(20)))
        self.assertEqual([one.seq for one in life.sessions()], [0])

    def test_a_journal_that_breaks_shows_no_more_than_it_has(self):
        life = Life().run(80).plug().close().run(60, 5)
        life.area.fails = 1 << 30
        shown = life.ledger.wh, life.ledger.mwh
        life.run(60, 5)
        self.assertEqual(((life.ledger.wh, life.ledger.mwh), life.journal.trouble), (shown, "broken"))
        life.open().run(60)
        self.assertEqual(life.ledger.wh * 1000 + life.ledger.mwh, life.total_mwh())
        self.assertTrue(life.ledger.is_ahead)

    def test_a_full_flash_keeps_the_records_in_the_journal_and_the_count_in_the_head(self):
        life = Life().run(80).plug().close().run(2000, 5).open()
        genuine = flash_files.append

        def full(path, data):
            raise OSError(28)

        flash_files.append = full
        try:
            life.run(40)
            self.assertEqual((life.ledger.trouble, life.quarters(), life.ledger.is_ahead), ("full", [], True))
            life.boot()
            self.assertEqual(life.total_mwh(), 10_000)
            self.assertTrue(life.ledger.is_ahead)
            life.run(70)
        finally:
            flash_files.append = genuine
        life.run(20)
        self.assertEqual((life.ledger.trouble, life.ledger.is_ahead), ("", False))
        self.assertEqual([one.seq for one in life.quarters()], list(range(len(life.quarters()))))
        self.assertTrue(len(life.quarters()) >= 2)

    def test_bytes_that_are_no_value_change_nothing(self):
        life = Life().run(80).plug().close().run(100, 5)
        before = life.boot().replay.found
        for kind in ledger_replay.KINDS:
            for octets in (b"", b"x", bytes(17), bytes(33), bytes(64), bytes(90), b"\xff" * 17):
                life.replay.take(kind, octets)
        self.assertEqual(life.replay.found[0][2:], before[0][2:])


class Counts(unittest.TestCase):
    HEAD = Head(4, 9, 5, 100, 2, 1, 0, 8, 60, 3, 1, (0,) * 15)

    def test_bytes(self):
        one = Counted(4_000_000_000, 999, 4_100_000_000, 14, 0xFFFFFF, 0xFFFFFF)
        octets = ledger_record.packed_counted(one)
        self.assertEqual((len(octets), ledger_record.counted_of(octets)), (17, one))
        self.assertTrue(len(octets) <= journal_record.VALUE_B)
        more = ledger_record.packed_counted(Counted(1, 2, 3, 4, 1 << 24, 1 << 24))
        self.assertEqual(ledger_record.counted_of(more)[4:], (0xFFFFFF, 0xFFFFFF))
        self.assertIsNone(ledger_record.counted_of(octets[:16]))
        self.assertIsNone(ledger_record.counted_of(octets[:10] + b"\x0f" + octets[11:]))

    def test_what_is_not_of_this_minute_belongs_to_the_one_before(self):
        for minute, minute_mwh, wanted in (
            (3, 400, {3: 400, 2: 600}),
            (3, 1000, {3: 1000}),
            (3, 5000, {3: 1000}),
            (0, 400, {0: 400, 14: 600}),
        ):
            made = ledger_record.with_counted(self.HEAD, Counted(6, 100, 900 * 77 + 5, minute, minute_mwh, 99))
            self.assertEqual({at: mwh for at, mwh in enumerate(made.minutes_mwh) if mwh}, wanted)
            self.assertEqual((made.wh, made.mwh, made.wall_s, made.quarter_no), (6, 100, 900 * 77 + 5, 77))
            self.assertEqual(made[4:9], (2, 1, 0, 8, 99))
        bare = Head(*(self.HEAD[:5] + (NO_WH, 0, 0, 0) + self.HEAD[9:]))
        self.assertEqual(ledger_record.with_counted(bare, Counted(6, 100, 0, 3, 0, 99)).session_s, 0)

    def test_a_count_that_is_lower_is_none(self):
        self.assertEqual(ledger_record.with_counted(self.HEAD, Counted(5, 99, 77, 3, 0, 99)), self.HEAD)


if __name__ == "__main__":
    unittest.main()
