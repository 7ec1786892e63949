"""The box's time: milliseconds since boot that never wrap, and the time of day once somebody told it."""

import time

from machine import RTC

STEADY_S = 2
EPOCH_2000_S = 946_684_800  # 1970 to 2000, from where the ESP32 port counts (docs.micropython.org, module time)


class Clock:
    """Unrolls ticks_ms, which wraps every 12.4 days on the chip (faults.md X6)."""

    def __init__(self):
        self._last = time.ticks_ms()
        self._now_ms = 0
        self._epoch_ms = None

    def now_ms(self):
        """Milliseconds since boot; must be asked at least once in six days, which the tick does."""
        ticks = time.ticks_ms()
        ahead_ms = time.ticks_diff(ticks, self._last)
        if ahead_ms > 0:
            self._last = ticks
            self._now_ms += ahead_ms
        return self._now_ms

    def wall_s(self):
        """UTC epoch seconds since 1970, or None while the clock is not set."""
        return None if self._epoch_ms is None else (self._epoch_ms + self.now_ms()) // 1000

    def boot_epoch_ms(self):
        """UTC epoch milliseconds of the boot, or None: any moment of now_ms plus this is a time of day."""
        return self._epoch_ms

    def set_wall_s(self, wall_s):
        """Set the time of day; under 2 s away nothing moves, so that an end time told once stays the same.

        The chip's own clock, by which TLS judges the dates of certificates, is set each time; after power-on it tells
        the year 2000.
        """
        known_s = self.wall_s()
        if known_s is None or abs(known_s - wall_s) >= STEADY_S:
            self._epoch_ms = wall_s * 1000 - self.now_ms()
        RTC().datetime(fields_of(wall_s))


def not_before(wall_s):
    """Set the chip's own clock to UTC epoch seconds, unless it is there or later: it goes on over a restart."""
    clock, fields = RTC(), fields_of(wall_s)
    known = clock.datetime()
    if known[:3] + known[4:7] < fields[:3] + fields[4:7]:
        clock.datetime(fields)


def fields_of(wall_s):
    """UTC epoch seconds as machine.RTC takes them: (year, month, day, weekday, hour, minute, second, microsecond)."""
    base_s = EPOCH_2000_S if time.gmtime(0)[0] == 2000 else 0
    year, month, day, hour, minute, second, weekday = time.gmtime(wall_s - base_s)[:7]
    return (year, month, day, weekday, hour, minute, second, 0)
