"""Looks like MicroPython's `machine`: Pin, ADC and PWM whose volts come from a plant. Runs on both interpreters."""

import time

# The world behind the pins; set once by the harness before the firmware is imported. It offers
#   set_pin(number, level)  read_pin(number)  set_pwm(number, duty_u16)  read_uv(number)
world = None
cause = 1  # why the chip started; a harness with resets sets it
clock = None  # what RTC shows: now_s() and set_s(); a harness sets it, else one that begins at 2000 now

PWRON_RESET = 1
HARD_RESET = 2
WDT_RESET = 3
DEEPSLEEP_RESET = 4
SOFT_RESET = 5


class Pin:
    """A digital pin."""

    IN = 1
    OUT = 3
    PULL_UP = 2
    PULL_DOWN = 1

    def __init__(self, id, mode=-1, pull=-1, *, value=None):
        if not 0 <= id <= 48:
            raise ValueError("invalid pin")
        self.id = id
        if value is not None:
            self.value(value)

    def value(self, level=None):
        """Read the level that the pin has electrically, or drive it; an output can be read too, as on the chip."""
        if level is None:
            return world.read_pin(self.id)
        world.set_pin(self.id, 1 if level else 0)

    def on(self):
        """Drive high."""
        self.value(1)

    def off(self):
        """Drive low."""
        self.value(0)


class ADC:
    """An analog input of ADC1; ADC2 fails while Wi-Fi runs and is not offered."""

    ATTN_0DB = 0
    ATTN_2_5DB = 1
    ATTN_6DB = 2
    ATTN_11DB = 3

    def __init__(self, pin, *, atten=0):
        self._id = pin.id

    def read_uv(self):
        """One calibrated reading in microvolts; costs 35–60 us of the plant's time."""
        return world.read_uv(self._id)


class PWM:
    """A PWM output of the LEDC."""

    def __init__(self, pin, *, freq=1000, duty_u16=0):
        self._id = pin.id
        self._freq = freq
        self.duty_u16(duty_u16)

    def freq(self):
        """Frequency in hertz."""
        return self._freq

    def duty_u16(self, duty):
        """Duty of 65535; 65535 is constant high, 0 constant low."""
        world.set_pwm(self._id, duty)


class WDT:
    """The watchdog of a world that has one (set_watchdog, feed); nothing happens elsewhere."""

    def __init__(self, id=0, timeout=5000):
        if hasattr(world, "set_watchdog"):
            world.set_watchdog(timeout)

    def feed(self):
        """One more timeout; a tick lives, so timers run too."""
        if hasattr(world, "feed"):
            world.feed()
        run_timers()


def reset_cause():
    """Why the chip started."""
    return cause


def reset():
    """Start the chip anew; returns only in a world without resets."""
    if hasattr(world, "hard_reset"):
        world.hard_reset()


def soft_reset():
    """Start the interpreter anew."""
    if hasattr(world, "soft_reset"):
        world.soft_reset()


class Timer:
    """A timer whose callbacks run while the prompt waits, and whenever the watchdog is fed (run_timers)."""

    ONE_SHOT = 0
    PERIODIC = 1
    running = []

    def __init__(self, id=-1):
        self.id = id
        self.period_ms = 0
        self.due_ms = 0
        self.mode = Timer.PERIODIC
        self.callback = None

    def init(self, *, mode=PERIODIC, period=-1, callback=None):
        """Start it."""
        self.mode, self.period_ms, self.callback = mode, period, callback
        self.due_ms = time.ticks_add(time.ticks_ms(), period)
        Timer.running.append(self)

    def deinit(self):
        """Stop it."""
        Timer.running = [timer for timer in Timer.running if timer is not self]


UNTIL_2000_S = 946_684_800
DAY_S = 86_400


def date_of(day):
    """(year, month, day) of a count of days since 1970-01-01."""
    # Counted from March of the year 0, so that a leap day comes last (the civil calendar's rule of 400 years).
    era, day = divmod(day + 719_468, 146_097)
    year = (day - day // 1460 + day // 36_524 - day // 146_096) // 365
    day -= 365 * year + year // 4 - year // 100
    month = (5 * day + 2) // 153
    day -= (153 * month + 2) // 5 - 1
    month += 3 if month < 10 else -9
    return era * 400 + year + (month <= 2), month, day


def day_of(year, month, day):
    """Count of days since 1970-01-01 of a date."""
    year -= month <= 2
    era, year = divmod(year, 400)
    return era * 146_097 + year * 365 + year // 4 - year // 100 + (153 * ((month + 9) % 12) + 2) // 5 + day - 719_469


class OwnClock:
    """A clock that began at 2000-01-01 and counts by ticks; it must be asked once in six days."""

    def __init__(self):
        self._last = time.ticks_ms()
        self._now_ms = UNTIL_2000_S * 1000

    def now_s(self):
        """UTC seconds since 1970."""
        ticks = time.ticks_ms()
        self._now_ms += time.ticks_diff(ticks, self._last)
        self._last = ticks
        return self._now_ms / 1000

    def set_s(self, wall_s):
        """Set it."""
        self._last, self._now_ms = time.ticks_ms(), int(wall_s * 1000)


class RTC:
    """The chip's one clock; after power-on it is 2000-01-01, and it goes on over every other reset."""

    def __init__(self):
        global clock
        if clock is None:
            clock = OwnClock()

    def datetime(self, fields=None):
        """Tell or set (year, month, day, weekday from Monday 0, hour, minute, second, microsecond), UTC."""
        if fields is None:
            now_s = clock.now_s()
            whole_s = int(now_s // 1)
            day, second = divmod(whole_s, DAY_S)
            clock_time = (second // 3600, second // 60 % 60, second % 60, int((now_s - whole_s) * 1_000_000))
            return date_of(day) + ((day + 3) % 7,) + clock_time
        year, month, day, _, hour, minute, second, us = fields  # eight, or a ValueError as on the chip
        clock.set_s(day_of(year, month, day) * DAY_S + hour * 3600 + minute * 60 + second + us / 1_000_000)

    def init(self, fields):
        """Set it."""
        self.datetime(fields)


def run_timers():
    """Call what is due."""
    for timer in tuple(Timer.running):
        if time.ticks_diff(time.ticks_ms(), timer.due_ms) >= 0:
            timer.due_ms = time.ticks_add(timer.due_ms, timer.period_ms)
            if timer.mode == Timer.ONE_SHOT:
                timer.deinit()
            timer.callback(timer)


def unique_id():
    """Six bytes."""
    return b"\x02ebb\x00\x01"


def freq():
    """Hertz of the processor."""
    return 160_000_000
