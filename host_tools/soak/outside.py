"""The world's clock for the soak: chapters of the calendar around its odd moments, and packets that tell the time."""

import bisect
import calendar

from firmware.wire import ntp
from host_tools.sim.true_board import START_TICKS, TICKS_PERIOD

HOUR_MS = 3_600_000
TOLD_WITHIN_S = 3  # the clock keeps an answer that differs by under 2 s; a packet is rounded (drivers/clock)


def utc_s(*moment):
    """Epoch seconds of (year, month, day, hour, minute, second)."""
    return calendar.timegm((*moment, 0, 0, 0))


# Each chapter of the calendar has one of these moments in its middle: (what, epoch seconds, seconds east of UTC after).
MOMENTS = (
    ("NTP era 1 begins", utc_s(2036, 2, 7, 6, 28, 16), 3600),
    ("leap day", utc_s(2036, 2, 29, 0, 0, 0), 3600),
    ("summer time begins", utc_s(2036, 3, 30, 1, 0, 0), 7200),
    ("summer time ends", utc_s(2036, 10, 26, 1, 0, 0), 3600),
    ("2^31 s", 1 << 31, 3600),
    ("new year", utc_s(2039, 1, 1, 0, 0, 0), 3600),
    ("no leap day", utc_s(2100, 3, 1, 0, 0, 0), 3600),
    ("unsigned NTP seconds of today", utc_s(2026, 11, 21, 0, 0, 0), 3600),
)


class Outside:
    """True time and place: world_s(at_ms) for plant milliseconds, and when something odd happens."""

    def __init__(self, hours):
        self.chapter_ms = int(hours * HOUR_MS) // len(MOMENTS)
        self.end_ms = self.chapter_ms * len(MOMENTS)
        middles = [self.chapter_ms * index + self.chapter_ms // 2 for index in range(len(MOMENTS))]
        first_wrap_ms = TICKS_PERIOD - START_TICKS
        self.wraps_ms = list(range(first_wrap_ms, self.end_ms, TICKS_PERIOD))
        self.odd_ms = sorted(middles + self.wraps_ms)

    def chapter(self, at_ms):
        """Number of the chapter."""
        return min(at_ms // self.chapter_ms, len(MOMENTS) - 1)

    def world_s(self, at_ms):
        """UTC epoch seconds outside the box."""
        index = self.chapter(at_ms)
        since_ms = at_ms - index * self.chapter_ms - self.chapter_ms // 2
        return MOMENTS[index][1] + since_ms // 1000

    def utc_offset_s(self, at_ms):
        """Seconds east of UTC where the box is."""
        index = self.chapter(at_ms)
        if self.world_s(at_ms) >= MOMENTS[index][1]:
            return MOMENTS[index][2]
        return {7200: 3600, 3600: 7200}[MOMENTS[index][2]] if "summer" in MOMENTS[index][0] else MOMENTS[index][2]

    def next_odd_ms(self, after_ms):
        """The next moment at which a car is to be there, or None."""
        at = bisect.bisect_right(self.odd_ms, after_ms)
        return self.odd_ms[at] if at < len(self.odd_ms) else None


def told_s(world_s, cookie8):
    """The seconds that the firmware's own parser reads from a server's answer at this moment, or None."""
    ntp_s = (world_s + ntp.EPOCH_S) % (1 << 32)
    stamp = bytes((ntp_s >> 24 & 255, ntp_s >> 16 & 255, ntp_s >> 8 & 255, ntp_s & 255)) + b"\x00" * 4
    return ntp.opened(bytes((0x24, 2)) + b"\x00" * 22 + cookie8 + stamp + stamp, cookie8)
