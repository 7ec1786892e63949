"""The control loop: an error in the tick opens the contactor, is told with its place, and three lock the box."""

import sys
import unittest

from samples import Box, reading

from firmware.core import interlock
from firmware.services.control_loop import ControlLoop
from firmware.services.inbox import Inbox


class BrokenBoard:
    """A board whose sensing fails; act() notes what is asked of it."""

    def __init__(self, now_ms):
        self.at_ms = now_ms
        self.acted = []
        self.has_broken_pins = False

    def now_ms(self):
        self.at_ms += 23
        return self.at_ms

    def sense(self):
        raise ValueError("no such pin")

    def act(self, outputs):
        self.acted.append(outputs)
        if self.has_broken_pins:
            raise OSError(5)


class StuckBoard(BrokenBoard):
    """A board whose relay pin stays high whatever is written."""

    high_mv = 6000

    def sense(self):
        low_mv = None if self.high_mv is None else -12000
        return reading(self.at_ms, self.high_mv, low_mv=low_mv, is_relay_pin_high=True)


class Vetoed(unittest.TestCase):
    """The interlock says no while decide() still wants the contactor closed."""

    def setUp(self):
        box = Box().charge()
        self.board = StuckBoard(box.memory.now_ms)
        self.loop = ControlLoop(self.board, box.settings, box.memory, Inbox())
        self.loop.guard = interlock.Guard("pwm", self.board.at_ms, True, self.board.at_ms, interlock.PASSED, None, True)

    def tick(self, high_mv):
        """What the pins are told in the next tick."""
        self.board.high_mv = high_mv
        self.board.now_ms()
        self.loop.tick()
        self.assertTrue(self.loop.memory.outputs.is_contactor_closed)
        return self.board.acted[-1].is_contactor_closed, self.board.acted[-1].wants_residual_test

    def test_a_stuck_pin_is_met_with_a_leakage_test_in_the_next_tick(self):
        self.assertEqual(self.tick(6000), (True, False))
        # One reading beyond the rails: the interlock forgets the car, decide() waits for its 50 ms of S8.
        self.assertEqual(self.tick(16_000), (False, False))
        self.assertEqual(self.tick(6000), (False, True))

    def test_a_no_stands_until_decide_opens_too(self):
        self.assertEqual(self.tick(6000), (True, False))
        self.assertEqual(self.tick(None), (False, False))
        self.assertEqual(self.tick(6000), (False, True))
        self.assertEqual(self.tick(6000), (False, True))
        self.assertFalse(self.loop.guard.may_close)


class Crash(unittest.TestCase):
    def setUp(self):
        box = Box().charge()
        self.board = BrokenBoard(box.memory.now_ms)
        self.loop = ControlLoop(self.board, box.settings, box.memory, Inbox())
        self.events = []
        self.loop.sink = self.events.extend

    def test_opens_and_tells_where(self):
        self.assertTrue(self.loop.memory.outputs.is_contactor_closed)
        self.loop.tick()
        self.assertFalse(self.board.acted[-1].is_contactor_closed)
        told = [event.args for event in self.events if event.code == "crash"]
        self.assertEqual(len(told), 1)
        self.assertEqual(told[0][0], "ValueError: no such pin")
        if hasattr(sys, "print_exception"):
            self.assertIn("test_control_loop", told[0][1])
            self.assertIn("sense", told[0][1])
        else:
            self.assertEqual(told[0][1], "")

    def test_three_lock(self):
        for _ in range(3):
            self.loop.tick()
        self.assertEqual(self.loop.memory.faults.reaction, "locked")

    def test_pins_that_fail_too_are_told_and_survived(self):
        self.board.has_broken_pins = True
        self.loop.tick()
        told = [event.args[0] for event in self.events if event.code == "crash"]
        self.assertEqual(len(told), 2)
        self.assertEqual(told[1][:7], "OSError")
