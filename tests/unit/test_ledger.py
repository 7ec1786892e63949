"""The ledger over restarts: the count goes on, the session too, and history is whole whatever breaks off when."""

import os
import unittest

from samples import Box

from firmware.core.records import Energy
from firmware.services import flash_files, ledger, ledger_start, make_room, record_files
from firmware.services.ledger import Ledger
from firmware.wire import ledger_record

FOLDER = "ledger_test/"
NOON_S = 1_795_176_000  # a quarter hour begins
MIN_MS = 60_000


class FullFlash:
    """Stands in for flash_files: every write fails."""

    def __init__(self, number):
        self.number = number
        self.tried = 0

    def write_whole(self, path, data):
        self.tried += 1
        raise OSError(self.number)

    append = write_whole


class NoMemory:
    """Stands in for a tuple, and for the module ledger_record: memory runs out when it is used, the first time."""

    def __init__(self, genuine):
        self.genuine = genuine
        self.is_spent = False

    def __getitem__(self, key):
        raise MemoryError

    def __getattr__(self, name):
        if name == "MINUTES" and not self.is_spent:
            self.is_spent = True
            raise MemoryError
        return getattr(self.genuine, name)


class Life:
    """A box with a ledger: energy flows at a steady power, and the supply is cut at any moment."""

    def __init__(self, days=396):
        self.days = days
        self.wall_s = None
        self.boot(None)

    def boot(self, wall_s=None):
        """Power comes back."""
        self.start = ledger_start.found(FOLDER, self.days)
        self.ledger = Ledger(FOLDER, self.start)
        self.meter = ledger_start.resumed(Box().memory, self.start).energy
        self.now_ms = 0
        self.wall_s = wall_s
        return self

    def run(self, for_s, mwh_a_second=0):
        """Seconds with this much energy in each, one step of the ledger a second."""
        for _ in range(for_s):
            self.now_ms += 1000
            if self.wall_s is not None:
                self.wall_s += 1
            meter = self.meter
            mwh = meter.mwh + mwh_a_second
            self.meter = Energy(
                meter.wh + mwh // 1000, mwh % 1000, 0, meter.session_wh, meter.session_mwh, meter.session_at_ms
            )
            self.ledger.step(self.now_ms, self.wall_s, self.meter)
        return self

    def plug(self):
        """A session begins."""
        self.meter = Energy(self.meter.wh, self.meter.mwh, 0, self.meter.wh, self.meter.mwh, self.now_ms)
        return self

    def unplug(self):
        """It ends."""
        self.meter = Energy(self.meter.wh, self.meter.mwh, 0, None, 0, 0)
        return self

    def total_mwh(self):
        """What the core has counted."""
        return self.meter.wh * 1000 + self.meter.mwh


def records(files, record_of):
    """Every record of RecordFiles, oldest first; None for one that is not whole."""
    found = []
    for number in range(files.first, files.last + 1):
        with open(files.path(number), "rb") as file:
            octets = file.read(32_768)
        found += [record_of(octets[at : at + files.record_b]) for at in range(0, len(octets), files.record_b)]
    return found


def quarters(life):
    return records(life.ledger.quarters, ledger_record.quarter_of)


def sessions(life):
    return records(life.ledger.sessions, ledger_record.session_of)


class Ledgers(unittest.TestCase):
    def setUp(self):
        self.tearDown()
        os.mkdir(FOLDER[:-1])
        self.genuine = ledger.flash_files, record_files.flash_files

    def tearDown(self):
        try:
            for name in os.listdir(FOLDER[:-1]):
                os.remove(FOLDER + name)
            os.rmdir(FOLDER[:-1])
        except OSError:
            pass

    def broken(self, number):
        """Every write fails from here on."""
        ledger.flash_files = record_files.flash_files = made = FullFlash(number)
        return made

    def healed(self):
        ledger.flash_files, record_files.flash_files = self.genuine


