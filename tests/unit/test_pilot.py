"""The control pilot: letters with hysteresis, the duty law, and what counts as seen."""

import unittest

from samples import reading

from firmware.core import pilot
from firmware.core.records import Pilot

# requirements §1, duty vectors in permille (the law rounds down) and WARP's factory values
DUTIES = (
    (6000, 100),
    (10000, 166),
    (16000, 266),
    (20000, 333),
    (32000, 533),
    (40000, 666),
    (48000, 800),
    (51000, 850),
    (51001, 850),
    (52499, 850),
    (52500, 850),
    (52750, 851),
    (63000, 892),
    (80000, 960),
    (80001, 960),
    (90000, 960),
    (5999, 1000),
    (0, 1000),
)
WARP = ((12213, "A"), (9069, "B"), (6049, "C"), (2646, "D"))


class Letters(unittest.TestCase):
    def test_factory_values_from_every_letter(self):
        for high_mv, letter in WARP:
            for before in "ABCDEF":
                self.assertEqual(pilot.letter_of(high_mv, before), letter)

    def test_tolerance_bands_from_every_letter(self):
        for letter, low, high in (("A", 11400, 12600), ("B", 8360, 9560), ("C", 5480, 6490), ("D", 2620, 3250)):
            for before in "ABCDEF":
                self.assertEqual(pilot.letter_of(low, before), letter)
                self.assertEqual(pilot.letter_of(high, before), letter)

    def test_each_edge_with_its_hysteresis(self):
        for edge_mv, upper, lower in ((10500, "A", "B"), (7500, "B", "C"), (4500, "C", "D"), (1500, "D", "E")):
            self.assertEqual(pilot.letter_of(edge_mv - 300, upper), upper)
            self.assertEqual(pilot.letter_of(edge_mv - 301, upper), lower)
            self.assertEqual(pilot.letter_of(edge_mv + 300, lower), lower)
            self.assertEqual(pilot.letter_of(edge_mv + 301, lower), upper)

    def test_minus_twelve_is_f(self):
        self.assertEqual(pilot.letter_of(-12000, "A"), "F")
        self.assertEqual(pilot.letter_of(-1500, "E"), "E")
        self.assertEqual(pilot.letter_of(-1501, "E"), "F")
        self.assertEqual(pilot.letter_of(-1500, "F"), "F")
        self.assertEqual(pilot.letter_of(-1499, "F"), "E")
        self.assertEqual(pilot.letter_of(12000, "F"), "A")
        self.assertEqual(pilot.letter_of(99999, "A"), "A")
        self.assertEqual(pilot.letter_of(-99999, "F"), "F")


class Rails(unittest.TestCase):
    def test_beyond_them_a_reading_is_no_letter(self):
        for before in "BCDEF":
            seen = Pilot(before, 0, 0, True)
            self.assertEqual(pilot.watched(seen, reading(1023, 13_500), "high").letter, "A")
            self.assertEqual(pilot.watched(seen, reading(1023, 13_501), "high").letter, before)
        seen = Pilot("C", 0, 0, True)
        for low_mv, letter in ((-13_501, "C"), (-13_500, "F"), (-1501, "F"), (-1500, "C")):
            self.assertEqual(pilot.watched(seen, reading(1023, None, low_mv=low_mv), "pwm").letter, letter, low_mv)


def read_by_a_car_ma(duty):
    """What a car may draw at a duty in permille (requirements §1)."""
    return duty * 60 if duty <= 850 else (duty - 640) * 250


class Duty(unittest.TestCase):
    def test_vectors(self):
        for offered_ma, duty in DUTIES:
            self.assertEqual(pilot.duty_permille(offered_ma), duty, offered_ma)

    def test_what_a_car_reads_is_never_more_than_was_offered(self):
        for offered_ma in range(6000, 80001, 50):
            read_ma = read_by_a_car_ma(pilot.duty_permille(offered_ma))
            self.assertLessEqual(read_ma, offered_ma)
            self.assertGreater(read_ma, offered_ma - 1750 if offered_ma > 51000 else offered_ma - 60)


