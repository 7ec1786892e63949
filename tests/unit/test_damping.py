"""A toggling grid: closing again waits a minute, and comes at most six times in any hour."""

import unittest

from samples import NOMINAL, Box, claim, command, here

from firmware.core import damping
from firmware.core.records import Claim, Ref

MINUTE_MS = 60_000
HOUR_MS = 3_600_000
REF = Ref("board", "damping", 0)


class Alone(unittest.TestCase):
    def test_whose_withdrawals_are_damped(self):
        for source, is_damped in (
            ("grid", True),
            ("house", True),
            ("schedule", True),
            ("restart", True),
            ("damping", True),
            ("owner", False),
            ("heat", False),
            ("lock", False),
            ("mains", False),
            ("cable", False),
        ):
            place = damping.withdrawn(here(may_wake=False), claim(source=source), True)
            self.assertEqual((place.is_damped, place.may_wake), (is_damped, is_damped), source)

    def test_nobody_withdrew_it(self):
        self.assertFalse(damping.withdrawn(here(is_damped=True), None, True).is_damped)
        self.assertFalse(damping.withdrawn(here(may_wake=False), None, True).may_wake)

    def test_an_open_contactor_is_not_damped_but_may_be_woken(self):
        for was_damped in (False, True):
            place = damping.withdrawn(here(is_damped=was_damped, may_wake=False), claim(), False)
            self.assertEqual((place.is_damped, place.may_wake), (was_damped, True))

    def test_opened(self):
        self.assertIsNone(damping.opened(NOMINAL, 5000))
        whole = Claim("damping", 0, 5000, 5000 + MINUTE_MS, REF, "", 0, "", 0)
        self.assertEqual(damping.opened(here(is_damped=True), 5000), whole)

    def test_the_hour_counts_from_the_sixth_last_closing(self):
        five = here(is_damped=True, closings=(10, 20, 30, 40, 50))
        self.assertEqual(damping.opened(five, 5000).until_ms, 5000 + MINUTE_MS)
        six = here(is_damped=True, closings=(10, 20, 30, 40, 50, 60))
        self.assertEqual(damping.opened(six, 5000).until_ms, 10 + HOUR_MS)
        late_ms = 10 + HOUR_MS - MINUTE_MS
        for now_ms, until_ms in ((late_ms - 1, 10 + HOUR_MS), (late_ms + 1, 11 + HOUR_MS)):
            self.assertEqual(damping.opened(six, now_ms).until_ms, until_ms)
        seven = here(is_damped=True, closings=(10, 20, 30, 40, 50, 60, 70))
        self.assertEqual(damping.opened(seven, 5000).until_ms, 20 + HOUR_MS)

    def test_closed_counts_only_after_a_damped_opening(self):
        self.assertIs(damping.closed(NOMINAL, 99), NOMINAL)
        place = damping.closed(here(is_damped=True, closings=(1, 2)), 99)
        self.assertEqual((place.is_damped, place.closings), (False, (1, 2, 99)))
        place = damping.closed(here(is_damped=True, closings=(1, 2, 3, 4, 5, 6)), 99)
        self.assertEqual(place.closings, (2, 3, 4, 5, 6, 99))


