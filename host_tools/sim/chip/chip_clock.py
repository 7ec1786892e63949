"""How fast the virtual chip's time runs, shared by `time` and the link; and where its names are answered."""

speed = 1
world = None
ticks_us = None  # function () of the interpreter's own microseconds, set by whoever stands in for `time`
dns_port = 0  # where the bench's name server listens; 0: there is none


def ahead_us():
    """How far the chip's microseconds are ahead of the interpreter's own: the plant's time, and this tick's reads."""
    return world.offset_us + world.ahead_us if world is not None else 0
