"""The self-test of the leakage sensor: its two steps, and once a day at rest."""

import unittest

from samples import Box

from firmware.core import self_test
from firmware.core.records import Stage

NOW = 100_000
DAY_MS = 86_400_000


def stage(state, test, until_ms=NOW):
    """Stage of a state in one step of the test."""
    return Stage(state, 1, 2, 3, 4, 5, test, until_ms)


def after(state, test, is_tripped=False, until_ms=NOW, now_ms=NOW):
    """(test, test_until_ms) after one tick."""
    return self_test.tested(stage(state, test, until_ms), now_ms, is_tripped)[6:]


class Steps(unittest.TestCase):
    def test_must_trip_within_two_seconds_and_clear_within_two(self):
        for state in ("testing", "idle"):
            self.assertEqual(after(state, "trip", True), ("clear", NOW + 2000))
            self.assertEqual(after(state, "trip", False, NOW + 1), ("trip", NOW + 1))
            self.assertEqual(after(state, "trip", False, NOW), ("failed", NOW))
            self.assertEqual(after(state, "clear", False), ("passed", NOW + DAY_MS))
            self.assertEqual(after(state, "clear", True, NOW + 1), ("clear", NOW + 1))
            self.assertEqual(after(state, "clear", True, NOW), ("failed", NOW))

    def test_clear_before_it_is_asked(self):
        for state in ("testing", "idle"):
            self.assertEqual(after(state, "before", False), ("trip", NOW + 2000))
            self.assertEqual(after(state, "before", True, NOW + 1), ("before", NOW + 1))
            self.assertEqual(after(state, "before", True, NOW), ("failed", NOW))

    def test_once_a_day_at_rest(self):
        for test in ("", "passed"):
            for is_tripped in (False, True):
                self.assertEqual(after("idle", test, is_tripped, NOW + 1), (test, NOW + 1))
                self.assertEqual(after("idle", test, is_tripped, NOW), ("before", NOW + 2000))
                self.assertEqual(after("idle", test, is_tripped, NOW - 1), ("before", NOW + 2000))

    def test_a_failed_one_is_not_tried_again(self):
        for state in ("idle", "testing"):
            self.assertEqual(after(state, "failed", False, 0)[0], "failed")
        same = stage("idle", "failed", 0)
        self.assertIs(self_test.tested(same, NOW, True), same)

    def test_a_passed_one_stays_through_a_session(self):
        same = stage("testing", "passed", 0)
        self.assertIs(self_test.tested(same, NOW, False), same)
        self.assertIs(self_test.tested(same, NOW, True), same)

    def test_the_rest_of_the_stage_is_kept(self):
        self.assertEqual(self_test.tested(stage("idle", ""), NOW, False)[:6], ("idle", 1, 2, 3, 4, 5))


class InABox(unittest.TestCase):
    def box(self):
        """A box a second before its daily test."""
        return Box().slowly(DAY_MS - 200_000, 100_000).slowly(199_000, 1000)

    def test_an_idle_box_tests_once_in_24_hours(self):
        box = self.box()
        for _ in range(2):
            asked = 0
            for _ in range(100):
                asked += box.tick().wants_residual_test
            self.assertEqual((asked, box.memory.stage.test, box.state()), (1, "passed", "idle"))
            box.slowly(DAY_MS - 200_000, 100_000).slowly(
                box.memory.stage.test_until_ms - 1000 - box.memory.now_ms, 1000
            )
        self.assertEqual(box.faults(), [])

    def test_a_dead_sensor_is_found_without_a_car(self):
        box = self.box()
        box.has_sensor = False
        box.run(2900)
        self.assertEqual(box.faults(), [])
        box.run(200)
        self.assertEqual((box.state(), box.faults(), box.memory.faults.reaction), ("faulted", ["S15"], "locked"))
        box.slowly(2 * DAY_MS, 1_000_000)
        self.assertEqual(box.faults(), ["S15"])

    def test_a_sensor_that_always_trips_too(self):
        box = self.box()
        box.more = {"is_tripped": True}
        box.run(3100)
        self.assertEqual(box.faults(), ["S15"])

    def test_a_car_in_mid_test_gets_its_own(self):
        box = self.box()
        for _ in range(100):
            if box.tick().wants_residual_test:
                break
        self.assertTrue(box.memory.outputs.wants_residual_test)
        box.high_mv = 9000
        box.run_until("offered", 4000)
        self.assertEqual(box.faults(), [])
