"""The box's time: milliseconds since boot that never wrap, and the time of day once somebody told it."""

import time


class Clock:
    """Unrolls ticks_ms, which wraps every 12.4 days on the chip (faults.md X6)."""

    def __init__(self):
        self._last = time.ticks_ms()
        self._now_ms = 0
        self._wall_at_ms = None

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
        if self._wall_at_ms is None:
            return None
        return (self._wall_at_ms + self.now_ms()) // 1000

    def set_wall_s(self, wall_s):
        """Set the time of day; None: nobody knows it."""
        self._wall_at_ms = None if wall_s is None else wall_s * 1000 - self.now_ms()
