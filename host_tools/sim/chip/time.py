"""`time` of the virtual chip: ticks that start 30 s before their wrap and may run faster than real time; dates of 2000.

The chip counts its seconds from 2000-01-01 (ports/esp32/machine_rtc.c), and so do gmtime and mktime.
"""

import chip_clock
import utime
from utime import *  # noqa: F403 - everything else is the interpreter's own

ticks_ms, ticks_us = chip_clock.ticks_ms, chip_clock.ticks_us
chip_clock.begin(utime.ticks_us, utime.ticks_diff)
UNTIL_2000_S = 946_684_800
MOST_S = (1 << 31) - 1  # 1.24 and 1.25 take a signed machine word (extmod/modtime.c, time_localtime): until 2068-01-19


def time():
    """Seconds since 2000, of the chip's clock."""
    return int(chip_clock.rtc.now_s()) - UNTIL_2000_S


def gmtime(seconds=None):
    """(year, month, day, hour, minute, second, weekday, day of the year) of seconds since 2000.

    Errors: OverflowError.
    """
    if seconds is not None and not -MOST_S <= int(seconds) <= MOST_S:
        raise OverflowError("overflow converting long int to machine word")
    from fake_machine import DAY_S, date_of, day_of  # which needs this module

    day, second = divmod((time() if seconds is None else int(seconds)) + UNTIL_2000_S, DAY_S)
    year, month, month_day = date_of(day)
    clock_time = (second // 3600, second // 60 % 60, second % 60)
    return (year, month, month_day) + clock_time + ((day + 3) % 7, day - day_of(year, 1, 1) + 1)


localtime = gmtime  # the chip knows no place


def mktime(fields):
    """Seconds since 2000 of such a tuple."""
    from fake_machine import DAY_S, day_of

    year, month, day, hour, minute, second = fields[:6]
    return day_of(year, month, day) * DAY_S + hour * 3600 + minute * 60 + second - UNTIL_2000_S


def sleep_ms(ms):
    """Wait simulated milliseconds."""
    utime.sleep_ms(ms // chip_clock.speed)
