"""The control pilot: letters with hysteresis, the duty law, and what counts as seen."""

import unittest

from samples import reading

from firmware.core import pilot, units
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
        for upper, down_to_mv, lower, up_to_mv in (
            ("A", 10_500, "B", 10_800),
            ("B", 7000, "C", 7300),
            ("C", 4430, "D", 4800),
            ("D", 1200, "E", 1800),
        ):
            self.assertEqual(pilot.letter_of(down_to_mv, upper), upper)
            self.assertEqual(pilot.letter_of(down_to_mv - 1, upper), lower)
            self.assertEqual(pilot.letter_of(up_to_mv, lower), lower)
            self.assertEqual(pilot.letter_of(up_to_mv + 1, lower), upper)

    def test_what_cars_may_show_from_every_letter_at_every_level(self):
        # With 1870 to 4610 ohm in B and 735 to 1069 ohm in C behind a diode of 0.7 V.
        for source_mv in range(11_400, 12_601, 100):
            for letter, low_ohm, high_ohm in (("B", 1870, 4610), ("C", 735, 1069)):
                for ohm in (low_ohm, high_ohm):
                    high_mv = (source_mv - 700) * ohm // (ohm + 1000) + 700
                    for before in "ABCDEF":
                        self.assertEqual(pilot.letter_of(high_mv, before, source_mv), letter, (source_mv, ohm))
                        self.assertEqual(pilot.letter_of(high_mv - 35, before, source_mv - 35), letter)

    def test_an_edge_moves_with_the_boxs_own_level(self):
        for own_mv in (11_400, 11_640, 12_000, 12_600):
            edge_mv = 7300 * own_mv // 12_000
            self.assertEqual(pilot.letter_of(edge_mv, "C", own_mv), "C")
            self.assertEqual(pilot.letter_of(edge_mv + 2, "C", own_mv), "B")

    def test_minus_twelve_is_f(self):
        self.assertEqual(pilot.letter_of(-12000, "A"), "F")
        self.assertEqual(pilot.letter_of(-1500, "E"), "E")
        self.assertEqual(pilot.letter_of(-1501, "E"), "F")
        self.assertEqual(pilot.letter_of(-1500, "F"), "F")
        self.assertEqual(pilot.letter_of(-1499, "F"), "E")
        self.assertEqual(pilot.letter_of(12000, "F"), "A")
        self.assertEqual(pilot.letter_of(99999, "A"), "A")
        self.assertEqual(pilot.letter_of(-99999, "F"), "F")


class OwnLevel(unittest.TestCase):
    def learnt(self, high_mv, pilot_before=None, now_ms=2000, mode="high", low_mv=None):
        """own_mv after one reading of an empty plug that has been stable since 2 s."""
        before = pilot_before or Pilot("A", 2000, 0, False, 12_000)
        return pilot.watched(before, reading(now_ms, high_mv, low_mv=low_mv), mode).own_mv

    def test_an_eighth_of_the_way_and_nothing_of_noise(self):
        for high_mv, own_mv in (
            (12_024, 12_000),
            (12_025, 12_003),
            (11_976, 12_000),
            (11_975, 11_996),
            (11_400, 11_925),
            (11_399, 12_000),
            (12_600, 12_075),
            (12_601, 12_000),
        ):
            self.assertEqual(self.learnt(high_mv), own_mv, high_mv)
        self.assertEqual(self.learnt(11_400, mode="pwm", low_mv=-12_000), 11_925)

    def test_only_an_empty_plug_that_is_stable_says_it(self):
        self.assertEqual(self.learnt(11_500, now_ms=1999), 12_000)
        self.assertEqual(self.learnt(11_500, Pilot("B", 0, 0, True, 11_900)), 11_900)
        self.assertEqual(self.learnt(11_500, Pilot("C", 0, 0, True, 11_900)), 11_900)
        self.assertEqual(self.learnt(None), 12_000)
        self.assertEqual(self.learnt(11_500, mode="low"), 12_000)
        stale = reading(2000, 11_500, currents_age_ms=51)
        self.assertEqual(pilot.watched(Pilot("A", 2000, 0, False, 12_000), stale, "high").own_mv, 12_000)

    def test_it_is_found_within_a_second_and_kept_while_a_car_is_there(self):
        for wanted_mv in (11_400, 11_640, 12_500):
            seen = Pilot("A", 0, 0, False, 12_000)
            for now_ms in range(0, 1000, 23):
                seen = pilot.watched(seen, reading(now_ms, wanted_mv), "high")
            self.assertTrue(abs(seen.own_mv - wanted_mv) <= 24)
            own_mv = seen.own_mv
            for now_ms, high_mv, mode in ((1000, 8900, "high"), (1600, 8900, "pwm"), (1700, 5900, "pwm")):
                seen = pilot.watched(seen, reading(now_ms, high_mv, low_mv=-12_000), mode)
            self.assertEqual((seen.letter, seen.own_mv), ("C", own_mv))
            for changed in (pilot.without_diode(seen), pilot.restarted(seen, 2000, True)):
                self.assertEqual(changed.own_mv, own_mv)


