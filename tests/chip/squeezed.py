"""Runs on MicroPython with a small heap: squeezed.py hog | tick | slow KEPT_B USED_B; memory runs out (X4)."""

import asyncio
import gc
import sys

from samples import TICK_MS, Box, command, reading

from firmware.core import interlock
from firmware.services.control_loop import ControlLoop
from firmware.services.health import Health
from firmware.services.inbox import Inbox


class Facts:
    """What the loop asks of a board file."""

    tick_ms = TICK_MS


class Board:
    """A car that charges; notes what is asked of the contactor and allocates as little as a driver does."""

    facts = Facts

    def __init__(self, at_ms):
        self.at_ms = at_ms
        self.is_closed = True
        self.openings = 0

    def now_ms(self):
        return self.at_ms

    def sense(self):
        self.at_ms += TICK_MS
        return reading(
            self.at_ms,
            6000,
            low_mv=-12000,
            most_ma=15000 if self.is_closed else 0,
            live_poles=15 if self.is_closed else 0,
            is_feedback_closed=self.is_closed,
            is_relay_pin_high=self.is_closed,
        )

    def act(self, outputs):
        self.openings += self.is_closed and not outputs.is_contactor_closed
        self.is_closed = outputs.is_contactor_closed


def charging():
    """ControlLoop of a box in the middle of a charge, with an interlock that has seen car and test."""
    box = Box().charge()
    loop = ControlLoop(Board(box.memory.now_ms), box.settings, box.memory, Inbox())
    at_ms = box.memory.now_ms
    loop.guard = interlock.Guard("pwm", at_ms - 5000, True, at_ms, interlock.PASSED, None, True)
    for _ in range(20):
        loop.tick()
    assert loop.board.is_closed, loop.memory.faults
    return loop


async def hogged():
    """A service that takes memory until there is none; prints how the tick fared."""
    loop = charging()
    told = []
    health = Health(lambda name, words: told.append((name, words)), loop.board.now_ms)
    loop.starve = health.shed

    async def hog():
        held = None  # small pieces, so that memory runs out for everybody at once
        while True:
            for _ in range(24):
                held = (held, bytearray(48))
            await asyncio.sleep_ms(1)

    async def modest():
        while True:
            await asyncio.sleep_ms(50)

    health.add("mqtt", modest)
    health.add("web", hog)
    tick = asyncio.create_task(loop.run())
    for _ in range(100):
        await asyncio.sleep_ms(20)
    print("openings:", loop.board.openings, "told:", told, "tick lives:", not tick.done())


async def slowly_hogged(kept_b, used_b):
    """A service keeps so much more each tick, of a heap of which so much is used; prints how the contactor fared."""
    loop = charging()
    ballast = bytearray(used_b)
    told = []
    health = Health(lambda name, words: told.append(name), loop.board.now_ms)
    loop.starve = health.shed
    genuine, ticks = loop.tick, [0]

    def tick():
        ticks[0] += 1
        genuine()

    loop.tick = tick

    async def hog():
        held, seen = None, 0
        while True:
            if ticks[0] != seen:
                seen = ticks[0]
                for _ in range(kept_b // 64):
                    held = (held, bytearray(32))
            await asyncio.sleep_ms(0)

    health.add("web", hog)
    running = asyncio.create_task(loop.run())
    while not told and not loop.board.openings and not running.done():
        await asyncio.sleep_ms(20)
    print("openings:", loop.board.openings, "told:", told, "used:", len(ballast) == used_b)


def squeezed_ticks():
    """Ticks with so little memory that somewhere in them the next allocation fails; prints what came of it."""
    loop = charging()
    memory, guard = loop.memory, loop.guard
    failed = lost = 0
    for left in range(0, 6000, 24):
        loop.memory, loop.guard, loop.board.is_closed = memory, guard, True
        loop.board.at_ms = memory.now_ms
        pause = command(from_ms=0, until_ms=memory.now_ms + 60_000)
        loop.inbox.take()
        loop.inbox.put(pause)
        spare = bytearray(left)  # the room that the tick will find
        fill = None
        gc.collect()
        for size in (4096, 256, 16):
            try:
                while True:
                    fill = [fill, bytearray(size)]
            except MemoryError:
                pass
        del spare
        raised = None
        try:
            loop.tick()
        except MemoryError as error:
            raised = error
        while fill:  # link by link: an old pointer on the C stack would keep what hangs on its link, and fail a test
            link, fill = fill, fill[0]
            link[0] = None
        gc.collect()
        is_failed = raised is not None or loop.memory is memory or bool(loop.memory.faults.active)
        failed += is_failed
        if raised is not None or (is_failed and loop.board.is_closed):
            print("left", left, "raised", raised is not None, "closed", loop.board.is_closed)
            lost += 1
        if is_failed and not loop.inbox.take() and loop.memory is memory:
            print("left", left, "the pause is lost")
            lost += 1
    print("failed:", failed, "bad:", lost)


if sys.argv[1] == "tick":
    squeezed_ticks()
elif sys.argv[1] == "slow":
    asyncio.run(slowly_hogged(int(sys.argv[2]), int(sys.argv[3])))
else:
    asyncio.run(hogged())
