"""Waits of asyncio in simulated time, for a demo that runs faster than real time."""

import asyncio

_real_sleep_ms = asyncio.core.sleep_ms


def scale(speed):
    """Make every wait `speed` times shorter."""
    if speed == 1:
        return

    def sleep_ms(ms, *rest):
        return _real_sleep_ms(ms // speed if ms > 0 else ms, *rest)

    def sleep(seconds):
        return sleep_ms(int(seconds * 1000))

    asyncio.core.sleep_ms = asyncio.sleep_ms = sleep_ms
    asyncio.core.sleep = asyncio.sleep = sleep
