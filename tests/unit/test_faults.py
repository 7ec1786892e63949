"""The fault table: each row's condition, confirm time and way of clearing."""

import unittest

from samples import chosen, reading

from firmware.core import conditions, decide, faults, local
from firmware.core.records import Active, Faults, Memory, Offer, Outputs, Pilot, Readings, Stage, Wear

NAMES = (
    "now_ms pilot_high_mv pilot_low_mv currents_ma voltages_mv power_mw frequency_mhz temperature_tenths_c "
    "proximity_ohm output_live_poles is_feedback_closed is_residual_tripped is_earth_ok is_lid_closed "
    "is_button_pressed is_relay_pin_high pilot_age_ms currents_age_ms"
).split()
HERE = local.first_local(-2000, False, decide.STANDARD_KIT)
PWM = Outputs(True, "pwm", 266, "green", False)
X1 = Outputs(False, "high", 1000, "blue", False)
LOW = Outputs(False, "low", 0, "red", False)


def memory(letter="C", state="charging", outputs=PWM, **more):
    """Memory in one state; `more`: test, offer."""
    stage = Stage(state, 0, 0, 0, 0, 0, more.get("test", "passed"), 0)
    offered = more.get("offer", Offer(16000, 0, 16000, 0))
    return Memory(
        0, Pilot(letter, 0, 0, True), stage, None, faults.NO_FAULTS, offered, None, Wear(0, 0), outputs, (), HERE
    )


def as_told(known, readings):
    """Readings of a contactor that is where the outputs want it."""
    is_closed = known.outputs.is_contactor_closed
    parts = list(readings)
    parts[NAMES.index("output_live_poles")] = 15 if is_closed else 0
    parts[NAMES.index("is_feedback_closed")] = is_closed
    parts[NAMES.index("is_relay_pin_high")] = is_closed
    return Readings(*parts)


def found(known, readings):
    """Ids of the conditions of one tick."""
    readings = as_told(known, readings)
    mask = conditions.conditions(known, readings, chosen())
    return [faults.FAULTS[index][0] for index in range(len(faults.FAULTS)) if mask >> index & 1]


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

    def test_rows_of_the_first_issue(self):
        for fault_id, reaction, fault_class, hard_after in (
            ("S2", "open", "hard", 0),
            ("S3", "open", "soft", 0),
            ("S6", "open", "soft", 0),
            ("S8", "open", "soft", 3),
            ("S12a", "stop", "soft", 3),
            ("S12b", "open", "soft", 3),
            ("S12c", "open", "soft", 3),
            ("S12d", "open", "soft", 3),
            ("S14", "open", "hard", 0),
            ("S15", "open", "permanent", 0),
            ("X1", "open", "soft", 2),
        ):
            row = faults.FAULTS[faults.row_of(fault_id)]
            self.assertEqual((row[2], row[4], row[5]), (reaction, fault_class, hard_after), fault_id)

    def test_confirm_times(self):
        for fault_id, confirm_ms in (("S2", 300), ("S3", 50), ("S6", 0), ("S8", 100), ("S14", 0), ("S15", 0)):
            self.assertEqual(faults.FAULTS[faults.row_of(fault_id)][1], confirm_ms)
        for fault_id, confirm_ms in (("S12a", 7000), ("S12b", 1000), ("S12c", 100), ("S12d", 5000)):
            self.assertEqual(faults.FAULTS[faults.row_of(fault_id)][1], confirm_ms)

    def test_mrec_codes(self):
        for fault_id, mrec in (("S2", 14), ("S3", 14), ("S12b", 4), ("S14", 2)):
            self.assertEqual(faults.FAULTS[faults.row_of(fault_id)][6], mrec)

    def test_unknown_row(self):
        with self.assertRaises(IndexError):
            faults.row_of("S99")