class InABox(unittest.TestCase):
    def pause(self, box, number=0, **more):
        """A pause that the sender ends again after 10 s, and a car that lets go at once."""
        now_ms = box.memory.now_ms
        ref = Ref("dso1", "p%d" % number, 0)
        box.tick((command(from_ms=now_ms, until_ms=now_ms + 10_000, ref=ref, **more),))
        box.high_mv, box.most_ma = 9000, 0
        box.tick()
        return box.memory.now_ms

    def back(self, box, most_ms):
        """The car takes the next offer; moment of the closing."""
        box.run_until("offered", most_ms)
        box.high_mv = 6000
        box.run_until("charging", 6000)
        box.most_ma = 5900
        box.run(1000)
        return box.memory.wear.operations

    def test_grid_house_and_schedule_wait_a_minute(self):
        for source in ("grid", "house"):
            box = Box().charge()
            opened_ms = self.pause(box, source=source)
            self.assertIn("damping", box.holders())
            box.run_until("offered", 61_000)
            self.assertGreaterEqual(box.memory.now_ms - opened_ms, MINUTE_MS)
            self.assertLess(box.memory.now_ms - opened_ms, MINUTE_MS + 30)
            self.assertEqual(box.memory.local.closings, ())

    def test_an_owner_is_not_damped(self):
        box = Box().charge()
        self.pause(box, source="owner")
        self.assertNotIn("damping", box.holders())
        self.assertLess(box.run_until("offered", 11_000), 10_100)
        box.high_mv = 6000
        box.run_until("charging", 6000)
        self.assertEqual(box.memory.local.closings, ())

    def test_the_seventh_closing_waits_for_the_hour(self):
        box = Box().charge()
        closed_ms = []
        for number in range(6):
            self.pause(box, number)
            self.back(box, 61_000)
            closed_ms.append(box.memory.local.closings[-1])
        self.assertEqual(box.memory.local.closings, tuple(closed_ms))
        self.pause(box, 6)
        held = [row for row in box.memory.claims.rows if row.source == "damping"]
        self.assertEqual([row.until_ms for row in held], [closed_ms[0] + HOUR_MS])
        box.slowly(closed_ms[0] + HOUR_MS - box.memory.now_ms - 1000)
        self.assertEqual(box.memory.claims.holder.source, "damping")
        box.run(2000)
        self.assertEqual(box.state(), "offered")

    def test_pauses_act_at_once_however_many(self):
        box = Box().charge()
        for number in range(6):
            self.pause(box, number)
            self.back(box, 61_000)
        now_ms = box.memory.now_ms
        told = box.tick((command(from_ms=now_ms, until_ms=now_ms + 1000, ref=Ref("dso1", "last", 0)),))
        self.assertEqual(told.pilot_mode, "high")

    def test_charge_now_ends_the_wait_and_is_not_counted(self):
        box = Box().charge()
        self.pause(box)
        box.run(11_000)
        self.assertEqual(box.memory.claims.holder.source, "damping")
        box.tick((command(source="owner", kind="charge_now"),))
        self.assertNotIn("damping", box.holders())
        self.back(box, 6000)
        self.assertEqual(box.memory.local.closings, ())

    def test_unplugging_ends_the_wait(self):
        box = Box().charge()
        self.pause(box)
        box.run(11_000)
        box.high_mv = 12000
        box.run(4000)
        self.assertNotIn("damping", box.holders())
        box.high_mv = 9000
        self.assertLess(box.run_until("offered", 1000), 1000)
        self.assertFalse(box.memory.local.is_damped)

    def test_a_fault_does_not(self):
        box = Box().charge()
        self.pause(box)
        box.tick(is_earth_ok=False)
        for _ in range(20):
            box.tick(is_earth_ok=False)
        self.assertEqual(box.state(), "faulted")
        self.assertIn("damping", box.holders())

    def test_a_car_that_never_closed_is_not_damped(self):
        box = Box().run(4000)
        box.high_mv = 9000
        box.run(1000)
        self.pause(box)
        self.assertEqual(box.state(), "waiting")
        self.assertNotIn("damping", box.holders())
        self.assertLess(box.run_until("offered", 11_000), 10_100)

    def test_a_pause_in_the_tick_in_which_the_car_lets_go(self):
        box = Box().charge()
        box.high_mv, box.most_ma = 9000, 0
        now_ms = box.memory.now_ms
        box.tick((command(from_ms=now_ms, until_ms=now_ms + 1000),))
        self.assertEqual(box.state(), "waiting")
        self.assertEqual(box.memory.claims.holder.source, "grid")
        self.assertIn("damping", box.holders())

    def test_a_fault_that_stops_is_no_toggling(self):
        box = Box().charge()
        box.more = {"temperature_tenths_c": 715}
        box.run_until("stopping", 1000)
        box.high_mv, box.most_ma = 9000, 0
        box.run_until("waiting", 1000)
        self.assertNotIn("damping", box.holders())