class Rails(unittest.TestCase):
    def test_beyond_them_a_reading_is_no_letter(self):
        for before in "BCDEF":
            seen = Pilot(before, 0, 0, True, 12_000)
            self.assertEqual(pilot.watched(seen, reading(1023, 13_500), "high").letter, "A")
            self.assertEqual(pilot.watched(seen, reading(1023, 13_501), "high").letter, before)
        seen = Pilot("C", 0, 0, True, 12_000)
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
        self.assertEqual(self.before, Pilot("A", pilot.UNSEEN_MS, 1060, False, 12_000))

    def test_stable_counts_from_the_first_fresh_reading(self):
        for high_mv, low_mv, age_ms, stable_at_ms in (
            (None, None, 0, pilot.UNSEEN_MS),
            (12_000, None, 0, 9500),
            (12_000, None, units.FRESH_MS, 9500),
            (9000, None, 0, 9500),
        ):
            seen = pilot.watched(self.before, reading(9000, high_mv, low_mv=low_mv, pilot_age_ms=age_ms), "high")
            self.assertEqual(seen.stable_at_ms, stable_at_ms)
        stale = pilot.watched(self.before, reading(9000, 12_000, pilot_age_ms=units.FRESH_MS + 1), "high")
        self.assertEqual(pilot.watched(stale, reading(9400, 12_000), "high").stable_at_ms, 9500)

    def test_same_letter_is_the_same_object(self):
        seen = pilot.watched(self.before, reading(1023), "high")
        self.assertEqual(seen, Pilot("A", 1523, 1060, False, 12_000))
        self.assertIs(pilot.watched(seen, reading(1046), "high"), seen)

    def test_new_letter_starts_its_500_ms(self):
        seen = pilot.watched(self.before, reading(1023, 9000), "high")
        self.assertEqual(seen, Pilot("B", 1523, 1060, False, 12_000))

    def test_in_f_the_letter_stands(self):
        seen = pilot.watched(Pilot("C", 0, 0, True, 12_000), reading(1023, None, low_mv=-12000), "low")
        self.assertEqual(seen.letter, "C")

    def test_missing_half_leaves_the_letter(self):
        seen = pilot.watched(Pilot("C", 0, 0, True, 12_000), reading(1023, None), "pwm")
        self.assertEqual(seen.letter, "C")

    def test_beyond_the_rails_is_no_letter_and_nothing_is_stable(self):
        before = Pilot("C", 0, 7, True, 12_000)
        self.assertEqual(pilot.watched(before, reading(1023, 13_500), "pwm").letter, "A")
        self.assertEqual(pilot.watched(before, reading(1023, 13_501), "pwm"), Pilot("C", 1583, 7, True, 12_000))
        self.assertEqual(pilot.watched(before, reading(1023, None, low_mv=-13_500), "pwm").letter, "F")
        self.assertEqual(
            pilot.watched(before, reading(1023, None, low_mv=-13_501), "pwm"), Pilot("C", 1583, 7, True, 12_000)
        )
        self.assertEqual(pilot.watched(before, reading(1023, 6000, low_mv=-13_501), "pwm"), before)
        self.assertEqual(pilot.watched(before, reading(1023, 13_501), "low"), before)
        self.assertEqual(pilot.watched(before, reading(1023, None, low_mv=-13_501), "low"), before)

    def test_an_old_reading_is_followed_and_never_stable(self):
        before = Pilot("C", 0, 7, True, 12_000)
        for name in ("pilot_age_ms", "currents_age_ms"):
            fresh = reading(1023, 6000, low_mv=-12000, **{name: 50})
            old = reading(1023, 6000, low_mv=-12000, **{name: 51})
            gone = reading(1023, 9000, low_mv=-12000, **{name: 51})
            self.assertIs(pilot.watched(before, fresh, "pwm"), before)
            self.assertEqual(pilot.watched(before, old, "pwm"), Pilot("C", 1523, 7, True, 12_000))
            self.assertEqual(pilot.watched(before, gone, "pwm"), Pilot("B", 1523, 7, True, 12_000))

    def test_in_a_ventilated_room_d_asks_like_c(self):
        seen = pilot.watched(Pilot("B", 0, 0, True, 12_000), reading(1023, 3000, low_mv=-12000), "pwm", True)
        self.assertEqual(seen, Pilot("C", 1523, 0, True, 12_000))
        for high_mv, letter in ((4429, "C"), (1200, "C"), (1199, "E"), (7301, "B")):
            again = pilot.watched(seen, reading(1046, high_mv, low_mv=-12000), "pwm", True)
            self.assertEqual(again.letter, letter, high_mv)
        self.assertEqual(pilot.watched(seen, reading(1046, 3000, low_mv=-12000), "pwm", False).letter, "D")

    def test_only_minus_twelve_where_none_was_asked_for_is_f(self):
        for mode in ("pwm", "high"):
            seen = pilot.watched(Pilot("C", 0, 0, False, 12_000), reading(1023, None, low_mv=-12000), mode)
            self.assertEqual(seen.letter, "F")
        self.assertEqual(
            pilot.watched(Pilot("C", 0, 0, False, 12_000), reading(1, None, low_mv=-1500), "pwm").letter, "C"
        )

    def test_diode_is_seen_only_under_pwm_and_after_two_ticks(self):
        b_letter = Pilot("B", 0, 1060, False, 12_000)
        self.assertFalse(pilot.watched(b_letter, reading(1059, 9000, low_mv=-12000), "pwm").is_diode_seen)
        self.assertTrue(pilot.watched(b_letter, reading(1060, 9000, low_mv=-12000), "pwm").is_diode_seen)
        self.assertTrue(pilot.watched(b_letter, reading(1060, 9000, low_mv=-10000), "pwm").is_diode_seen)
        self.assertFalse(pilot.watched(b_letter, reading(1060, 9000, low_mv=-9999), "pwm").is_diode_seen)
        self.assertFalse(pilot.watched(b_letter, reading(1060, 9000, low_mv=-12000), "high").is_diode_seen)
        self.assertFalse(pilot.watched(b_letter, reading(1060, 9000), "pwm").is_diode_seen)

    def test_seeing_the_diode_keeps_the_stable_time(self):
        seen = pilot.watched(Pilot("B", 77, 0, False, 12_000), reading(1060, 9000, low_mv=-12000), "pwm")
        self.assertEqual(seen, Pilot("B", 77, 0, True, 12_000))

    def test_no_car_forgets_the_diode(self):
        self.assertEqual(
            pilot.watched(Pilot("B", 0, 0, True, 12_000), reading(1060, 12000), "pwm"),
            Pilot("A", 1560, 0, False, 12_000),
        )
        self.assertEqual(
            pilot.watched(Pilot("A", 5, 0, True, 12_000), reading(1060, 12000), "high"), Pilot("A", 5, 0, False, 12_000)
        )

    def test_restarted(self):
        self.assertEqual(
            pilot.restarted(Pilot("C", 0, 7, True, 12_000), 1000, False), Pilot("C", 1500, 7, True, 12_000)
        )
        self.assertEqual(
            pilot.restarted(Pilot("C", 0, 7, True, 12_000), 1000, True), Pilot("C", 1500, 1060, True, 12_000)
        )
