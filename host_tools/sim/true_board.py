"""The true seam: the firmware's own drivers over fake pins on a plant, in simulated time, on CPython."""

import sys
import time

from host_tools.sim import fake_machine
from host_tools.sim.pin_world import PinWorld

TICKS_PERIOD = 1 << 30  # as on the chip
START_TICKS = TICKS_PERIOD - 30_000  # every run starts 30 s before the wrap (architecture, time)


class SimulatedTicks:
    """ticks_ms and ticks_us of the plant's time, added to CPython's time module, which has none."""

    def __init__(self, world):
        self.world = world

    def ticks_us(self):
        """Microseconds, wrapping."""
        return (self.world.plant.now_us + self.world.extra_us) % TICKS_PERIOD

    def ticks_ms(self):
        """Milliseconds, wrapping 30 s after the start."""
        return ((self.world.plant.now_us + self.world.extra_us) // 1000 + START_TICKS) % TICKS_PERIOD


def ticks_diff(later, earlier):
    """Signed difference on the ring of ticks."""
    half = TICKS_PERIOD // 2
    return (later - earlier + half) % TICKS_PERIOD - half


def install(world):
    """Put the world behind `machine` and its time behind time.ticks_*; the newest call wins."""
    fake_machine.world = world
    sys.modules["machine"] = fake_machine
    ticks = SimulatedTicks(world)
    time.ticks_us, time.ticks_ms, time.ticks_diff = ticks.ticks_us, ticks.ticks_ms, ticks_diff
    time.ticks_add = ticks_add


def ticks_add(ticks, more):
    """A later moment on the ring of ticks."""
    return (ticks + more) % TICKS_PERIOD


class TrueBoard:
    """A Board on a plant; the plant's time moves by what its reads cost."""

    def __init__(self, plant, facts):
        self.world = PinWorld(plant, facts)
        self.facts = facts
        install(self.world)
        from firmware.drivers.board import Board

        self.board = Board(facts)
        self.now_ms = self.board.now_ms
        self.bridge = self.board.bridge
        self.wall_s = self.board.wall_s
        self.set_wall_s = self.board.set_wall_s

    def sense(self):
        """One tick's readings; the plant has moved on by the time they took."""
        readings = self.board.sense()
        self.world.settle()
        return readings

    def act(self, outputs):
        """Drive the pins now."""
        self.board.act(outputs)
