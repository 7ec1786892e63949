"""How fast the virtual chip's time runs, shared by `time` and the link."""

speed = 1
world = None


def ahead_us():
    """How far this tick's reads are ahead of the real clock."""
    return world.ahead_us if world is not None else 0
