"""The time of day: who may tell it, its floor, what is stored of it, and that it is missing."""

import unittest

from firmware.services import flash_files
from firmware.services.flash_gate import gate
from firmware.services.last_time import LastTime
from firmware.services.state_store import MOST_FOR_COMMANDS
from firmware.services.wall_clock import (
    AGREE_S,
    MISSING_MS,
    RANK_BROKER,
    RANK_BROWSER,
    RANK_NTP,
    SILENT_MS,
    SLACK_S,
    WallClock,
)
from firmware.wire import ntp
from firmware.wire.journal_record import TIME

NOW_S = 1_800_000_000


class Board:
    """A board whose milliseconds are set."""

    def __init__(self):
        self.at_ms = 1000
        self.at_s = None
        self.floors = []
        self.is_winking = False

    def now_ms(self):
        return self.at_ms

    def wall_s(self):
        return None if self.at_s is None else self.at_s + self.at_ms // 1000

    def set_wall_s(self, wall_s):
        self.at_s = wall_s - self.at_ms // 1000

    def set_floor_s(self, wall_s):
        self.floors.append(wall_s)

    def show_no_time(self, is_missing):
        self.is_winking = is_missing


class Closed:
    """A control loop whose contactor is closed."""

    def __init__(self):
        self.memory = self.outputs = self
        self.is_contactor_closed = True


class Store:
    """What is known of the time before the start."""

    def __init__(self, last_s=0):
        self.last_s = last_s
        self.kept = []
        self.is_free = True
        self.is_ahead = False

    def may_bring(self):
        return self.is_ahead

    def keep(self, wall_s):
        if self.is_free:
            self.kept.append(wall_s)
        return self.is_free


def made(last_s=0):
    """(WallClock, Board, Store, list of codes told)."""
    board, store, codes = Board(), Store(last_s), []
    return WallClock(board, store, codes.append), board, store, codes


class Floor(unittest.TestCase):
    def test_the_chips_clock_begins_at_the_later_of_build_and_last_known_time(self):
        for last_s, floor_s in ((0, ntp.BUILT_S), (ntp.BUILT_S - 9, ntp.BUILT_S), (NOW_S, NOW_S - SLACK_S)):
            clock, board, _, _ = made(last_s)
            self.assertEqual(board.floors, [floor_s])
            self.assertEqual((board.wall_s(), clock.quality()), (None, "never"))

    def test_nothing_earlier_is_believed_of_anybody(self):
        for last_s, floor_s in ((0, ntp.BUILT_S), (NOW_S, NOW_S - SLACK_S)):
            for rank in (RANK_NTP, RANK_BROKER, RANK_BROWSER):
                clock, board, _, codes = made(last_s)
                self.assertFalse(clock.offer(floor_s - 1, rank))
                self.assertFalse(clock.offer(0, rank))
                self.assertFalse(clock.offer(-61_505_152, rank))
                self.assertFalse(clock.offer(1 << 32, rank))
                self.assertFalse(clock.offer(ntp.LAST_S + 1, rank))
                self.assertEqual((board.wall_s(), clock.rank), (None, None))
                self.assertEqual(codes, ["early"] if rank == RANK_NTP else [])
                self.assertTrue(clock.offer(floor_s, rank))
                self.assertEqual((board.wall_s(), clock.rank, clock.quality()), (floor_s, rank, "good"))
                self.assertEqual(codes[-1], "set")

    def test_within_a_start_ntp_puts_right_what_it_told_wrong(self):
        clock, board, _, codes = made(NOW_S)
        self.assertTrue(clock.offer(NOW_S + 600_000_000, RANK_NTP))
        self.assertTrue(clock.offer(NOW_S, RANK_NTP))
        self.assertEqual((board.wall_s(), codes), (NOW_S, ["set"]))

    def test_the_last_date_that_the_chip_reckons_is_taken(self):
        clock, board, _, _ = made()
        self.assertTrue(clock.offer(ntp.LAST_S, RANK_NTP))
        self.assertEqual(board.wall_s(), ntp.LAST_S)

    def test_an_early_answer_is_told_once_and_again_after_a_good_one(self):
        clock, board, _, codes = made(NOW_S)
        for _ in range(3):
            self.assertFalse(clock.offer(NOW_S - 100, RANK_NTP))
        self.assertTrue(clock.offer(NOW_S, RANK_NTP))
        self.assertFalse(clock.offer(NOW_S - 100, RANK_NTP))
        self.assertEqual((codes, board.wall_s()), (["early", "set", "early"], NOW_S))
        self.assertTrue(clock.offer(NOW_S, RANK_NTP))
        self.assertEqual(codes, ["early", "set", "early", "set"])

    def test_browser_and_ntp_together_lower_a_floor_that_was_wrong(self):
        for off_s, is_mended in (
            (0, True),
            (AGREE_S, True),
            (-AGREE_S, True),
            (AGREE_S + 1, False),
            (-AGREE_S - 1, False),
        ):
            clock, board, _, codes = made(NOW_S + 600_000_000)
            self.assertFalse(clock.offer(NOW_S + off_s, RANK_BROWSER))
            self.assertFalse(clock.offer(NOW_S, RANK_NTP))
            board.at_ms += 90_000
            self.assertFalse(clock.offer(NOW_S + 90, RANK_BROKER))
            self.assertEqual(clock.offer(NOW_S + 90 + off_s, RANK_BROWSER), is_mended)
            self.assertEqual(clock.offer(NOW_S + 80, RANK_NTP), is_mended)
            self.assertEqual(codes, ["early", "set"] if is_mended else ["early"])
        self.assertFalse(clock.offer(ntp.BUILT_S - 1, RANK_BROWSER))

    def test_where_nobody_else_tells_a_time_the_owners_browser_alone_lowers_a_floor_that_was_wrong(self):
        clock, board, store, codes = made(NOW_S + 200_000_000)
        self.assertFalse(clock.offer(NOW_S, RANK_BROWSER))
        board.at_ms = MISSING_MS
        clock.step()
        self.assertFalse(clock.offer(NOW_S, RANK_NTP))
        self.assertFalse(clock.offer(NOW_S + 2 * AGREE_S, RANK_BROWSER), "a time server says something else")
        clock, board, store, codes = made(NOW_S + 200_000_000)
        board.at_ms = MISSING_MS
        clock.step()
        self.assertFalse(clock.offer(NOW_S, RANK_BROKER))
        self.assertFalse(clock.offer(ntp.BUILT_S - 1, RANK_BROWSER))
        self.assertTrue(clock.offer(NOW_S, RANK_BROWSER))
        clock.step()
        self.assertEqual((board.wall_s(), store.kept, codes), (NOW_S, [NOW_S], ["missing", "set"]))


