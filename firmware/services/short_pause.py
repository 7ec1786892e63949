"""A short pause of the box's own: the car lets go, what needs an open contactor is done, and charging goes on."""

import asyncio

from firmware.core.records import Command, Ref
from firmware.services.flash_gate import gate

MOST_MS = 20_000  # the pause ends by itself: whoever asked for it may have failed
WAIT_MS = 10_000  # a gentle stop takes 6.1 s at most (requirements §1), and the gate a second more
LOOK_S = 0.1
REF = Ref("box", "store", 0)


async def opened(app):
    """Whether files may be touched now, if need be after a gentle stop. app: the App."""
    begun_ms = app.now_ms()
    waiting = Command("limit", "store", 0, begun_ms, begun_ms + MOST_MS, REF, "", 0, None, "")
    while not gate.may_touch_files():
        if app.now_ms() - begun_ms >= WAIT_MS:
            return False
        if waiting is not None:
            waiting = app.submit(waiting)  # what gives way for it in a full inbox comes next
        await asyncio.sleep(LOOK_S)
    return True


def over(app):
    """Charging goes on where it was paused for this; else the pause ends by itself."""
    now_ms = app.now_ms()
    if any([row.source == "store" for row in app.loop.memory.claims.rows]):
        app.submit(Command("resume", "store", 0, now_ms, None, REF, "", 0, None, ""))
