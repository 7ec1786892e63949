"""CPython in the chip's place: ticks in `time`, fake pins in `machine`, an event loop that runs at the chip's speed."""

import asyncio
import selectors
import socket
import sys
import time
import traceback
import types

PERIOD = 1 << 30


class ScaledSelector(selectors.DefaultSelector):
    """Waits of simulated seconds."""

    speed = 1

    def select(self, timeout=None):
        """Wait `timeout` simulated seconds."""
        return super().select(None if timeout is None or timeout <= 0 else timeout / self.speed)


class ScaledPolicy(asyncio.DefaultEventLoopPolicy):
    """Event loops whose clock is the simulated one."""

    def new_event_loop(self):
        """A loop whose time() runs `speed` times as fast."""
        speed = ScaledSelector.speed
        loop = asyncio.SelectorEventLoop(ScaledSelector())
        loop.time = lambda: time.monotonic() * speed
        return loop


def install(chip_clock):
    """Make CPython look like the chip."""
    import fake_machine

    sys.modules["machine"] = fake_machine
    sys.modules["micropython"] = types.SimpleNamespace(kbd_intr=lambda byte: None)  # Ctrl-C is the PC's
    sys.print_exception = lambda error, file: traceback.print_exception(error, file=file)
    genuine = socket.getaddrinfo
    socket.getaddrinfo = lambda host, port, *rest, **more: genuine(
        host, chip_clock.dns_port if port == 53 and chip_clock.dns_port else port, *rest, **more
    )
    speed = chip_clock.speed
    time.ticks_ms, time.ticks_us = chip_clock.ticks_ms, chip_clock.ticks_us
    time.ticks_diff = lambda later, earlier: (later - earlier + PERIOD // 2) % PERIOD - PERIOD // 2
    time.ticks_add = lambda ticks, more: (ticks + more) % PERIOD
    chip_clock.begin(lambda: int(time.monotonic() * 1_000_000) % PERIOD, time.ticks_diff)
    ScaledSelector.speed = speed
    if speed != 1:
        asyncio.set_event_loop_policy(ScaledPolicy())
