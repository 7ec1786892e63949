"""The state machine as two tables: every row, every guard, and what can never happen."""

import unittest

from samples import here, reading

from firmware.core import charging, decide, local, self_test, states
from firmware.core.charging import Situation
from firmware.core.records import Pilot, Stage

NOW = 100_000
HERE = local.first_local(0, False, decide.STANDARD_KIT)
NAMES = tuple(row[0] for row in states.STATES)


def stage(state, **more):
    """Stage that entered long ago, with no hold left."""
    values = {"since_ms": 50_000, "offer": 0, "close": 0, "quiet": 0, "low": 0, "test": "passed", "until": 0}
    values.update(more)
    return Stage(
        state,
        values["since_ms"],
        values["offer"],
        values["close"],
        values["quiet"],
        values["low"],
        values["test"],
        values["until"],
    )


def situation(state, letter="C", limit_ma=16000, reaction="", **more):
    """Situation at NOW with a stable letter and a good diode."""
    seen = Pilot(letter, more.pop("stable", 0), 0, more.pop("diode", True), 12_000)
    most_ma = more.pop("most_ma", 15000)
    here, is_welded = more.pop("local", HERE), more.pop("is_welded", False)
    return Situation(NOW, seen, stage(state, **more), limit_ma, reaction, most_ma, here, is_welded)


def following(*args, **more):
    """Name of the next state."""
    return charging.next_state(situation(*args, **more))


class Tables(unittest.TestCase):
    def test_contactor_column(self):
        self.assertEqual([row[0] for row in states.STATES if row[1]], ["charging", "stopping"])
        self.assertEqual([row[0] for row in states.STATES if row[2] == "pwm"], ["offered", "charging"])
        self.assertTrue(states.is_closed("stopping"))
        self.assertFalse(states.is_closed("offered"))
        self.assertEqual(states.row_of("faulted")[2:], ("high", "red"))
        self.assertEqual(states.row_of("idle")[3], "off")
        with self.assertRaises(ValueError):
            states.row_of("flying")

    def test_lights(self):
        lights = [row[3] for row in states.STATES]
        self.assertEqual(
            lights, ["off", "blue_blink", "blue", "green_blink", "blue_blink", "green", "blue_blink", "red"]
        )

    def test_every_state_is_reached_and_left(self):
        for name in NAMES:
            self.assertTrue(any(row[2] == name for row in charging.TRANSITIONS), name)
            self.assertTrue(any(name in row[0].split() for row in charging.TRANSITIONS), name)

    def test_rows_name_states_and_clauses(self):
        for froms, guard, to, clause in charging.TRANSITIONS:
            for name in froms.split():
                self.assertIn(name, NAMES)
            self.assertIn(to, NAMES)
            self.assertTrue(clause)
            self.assertTrue(guard is not None)

    def test_only_one_row_enters_charging_and_none_from_stopping(self):
        rows = [row for row in charging.TRANSITIONS if row[2] == "charging"]
        self.assertEqual([(row[0], row[1]) for row in rows], [("offered", charging.may_close)])

    def test_every_closed_state_has_a_way_to_open_on_a_fault(self):
        for name in ("charging", "stopping"):
            self.assertEqual(following(name, reaction="open"), "faulted")
            self.assertEqual(following(name, reaction="locked"), "faulted")