class Ranks(unittest.TestCase):
    def test_a_lesser_source_counts_after_a_day_of_silence(self):
        clock, board, _, codes = made()
        self.assertTrue(clock.offer(NOW_S + 9, RANK_BROWSER))
        self.assertTrue(clock.offer(NOW_S + 8, RANK_BROKER))
        self.assertFalse(clock.offer(NOW_S + 9, RANK_BROWSER))
        self.assertTrue(clock.offer(NOW_S, RANK_NTP))
        board.at_ms += SILENT_MS - 1
        self.assertFalse(clock.offer(NOW_S + 7, RANK_BROWSER))
        self.assertEqual(clock.quality(), "good")
        board.at_ms += 1
        self.assertEqual(clock.quality(), "stale")
        self.assertTrue(clock.offer(NOW_S + 7, RANK_BROWSER))
        self.assertEqual((clock.rank, clock.quality(), codes), (RANK_BROWSER, "good", ["set"]))


class Steps(unittest.TestCase):
    def test_a_missing_time_is_told_after_ten_minutes_and_the_light_with_it(self):
        clock, board, store, codes = made()
        board.at_ms = 599_999
        clock.step()
        self.assertEqual((codes, board.is_winking), ([], False))
        board.at_ms = 600_000
        clock.step()
        clock.step()
        self.assertEqual((codes, board.is_winking, store.kept), (["missing"], True, []))
        self.assertTrue(clock.offer(NOW_S, RANK_BROWSER))
        self.assertEqual((codes, board.is_winking), (["missing", "set"], False))

    def test_the_last_known_time_is_kept_at_first_and_then_each_hour(self):
        clock, board, store, _ = made()
        clock.step()
        self.assertEqual(store.kept, [])
        clock.offer(NOW_S, RANK_NTP)
        store.is_free = False
        clock.step()
        store.is_free = True
        board.at_ms += 10_000
        clock.step()
        self.assertEqual(store.kept, [NOW_S + 10])
        board.at_ms += 3_599_999
        clock.step()
        board.at_ms += 1
        clock.step()
        clock.step()
        self.assertEqual(store.kept, [NOW_S + 10, NOW_S + 3610])

    def test_a_false_time_that_was_kept_goes_as_soon_as_it_is_put_right(self):
        clock, board, store, _ = made()
        for wall_s, kept in (
            (NOW_S + 600_000_000, [NOW_S + 600_000_000]),
            (NOW_S, [NOW_S + 600_000_000, NOW_S]),
            (NOW_S - SLACK_S, [NOW_S + 600_000_000, NOW_S]),  # our own crystal, and no false one
            (NOW_S + 9, [NOW_S + 600_000_000, NOW_S]),
        ):
            self.assertTrue(clock.offer(wall_s, RANK_NTP))
            clock.step()
            self.assertEqual(store.kept, kept)

    def test_what_only_the_journal_has_goes_into_the_file_though_nobody_tells_the_time(self):
        clock, board, store, _ = made(NOW_S)
        store.is_ahead = True
        clock.step()
        self.assertEqual(store.kept, [NOW_S])
        clock.offer(NOW_S + 50, RANK_NTP)
        clock.step()
        self.assertEqual(store.kept, [NOW_S, NOW_S + 50])


