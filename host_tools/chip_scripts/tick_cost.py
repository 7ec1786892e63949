"""Runs on the interpreter: time and garbage of decide + interlock, at start and after 13 days of uptime."""

import gc
import sys

import utime as time  # not the virtual chip's, which leaves garbage of its own

from firmware.core import claims, decide, interlock, settings
from firmware.core.records import Readings

TICK_MS = 23
TICKS = 20000
WARM = 400
UPTIME_MS = 13 * 86_400_000  # past 2^30 ms a moment is no small integer on a 32-bit port


def reading(now_ms, outputs, high_mv, most_ma):
    """Readings of a healthy box; the low half is seen only under PWM, the self-test answers."""
    low_mv = -12000 if outputs.pilot_mode == "pwm" else None
    currents = (most_ma, most_ma, most_ma)
    volts = (230000, 230000, 230000)
    test = outputs.wants_residual_test
    return Readings(
        now_ms,
        high_mv,
        low_mv,
        currents,
        volts,
        most_ma * 690,
        50_000,
        250,
        None,
        15 if outputs.is_contactor_closed else 0,
        outputs.is_contactor_closed,
        test,
        True,
        True,
        False,
        outputs.is_contactor_closed,
        0,
        0,
    )


class Box:
    """Memory and interlock of one box that charges at 16 A."""

    def __init__(self, start_ms):
        self.chosen = settings.changed(settings.defaults(), {"wiring_limit_ma": 16000})
        self.memory = decide.first_memory(start_ms, (claims.standing("cable", 32000, None),), (0, 0))
        self.guard = interlock.first_guard(start_ms)
        for high_mv, ticks in ((12000, 150), (9000, 100), (6000, 60)):
            for _ in range(ticks):
                self.tick(reading(self.memory.now_ms + TICK_MS, self.memory.outputs, high_mv, 0))
        if not self.guard.may_close:
            raise SystemExit("tick_cost: the box did not charge")

    def tick(self, readings):
        """The pure part of one tick."""
        made = decide.decide(self.memory, readings, (), self.chosen)
        self.guard = interlock.permit(self.guard, readings, made.outputs, False)
        self.memory = made.memory


def times_us(box, count=TICKS):
    """Sorted durations in us of `count` ticks while charging; garbage is collected between, never inside."""
    found = [0] * count
    for index in range(-WARM, count):
        readings = reading(box.memory.now_ms + TICK_MS, box.memory.outputs, 6000, 15800)
        if index % 50 == 0:
            gc.collect()
        start_us = time.ticks_us()
        box.tick(readings)
        if index >= 0:
            found[index] = time.ticks_diff(time.ticks_us(), start_us)
    found.sort()
    return found


def garbage_bytes(box):
    """Most bytes that one of 200 ticks leaves behind."""
    most = 0
    for _ in range(200):
        readings = reading(box.memory.now_ms + TICK_MS, box.memory.outputs, 6000, 15800)
        gc.collect()
        gc.disable()
        before = gc.mem_alloc()
        box.tick(readings)
        most = max(most, gc.mem_alloc() - before)
        gc.enable()
    return most


def figures(name, start_ms):
    """Print the figures of a box that was switched on at start_ms."""
    box = Box(start_ms)
    found = times_us(box)
    print("tick_mean_%s: %d.%02d us" % (name, sum(found) // TICKS, sum(found) * 100 // TICKS % 100))
    print("tick_p99_9_%s: %d us" % (name, found[TICKS * 999 // 1000]))
    print("tick_max_%s: %d us" % (name, found[-1]))
    print("tick_garbage_%s: %d B" % (name, garbage_bytes(box)))


if __name__ == "__main__":
    print(
        "interpreter: %d.%d %d-bit"
        % (sys.implementation.version[0], sys.implementation.version[1], 32 if sys.maxsize < 1 << 31 else 64)
    )
    figures("at_start", 0)
    figures("after_13_days", UPTIME_MS)
