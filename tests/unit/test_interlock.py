"""The second opinion alone: from raw readings it may only say no."""

import unittest

from samples import reading

from firmware.core import interlock
from firmware.core.interlock import Guard
from firmware.core.records import Outputs

CLOSE = Outputs(True, "pwm", 266, "green", False)
STOPPING = Outputs(True, "high", 1000, "blue", False)
GOOD = Guard("pwm", 0, True, 999_980, 2, None, False)


def permit(guard=GOOD, outputs=CLOSE, high_mv=6000, is_ventilated=False, **more):
    """may_close one tick after a second million."""
    values = {"low_mv": -12000 if guard.mode == "pwm" else None}
    values.update(more)
    return interlock.permit(guard, reading(1_000_003, high_mv, **values), outputs, is_ventilated)


class Permit(unittest.TestCase):
    def test_good(self):
        self.assertTrue(permit().may_close)

    def test_nothing_asked_nothing_allowed(self):
        self.assertFalse(permit(outputs=Outputs(False, "pwm", 266, "", False)).may_close)

    def test_power_on_allows_nothing(self):
        self.assertEqual(interlock.first_guard(5), Guard("high", 5, False, 5, 0, None, False))
        self.assertFalse(permit(interlock.first_guard(1_000_000)).may_close)

    def test_letter_c_with_its_edges(self):
        for high_mv, is_good in ((4199, False), (4200, True), (7800, True), (7801, False), (None, False), (0, False)):
            self.assertEqual(permit(high_mv=high_mv).may_close, is_good, high_mv)

    def test_letter_d_only_where_ventilated(self):
        self.assertFalse(permit(high_mv=3000).may_close)
        for high_mv, is_good in ((1199, False), (1200, True), (3000, True), (7800, True), (7801, False)):
            self.assertEqual(permit(high_mv=high_mv, is_ventilated=True).may_close, is_good, high_mv)

    def test_fresh_readings(self):
        for name in ("pilot_age_ms", "currents_age_ms"):
            self.assertTrue(permit(**{name: 150}).may_close)
            self.assertFalse(permit(**{name: 151}).may_close)

    def test_residual_current(self):
        self.assertFalse(permit(is_tripped=True).may_close)

    def test_signalled_current(self):
        for duty, is_good in ((99, False), (100, True), (960, True), (961, False), (1000, False), (0, False)):
            self.assertEqual(permit(outputs=Outputs(True, "pwm", duty, "", False)).may_close, is_good, duty)

    def test_state_f_never(self):
        self.assertFalse(permit(outputs=Outputs(True, "low", 0, "", False)).may_close)

    def test_withdrawn_for_at_most_6_06_s(self):
        for begun_ms, is_good in ((1_000_003 - 6060, True), (1_000_003 - 6061, False), (1_000_003, True)):
            guard = Guard("high", begun_ms, True, 0, 2, None, True)
            self.assertEqual(permit(guard, STOPPING).may_close, is_good, begun_ms)

    def test_the_edge_starts_the_time(self):
        guard = permit(GOOD, STOPPING)
        self.assertEqual((guard.mode, guard.mode_at_ms, guard.may_close), ("high", 1_000_003, True))

    def test_never_after_a_withdrawal_without_a_diode(self):
        self.assertFalse(permit(Guard("high", 1_000_000, False, 0, 2, None, False), STOPPING).may_close)


class Refused(unittest.TestCase):
    def test_only_the_permission_is_taken_away(self):
        given = Guard("pwm", 7, True, 999_980, 2, 5, True)
        self.assertEqual(interlock.refused(given), Guard("pwm", 7, True, 999_980, 2, 5, False))
        denied = interlock.refused(given)
        self.assertIs(interlock.refused(denied), denied)


class Diode(unittest.TestCase):
    def test_must_have_been_seen(self):
        self.assertFalse(permit(Guard("pwm", 0, False, 999_980, 2, None, False), low_mv=-9999).may_close)
        self.assertTrue(permit(Guard("pwm", 0, False, 0, 2, None, False), low_mv=-10000).may_close)

    def test_lost_for_450_ms(self):
        for seen_ms, is_good in ((1_000_003 - 449, True), (1_000_003 - 450, False)):
            self.assertEqual(permit(Guard("pwm", 0, True, seen_ms, 2, None, True), low_mv=-9999).may_close, is_good)

    def test_impossible_low_half_is_no_diode(self):
        self.assertEqual(permit(Guard("pwm", 0, False, 0, 2, None, False), low_mv=-13500).has_diode, True)
        self.assertEqual(permit(Guard("pwm", 0, False, 0, 2, None, False), low_mv=-13501).has_diode, False)
        self.assertEqual(permit(Guard("pwm", 0, False, 0, 2, None, False), low_mv=None).has_diode, False)

    def test_not_judged_in_the_first_ticks_of_pwm(self):
        young = Guard("pwm", 1_000_003 - 59, True, 5, 2, None, True)
        self.assertEqual(permit(young, low_mv=None).diode_at_ms, 1_000_003)
        settled = Guard("pwm", 1_000_003 - 60, True, 5, 2, None, True)
        self.assertEqual(permit(settled, low_mv=None).diode_at_ms, 5)

    def test_empty_plug_forgets_it(self):
        self.assertTrue(permit(high_mv=11_000).has_diode)
        self.assertFalse(permit(high_mv=11_001).has_diode)
        self.assertTrue(permit(high_mv=None, low_mv=-12000).has_diode)

    def test_outside_pwm_it_is_kept_and_not_made(self):
        self.assertEqual(permit(Guard("high", 0, True, 5, 2, None, False), STOPPING)[2:4], (True, 1_000_003))
        self.assertEqual(permit(Guard("high", 0, False, 5, 2, None, False), STOPPING)[2:4], (False, 5))

    def test_unchanged_guard_is_the_same_object(self):
        idle = Guard("high", 0, False, 5, 0, None, False)
        self.assertIs(permit(idle, Outputs(False, "high", 1000, "", False), 12000), idle)
        closed = Guard("high", 1_000_000, False, 5, 2, None, True)
        self.assertFalse(permit(closed, STOPPING).may_close)
