"""What the pins are told in each state, and when the 500 ms of a stable letter begin anew."""

import unittest

from firmware.core import outcome
from firmware.core.records import Outputs, Pilot, Stage

NOW = 100_000
BEFORE = Outputs(True, "pwm", 266, "green", False)
SEEN = Pilot("C", 5, 6, True, 12_000)


def stage(state, low_until_ms=0, test="passed"):
    """Stage of one state."""
    return Stage(state, 0, 0, 0, 0, low_until_ms, test, 0)


def told(state, low_until_ms=0, test="passed", signals=(16_000, False)):
    """Outputs at NOW."""
    return outcome.outputs_of(BEFORE, stage(state, low_until_ms, test), signals, NOW)


class Told(unittest.TestCase):
    def test_power_on(self):
        self.assertEqual(outcome.IDLE, Outputs(False, "high", 1000, "off", False))

    def test_each_state(self):
        for state, is_closed, mode, duty, led in (
            ("idle", False, "high", 1000, "off"),
            ("testing", False, "high", 1000, "blue_blink"),
            ("waiting", False, "high", 1000, "blue"),
            ("offered", False, "pwm", 266, "green_blink"),
            ("waking", False, "high", 1000, "blue_blink"),
            ("charging", True, "pwm", 266, "green"),
            ("stopping", True, "high", 1000, "blue_blink"),
            ("faulted", False, "high", 1000, "red"),
        ):
            self.assertEqual(told(state), Outputs(is_closed, mode, duty, led, False), state)

    def test_f_while_it_is_held(self):
        for state in ("waking", "faulted"):
            self.assertEqual(told(state, NOW + 1)[1:3], ("low", 0))
            self.assertEqual(told(state, NOW)[1:3], ("high", 1000))

    def test_the_leakage_sensor_is_asked_in_a_test_at_rest_or_at_plug_in(self):
        for state in ("idle", "testing", "waiting", "offered", "charging", "stopping", "faulted"):
            for test in ("", "trip", "clear", "passed", "failed"):
                wants = test == "trip" and state in ("idle", "testing")
                self.assertEqual(told(state, 0, test).wants_residual_test, wants, (state, test))

    def test_a_stuck_pin_asks_it_too(self):
        for state in ("idle", "faulted", "testing"):
            self.assertTrue(told(state, signals=(0, True)).wants_residual_test)

    def test_unchanged_is_the_same_object(self):
        self.assertIs(told("charging"), BEFORE)
        for index, other in ((0, False), (1, "high"), (2, 265), (3, "red"), (4, True)):
            parts = list(BEFORE)
            parts[index] = other
            before = Outputs(*parts)
            made = outcome.outputs_of(before, stage("charging"), (16_000, False), NOW)
            self.assertEqual(made, BEFORE)


class Stable(unittest.TestCase):
    def after(self, *changed):
        """(stable_at_ms, judge_at_ms) after the outputs changed to these."""
        pilot = outcome.after_change(SEEN, BEFORE, Outputs(*changed), NOW)
        return pilot.stable_at_ms, pilot.judge_at_ms

    def test_duty_mode_and_contactor_begin_it_anew(self):
        self.assertEqual(self.after(True, "pwm", 265, "green", False), (NOW + 500, 6))
        self.assertEqual(self.after(False, "pwm", 266, "green", False), (NOW + 500, 6))
        self.assertEqual(self.after(True, "high", 266, "green", False), (NOW + 500, NOW + 60))

    def test_the_light_and_the_test_do_not(self):
        made = outcome.after_change(SEEN, BEFORE, Outputs(True, "pwm", 266, "red", True), NOW)
        self.assertIs(made, SEEN)
