"""The whole truth table of "the contactor may be energised": one row of all allows, whatever is taken away denies."""

import unittest

from samples import reading

from firmware.core import interlock
from firmware.core.interlock import Guard
from firmware.core.records import Outputs

NOW = 1_000_000
# Each input is one thing that must be so. In x1 the low half says nothing: a diode stays as recent as it was.
IN_PWM = (
    "asked",
    "letter in its band",
    "pilot fresh",
    "currents fresh",
    "diode seen since plug-in",
    "diode seen just now",
    "self-test seen",
    "not tripped",
    "earth",
    "signalled",
)
IN_X1 = tuple(name for name in IN_PWM if name != "diode seen just now")


def may_close(names, mode, is_ventilated=False):
    """Whether the interlock allows with exactly the inputs of `names` so, all others not."""
    duty = 266 if mode == "pwm" else 1000
    mode_at_ms = NOW - 5000
    if "signalled" not in names:
        # PWM that says no allowed current; x1 for longer than a car may take.
        duty, mode_at_ms = (50 if mode == "pwm" else 1000), NOW - 7000
    guard = Guard(
        mode,
        mode_at_ms,
        "diode seen since plug-in" in names,
        NOW - (100 if "diode seen just now" in names else 1000),
        interlock.PASSED if "self-test seen" in names else interlock.ASKED,
        None if "earth" in names else NOW - 1000,
        False,
    )
    readings = reading(
        NOW,
        6000 if "letter in its band" in names else 9000,
        low_mv=-6000 if mode == "pwm" else None,
        pilot_age_ms=20 if "pilot fresh" in names else 500,
        currents_age_ms=20 if "currents fresh" in names else 500,
        is_tripped="not tripped" not in names,
        is_earth_ok="earth" in names,
    )
    outputs = Outputs("asked" in names, mode, duty, "", False)
    return interlock.permit(guard, readings, outputs, is_ventilated).may_close


class TruthTable(unittest.TestCase):
    def table(self, inputs, mode):
        """Number of rows tried and the rows that allow."""
        allowing = []
        for row in range(1 << len(inputs)):
            names = [inputs[index] for index in range(len(inputs)) if row >> index & 1]
            if may_close(names, mode):
                allowing.append(row)
        return allowing

    def test_all_1024_rows_in_pwm(self):
        self.assertEqual(len(IN_PWM), 10)
        self.assertEqual(self.table(IN_PWM, "pwm"), [1023])

    def test_all_512_rows_in_x1(self):
        self.assertEqual(len(IN_X1), 9)
        self.assertEqual(self.table(IN_X1, "high"), [511])

    def test_in_f_no_row_allows(self):
        self.assertEqual(self.table(IN_X1, "low"), [])

    def test_each_alone_taken_away_denies(self):
        for inputs, mode in ((IN_PWM, "pwm"), (IN_X1, "high")):
            self.assertTrue(may_close(inputs, mode))
            for missing in inputs:
                names = [name for name in inputs if name != missing]
                self.assertFalse(may_close(names, mode), (mode, missing))


class Earth(unittest.TestCase):
    def guard(self, no_earth_ms):
        return Guard("pwm", 0, True, NOW - 20, interlock.PASSED, no_earth_ms, True)

    def lost(self, no_earth_ms, is_earth_ok=False):
        readings = reading(NOW, 6000, low_mv=-12000, is_earth_ok=is_earth_ok)
        return interlock.permit(self.guard(no_earth_ms), readings, Outputs(True, "pwm", 266, "", False), False)

    def test_for_450_ms(self):
        for for_ms, is_good in ((449, True), (450, False), (0, True), (9999, False)):
            made = self.lost(NOW - for_ms)
            self.assertEqual((made.may_close, made.no_earth_ms), (is_good, NOW - for_ms), for_ms)

    def test_the_time_begins_with_the_first_reading_and_ends_with_a_good_one(self):
        self.assertEqual((self.lost(None).may_close, self.lost(None).no_earth_ms), (True, NOW))
        self.assertEqual((self.lost(5, True).may_close, self.lost(5, True).no_earth_ms), (True, None))


class SelfTest(unittest.TestCase):
    def after(self, test, high_mv=9000, is_tripped=False):
        return interlock.tested(test, reading(NOW, high_mv, is_tripped=is_tripped))

    def test_must_trip_and_then_clear(self):
        asked, tripped, passed = 0, 1, 2
        for before, is_tripped, after in (
            (asked, False, asked),
            (asked, True, tripped),
            (tripped, True, tripped),
            (tripped, False, passed),
            (passed, False, passed),
            (passed, True, tripped),
        ):
            self.assertEqual(self.after(before, is_tripped=is_tripped), after)

    def test_an_empty_plug_forgets_it(self):
        for high_mv, after in ((11_000, 2), (11_001, 0), (12_000, 0), (None, 2)):
            self.assertEqual(self.after(2, high_mv), after)
        self.assertEqual(self.after(1, 12_000, True), 0)
