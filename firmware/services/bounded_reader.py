"""Reads one HTTP request and no more: short lines, few headers, a small body, and all of it in time."""

import asyncio

MOST_LINE = 1024
MOST_HEADERS = 32
MOST_BODY = 2048
DEADLINE_S = 5


class TooMuch(Exception):
    """The request is larger or slower than any the page makes."""


class BoundedReader:
    """What microdot reads from, with every bound it lacks."""

    def __init__(self, reader, now_ms):
        self._reader = reader
        self._now_ms = now_ms
        self._until_ms = now_ms() + DEADLINE_S * 1000
        self._lines = 0

    def _left_s(self):
        """Seconds left of the deadline. Errors: TooMuch."""
        left_ms = self._until_ms - self._now_ms()
        if left_ms <= 0:
            raise TooMuch("the request took too long")
        return left_ms / 1000

    async def readline(self):
        """One line with its line feed, read byte by byte from the stream's buffer. Errors: TooMuch."""
        self._lines += 1
        if self._lines > MOST_HEADERS + 2:
            raise TooMuch("too many headers")
        left_s = self._left_s()
        return await asyncio.wait_for(self._line(), left_s)

    async def _line(self):
        line = bytearray()
        while True:
            byte = await self._reader.read(1)
            if not byte:
                return bytes(line)
            line += byte
            if byte == b"\n":
                return bytes(line)
            if len(line) >= MOST_LINE:
                raise TooMuch("a line is too long")

    def lengthen(self, for_s):
        """Another deadline, for a body that is judged piece by piece as it comes."""
        self._until_ms = self._now_ms() + for_s * 1000

    async def readexactly(self, count):
        """A body of `count` bytes. Errors: TooMuch, EOFError.

        microdot passes on what Content-Length says, and a stream of the chip takes −1 for "all there ever is".
        """
        if not 0 <= count <= MOST_BODY:
            raise TooMuch("the body is too long")
        left_s = self._left_s()
        return await asyncio.wait_for(self._reader.readexactly(count), left_s)
