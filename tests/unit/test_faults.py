"""The fault table: each row's condition, confirm time and way of clearing."""

import unittest

from samples import TICK_MS

from firmware.core import faults
from firmware.core.records import Active, Faults

# faults.md and requirements §2: confirm time and reaction; deadline; what clears it, and after how many times not.
ROWS = (
    ("S2", 300, "open", 500, "hard", 0, 14),
    ("S3", 50, "open", 100, "soft", 0, 14),
    ("S6", 0, "open", 100, "soft", 0, 14),
    ("S7", 40, "open", 100, "soft", 0, 23),
    ("S8", 50, "open", 500, "soft", 3, 14),
    ("S9", 200, "open", 1000, "soft", 0, 14),
    ("S10", 30_000, "warn", 60_000, "soft", 0, 0),
    ("S11", 1000, "open", 1300, "hard", 0, 4),
    ("S12a", 6600, "stop", 13_100, "soft", 3, 4),
    ("S12b", 1000, "open", 1300, "soft", 3, 4),
    ("S12c", 100, "open", 400, "soft", 3, 4),
    ("S12d", 5000, "open", 5300, "soft", 3, 4),
    ("S13a", 500, "stop", 5000, "soft", 0, 3),
    ("S13b", 4800, "open", 5000, "soft", 0, 3),
    ("S13c", 60_000, "stop", 66_200, "soft", 0, 3),
    ("S14", 0, "open", 100, "hard", 0, 2),
    ("S15", 0, "open", 0, "permanent", 0, 2),
    ("S16", 300, "open", 500, "soft", 3, 2),
    ("S17", 2800, "open", 3200, "soft", 0, 15),
    ("S17s", 0, "no_start", 0, "at_once", 0, 15),
    ("S17p", 5000, "open", 5300, "soft", 0, 15),
    ("S18", 0, "open", 100, "owner", 0, 0),
    ("K1", 100, "open", 1500, "permanent", 0, 17),
    ("K2", 600, "open", 1000, "soft", 2, 17),
    ("K3", 300, "open", 0, "permanent", 0, 17),
    ("K4", 0, "open", 100, "permanent", 2, 17),
    ("W1", 0, "warn", 0, "soft", 0, 17),
    ("X3", 0, "open", 300, "soft", 0, 0),
    ("W2", 0, "warn", 0, "soft", 0, 17),
    ("S14r", 0, "open", 100, "retry", 3, 2),
    ("X1", 0, "open", 100, "soft", 2, 0),
    ("S12h", 0, "stop", 0, "soft", 3, 4),
)
STRONGEST = {"warn": "warn", "no_start": "no_start", "stop": "stop", "open": "locked"}
LONG_MS = 400 * 86_400_000


class Table(unittest.TestCase):
    def test_rows_are_whole_and_unique(self):
        ids = [row[0] for row in faults.FAULTS]
        self.assertEqual(len(ids), len(set(ids)))
        for row in faults.FAULTS:
            self.assertEqual(len(row), 7)
            self.assertIn(row[2], faults.REACTIONS)
            self.assertIn(row[4], ("soft", "hard", "permanent", "owner", "retry", "at_once"))
            # faults.md: deadline ≥ confirm + one tick + 8 ms
            if row[3] and row[2] == "open":
                self.assertGreaterEqual(row[3], row[1] + 27 + 8, row[0])

    def test_every_row_is_what_the_design_says(self):
        self.assertEqual(faults.FAULTS, ROWS)

    def test_every_row_is_found_by_its_id(self):
        for index in range(len(ROWS)):
            self.assertEqual(faults.row_of(ROWS[index][0]), index)

    def test_unknown_row(self):
        with self.assertRaises(IndexError):
            faults.row_of("S99")


