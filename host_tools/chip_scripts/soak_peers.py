"""Runs on the interpreter: a broker that comes and goes, and viewers of the page, over real sockets of this process."""

import asyncio
import json

BOX = "garage"
PIECE_B = 512


class Broker:
    """Enough of MQTT 3.1.1 for one box; counts what it took."""

    def __init__(self):
        self._writer = self._task = None
        self._number = 0
        self.sessions = self.taken = self.sent = 0

    async def serve(self, reader, writer):
        """One connection of the box."""
        self._writer, self._task = writer, asyncio.current_task()
        try:
            while True:
                first = (await reader.readexactly(1))[0]
                length = shift = 0
                while True:
                    byte = (await reader.readexactly(1))[0]
                    length |= (byte & 127) << shift
                    shift += 7
                    if byte < 128:
                        break
                self._answer(first, await reader.readexactly(length), writer)
                await writer.drain()
        except (EOFError, OSError):
            pass
        finally:
            if self._writer is writer:
                self._writer = self._task = None
            writer.close()
            await writer.wait_closed()

    def _answer(self, first, body, writer):
        """What the protocol wants."""
        kind = first >> 4
        if kind == 1:
            self.sessions += 1
            writer.write(b"\x20\x02\x00\x00")
        elif kind == 3:
            self.taken += 1
            if first & 6:
                at = 2 + int.from_bytes(body[:2], "big")
                writer.write(b"\x40\x02" + body[at : at + 2])
        elif kind == 8:
            writer.write(b"\x90" + bytes((2 + body.count(b"ebb/1/"),)) + body[:2] + b"\x01" * body.count(b"ebb/1/"))
        elif kind == 12:
            writer.write(b"\xd0\x00")

    async def publish(self, payload):
        """A command for the box, QoS 1; lost while there is no connection."""
        if self._writer is None:
            return
        self._number = self._number % 60_000 + 1
        topic = b"ebb/1/box/" + BOX.encode() + b"/cmd"
        body = len(topic).to_bytes(2, "big") + topic + self._number.to_bytes(2, "big") + payload
        length = bytes((len(body),)) if len(body) < 128 else bytes((len(body) & 127 | 128, len(body) >> 7))
        self._writer.write(b"\x32" + length + body)
        self.sent += 1
        await self._writer.drain()

    async def drop(self):
        """End the connection from this side.

        The task that serves it closes its socket itself, and once: this interpreter's sockets keep their number when
        they are closed, so a task that still read would take the bytes of the next connection, then close that too.
        """
        task = self._task
        if task is not None:
            task.cancel()
            try:
                await task
            except asyncio.CancelledError:
                pass


class Viewer:
    """A page that is opened and closed; counts answers by their code."""

    piece_b = PIECE_B

    def __init__(self, port, token):
        self._port = port
        self._head = "Host: 127.0.0.1\r\nAuthorization: Bearer %s\r\n" % token
        self.codes = {}

    async def asked(self, path, body=None, method="POST"):
        """One request; the number of bytes of its answer. body: dict to send, None for a GET."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        try:
            if body is None:
                writer.write(("GET %s HTTP/1.0\r\n%s\r\n" % (path, self._head)).encode())
            else:
                text = json.dumps(body)
                kind = "Content-Type: application/json\r\nContent-Length: %d\r\n" % len(text)
                writer.write(("%s %s HTTP/1.0\r\n%s%s\r\n%s" % (method, path, self._head, kind, text)).encode())
            await writer.drain()
            line = await reader.readline()
            code = line[9:12].decode()
            self.codes[code] = self.codes.get(code, 0) + 1
            count = len(line)
            while True:
                piece = await reader.read(self.piece_b)
                if not piece:
                    return count
                self.heard(len(piece), path)
                count += len(piece)
        finally:
            writer.close()
            await writer.wait_closed()

    def heard(self, count, path):
        """A piece of an answer to a request has come."""

    async def broken_off(self):
        """A request that ends in the middle."""
        _, writer = await asyncio.open_connection("127.0.0.1", self._port)
        writer.write(b"GET /api/status HTT")
        await writer.drain()
        writer.close()
        await writer.wait_closed()
