"""The trial of a new version: a car that comes at any moment neither ends it badly nor loses its own test."""

import asyncio
import sys
import unittest

from samples import Box

from firmware import stored_numbers, update_trial
from firmware.services import short_pause

STEP_MS = 100  # between the moments at which a car comes, over the whole of a trial
TRIED_S = 5  # in place of a minute
MOST_S = 420  # the starter takes the version away then


class Starter:
    """Of the starter the letter of the slot alone."""

    SLOTS = ("a", "b")

    @staticmethod
    def slot():
        return "b"


class Updates:
    is_passed = False

    def running(self):
        return None

    def trial_over(self):
        self.is_passed = True


class Asyncio:
    """In place of asyncio in the trial."""

    def __init__(self, sleep):
        self.sleep = sleep


class App:
    """A box without a page whose ticks come while the trial sleeps; cars: {ms of the trial: pilot voltage}."""

    def __init__(self, cars, ticks=1, high_mv=12_000):
        """ticks: so many before the trial begins, with that pilot voltage."""
        self.box = Box()
        self.box.high_mv = high_mv
        for _ in range(ticks):
            self.box.tick()
        self.loop = self.box
        self.config = {}
        self.begun_ms = self.box.memory.now_ms
        self.cars = dict(cars)
        self.tests = []  # (state, step) as they followed each other

    def passed_ms(self):
        return self.box.memory.now_ms - self.begun_ms

    async def sleep(self, seconds):
        """What the trial calls in place of asyncio's."""
        end_ms = self.passed_ms() + int(seconds * 1000)
        if end_ms > MOST_S * 1000:
            raise AssertionError("rolled back: %s" % self.tests[-5:])
        while self.passed_ms() < end_ms:
            for at_ms in [at_ms for at_ms in self.cars if at_ms <= self.passed_ms()]:
                self.box.high_mv = self.cars.pop(at_ms)
            self.box.tick()
            stage = self.box.memory.stage
            if not self.tests or self.tests[-1] != (stage.state, stage.test):
                self.tests.append((stage.state, stage.test))


class Trial(unittest.TestCase):
    def setUp(self):
        self.kept = update_trial.asyncio, stored_numbers.set_number, stored_numbers.number_of, short_pause.opened
        self.kept += (short_pause.over, sys.modules.get("starter"), update_trial.TRIED_S)
        update_trial.TRIED_S = TRIED_S

        async def opened(app):
            return True

        stored_numbers.set_number = lambda key, number: None
        stored_numbers.number_of = lambda key: 0
        short_pause.opened, short_pause.over = opened, lambda app: None
        sys.modules["starter"] = Starter

    def tearDown(self):
        update_trial.asyncio, stored_numbers.set_number, stored_numbers.number_of, short_pause.opened = self.kept[:4]
        short_pause.over, update_trial.TRIED_S = self.kept[4], self.kept[6]
        if self.kept[5] is None:
            del sys.modules["starter"]
        else:
            sys.modules["starter"] = self.kept[5]

    def tried(self, *args):
        """The App after its trial, which it passed. args: of App. Errors: AssertionError."""
        app, updates = App(*args), Updates()
        update_trial.asyncio = Asyncio(app.sleep)
        asyncio.run(update_trial.run(updates, app))
        self.assertTrue(updates.is_passed)
        self.assertEqual(app.box.faults(), [])
        return app

    def test_an_empty_plug(self):
        app = self.tried({})
        self.assertTrue(("idle", "passed") in app.tests)
        self.assertTrue(app.passed_ms() < 10_000)

    def test_a_car_that_comes_at_any_moment_and_stays(self):
        for at_ms in range(0, TRIED_S * 1000, STEP_MS):
            app = self.tried({at_ms: 9000})
            self.assertTrue(app.passed_ms() < 10_000, at_ms)
            steps = [test for state, test in app.tests if state == "testing"]
            self.assertEqual(steps, [test for test in ("before", "trip", "clear", "passed") if test in steps], at_ms)
            self.assertEqual(app.box.memory.stage.test, "passed")

    def test_a_car_that_is_there_before_the_trial_begins(self):
        before = []
        for ticks in range(1, 40):
            app = App({}, ticks, 9000)
            before.append(app.box.memory.stage.test)
            self.assertTrue(self.tried({}, ticks, 9000).passed_ms() < 10_000, ticks)
        self.assertTrue({"before", "trip", "clear", "passed"}.issubset(before), "in each step once")

    def test_a_car_that_comes_and_goes_at_any_moment(self):
        for at_ms in range(0, TRIED_S * 1000, STEP_MS):
            for for_ms in (300, 1500, 4900):
                app = self.tried({at_ms: 9000, at_ms + for_ms: 12_000})
                self.assertTrue(app.passed_ms() < 10_000, (at_ms, for_ms))

    def test_a_plug_that_rattles(self):
        cars = {at_ms: 9000 if at_ms % 1000 else 12_000 for at_ms in range(500, 20_000, 500)}
        self.assertTrue(self.tried(cars).passed_ms() < 30_000)

    def test_a_sensor_that_does_not_answer_is_no_pass(self):
        app = App({})
        app.box.has_sensor = False
        update_trial.asyncio = Asyncio(app.sleep)
        with self.assertRaises(AssertionError):
            asyncio.run(update_trial.run(Updates(), app))
        self.assertEqual(app.box.faults(), ["S15"])


if __name__ == "__main__":
    unittest.main()