class Life(unittest.TestCase):
    def watched(self, known, mask, now_ms, letter="C"):
        return faults.watched(known, mask, now_ms, letter)

    def test_nothing_wrong_is_the_same_object(self):
        self.assertIs(self.watched(faults.NO_FAULTS, 0, 5)[0], faults.NO_FAULTS)

    def test_confirm_time(self):
        bit = 1 << faults.S2
        now, events = self.watched(faults.NO_FAULTS, bit, 1000)
        self.assertEqual((now.pending, now.active, events), (((faults.S2, 1300),), (), ()))
        now, _ = self.watched(now, bit, 1299)
        self.assertEqual(now.active, ())
        now, events = self.watched(now, bit, 1300)
        self.assertEqual(now.reaction, "locked")
        self.assertEqual([(event.code, event.args) for event in events], [("fault", ("S2",))])
        self.assertEqual(self.watched(now, bit, 1323)[1], ())

    def test_a_gap_drains_the_confirm_time_at_a_quarter_of_the_speed(self):
        bit = 1 << faults.S2
        now, _ = self.watched(faults.NO_FAULTS, bit, 1000)
        now, _ = self.watched(now, bit, 1100)  # 100 of 300 ms are filled
        now, _ = faults.watched(now, 0, 1140, "C", 40)
        self.assertEqual(now.pending, ((faults.S2, 1350),))
        now, _ = faults.watched(now, bit, 1150, "C", 10)
        self.assertEqual(now.pending, ((faults.S2, 1350),))
        for at_ms in range(1190, 1550, 40):  # 100 ms are filled again, and drain in 400
            now, _ = faults.watched(now, 0, at_ms, "C", 40)
            self.assertEqual(len(now.pending), 1, at_ms)
        now, _ = faults.watched(now, 0, 1550, "C", 40)
        self.assertEqual(now.pending, ())

    def test_a_late_tick_drains_no_more_than_two(self):
        now, _ = self.watched(faults.NO_FAULTS, 1 << faults.S16, 1000)
        now, _ = self.watched(now, 1 << faults.S16, 1200)
        now, _ = faults.watched(now, 0, 1400, "C", 200)
        self.assertEqual(now.pending, ((faults.S16, 1300 + 67),))

    def test_short_confirm_times_begin_anew(self):
        for index in (faults.S3, faults.S7, faults.S8):
            now, _ = self.watched(faults.NO_FAULTS, 1 << index, 1000)
            self.assertEqual(faults.watched(now, 0, 1023, "C", 23)[0].pending, ())

    def test_every_long_row_trips_by_its_share_of_the_time(self):
        """Present for more than half of the time: within four confirm times; for under a twentieth: never."""
        for index, row in enumerate(faults.FAULTS):
            confirm_ms = row[1]
            if confirm_ms <= faults.TICK_MOST_MS:
                continue
            for on, off, trips in ((6, 5, True), (9, 1, True), (1, 19, False), (2, 39, False)):
                now, at_ms, found_ms = faults.NO_FAULTS, 0, None
                for tick in range(confirm_ms * 6 // TICK_MS + 60):
                    at_ms += TICK_MS
                    mask = 1 << index if tick % (on + off) < on else 0
                    now, _ = faults.watched(now, mask, at_ms, "C", TICK_MS)
                    if now.active and found_ms is None:
                        found_ms = at_ms
                if trips:
                    self.assertLessEqual(found_ms, 4 * confirm_ms + (on + off) * TICK_MS, (row[0], on, off))
                else:
                    self.assertIsNone(found_ms, (row[0], on, off))

    def test_soft_clears_30_s_after_the_cause(self):
        bit = 1 << faults.S6
        now, _ = self.watched(faults.NO_FAULTS, bit, 1000)
        self.assertEqual((now.reaction, now.active[0].is_latched), ("open", False))
        now, _ = self.watched(now, bit, 5000)
        now, events = self.watched(now, 0, 34999)
        self.assertEqual((now.reaction, events), ("open", ()))
        now, events = self.watched(now, 0, 35000)
        self.assertEqual(now.reaction, "")
        self.assertEqual([(event.code, event.args) for event in events], [("fault_gone", ("S6",))])

    def test_hard_clears_by_unplugging_only(self):
        now, _ = self.watched(faults.NO_FAULTS, 1 << faults.S14, 1000)
        self.assertEqual(now.reaction, "locked")
        now, _ = self.watched(now, 0, 10_000_000, "B")
        self.assertEqual(now.reaction, "locked")
        now, _ = self.watched(now, 0, 10_000_023, "A")
        self.assertEqual(now.reaction, "")

    def test_permanent_never_clears(self):
        now, _ = self.watched(faults.NO_FAULTS, 1 << faults.S15, 1000)
        now, _ = self.watched(now, 0, 10_000_000, "A")
        self.assertEqual(now.reaction, "locked")

    def test_a_page_clears_no_hard_fault(self):
        for index in (faults.S2, faults.S14, faults.S15):
            now, _ = faults.raised(self.watched(faults.NO_FAULTS, 1 << index, 1000)[0], faults.X1, 1500)
            after, events = faults.cleared(now, False)
            self.assertEqual(
                [fault.row for fault in after.active], [row for row in [index] if row in [f.row for f in now.active]]
            )
            self.assertEqual(len(events), 1)
            self.assertEqual(faults.cleared(after, False), (after, ()))

    def times(self, index, count, step_ms=100_000):
        """Faults after `count` separate occurrences of row `index`."""
        now = faults.NO_FAULTS
        for number in range(count):
            at_ms = 1000 + number * step_ms
            for tick in range(400):
                now, _ = self.watched(now, 1 << index, at_ms + tick * 23)
            last = now
            now, _ = self.watched(now, 0, at_ms + 99_000)
        return last

    def test_soft_three_times_then_hard(self):
        for index in (faults.S8, faults.S12A, faults.S12B, faults.S12C, faults.S12D):
            self.assertFalse(self.times(index, 3).active[0].is_latched, index)
            self.assertTrue(self.times(index, 4).active[0].is_latched, index)
        self.assertEqual(self.times(faults.S12A, 4).reaction, "stop")
        self.assertEqual(self.times(faults.S12B, 4).reaction, "locked")

    def test_counters_fall_back_after_24_h(self):
        counts, times = faults.counted(((faults.S8, 3, 1000),), faults.S8, 86_400_999)
        self.assertEqual((counts, times), (((faults.S8, 4, 86_400_999),), 4))
        self.assertEqual(faults.counted(((faults.S8, 3, 1000),), faults.S8, 86_401_000)[1], 1)
        counts, times = faults.counted(((faults.S8, 3, 1000),), faults.S12A, 2000)
        self.assertEqual(counts, ((faults.S8, 3, 1000), (faults.S12A, 1, 2000)))

    def test_unplugging_forgets_counts_but_not_stuck_measurements_pins_and_crashes(self):
        counts = ((faults.S12A, 2, 0), (faults.S8, 2, 0), (faults.X1, 1, 0), (faults.K4, 1, 0), (faults.K2, 2, 0))
        known = Faults(((1, 2),), (Active(faults.S6, False, 5),), counts, "open")
        now = faults.unplugged(known)
        self.assertEqual(now, Faults(((1, 2),), (Active(faults.S6, False, 5),), counts[1:4], "open"))
        self.assertIs(faults.unplugged(now), now)
        self.assertEqual(self.watched(known, 0, 10, "A")[0].counts, counts)

    def test_strongest_rules(self):
        for rows, reaction in (
            (((faults.S12A, False),), "stop"),
            (((faults.S12A, False), (faults.S6, False)), "open"),
            (((faults.S6, False), (faults.S12A, False)), "open"),
            (((faults.S6, False), (faults.S2, True)), "locked"),
            ((), ""),
        ):
            self.assertEqual(faults.strongest(tuple(Active(row, latched, 0) for row, latched in rows)), reaction)

    def test_latched_stop_stays_a_stop(self):
        self.assertEqual(faults.strongest((Active(faults.S12A, True, 0),)), "stop")

    def test_crashes(self):
        now = faults.NO_FAULTS
        for number in range(3):
            now, events = faults.raised(now, faults.X1, 1000 + number * 299_000)
            self.assertEqual([(event.code, event.args) for event in events], [("fault", ("X1",))])
            self.assertEqual(len(now.active), 1)
            self.assertEqual(now.reaction, "open" if number < 2 else "locked")
        after, _ = self.watched(now, 0, 99_999_999, "A")
        self.assertEqual(after.reaction, "locked")
        after, events = faults.cleared(now, False)
        self.assertEqual((after.reaction, after.active, after.counts), ("", (), ()))
        self.assertEqual([(event.code, event.args) for event in events], [("fault_gone", ("X1",))])

    def test_crashes_further_apart_do_not_lock(self):
        now = faults.NO_FAULTS
        for number in range(6):
            now, _ = faults.raised(now, faults.X1, 1000 + number * 600_000)
            self.assertEqual(now.reaction, "open")

    def test_a_crash_clears_by_itself(self):
        now, _ = faults.raised(faults.NO_FAULTS, faults.X1, 1000)
        self.assertEqual(self.watched(now, 0, 30_999)[0].reaction, "open")
        self.assertEqual(self.watched(now, 0, 31_000)[0].reaction, "")

    def test_raised_keeps_the_others(self):
        now, _ = faults.raised(Faults(((1, 2),), (Active(faults.S6, False, 9),), (), "open"), faults.X1, 1000)
        self.assertEqual([fault.row for fault in now.active], [faults.S6, faults.X1])
        self.assertEqual(now.pending, ((1, 2),))
        self.assertEqual(now.active[1].clear_at_ms, 31_000)

    def test_raised_twice_is_one(self):
        now, _ = faults.raised(faults.NO_FAULTS, faults.X1, 1000)
        now, _ = faults.raised(now, faults.X1, 1001)
        self.assertEqual(now.active, (Active(faults.X1, False, 31_001),))

    def test_raised_row_that_never_hardens(self):
        now = faults.NO_FAULTS
        for number in range(9):
            now, _ = faults.raised(now, faults.S6, 1000 + number)
            self.assertEqual(now.reaction, "open")


class EveryRow(unittest.TestCase):
    """Each row of ROWS through its life; X1 is raised by the shell and has tests of its own."""

    def rows(self):
        return [(index, ROWS[index]) for index in range(len(ROWS)) if ROWS[index][0] != "X1"]

    def active(self, index, at_ms=1_000_000, known=faults.NO_FAULTS):
        """Faults with row `index` confirmed at at_ms + its confirm time."""
        now, _ = faults.watched(known, 1 << index, at_ms, "C")
        return faults.watched(now, 1 << index, at_ms + ROWS[index][1], "C")[0]

    def ids(self, now):
        """Ids of the active rows."""
        return [ROWS[fault.row][0] for fault in now.active]

    def test_confirm_time_to_the_millisecond(self):
        for index, row in self.rows():
            now, events = faults.watched(faults.NO_FAULTS, 1 << index, 1_000_000, "C")
            self.assertEqual(self.ids(now), [] if row[1] else [row[0]])
            if row[1]:
                now, events = faults.watched(now, 1 << index, 1_000_000 + row[1] - 1, "C")
                self.assertEqual((self.ids(now), events, now.reaction), ([], (), ""))
                now, events = faults.watched(now, 1 << index, 1_000_000 + row[1], "C")
            self.assertEqual([(event.code, event.args) for event in events], [("fault", (row[0],))])
            self.assertEqual(self.ids(now), [row[0]])
            self.assertEqual(now.counts, ((index, 1, 1_000_000 + row[1]),))
            again, events = faults.watched(now, 1 << index, 1_000_000 + row[1] + TICK_MS, "C")
            self.assertEqual((events, again.counts), ((), now.counts))

    def test_reaction(self):
        for index, row in self.rows():
            is_latching = row[4] in ("hard", "permanent", "owner") and not row[5]
            now = self.active(index)
            self.assertEqual(now.active[0].is_latched, is_latching, row[0])
            self.assertEqual(now.reaction, STRONGEST[row[2]] if is_latching else row[2], row[0])

    def test_what_time_clears(self):
        for index, row in self.rows():
            clear_ms = {"at_once": 0, "retry": 900_000}.get(row[4], 30_000)
            now = self.active(index)
            gone_ms = 1_000_000 + row[1]
            if now.active[0].is_latched:
                self.assertEqual(self.ids(faults.watched(now, 0, LONG_MS, "C")[0]), [row[0]])
                continue
            if clear_ms:
                self.assertEqual(self.ids(faults.watched(now, 0, gone_ms + clear_ms - 1, "C")[0]), [row[0]], row[0])
            after, events = faults.watched(now, 0, gone_ms + clear_ms, "C")
            self.assertEqual((self.ids(after), after.reaction), ([], ""), row[0])
            self.assertEqual([(event.code, event.args) for event in events], [("fault_gone", (row[0],))])

    def test_what_unplugging_clears(self):
        for index, row in self.rows():
            now = self.active(index)
            if now.active[0].is_latched:
                after = self.ids(faults.watched(now, 0, LONG_MS, "A")[0])
                self.assertEqual(after, [] if row[4] == "hard" else [row[0]])
            else:
                self.assertEqual(
                    self.ids(faults.watched(now, 0, 1_000_000 + row[1], "A")[0]), [row[0]][: row[4] != "at_once"]
                )

    def test_what_a_person_clears(self):
        for index, row in self.rows():
            now = self.active(index)
            at_box = row[4] in ("hard", "owner")
            self.assertEqual(self.ids(faults.cleared(now, True)[0]), [] if at_box else [row[0]], row[0])
            at_page = row[4] == "owner"
            self.assertEqual(self.ids(faults.cleared(now, False)[0]), [] if at_page else [row[0]], row[0])

    def test_a_cause_that_lasts_is_never_cleared(self):
        for index, row in self.rows():
            now = self.active(index)
            for letter in "AC":
                self.assertEqual(self.ids(faults.watched(now, 1 << index, LONG_MS, letter)[0]), [row[0]])

    def test_what_latches_when_it_comes_too_often(self):
        for index, row in self.rows():
            if not row[5]:
                continue
            now = faults.NO_FAULTS
            for number in range(row[5] + 1):
                at_ms = 1_000_000 + number * 1_000_000
                now, _ = faults.watched(now, 0, at_ms - 1, "C")
                self.assertEqual(now.active, (), row[0])
                now = self.active(index, at_ms, now)
                self.assertEqual(now.active[0].is_latched, number == row[5], row[0])
            self.assertEqual(now.reaction, STRONGEST[row[2]] if row[2] == "open" else row[2])
            self.assertEqual(self.ids(faults.watched(now, 0, LONG_MS, "C")[0]), [row[0]])
            is_permanent = row[4] == "permanent"
            self.assertEqual(self.ids(faults.watched(now, 0, LONG_MS, "A")[0]), [row[0]] if is_permanent else [])
            self.assertEqual(self.ids(faults.cleared(now, True)[0]), [row[0]] if is_permanent else [])
            self.assertEqual(self.ids(faults.cleared(now, False)[0]), [row[0]])

    def test_rows_beside_each_other(self):
        mask = 0
        for index, row in self.rows():
            mask |= 1 << index
        now, _ = faults.watched(faults.NO_FAULTS, mask, 1000, "C")
        now, events = faults.watched(now, mask, 61_000, "C")
        self.assertEqual(sorted(self.ids(now)), sorted(row[0] for _, row in self.rows()))
        self.assertEqual(now.pending, tuple((index, 61_000) for index, _ in self.rows()))
        self.assertEqual(now.reaction, "locked")


class Cleared(unittest.TestCase):
    def test_nothing_to_clear_is_the_same_object(self):
        soft = Faults((), (Active(faults.S6, False, 5),), ((faults.S6, 1, 1),), "open")
        for is_at_box in (False, True):
            self.assertIs(faults.cleared(soft, is_at_box)[0], soft)

    def test_a_crash_gives_way_to_both_with_its_count(self):
        crashed = Faults((), (Active(faults.X1, True, 5),), ((faults.X1, 3, 1), (faults.S8, 2, 1)), "locked")
        for is_at_box in (False, True):
            after, events = faults.cleared(crashed, is_at_box)
            self.assertEqual(after, Faults((), (), ((faults.S8, 2, 1),), ""))
            self.assertEqual([(event.code, event.args) for event in events], [("fault_gone", ("X1",))])

    def test_others_stay(self):
        both = Faults(((1, 2),), (Active(faults.S2, True, 5), Active(faults.S6, False, 5)), (), "locked")
        after, _ = faults.cleared(both, True)
        self.assertEqual(after, Faults(((1, 2),), (Active(faults.S6, False, 5),), (), "open"))


class Counts(unittest.TestCase):
    def test_crashes_count_for_ten_minutes(self):
        self.assertEqual(faults.counted(((faults.X1, 1, 1000),), faults.X1, 600_999)[1], 2)
        self.assertEqual(faults.counted(((faults.X1, 1, 1000),), faults.X1, 601_000)[1], 1)

    def test_reactions_rise(self):
        self.assertEqual(faults.REACTIONS, ("", "warn", "no_start", "stop", "open", "locked"))
