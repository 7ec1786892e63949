"""Keeps the time of day right: asks two NTP servers, soon after Wi-Fi was joined and then every six hours."""

import asyncio

from firmware.services import datagram
from firmware.services.wall_clock import RANK_NTP
from firmware.wire import ntp

SHORTEST_S, LONGEST_S = 5, 2400  # and up to half as much again at random: 5 s to 1 h
EVERY_S, EVERY_JITTER_S = 20_700, 1800  # about 6 h
LOOK_S = 1


class TimeSync:
    """Asks on behalf of a WallClock."""

    def __init__(self, clock, resolver, places, random_below, is_joined):
        """clock: WallClock; places: ((host, port), …) of the NTP servers, asked in turn; is_joined: function, whether
        Wi-Fi has an address.
        """
        self._clock = clock
        self._resolver = resolver
        self._places = places
        self._random_below = random_below
        self._is_joined = is_joined

    async def run(self):
        """Ask for ever: soon and then ever later while nobody answers, every 6 h once one did."""
        step = 0
        while True:
            if await self._is_asked():
                step = 0
                await asyncio.sleep(EVERY_S + self._random_below(EVERY_JITTER_S + 1))
                continue
            least_s = min(SHORTEST_S << step, LONGEST_S)
            step = min(step + 1, 9)
            if await self._has_joined(least_s + self._random_below(least_s // 2 + 1)):
                step = 0

    async def _has_joined(self, wait_s):
        """Wait so long, or until Wi-Fi is joined anew; whether it was."""
        was_joined = self._is_joined()
        for _ in range(0, wait_s, LOOK_S):
            await asyncio.sleep(LOOK_S)
            is_joined = self._is_joined()
            if is_joined and not was_joined:
                return True
            was_joined = is_joined
        return False

    async def _is_asked(self):
        """Whether one of the servers told a time that the clock took; a kiss of death is no time."""
        for host, port in self._places:
            cookie8 = bytes(self._random_below(256) for _ in range(8))
            try:
                there = datagram.place(await self._resolver.address_of(host), port)
            except OSError:
                continue
            tools = (self._clock.now_ms, self._random_below)
            wall_s = await datagram.exchanged(ntp.request(cookie8), there, _opener(cookie8), tools)
            if wall_s is not None and self._clock.offer(wall_s, RANK_NTP):
                return True
        return False


def _opener(cookie8):
    """The function that opens the answer to one question."""
    return lambda payload: ntp.opened(payload, cookie8)
