"""Keeps the time of day right: asks two NTP servers, and takes others' word only when those are silent for a day."""

import asyncio

from firmware.services import datagram
from firmware.wire import ntp

PORT = 123
SHORTEST_S, LONGEST_S = 5, 2400  # and up to half as much again at random: 5 s to 1 h
EVERY_S, EVERY_JITTER_S = 20_700, 1800  # about 6 h
SILENT_MS = 86_400_000
LAST_S = 0xFFFFFFFF
RANK_NTP, RANK_BROKER, RANK_BROWSER = 0, 1, 2


class TimeSync:
    """Tells the board the time of day; milliseconds since boot, by which limits end, are never touched."""

    def __init__(self, board, resolver, places, random_below):
        """board: has now_ms and set_wall_s; places: ((host, port), …) of the NTP servers, asked in turn."""
        self._board = board
        self._resolver = resolver
        self._places = places
        self._random_below = random_below
        self._told_ms = 0
        self.rank = None  # who told the time: RANK_…, None while nobody has

    def offer(self, wall_s, rank):
        """Take the time from a lesser source, unless a better one told it within a day; True when taken."""
        if not ntp.FIRST_S <= wall_s <= LAST_S:
            return False
        is_fresh = self.rank is not None and self._board.now_ms() - self._told_ms < SILENT_MS
        if is_fresh and self.rank < rank:
            return False
        self._take(wall_s, rank)
        return True

    def _take(self, wall_s, rank):
        self._told_ms = self._board.now_ms()
        self.rank = rank
        self._board.set_wall_s(wall_s)

    async def run(self):
        """Ask for ever: soon and then ever later while nobody answers, every 6 h once one did."""
        step = 0
        while True:
            wall_s = await self._asked()
            if wall_s is not None:
                self._take(wall_s, RANK_NTP)
                step = 0
                wait_s = EVERY_S + self._random_below(EVERY_JITTER_S + 1)
            else:
                least_s = min(SHORTEST_S << step, LONGEST_S)
                step = min(step + 1, 9)
                wait_s = least_s + self._random_below(least_s // 2 + 1)
            await asyncio.sleep(wait_s)

    async def _asked(self):
        """UTC seconds from the first server that tells a time, or None; a kiss of death is no time."""
        for host, port in self._places:
            cookie8 = bytes(self._random_below(256) for _ in range(8))
            try:
                there = datagram.place(await self._resolver.address_of(host), port)
            except OSError:
                continue
            tools = (self._board.now_ms, self._random_below)
            wall_s = await datagram.exchanged(ntp.request(cookie8), there, _opener(cookie8), tools)
            if wall_s is not None:
                return wall_s
        return None


def _opener(cookie8):
    """The function that opens the answer to one question."""
    return lambda payload: ntp.opened(payload, cookie8)
