"""What a request may make the box read: bounded lines, headers and bodies, whatever its head says."""

import asyncio
import unittest

from firmware.services.bounded_reader import MOST_BODY, MOST_HEADERS, MOST_LINE, BoundedReader, TooMuch


class Stream:
    """A client that sends for ever."""

    def __init__(self):
        self.asked = []

    async def read(self, count):
        self.asked.append(count)
        return b"x" * count

    async def readexactly(self, count):
        self.asked.append(count)
        return b"x" * count


def refused(call, *args):
    """Whether TooMuch comes of it, and how often the stream was asked."""
    stream = Stream()
    try:
        asyncio.run(call(BoundedReader(stream, lambda: 0), *args))
    except TooMuch:
        return True, len(stream.asked)
    return False, len(stream.asked)


class Bounds(unittest.TestCase):
    def test_a_body_is_within_its_bounds(self):
        for count in (-1, -5, -(2**31), MOST_BODY + 1, 10**20):
            self.assertEqual(refused(BoundedReader.readexactly, count), (True, 0), count)
        for count in (0, 1, MOST_BODY):
            self.assertEqual(refused(BoundedReader.readexactly, count), (False, 1), count)

    def test_a_line_without_end(self):
        self.assertEqual(refused(BoundedReader.readline), (True, MOST_LINE))

    def test_headers_without_end(self):
        async def lines(reader):
            async def line():
                return b"x"

            reader._line = line
            for _ in range(MOST_HEADERS + 2):
                await reader.readline()
            await reader.readline()

        self.assertEqual(refused(lines), (True, 0))

    def test_a_request_without_end(self):
        now_ms = [0]
        reader = BoundedReader(Stream(), lambda: now_ms[0])
        now_ms[0] = 5000
        with self.assertRaises(TooMuch):
            asyncio.run(reader.readexactly(1))
