"""`time` of the virtual chip: ticks that start 30 s before their wrap and may run faster than real time."""

import chip_clock
import utime
from utime import *  # noqa: F403 - everything else is the interpreter's own

_START = utime.ticks_ms()
_PERIOD = 1 << 30
chip_clock.ticks_us = utime.ticks_us


def ticks_ms():
    """Milliseconds of the simulated world, wrapping 30 s after the start."""
    return (utime.ticks_diff(utime.ticks_ms(), _START) * chip_clock.speed + _PERIOD - 30_000) % _PERIOD


def ticks_us():
    """Microseconds of the plant; reads that were fetched ahead count as the time they cost."""
    return (utime.ticks_us() + chip_clock.ahead_us()) % _PERIOD


def sleep_ms(ms):
    """Wait simulated milliseconds."""
    utime.sleep_ms(ms // chip_clock.speed)
