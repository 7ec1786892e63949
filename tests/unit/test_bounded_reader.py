"""What a request may make the box read: bounded lines, headers and bodies, whatever its head says."""

import asyncio
import unittest

from firmware.services import bounded_reader
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


class Sender(Stream):
    """A client with a body of so many bytes, which come in small pieces; each read takes 1 ms."""

    def __init__(self, count):
        Stream.__init__(self)
        self.left = count
        self.now_ms = 0

    async def read(self, count):
        self.asked.append(count)
        self.now_ms += 1
        made = min(count, 100, self.left)
        self.left -= made
        return b"x" * made

    async def readexactly(self, count):
        self.left -= count
        return b"x" * count


class Silent(Sender):
    """One who says no more and stays."""

    async def read(self, count):
        await asyncio.sleep(60)


class Dropped(unittest.TestCase):
    def head(self, stream, length):
        """A reader that has seen a head with this Content-Length."""
        reader = BoundedReader(stream, lambda: stream.now_ms)
        lines = [b"POST / HTTP/1.1\r\n", b"Content-LENGTH:  %s \r\n" % length, b"Host: x:80\r\n", b"\r\n"]

        async def line():
            return lines.pop(0)

        async def read():
            while lines:
                await reader.readline()

        reader._line = line
        asyncio.run(read())
        return reader

    def test_what_is_left_of_a_body_is_read_in_pieces(self):
        stream = Sender(7000)
        reader = self.head(stream, b"7000")
        asyncio.run(reader.readexactly(2000))
        self.assertEqual((stream.left, reader.left_b), (5000, 5000))
        asyncio.run(reader.dropped())
        self.assertEqual(stream.left, 0)
        self.assertTrue(max(stream.asked) <= MOST_BODY)

    def test_no_more_is_read_than_was_announced(self):
        for length, left in ((b"0", 500), (b"300", 200), (b"-1", 500), (b"x", 500), (b"", 500)):
            stream = Sender(500)
            asyncio.run(self.head(stream, length).dropped())
            self.assertEqual(stream.left, left, length)

    def test_a_body_without_end(self):
        kept = bounded_reader.DROPPED_B
        bounded_reader.DROPPED_B = 20000
        try:
            stream = Sender(1 << 30)
            asyncio.run(self.head(stream, b"999999999999").dropped())
        finally:
            bounded_reader.DROPPED_B = kept
        self.assertEqual((1 << 30) - stream.left, 20000)

    def test_one_who_is_too_slow(self):
        kept = bounded_reader.DROPPED_S
        bounded_reader.DROPPED_S = 2
        try:
            stream = Sender(1 << 30)
            asyncio.run(self.head(stream, b"999999").dropped())
        finally:
            bounded_reader.DROPPED_S = kept
        self.assertEqual(len(stream.asked), 2000)

    def test_a_byte_now_and_then_is_too_slow(self):
        for count, ms, seen_ms in ((1, 900, 3600), (1700, 1000, 20_000), (2100, 1000, 60_000)):
            stream = Sender(1 << 30)

            async def read(most, stream=stream, count=count, ms=ms):
                stream.now_ms += ms
                return b"x" * count

            stream.read = read
            asyncio.run(self.head(stream, b"999999").dropped())
            self.assertEqual(stream.now_ms, seen_ms, count)

    def test_one_who_is_silent_and_one_who_is_gone(self):
        kept = bounded_reader.FREE_MS
        bounded_reader.FREE_MS = 10
        try:
            asyncio.run(asyncio.wait_for(self.head(Silent(9), b"700").dropped(), 20))
        finally:
            bounded_reader.FREE_MS = kept
        stream = Sender(9)
        asyncio.run(self.head(stream, b"700").dropped())
        self.assertEqual(len(stream.asked), 2)
