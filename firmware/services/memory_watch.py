"""Watches the chip's own memory, and says so once when it falls below the floor or has come back."""

import asyncio

from firmware.wire import memory_floor

EVERY_S = 5


class MemoryWatch:
    """run() for ever. It only tells: services give way by themselves (health.py), TLS asks the floor (tls_gate.py)."""

    def __init__(self, app, look):
        """app: the App; look: function that gives the memory, as drivers/idf_memory.told()."""
        self._app = app
        self._look = look
        self._told = 0

    def step(self):
        """One look."""
        memory = self._look()
        self._told, codes = memory_floor.stepped(self._told, memory)
        for code in codes:
            words = self._app.phrases.phrase("memory." + code)[0]
            self._app.tell("memory", "%s: %d B free, %d B in one block, %d B at the least" % ((words,) + memory))

    async def run(self):
        """A look every few seconds."""
        while True:
            self.step()
            await asyncio.sleep(EVERY_S)
