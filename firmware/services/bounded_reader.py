"""Reads one HTTP request and no more: short lines, few headers, a small body, and all of it in time."""

import asyncio

MOST_LINE = 1024
MOST_HEADERS = 32
MOST_BODY = 2048
DEADLINE_S = 5
# A body that nobody wanted is read and dropped: so much of it, so long, and while it comes fast enough.
DROPPED_B = 4 << 20  # more than the longest update
DROPPED_S = 60
FREE_MS, LEAST_B_A_MS = 3000, 2  # after so long at least 2 kB/s on average: who is silent or slower holds no place


class TooMuch(Exception):
    """The request is larger or slower than any the page makes."""


class BoundedReader:
    """What microdot reads from, with every bound it lacks."""

    def __init__(self, reader, now_ms):
        self._reader = reader
        self._now_ms = now_ms
        self._until_ms = now_ms() + DEADLINE_S * 1000
        self._lines = 0
        self.left_b = 0  # of the body that the head announced

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
        line = await asyncio.wait_for(self._line(), left_s)
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length" and value.strip().isdigit():
            self.left_b = int(value)
        return line

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
        octets = await asyncio.wait_for(self._reader.readexactly(count), left_s)
        self.left_b -= count
        return octets

    async def dropped(self):
        """Read what is left of the body and forget it, before the line is closed.

        Whoever sends all of it before he reads would see a reset in place of the answer else.
        """
        most_b = min(self.left_b, DROPPED_B)
        self.lengthen(DROPPED_S)
        until_ms = self._now_ms() + FREE_MS
        try:
            while most_b > 0:
                wait_s = min(self._left_s(), (until_ms - self._now_ms()) / 1000)
                count = len(await asyncio.wait_for(self._reader.read(min(most_b, MOST_BODY)), wait_s) or b"")
                until_ms += count // LEAST_B_A_MS
                self.left_b -= count
                most_b = count and most_b - count
                if self._now_ms() >= until_ms:
                    break
        except (TooMuch, OSError, asyncio.TimeoutError):
            pass  # he is gone, or too slow