class Conditions(unittest.TestCase):
    def test_healthy(self):
        self.assertEqual(found(memory(), reading(1000, 6000, low_mv=-12000, most_ma=16000)), [])
        self.assertEqual(found(memory("A", "idle", X1), reading(1000)), [])

    def test_letters_d_e_f(self):
        self.assertEqual(found(memory("D", "offered"), reading(1000, 3000, low_mv=-12000)), ["S6"])
        self.assertEqual(found(memory("E", "offered"), reading(1000, 0)), ["S3"])
        self.assertEqual(found(memory("F", "offered"), reading(1000, None, low_mv=-12000)), ["S3"])
        self.assertEqual(found(memory("E", "faulted", LOW), reading(1000, None, low_mv=-12000)), [])

    def test_diode(self):
        for letter in "BC":
            self.assertEqual(found(memory(letter), reading(1000, 6000, low_mv=-9999)), ["S2"])
            self.assertEqual(found(memory(letter), reading(1000, 6000, low_mv=-10000)), ["S9"])
        self.assertEqual(found(memory("C", "stopping", X1), reading(1000, 6000)), [])
        self.assertEqual(found(memory("A", "idle"), reading(1000, 12000, low_mv=-9999)), [])

    def test_not_judged_right_after_a_change_of_mode(self):
        fresh = memory()
        fresh = Memory(0, Pilot("C", 0, 1000, True), *fresh[2:])
        self.assertEqual(found(fresh, reading(999, 6000)), [])
        self.assertEqual(found(fresh, reading(1000, 6000)), ["S8"])

    def test_missing_halves(self):
        self.assertEqual(found(memory(), reading(1000, 6000)), ["S8"])
        self.assertEqual(found(memory("A", "offered"), reading(1000, 12000)), ["S3"])
        self.assertEqual(found(memory(), reading(1000, None)), ["S8"])
        self.assertEqual(found(memory(), reading(1000, None, low_mv=-12000)), ["S3"])
        self.assertEqual(found(memory("C", "faulted", LOW), reading(1000, None)), [])

    def test_stale_and_impossible(self):
        good = {"low_mv": -12000}
        self.assertEqual(found(memory(), reading(1000, 6000, pilot_age_ms=150, **good)), [])
        self.assertEqual(found(memory(), reading(1000, 6000, pilot_age_ms=151, **good)), ["S8"])
        self.assertEqual(found(memory(), reading(1000, 6000, currents_age_ms=150, **good)), [])
        self.assertEqual(found(memory(), reading(1000, 6000, currents_age_ms=151, **good)), ["S8"])
        self.assertEqual(found(memory("A", "idle", X1), reading(1000, 13500)), [])
        self.assertEqual(found(memory("A", "idle", X1), reading(1000, 13501)), ["S8"])
        self.assertEqual(found(memory(), reading(1000, 6000, low_mv=-13500)), ["S9"])
        self.assertEqual(found(memory(), reading(1000, 6000, low_mv=-13501)), ["S8"])

    def test_residual_current_counts_only_in_a_session(self):
        for state, is_found in (
            ("idle", False),
            ("testing", False),
            ("faulted", False),
            ("waiting", True),
            ("offered", True),
            ("charging", True),
            ("stopping", True),
        ):
            ids = found(memory("B", state), reading(1000, 9000, low_mv=-12000, is_tripped=True))
            self.assertEqual(ids, ["S14"] if is_found else [], state)

    def test_failed_self_test(self):
        self.assertEqual(found(memory("B", "testing", X1, test="failed"), reading(1000, 9000)), ["S15"])


class OverCurrent(unittest.TestCase):
    def found(self, most_ma, offered_ma=16000, state="charging", wiring=80000, currents=None):
        known = memory("C", state, offer=Offer(offered_ma, 0, offered_ma, 0))
        readings = reading(1000, 6000, low_mv=-12000, most_ma=most_ma, currents_ma=currents)
        readings = as_told(known, readings)
        mask = conditions.conditions(known, readings, chosen(wiring_limit_ma=wiring))
        return [faults.FAULTS[index][0] for index in range(len(faults.FAULTS)) if mask >> index & 1]

    def test_steps_at_16_amperes(self):
        self.assertEqual(self.found(18100), [])
        self.assertEqual(self.found(18101), ["S12a"])
        self.assertEqual(self.found(21800), ["S12a"])
        self.assertEqual(self.found(21801), ["S12a", "S12b"])
        self.assertEqual(self.found(32000), ["S12a", "S12b"])
        self.assertEqual(self.found(32001), ["S12a", "S12b", "S12c"])

    def test_each_phase_counts(self):
        for currents in ((33000, 0, 0), (0, 33000, 0), (0, 0, 33000)):
            self.assertIn("S12c", self.found(0, currents=currents))

    def test_wiring_limit_whatever_is_signalled(self):
        self.assertEqual(self.found(20000, 20000, wiring=16000), [])
        self.assertEqual(self.found(20001, 20000, wiring=16000), ["S12d"])

    def test_twice_nothing_is_not_judged_under_six_amperes(self):
        self.assertEqual(self.found(6000, 0), ["S12a", "S12b"])
        self.assertEqual(self.found(6001, 0), ["S12a", "S12b", "S12c"])
        self.assertEqual(self.found(500, 0), [])
        self.assertEqual(self.found(501, 0), ["S12a"])

    def test_only_while_the_contactor_is_closed(self):
        self.assertEqual(self.found(40000, state="offered"), [])
        self.assertIn("S12a", self.found(40000, state="stopping"))


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

    def test_a_gap_starts_the_confirm_time_anew(self):
        bit = 1 << faults.S2
        now, _ = self.watched(faults.NO_FAULTS, bit, 1000)
        now, _ = self.watched(now, 0, 1100)
        self.assertEqual(now.pending, ())
        now, _ = self.watched(now, bit, 1200)
        self.assertEqual(now.pending, ((faults.S2, 1500),))

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

    def test_unplugging_forgets_counts_but_not_stuck_measurements_and_crashes(self):
        known = Faults(
            (), (Active(faults.S6, False, 5),), ((faults.S12A, 2, 0), (faults.S8, 2, 0), (faults.X1, 1, 0)), ""
        )
        now, _ = self.watched(known, 0, 10, "A")
        self.assertEqual(now.counts, ((faults.S8, 2, 0), (faults.X1, 1, 0)))
        now, _ = self.watched(known, 0, 10, "B")
        self.assertEqual(len(now.counts), 3)
        now, _ = self.watched(known, 0, 3, "A")
        self.assertEqual(len(now.counts), 3)

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