class Count(Ledgers):
    def test_the_first_start_counts_from_nothing_and_says_nothing(self):
        life = Life()
        self.assertEqual((life.meter.wh, life.meter.mwh, life.meter.session_wh, life.start.words), (0, 0, None, ""))

    def test_a_cut_at_any_second_loses_under_a_minute(self):
        for seconds in (59, 60, 61, 100, 109, 112, 161, 162, 170, 959, 961, 1800):
            self.setUp()
            life = Life().run(seconds, 4)
            kept = life.boot().total_mwh()
            self.assertGreaterEqual(kept, 4 * (seconds - 60), seconds)
            self.assertLessEqual(kept, 4 * seconds)

    def test_the_count_goes_on_over_many_cuts_and_never_falls(self):
        life, least = Life(NOON_S), 0
        for seconds in (200, 30, 61, 500, 1000, 59, 62):
            life.run(seconds, 3)
            least = life.ledger.wh
            life.boot(NOON_S)
            self.assertGreaterEqual(life.meter.wh, least)
        self.assertGreaterEqual(life.total_mwh(), 3 * (1912 - 7 * 60))

    def test_nothing_is_written_in_the_first_minute_nor_without_energy(self):
        before = flash_files.tally.writes
        life = Life().run(59, 5)
        self.assertEqual(flash_files.tally.writes, before)
        life.run(2, 5)
        self.assertEqual(flash_files.tally.writes, before + 1)
        life.run(50, 0)
        more = flash_files.tally.writes
        life.run(3000, 0)
        # The quarter hour in which it flowed is written once more, and with it the head.
        self.assertLessEqual(flash_files.tally.writes, more + 2)

    def test_three_writes_a_minute_while_energy_flows(self):
        life = Life().run(60, 5)
        before = flash_files.tally.writes
        life.run(3600, 5)
        self.assertLessEqual(flash_files.tally.writes - before, 3600 // 20 + 8)
        self.assertGreaterEqual(flash_files.tally.writes - before, 3600 // 23)

    def test_all_that_was_counted_is_on_flash_or_told_as_unstored(self):
        life = Life().boot(NOON_S).run(1000, 5)
        for _ in range(20):
            life.run(97, 5)
            waiting = [ledger_record.quarter_of(octets) for octets in life.ledger.unstored(life.ledger.quarters)]
            found = quarters(life) + waiting
            self.assertEqual(sum([sum(quarter.minutes_mwh) for quarter in found]), life.total_mwh())
            self.assertEqual([quarter.seq for quarter in found], list(range(len(found))))
        self.assertEqual(life.ledger.unstored(life.ledger.sessions), [])

    def test_a_garbled_copy_leaves_the_other_one(self):
        for bad in ledger.HEADS:
            self.setUp()
            Life().run(300, 4)
            flash_files.write_whole(FOLDER + bad, b"H" + bytes(89))
            life = Life()
            self.assertEqual(life.start.words, "copy")
            self.assertGreaterEqual(life.total_mwh(), 4 * (300 - 120))
            life.run(70, 4)
            self.assertEqual(life.boot().start.words, "")

    def test_without_any_head_the_history_tells(self):
        Life().boot(NOON_S).run(1000, 4)
        for name in ledger.HEADS:
            flash_files.write_whole(FOLDER + name, b"what is this")
        life = Life()
        self.assertEqual(life.start.words, "lost")
        self.assertEqual(life.total_mwh(), 4 * 899)
        self.assertEqual(life.start.head.quarter_seq, 1)

    def test_a_file_too_long_is_none_of_ours(self):
        flash_files.write_whole(FOLDER + ledger.HEADS[0], bytes(5000))
        life = Life()
        self.assertEqual((life.start.words, life.total_mwh()), ("lost", 0))


class History(Ledgers):
    def test_minutes_and_quarter_hours(self):
        life = Life().boot(NOON_S - 1)
        life.run(60, 1)
        life.run(60, 2)
        life.run(1800, 3)
        found = quarters(life)
        self.assertEqual([one.quarter_no for one in found], [NOON_S // 900, NOON_S // 900 + 1])
        self.assertEqual(found[0].minutes_mwh, (60, 120) + (180,) * 13)
        self.assertEqual(found[1].minutes_mwh, (180,) * 15)
        self.assertEqual([one.seq for one in found], [0, 1])
        self.assertEqual((found[0].wh, found[0].mwh), (2, 520))

    def test_minutes_sum_to_the_count_over_cuts_and_clocks(self):
        life = Life()
        clocks = (None, NOON_S, NOON_S + 400, NOON_S - 315_360_000, None, NOON_S + 500, NOON_S + 3_000_000)
        for wall_s in clocks:
            life.boot(wall_s).run(777, 7)
        life.run(1000, 0)
        counted = sum([sum(one.minutes_mwh) for one in quarters(life)])
        self.assertEqual(counted, life.total_mwh())
        self.assertEqual([one.seq for one in quarters(life)], list(range(len(quarters(life)))))
        self.assertGreaterEqual(counted, 7 * (777 - 60) * len(clocks))

    def test_a_cut_between_record_and_head_counts_nothing_twice(self):
        life = Life().boot(NOON_S).run(900, 4)
        while not quarters(life):
            life.run(1, 4)
        life.boot(NOON_S + 901)
        self.assertEqual(life.start.head.minutes_mwh, (0,) * 15)
        self.assertEqual(life.total_mwh(), 4 * 899)
        life.run(900, 4)
        self.assertEqual([one.seq for one in quarters(life)], [0, 1])
        self.assertEqual(
            sum([sum(one.minutes_mwh) for one in quarters(life)]), quarters(life)[-1].wh * 1000 + quarters(life)[-1].mwh
        )

    def test_a_clock_set_back_ten_years_drops_nothing(self):
        life = Life().boot(NOON_S).run(1000, 4)
        life.wall_s -= 315_360_000
        life.run(1000, 4)
        self.assertEqual(len(quarters(life)), 3)
        self.assertEqual(quarters(life)[0].quarter_no, NOON_S // 900)

    def test_the_number_of_files_is_bounded_and_the_oldest_goes(self):
        files = record_files.RecordFiles(FOLDER + "quarters-", 8, (3, 2))
        for number in range(20):
            files.append(b"%08d" % number)
            files.trim()
        self.assertEqual((files.first, files.last), (4, 6))
        self.assertEqual(sorted(os.listdir(FOLDER[:-1])), ["quarters-%d.bin" % number for number in (4, 5, 6)])
        again = record_files.RecordFiles(FOLDER + "quarters-", 8, (3, 2))
        ledger_start.look_for(
            again,
            "quarters-",
            os.listdir(FOLDER[:-1]) + ["quarters-x.bin", "quarters-9.bin.new", "quarters-9999999.bin"],
        )
        self.assertEqual((again.first, again.last), (4, 6))
        self.assertFalse(again.trim())

    def test_a_file_that_a_failing_flash_keeps_is_not_forgotten(self):
        files = record_files.RecordFiles(FOLDER + "quarters-", 8, (3, 2))
        for number in range(12):
            files.append(b"%08d" % number)
        os.remove(files.path(0))
        os.mkdir(files.path(0))  # what cannot be removed as a file
        self.assertFalse(files.trim())
        self.assertEqual(files.first, 0)
        os.rmdir(files.path(0))
        self.assertTrue(files.trim())
        self.assertEqual((files.first, files.last), (1, 3))

    def test_a_foreign_name_sends_no_start_through_a_million_files(self):
        files = record_files.RecordFiles(FOLDER + "quarters-", 8, (3, 2))
        files.last = 999_999
        looked = []
        files.path = lambda number: looked.append(number) or FOLDER + "nothing"
        self.assertIsNone(ledger_start.last_record(files, None))
        self.assertEqual(looked, [999_999, 999_998, 999_997])

    def test_a_torn_record_is_passed_over(self):
        files = record_files.RecordFiles(FOLDER + "quarters-", 64, (255, 9))
        one = ledger_record.packed_quarter(ledger_record.Quarter(5, 1, 2, 3, (0,) * 15))
        files.append(one)
        flash_files.append(files.path(0), one[:30])
        self.assertEqual(ledger_start.last_record(files, ledger_record.quarter_of).seq, 5)
        files.append(one)
        self.assertEqual(files.last, 1)
        flash_files.write_whole(files.path(1), bytes(64))
        self.assertEqual(ledger_start.last_record(files, ledger_record.quarter_of).seq, 5)

    def test_days_of_history(self):
        for days, most in ((396, 150), (60, 23), (1, 16)):
            self.assertEqual(Life(days).start.quarters.most, (255, most))
            self.assertGreaterEqual(255 * most, max(days, 40) * 96)


class Sessions(Ledgers):
    def test_a_session_is_recorded_when_it_ends(self):
        life = Life().boot(NOON_S).run(100)
        life.plug().run(300, 5).unplug().run(3)
        found = sessions(life)
        self.assertEqual(len(found), 1)
        self.assertEqual((found[0].from_wall_s, found[0].to_wall_s), (NOON_S + 100, NOON_S + 401))
        self.assertEqual((found[0].for_s, found[0].from_wh, found[0].to_wh, found[0].to_mwh), (301, 0, 1, 500))
        self.assertEqual((life.ledger.wh, life.ledger.mwh), (1, 500))

    def test_a_session_goes_on_after_cuts_and_past_midnight(self):
        life = Life().boot(NOON_S + 43_000).run(10).plug().run(300, 5)
        for _ in range(3):
            life.boot(life.wall_s + 60)
            self.assertEqual((life.meter.session_wh, life.meter.session_mwh), (0, 0))
            life.run(300, 5)
        life.unplug().run(2)
        found = sessions(life)
        self.assertEqual(len(found), 1)
        self.assertEqual((found[0].from_wh, found[0].from_mwh), (0, 0))
        self.assertEqual(found[0].to_wh * 1000 + found[0].to_mwh, life.total_mwh())
        self.assertEqual(found[0].from_wall_s, NOON_S + 43_010)
        self.assertEqual(found[0].to_wall_s, life.wall_s - 1)

    def test_a_cut_between_its_record_and_the_head_records_it_once(self):
        life = Life().boot(NOON_S).run(70).plug().run(200, 5).unplug()
        life.run(1)
        self.assertEqual(len(sessions(life)), 1)
        life.boot(NOON_S + 300)
        self.assertIsNone(life.meter.session_wh)
        self.assertEqual((life.total_mwh(), sum(life.start.head.minutes_mwh)), (1000, 1000))
        life.run(100)
        self.assertEqual(len(sessions(life)), 1)
        life.plug().run(100, 5).unplug().run(5)
        self.assertEqual([one.seq for one in sessions(life)], [0, 1])

    def test_nothing_flowed_nothing_recorded(self):
        life = Life().boot(NOON_S).run(100, 3).plug().run(500).unplug().run(5)
        self.assertEqual(life.ledger.sessions.last, 0)
        self.assertFalse(record_files.length_of(life.ledger.sessions.path(0)))

    def test_two_sessions_within_one_look(self):
        life = Life().boot(NOON_S).run(100).plug().run(100, 5).unplug().plug().run(100, 7).unplug().run(5)
        found = sessions(life)
        self.assertEqual(
            [one.to_wh * 1000 + one.to_mwh - one.from_wh * 1000 - one.from_mwh for one in found], [500, 700]
        )

    def test_the_start_is_known_once_the_clock_is(self):
        life = Life().run(100).plug().run(50, 5)
        self.assertEqual(life.ledger.session_wall_s, 0)
        life.wall_s = NOON_S
        life.run(1, 5)
        self.assertEqual(life.ledger.session_wall_s, NOON_S + 1 - 51)

    def test_a_plugged_car_goes_on_and_a_car_that_left_ends_it(self):
        for high_mv, begins in ((6000, 4), (12000, None)):
            start = ledger_start.Found(
                ledger_record.Head(*((0,) * 2 + (9, 5) + (0,) * 7 + ((0,) * 15,))), (4, 3, -70_000), None, None, ""
            )
            box = Box()
            box.memory = ledger_start.resumed(box.memory, start)
            box.high_mv = high_mv
            box.run(200)
            self.assertEqual(box.memory.energy.session_wh, 4)
            box.run(8000)
            self.assertEqual(box.memory.energy.session_wh, begins)
            self.assertEqual(box.memory.energy.wh, 9)


class Trouble(Ledgers):
    def test_a_flash_that_takes_nothing_is_told_and_tried_again(self):
        for number, code in ((28, "full"), (5, "broken")):
            self.setUp()
            life = Life().boot(NOON_S).run(100, 4)
            flash = self.broken(number)
            life.run(2000, 4)
            self.assertEqual(life.ledger.trouble, code)
            self.assertLessEqual(flash.tried, 2 * 200)
            self.assertLessEqual(len(life.ledger._waiting), 4)
            self.healed()
            life.run(70, 4)
            self.assertEqual(life.ledger.trouble, "")
            self.assertGreaterEqual(life.boot(NOON_S).total_mwh(), 4 * (2170 - 60))

    def test_memory_that_runs_out_counts_no_session_twice(self):
        life = Life().boot(NOON_S).run(100)
        life.plug().run(300, 5).unplug()
        newest, life.ledger.newest = life.ledger.newest, NoMemory(())
        with self.assertRaises(MemoryError):
            life.run(1)
        life.ledger.newest = newest
        life.run(3)
        self.assertEqual(len(sessions(life)), 1)
        self.assertEqual(len(life.ledger.newest), 1)

    def test_memory_that_runs_out_counts_no_quarter_hour_twice(self):
        life = Life().boot(NOON_S).run(899, 5)
        ledger.ledger_record = NoMemory(ledger_record)
        try:
            with self.assertRaises(MemoryError):
                life.run(1, 5)
        finally:
            ledger.ledger_record = ledger_record
        life.run(100, 5)
        self.assertEqual([sum(row.minutes_mwh) for row in quarters(life)], [899 * 5])

    def test_the_count_does_not_wait_for_history(self):
        life = Life().boot(NOON_S).run(100, 4)
        genuine, record_files.flash_files = record_files.flash_files, FullFlash(28)
        life.run(3000, 4)
        record_files.flash_files = genuine
        self.assertGreaterEqual(life.boot().total_mwh(), 4 * (3100 - 60))

    def test_what_is_least_missed_goes_first(self):
        names = ["flight-2.bin", "flight-10.bin", "log-1.bin", "log-2.bin", "log-3.bin", "settings.json", "a.new"]
        names += ["quarters-%d.bin" % number for number in (8, 9, 10)] + ["sessions-0.bin", "ledger-0.bin"]
        for name in names:
            flash_files.write_whole(FOLDER + name, b"x")
        gone = []
        while True:
            name = make_room.drop_oldest(FOLDER)
            if not name:
                break
            gone.append(name)
        self.assertEqual(gone, ["a.new", "flight-2.bin", "flight-10.bin", "log-1.bin", "quarters-8.bin"])


if __name__ == "__main__":
    unittest.main()
