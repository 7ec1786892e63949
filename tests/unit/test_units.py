"""The limits of the field are those of the requirements, to the unit."""

import unittest

from firmware.core import charging, claims, units


class Limits(unittest.TestCase):
    def test_pilot(self):
        self.assertEqual((units.MIN_OFFER_MA, units.MAX_OFFER_MA), (6000, 80_000))
        self.assertEqual((units.EDGE_51_MA, units.EDGE_52_MA), (51_000, 52_500))
        self.assertEqual((units.DIODE_LOW_MV, units.PILOT_MOST_MV), (-10_000, 13_500))

    def test_times_of_a_session(self):
        self.assertEqual((units.LETTER_STABLE_MS, units.JUDGE_AFTER_MS), (500, 60))
        self.assertEqual((units.RAISE_HOLD_MS, units.X1_HOLD_MS), (5000, 3000))
        self.assertEqual((units.RESTART_HOLD_MS, units.ERROR_HOLD_MS, units.CLOSE_HOLD_MS), (5000, 30_000, 5000))
        self.assertEqual((units.STATE_F_MS, units.QUIET_MS), (500, 200))
        self.assertTrue(6000 <= units.STOP_LIMIT_MS <= 6050, units.STOP_LIMIT_MS)

    def test_wake_up(self):
        self.assertEqual((units.WAKE_AFTER_MS, units.WAKE_REST_MS), (30_000, 10_000))
        self.assertEqual((units.WAKE_LOW_MS, units.WAKE_MS - units.WAKE_LOW_MS), (4000, 750))

    def test_currents_and_the_daily_test(self):
        self.assertEqual((units.HOT_MA, units.SATURATED_MA), (1000, 900_000))
        self.assertEqual(units.TEST_EVERY_MS, 24 * 3_600_000)

    def test_bounds_of_memory(self):
        self.assertEqual(claims.MAX_ROWS, 24)

    def test_for_ever_is_longer_than_any_box_lives(self):
        century_ms = 100 * 366 * 86_400_000
        self.assertGreater(claims.FOREVER_MS, century_ms)
        self.assertGreater(charging.FOREVER_MS, century_ms)
