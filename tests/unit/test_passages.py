"""What goes with a passage from one state to another: wear, clicks, waits after the mains, and who may be woken."""

import unittest

from samples import NOMINAL, chosen, claim, here

from firmware.core import claims, passages
from firmware.core.charging import Situation
from firmware.core.records import Claim, Event, Pilot, Ref, Stage, Wear

NOW = 100_000
POWER = Ref("board", "power", 0)
NOTHING = claims.summed((), NOW)


def situation(reaction="", most_ma=0, state="charging"):
    """Situation at NOW of a car in letter C."""
    stage = Stage(state, 0, 0, 0, 0, 0, "passed", 0)
    return Situation(NOW, Pilot("C", 0, 0, True, 12_000), stage, 16_000, reaction, most_ma, NOMINAL, False)


def moved(place, way, held=NOTHING, reaction=""):
    """(Local, Claims) after a passage."""
    return passages.moved(place, held, way, situation(reaction))


class Clicks(unittest.TestCase):
    def test_unlock_and_charge_now(self):
        place = here(is_damped=True)
        self.assertEqual(passages.after_clicks(place, (Event("unlock", ()),)), here(is_damped=True, is_allowed=True))
        self.assertEqual(passages.after_clicks(place, (Event("charge_now", ()),)), NOMINAL)
        both = (Event("state", ()), Event("charge_now", ()), Event("unlock", ()))
        self.assertEqual(passages.after_clicks(place, both), here(is_allowed=True))

    def test_other_events_change_nothing(self):
        place = here(is_damped=True)
        self.assertIs(passages.after_clicks(place, (Event("command", ()), Event("grid", ()))), place)


class MainsBack(unittest.TestCase):
    def back(self, chance=1, held=NOTHING, **settings):
        return passages.mains_returned(here(chance=chance), held, chosen(**settings), NOW)

    def test_a_random_wait_of_whole_seconds_up_to_the_setting(self):
        waits_s = set()
        for chance in range(300):
            place, made = self.back(chance, restart_spread_s=3)
            self.assertNotEqual(place.chance, chance)
            (row,) = made.rows
            waits_s.add((row.until_ms - NOW) / 1000)
            self.assertEqual(row, Claim("mains", 0, NOW, row.until_ms, POWER, "", 0, "", 0))
        self.assertEqual(waits_s, {0.0, 1.0, 2.0, 3.0})

    def test_no_spread_no_wait(self):
        place, made = self.back(restart_spread_s=0)
        self.assertEqual(made.rows[0].until_ms, NOW)

    def test_r37_rises_one_ampere_a_minute_from_six(self):
        place, made = self.back(restart_spread_s=0, has_r37_rules=True, wiring_limit_ma=32_000)
        wait, ramp = made.rows
        self.assertEqual(ramp, Claim("ramp", 6000, NOW, NOW + 313 * 5000, POWER, "", 0, "", 83))
        self.assertEqual(claims.limit_of(ramp, NOW), 6000)
        for minute in range(1, 26):
            self.assertEqual(claims.limit_of(ramp, NOW + minute * 60_000), 6000 + minute * 996)

    def test_the_ramp_begins_where_the_wait_ends(self):
        place, made = self.back(restart_spread_s=600, has_r37_rules=True)
        wait, ramp = made.rows
        self.assertGreater(wait.until_ms, NOW)
        self.assertEqual(ramp.from_ms, wait.until_ms)
        self.assertEqual(ramp.until_ms, wait.until_ms + 120 * 5000)

    def test_no_ramp_where_there_is_nothing_to_rise(self):
        for wiring_ma, count in ((6000, 1), (6100, 2)):
            self.assertEqual(len(self.back(has_r37_rules=True, wiring_limit_ma=wiring_ma)[1].rows), count)
        self.assertEqual(len(self.back(has_r37_rules=False, wiring_limit_ma=32_000)[1].rows), 1)

    def test_mains_that_come_and_go_do_not_pile_up(self):
        held = claims.summed((claim(from_ms=NOW, until_ms=NOW + 99_999),), NOW)
        for chance in range(30):
            place, held = self.back(chance, held, has_r37_rules=True)
        self.assertEqual([row.source for row in held.rows], ["grid", "mains", "ramp"])


