"""Writing to a browser: never for ever."""

import asyncio

MOST_S = 5


class AsyncWriter:
    """The writer that microdot expects, the same on both interpreters."""

    def __init__(self, writer):
        self._writer = writer

    def get_extra_info(self, name):
        """Who asks."""
        return self._writer.get_extra_info(name)

    async def awrite(self, body):
        """Write and wait until it is gone."""
        self._writer.write(body)
        await asyncio.wait_for(self._writer.drain(), MOST_S)

    async def aclose(self):
        """Closed by the server."""