class Watched(unittest.TestCase):
    def setUp(self):
        self.before = pilot.first_pilot(1000)

    def test_first(self):
        self.assertEqual(self.before, Pilot("A", 1500, 1060, False))

    def test_same_letter_is_the_same_object(self):
        self.assertIs(pilot.watched(self.before, reading(1023), "high"), self.before)

    def test_new_letter_starts_its_500_ms(self):
        seen = pilot.watched(self.before, reading(1023, 9000), "high")
        self.assertEqual(seen, Pilot("B", 1523, 1060, False))

    def test_in_f_the_letter_stands(self):
        seen = pilot.watched(Pilot("C", 0, 0, True), reading(1023, None, low_mv=-12000), "low")
        self.assertEqual(seen.letter, "C")

    def test_missing_half_leaves_the_letter(self):
        seen = pilot.watched(Pilot("C", 0, 0, True), reading(1023, None), "pwm")
        self.assertEqual(seen.letter, "C")

    def test_beyond_the_rails_is_no_letter_and_nothing_is_stable(self):
        before = Pilot("C", 0, 7, True)
        self.assertEqual(pilot.watched(before, reading(1023, 13_500), "pwm").letter, "A")
        self.assertEqual(pilot.watched(before, reading(1023, 13_501), "pwm"), Pilot("C", 1583, 7, True))
        self.assertEqual(pilot.watched(before, reading(1023, None, low_mv=-13_500), "pwm").letter, "F")
        self.assertEqual(pilot.watched(before, reading(1023, None, low_mv=-13_501), "pwm"), Pilot("C", 1583, 7, True))
        self.assertEqual(pilot.watched(before, reading(1023, 6000, low_mv=-13_501), "pwm"), before)
        self.assertEqual(pilot.watched(before, reading(1023, 13_501), "low"), before)
        self.assertEqual(pilot.watched(before, reading(1023, None, low_mv=-13_501), "low"), before)

    def test_an_old_reading_is_followed_and_never_stable(self):
        before = Pilot("C", 0, 7, True)
        for name in ("pilot_age_ms", "currents_age_ms"):
            fresh = reading(1023, 6000, low_mv=-12000, **{name: 50})
            old = reading(1023, 6000, low_mv=-12000, **{name: 51})
            gone = reading(1023, 9000, low_mv=-12000, **{name: 51})
            self.assertIs(pilot.watched(before, fresh, "pwm"), before)
            self.assertEqual(pilot.watched(before, old, "pwm"), Pilot("C", 1523, 7, True))
            self.assertEqual(pilot.watched(before, gone, "pwm"), Pilot("B", 1523, 7, True))

    def test_in_a_ventilated_room_d_asks_like_c(self):
        seen = pilot.watched(Pilot("B", 0, 0, True), reading(1023, 3000, low_mv=-12000), "pwm", True)
        self.assertEqual(seen, Pilot("C", 1523, 0, True))
        for high_mv, letter in ((4199, "C"), (1200, "C"), (1199, "E"), (7801, "B")):
            again = pilot.watched(seen, reading(1046, high_mv, low_mv=-12000), "pwm", True)
            self.assertEqual(again.letter, letter, high_mv)
        self.assertEqual(pilot.watched(seen, reading(1046, 3000, low_mv=-12000), "pwm", False).letter, "D")

    def test_only_minus_twelve_where_none_was_asked_for_is_f(self):
        for mode in ("pwm", "high"):
            seen = pilot.watched(Pilot("C", 0, 0, False), reading(1023, None, low_mv=-12000), mode)
            self.assertEqual(seen.letter, "F")
        self.assertEqual(pilot.watched(Pilot("C", 0, 0, False), reading(1, None, low_mv=-1500), "pwm").letter, "C")

    def test_diode_is_seen_only_under_pwm_and_after_two_ticks(self):
        b_letter = Pilot("B", 0, 1060, False)
        self.assertFalse(pilot.watched(b_letter, reading(1059, 9000, low_mv=-12000), "pwm").is_diode_seen)
        self.assertTrue(pilot.watched(b_letter, reading(1060, 9000, low_mv=-12000), "pwm").is_diode_seen)
        self.assertTrue(pilot.watched(b_letter, reading(1060, 9000, low_mv=-10000), "pwm").is_diode_seen)
        self.assertFalse(pilot.watched(b_letter, reading(1060, 9000, low_mv=-9999), "pwm").is_diode_seen)
        self.assertFalse(pilot.watched(b_letter, reading(1060, 9000, low_mv=-12000), "high").is_diode_seen)
        self.assertFalse(pilot.watched(b_letter, reading(1060, 9000), "pwm").is_diode_seen)

    def test_seeing_the_diode_keeps_the_stable_time(self):
        seen = pilot.watched(Pilot("B", 77, 0, False), reading(1060, 9000, low_mv=-12000), "pwm")
        self.assertEqual(seen, Pilot("B", 77, 0, True))

    def test_no_car_forgets_the_diode(self):
        self.assertEqual(pilot.watched(Pilot("B", 0, 0, True), reading(1060, 12000), "pwm"), Pilot("A", 1560, 0, False))
        self.assertEqual(pilot.watched(Pilot("A", 5, 0, True), reading(1060, 12000), "high"), Pilot("A", 5, 0, False))

    def test_restarted(self):
        self.assertEqual(pilot.restarted(Pilot("C", 0, 7, True), 1000, False), Pilot("C", 1500, 7, True))
        self.assertEqual(pilot.restarted(Pilot("C", 0, 7, True), 1000, True), Pilot("C", 1500, 1060, True))