class Guards(unittest.TestCase):
    def test_open_faults_from_everywhere(self):
        for name in NAMES:
            for reaction in ("open", "locked"):
                self.assertEqual(following(name, reaction=reaction), "faulted")

    def test_healed(self):
        for reaction in ("", "warn", "no_start", "stop"):
            self.assertEqual(following("faulted", reaction=reaction), "idle")
            self.assertEqual(following("faulted", reaction=reaction, low=NOW), "idle")
            self.assertEqual(following("faulted", reaction=reaction, low=NOW + 1), "faulted")

    def test_unplugged(self):
        for name in ("testing", "waiting", "offered", "charging", "stopping"):
            self.assertEqual(following(name, "A"), "idle")
        self.assertEqual(following("idle", "A"), "idle")

    def test_plugged(self):
        for letter, to in (
            ("A", "idle"),
            ("B", "testing"),
            ("C", "testing"),
            ("D", "idle"),
            ("E", "idle"),
            ("F", "idle"),
        ):
            self.assertEqual(following("idle", letter), to)

    def test_tested(self):
        for test, to in (
            ("", "testing"),
            ("trip", "testing"),
            ("clear", "testing"),
            ("failed", "testing"),
            ("passed", "waiting"),
        ):
            self.assertEqual(following("testing", "B", test=test), to)

    def test_offer(self):
        self.assertEqual(following("waiting", "B"), "offered")
        self.assertEqual(following("waiting", "C"), "offered")
        self.assertEqual(following("waiting", "D"), "waiting")
        self.assertEqual(following("waiting", "B", 5999), "waiting")
        self.assertEqual(following("waiting", "B", 6000), "offered")
        self.assertEqual(following("waiting", "B", reaction="warn"), "offered")
        for reaction in ("no_start", "stop"):
            self.assertEqual(following("waiting", "B", reaction=reaction), "waiting")
        self.assertEqual(following("waiting", "B", offer=NOW), "offered")
        self.assertEqual(following("waiting", "B", offer=NOW + 1), "waiting")

    def test_close(self):
        self.assertEqual(following("offered"), "charging")
        self.assertEqual(following("offered", "B"), "offered")
        self.assertEqual(following("offered", stable=NOW), "charging")
        self.assertEqual(following("offered", stable=NOW + 1), "offered")
        self.assertEqual(following("offered", diode=False), "offered")
        self.assertEqual(following("offered", test="clear"), "offered")
        self.assertEqual(following("offered", close=NOW), "charging")
        self.assertEqual(following("offered", close=NOW + 1), "offered")

    def test_wake_up_to_the_millisecond(self):
        for since_ms, b_at_ms, moved_at_ms, may_wake, to in (
            (NOW - 30_000, 0, 0, True, "waking"),
            (NOW - 29_999, 0, 0, True, "offered"),
            (0, NOW - 30_000, 0, True, "waking"),
            (0, NOW - 29_999, 0, True, "offered"),
            (0, None, 0, True, "offered"),
            (0, 0, NOW - 10_000, True, "waking"),
            (0, 0, NOW - 9999, True, "offered"),
            (0, 0, 0, False, "offered"),
        ):
            place = here(b_at_ms=b_at_ms, moved_at_ms=moved_at_ms, may_wake=may_wake)
            self.assertEqual(following("offered", "B", since_ms=since_ms, local=place), to, (since_ms, b_at_ms))
        self.assertEqual(following("waking", "B", since_ms=NOW - 4749), "waking")
        self.assertEqual(following("waking", "B", since_ms=NOW - 4750), "offered")
        self.assertEqual(following("waking", "B", 5999), "waiting")
        self.assertEqual(following("waking", "B", reaction="no_start"), "waiting")
        self.assertEqual(following("waking", "A"), "idle")

    def test_what_forbids_a_start_does_not_stop_a_charge(self):
        self.assertEqual(following("charging", reaction="no_start"), "charging")
        self.assertEqual(following("charging", "B", reaction="no_start"), "offered")
        self.assertEqual(following("charging", "B", 5999, reaction="no_start"), "waiting")

    def test_withdraw(self):
        for letter in "BC":
            self.assertEqual(following("offered", letter, 5999), "waiting")
            self.assertEqual(following("offered", letter, reaction="stop"), "waiting")
            self.assertEqual(following("offered", letter, reaction="no_start"), "waiting")
        self.assertEqual(following("charging", limit_ma=5999), "stopping")
        self.assertEqual(following("charging", limit_ma=6000), "charging")
        self.assertEqual(following("charging", reaction="stop"), "stopping")

    def test_car_leaves_c(self):
        for letter in "BDEF":
            self.assertEqual(following("charging", letter), "offered")
            self.assertEqual(following("charging", letter, 0), "waiting")
            self.assertEqual(following("charging", letter, reaction="stop"), "waiting")

    def test_stopping_ends_open(self):
        since = NOW - 1000
        self.assertEqual(following("stopping", since_ms=since), "stopping")
        self.assertEqual(following("stopping", "B", since_ms=since), "waiting")
        self.assertEqual(following("stopping", since_ms=since, quiet=NOW), "waiting")
        self.assertEqual(following("stopping", since_ms=since, quiet=NOW + 1), "stopping")
        self.assertEqual(following("stopping", since_ms=NOW - 6010), "waiting")
        self.assertEqual(following("stopping", since_ms=NOW - 6009), "stopping")


