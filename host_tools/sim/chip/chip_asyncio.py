"""Waits of asyncio on the chip's clock: `speed` times shorter, and long ones not over before that clock says so.

asyncio's own part counts the interpreter's ticks, in which the PC may have stood still. A short wait that ends early is
asked again by whoever waits; a long one is the promise of a service.
"""

import asyncio

import chip_clock

LONG_MS = 5_000
_real_sleep_ms = asyncio.core.sleep_ms


def sleep_ms(ms, *_):
    """Wait so long by the chip's clock."""
    if ms >= LONG_MS and chip_clock.speed == 1:
        return _long_ms(ms)
    return _real_sleep_ms(ms // chip_clock.speed if ms > 0 else ms)


async def _long_ms(ms):
    begun_ms = chip_clock.ticks_ms()
    left_ms = ms
    while left_ms > 1:
        await _real_sleep_ms(left_ms)
        left_ms = ms - (chip_clock.ticks_ms() - begun_ms) % chip_clock.PERIOD


def sleep(seconds):
    """The same in seconds."""
    return sleep_ms(int(seconds * 1000))


def install():
    """From now on every wait is one of the chip's."""
    asyncio.core.sleep_ms = asyncio.sleep_ms = sleep_ms
    asyncio.core.sleep = asyncio.sleep = sleep
