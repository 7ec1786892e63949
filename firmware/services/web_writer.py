"""Writing to a browser: never for ever."""

import asyncio

MOST_S = 5
FREE_MS, LEAST_B_A_MS = 20_000, 1  # of waiting in all, and 1 kB/s: who reads slower holds no place


class AsyncWriter:
    """The writer that microdot expects, the same on both interpreters."""

    def __init__(self, writer, now_ms):
        self._writer = writer
        self._now_ms = now_ms
        self._left_ms = FREE_MS

    def get_extra_info(self, name):
        """Who asks."""
        return self._writer.get_extra_info(name)

    async def awrite(self, body):
        """Write and wait until it is gone. Errors: asyncio.TimeoutError."""
        begun_ms = self._now_ms()
        self._writer.write(body)
        await asyncio.wait_for(self._writer.drain(), MOST_S)
        self._left_ms = min(FREE_MS, self._left_ms + len(body) // LEAST_B_A_MS) - (self._now_ms() - begun_ms)
        if self._left_ms < 0:
            raise asyncio.TimeoutError()

    async def aclose(self):
        """Closed by the server."""