class Entered(unittest.TestCase):
    def test_first(self):
        self.assertEqual(charging.first_stage(10), Stage("idle", 10, 3010, 10, 0, 0, "", 86_400_010))

    def test_holds(self):
        for before, to, may_offer_ms in (
            ("stopping", "waiting", NOW + 5000),
            ("charging", "waiting", NOW + 3000),
            ("offered", "waiting", NOW + 3000),
            ("offered", "idle", NOW + 3000),
            ("charging", "stopping", NOW + 3000),
            ("charging", "faulted", NOW + 30_000),
            ("idle", "faulted", NOW + 30_000),
            ("faulted", "idle", 0),
            ("testing", "waiting", 0),
            ("waiting", "offered", 0),
            ("charging", "offered", 0),
        ):
            self.assertEqual(charging.entered(situation(before), to).may_offer_at_ms, may_offer_ms, (before, to))

    def test_a_longer_hold_stays(self):
        late = NOW + 999_999
        for before, to in (("stopping", "waiting"), ("charging", "faulted"), ("offered", "waiting")):
            self.assertEqual(charging.entered(situation(before, offer=late), to).may_offer_at_ms, late)

    def test_opening_holds_the_next_closing_for_5_s(self):
        for before, to, may_close_ms in (
            ("charging", "offered", NOW + 5000),
            ("stopping", "waiting", NOW + 5000),
            ("charging", "stopping", 7),
            ("offered", "charging", 7),
        ):
            self.assertEqual(charging.entered(situation(before, close=7), to).may_close_at_ms, may_close_ms)

    def test_state_f_only_when_the_coil_was_on(self):
        self.assertEqual(charging.entered(situation("charging"), "faulted").low_until_ms, NOW + 500)
        self.assertEqual(charging.entered(situation("stopping"), "faulted").low_until_ms, NOW + 500)
        self.assertEqual(charging.entered(situation("offered"), "faulted").low_until_ms, 0)
        self.assertEqual(charging.entered(situation("charging", low=5), "offered").low_until_ms, 0)

    def test_self_test_belongs_to_one_plug_in(self):
        self.assertEqual(charging.entered(situation("charging"), "idle")[6:], ("", NOW + 86_400_000))
        self.assertEqual(charging.entered(situation("idle"), "testing")[6:], ("before", NOW + 2000))
        self.assertEqual(charging.entered(situation("testing", until=9), "waiting")[6:], ("passed", 9))

    def test_new_stage_begins_now_and_not_quiet(self):
        now = charging.entered(situation("charging", quiet=5), "stopping")
        self.assertEqual((now.state, now.since_ms, now.quiet_at_ms), ("stopping", NOW, 0))


class Timers(unittest.TestCase):
    def test_self_test_steps(self):
        asked = stage("testing", test="trip", until=NOW + 1)
        self.assertIs(self_test.tested(asked, NOW, False), asked)
        self.assertEqual(self_test.tested(asked, NOW, True)[6:], ("clear", NOW + 2000))
        self.assertEqual(self_test.tested(asked, NOW + 1, False)[6:], ("failed", NOW + 1))
        self.assertEqual(self_test.tested(asked, NOW + 1, True).test, "clear")
        clearing = stage("testing", test="clear", until=NOW + 1)
        self.assertIs(self_test.tested(clearing, NOW, True), clearing)
        self.assertEqual(self_test.tested(clearing, NOW, False)[6:], ("passed", NOW + 86_400_000))
        self.assertEqual(self_test.tested(clearing, NOW + 1, True).test, "failed")
        done = stage("testing", test="passed", until=0)
        self.assertIs(self_test.tested(done, NOW, True), done)

    def test_quiet_for_200_ms(self):
        noisy = situation("stopping", most_ma=1000)
        self.assertIs(charging.quietened(noisy), noisy.stage)
        self.assertEqual(charging.quietened(situation("stopping", most_ma=999)).quiet_at_ms, NOW + 200)
        begun = situation("stopping", most_ma=0, quiet=NOW + 5)
        self.assertIs(charging.quietened(begun), begun.stage)
        self.assertEqual(charging.quietened(situation("stopping", most_ma=1000, quiet=NOW + 5)).quiet_at_ms, 0)

    def test_with_quiet_keeps_the_rest(self):
        now = charging.quietened(situation("stopping", most_ma=0, offer=3, close=4, low=5, until=6))
        self.assertEqual(now, Stage("stopping", 50_000, 3, 4, NOW + 200, 5, "passed", 6))
        asked = stage("testing", test="trip", until=NOW + 1, offer=3, close=4, quiet=5, low=6)
        self.assertEqual(self_test.tested(asked, NOW, True), Stage("testing", 50_000, 3, 4, 5, 6, "clear", NOW + 2000))

    def test_stepped(self):
        one = situation("offered", "B")
        self.assertIs(charging.stepped(one, reading(NOW, 9000)), one.stage)
        moved = charging.stepped(situation("offered"), reading(NOW, 6000))
        self.assertEqual(moved.state, "charging")
        trip = situation("testing", "B", test="trip", until=NOW + 9)
        self.assertEqual(charging.stepped(trip, reading(NOW, 9000, is_tripped=True)).test, "clear")
        quiet = situation("stopping", most_ma=0, since_ms=NOW - 10)
        self.assertEqual(charging.stepped(quiet, reading(NOW, 6000)).quiet_at_ms, NOW + 200)