class Journal:
    """A ring that takes values, or not."""

    def __init__(self, has_room):
        self.has_room = has_room
        self.values = []

    def put(self, kind, octets):
        if self.has_room:
            self.values.append((kind, octets))
        return self.has_room


class Files(unittest.TestCase):
    def setUp(self):
        self.path = "clock_test_last_time"
        flash_files.removed(self.path)

    def tearDown(self):
        gate.watch(None)
        flash_files.removed(self.path)

    def found(self, has_room=False):
        self.journal = Journal(has_room)
        return LastTime("clock_test_", lambda: 100_000, self.journal)

    def test_kept_and_found(self):
        self.assertEqual(self.found().last_s, 0)
        gate.watch(Closed())
        self.assertFalse(self.found().keep(NOW_S))
        self.assertEqual(self.found().last_s, 0)
        gate.watch(None)
        self.assertTrue(self.found().keep(NOW_S))
        self.assertEqual(self.found().last_s, NOW_S)

    def test_while_the_coil_is_on_it_goes_into_the_journal_and_later_into_the_file(self):
        gate.watch(Closed())
        last = self.found(False)
        self.assertFalse(last.keep(NOW_S) or last.is_ahead)
        last = self.found(True)
        journal = self.journal
        self.assertTrue(last.keep(NOW_S))
        self.assertEqual((last.is_ahead, last.may_bring(), self.found().last_s), (True, False, 0))
        gate.watch(None)
        ((kind, octets),) = journal.values
        after = self.found()
        after.take(octets)
        self.assertEqual((kind, after.last_s, after.is_ahead, after.may_bring()), (TIME, NOW_S, True, True))
        for octets in (b"\x01\x00\x00\x00", b"\xff\xff\xff\xff"):
            after.take(octets)
            self.assertEqual(after.last_s, NOW_S)
        self.assertTrue(after.keep(NOW_S))
        self.assertEqual((after.is_ahead, self.found().last_s), (False, NOW_S))

    def test_not_in_the_first_minute(self):
        early = LastTime("clock_test_", lambda: 59_999, Journal(True))
        self.assertFalse(early.keep(NOW_S))
        early.take(b"\x01\x00\x00\x00")
        self.assertFalse(early.keep(NOW_S))

    def test_a_flood_of_commands_does_not_hold_up_what_the_journal_is_ahead_by(self):
        before, flash_files.tally = flash_files.tally, flash_files.Tally()
        try:
            for _ in range(MOST_FOR_COMMANDS):
                self.assertTrue(flash_files.tally.may_write(100_000, True))
            last = self.found()
            self.assertFalse(last.keep(NOW_S))
            last.take(b"\x01\x00\x00\x00")
            self.assertTrue(last.keep(NOW_S))
            self.assertFalse(last.is_ahead or last.keep(NOW_S))
        finally:
            flash_files.tally = before

    def test_a_damaged_file_is_no_floor(self):
        for text in (
            b"",
            b"1800000000\n",
            b"1800000000 1800000001\n",
            b"x x\n",
            b"\xff\xff",
            b"%d %d\n" % (ntp.LAST_S + 1, ntp.LAST_S + 1),
            b"1" * 40 + b" " + b"1" * 40,
        ):
            with open(self.path, "wb") as file:
                file.write(text)
            self.assertEqual(self.found().last_s, 0, text)

    def test_a_flash_that_fails_is_no_error(self):
        lost = LastTime("no-such-folder/", lambda: 100_000, Journal(True))
        self.assertEqual(lost.last_s, 0)
        self.assertFalse(lost.keep(NOW_S))


if __name__ == "__main__":
    unittest.main()
