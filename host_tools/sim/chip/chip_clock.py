"""How fast the virtual chip's time runs, shared by `time` and the link."""

speed = 1
world = None
ticks_us = None  # function () of the interpreter's own microseconds, set by whoever stands in for `time`


def ahead_us():
    """How far the chip's microseconds are ahead of the interpreter's own: the plant's time, and this tick's reads."""
    return world.offset_us + world.ahead_us if world is not None else 0
