"""The virtual chip's time, shared by `time` and the link; and where its names are answered.

It follows the plant's clock (sim/shared_clock.py), which each answer of the link tells, and goes on by itself between
two of them. What this process waited for a core of the PC, once it shows as a gap, is no time: the kernel tells it.
"""

speed = 1
is_wall = False  # demo --wall-clock
world = None
raw_us = None  # function () of the interpreter's own microseconds, set by whoever stands in for `time`
raw_diff = None  # function (later, earlier) of them
rtc = None  # chip_rtc.Rtc, on MicroPython
dns_port = 0  # where the bench's name server listens; 0: there is none

PERIOD = 1 << 30
HALF = PERIOD // 2
TO_WRAP_MS = 30_000  # the first ticks_ms(), before its wrap
GAP_US = 2_000  # a shorter one is not asked about
FAR_US = 1 << 28  # from one answer of the link to the next

_schedule = None  # file of the kernel, or None
_queued_us = 0
_last_raw = 0
_taken_us = 0  # from the raw microseconds
_base_own = 0  # own microseconds at the last answer
_base_us = _base_ms = 0  # the plant's, then; ms from the first answer on
_first_ms = None
_told_us = _told_ms = 0  # last: no clock goes back


def begin(source_us, difference):
    """Count from now on. source_us: function () of microseconds; difference: function of two of them."""
    global raw_us, raw_diff, _schedule, _queued_us, _last_raw, _base_own
    raw_us, raw_diff = source_us, difference
    _last_raw = _base_own = raw_us()
    if is_wall:
        return
    try:
        _schedule = open("/proc/self/schedstat")  # noqa: SIM115 - as long as the chip runs
        _queued_us = _queued()
    except (OSError, ValueError, IndexError):
        _schedule = None


def _queued():
    """Microseconds that this process was ready and had no core."""
    _schedule.seek(0)
    return int(_schedule.read().split()[1]) // 1000


def _own_us():
    """Microseconds in which this process ran or waited for something, modulo PERIOD."""
    global _last_raw, _taken_us, _queued_us
    raw = raw_us()
    gap = raw_diff(raw, _last_raw)
    _last_raw = raw
    if gap > GAP_US and _schedule is not None:
        queued_us = _queued()
        _taken_us += min(queued_us - _queued_us, gap)
        _queued_us = queued_us
    return (raw - _taken_us) % PERIOD


def synced(plant_us, plant_ms):
    """The plant told its clock: microseconds and milliseconds, each modulo PERIOD."""
    global _base_own, _base_us, _base_ms, _first_ms, _told_us, _told_ms
    _base_own = _own_us()
    _base_us = plant_us
    if _first_ms is None:
        _first_ms = (plant_ms + TO_WRAP_MS) % PERIOD
        _told_us, _told_ms = plant_us, PERIOD - TO_WRAP_MS
    _base_ms = (plant_ms - _first_ms) % PERIOD


def _since_us():
    """The chip's microseconds since the last answer."""
    global _base_own, _base_us, _base_ms
    since_us = (_own_us() - _base_own) % PERIOD * speed
    if since_us > FAR_US:  # nobody asks the plant: before the difference wraps
        whole_ms = since_us // 1000
        _base_own = (_base_own + whole_ms * 1000 // speed) % PERIOD
        _base_us = (_base_us + whole_ms * 1000) % PERIOD
        _base_ms = (_base_ms + whole_ms) % PERIOD
        since_us -= whole_ms * 1000
    return since_us


def ticks_us():
    """The plant's microseconds; this tick's reads that were fetched ahead count as the time they cost."""
    global _told_us
    now_us = (_base_us + _since_us()) % PERIOD
    if (now_us - _told_us) % PERIOD < HALF:
        _told_us = now_us
    return (_told_us + world.ahead_us) % PERIOD if world is not None else _told_us


def ticks_ms():
    """Milliseconds of the simulated world, which wrap 30 s after the start."""
    global _told_ms
    now_ms = (_base_ms + _since_us() // 1000) % PERIOD
    if (now_ms - _told_ms) % PERIOD < HALF:
        _told_ms = now_ms
    return _told_ms