class Moved(unittest.TestCase):
    def test_one_wake_up_is_used_by_waking(self):
        place, held = moved(NOMINAL, ("offered", "waking"))
        self.assertEqual((place.may_wake, held), (False, NOTHING))
        spent = here(may_wake=False)
        for way in (("waking", "offered"), ("idle", "testing"), ("testing", "waiting"), ("faulted", "idle")):
            self.assertIs(moved(spent, way)[0], spent, way)

    def test_a_grid_pause_allows_one_more(self):
        spent = here(may_wake=False)
        held = claims.summed((claim(from_ms=NOW),), NOW)
        for way in (("offered", "waiting"), ("waking", "waiting"), ("charging", "stopping"), ("charging", "waiting")):
            self.assertTrue(moved(spent, way, held)[0].may_wake, way)
            self.assertTrue(moved(spent, way, held, "warn")[0].may_wake, way)
            for reaction in ("stop", "no_start", "open"):
                self.assertFalse(moved(spent, way, held, reaction)[0].may_wake, way)
        for way in (("charging", "offered"), ("testing", "waiting"), ("stopping", "waiting")):
            self.assertIs(moved(spent, way, held)[0], spent, way)

    def test_only_an_opening_is_damped(self):
        held = claims.summed((claim(from_ms=NOW),), NOW)
        self.assertFalse(moved(NOMINAL, ("offered", "waiting"), held)[0].is_damped)
        place, after = moved(NOMINAL, ("charging", "stopping"), held)
        self.assertEqual((place.is_damped, after), (True, held))
        for before in ("stopping", "charging"):
            place, after = moved(here(is_damped=True), (before, "waiting"), held)
            self.assertEqual([row.source for row in after.rows], ["grid", "damping"])
        for way in (("offered", "waiting"), ("stopping", "idle"), ("charging", "offered"), ("stopping", "faulted")):
            self.assertEqual(moved(here(is_damped=True), way, held)[1], held, way)

    def test_a_second_opening_replaces_the_claim_of_the_first(self):
        old = claims.summed((Claim("damping", 0, 1, NOW + 9, Ref("board", "damping", 0), "", 0, "", 0),), NOW)
        rows = moved(here(is_damped=True), ("stopping", "waiting"), old)[1].rows
        self.assertEqual([row.until_ms for row in rows], [NOW + 60_000])

    def test_a_stop_for_another_reason_undoes_the_damping(self):
        self.assertFalse(moved(here(is_damped=True), ("charging", "stopping"), NOTHING)[0].is_damped)

    def test_closing_is_counted(self):
        place, held = moved(here(is_damped=True), ("offered", "charging"))
        self.assertEqual((place.closings, place.is_damped), ((NOW,), False))
        self.assertIs(moved(NOMINAL, ("offered", "charging"))[0], NOMINAL)


class Wearing(unittest.TestCase):
    def worn(self, way, most_ma=0, place=NOMINAL):
        return passages.worn(Wear(7, 3), place, way, situation(most_ma=most_ma))

    def test_closings(self):
        self.assertEqual(self.worn(("offered", "charging"), 9000), (Wear(8, 3), NOMINAL))

    def test_openings_above_one_ampere(self):
        for before, after in (("charging", "offered"), ("stopping", "waiting"), ("charging", "faulted")):
            self.assertEqual(self.worn((before, after), 1000), (Wear(7, 3), NOMINAL))
            self.assertEqual(self.worn((before, after), 1001), (Wear(7, 4), here(hot_at_ms=(NOW,))))

    def test_no_move_no_wear(self):
        for way in (("charging", "stopping"), ("idle", "testing"), ("waiting", "offered"), ("offered", "waking")):
            self.assertEqual(self.worn(way, 9000), (Wear(7, 3), NOMINAL), way)

    def test_the_last_three_are_kept(self):
        wear, place = self.worn(("charging", "idle"), 1001, here(hot_at_ms=(1, 2, 3)))
        self.assertEqual(place.hot_at_ms, (2, 3, NOW))
