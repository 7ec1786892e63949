"""The network between a demo's box and the world: wifi_down stills it, broker_down refuses, dns_dead knows no name."""

import asyncio
import contextlib
import socket
import struct

LOOK_S = 0.02
CHUNK = 1 << 16
TTL_S = 60
RESET = struct.pack("ii", 1, 0)  # close() with SO_LINGER of 0 s resets the connection, as a dead host's system would


class Way:
    """One TCP port of this side and where it leads; `fault` is the bench's fault that refuses connections, or ""."""

    def __init__(self, port, there, fault):
        self.port = port
        self.there = there
        self.fault = fault
        self.writers = set()


class Names(asyncio.DatagramProtocol):
    """A name server that says 127.0.0.1 of every name, or nothing at all."""

    def __init__(self, is_dead):
        self.is_dead = is_dead
        self.link = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.link.bind(("127.0.0.1", 0))
        self.port = self.link.getsockname()[1]
        self.heard = 0
        self.transport = None

    def connection_made(self, transport):
        """The socket is served."""
        self.transport = transport

    def datagram_received(self, data, addr):
        """One question."""
        self.heard += 1
        if not self.is_dead() and len(data) > 12:
            record = b"\xc0\x0c\x00\x01\x00\x01" + struct.pack(">IH", TTL_S, 4) + bytes((127, 0, 0, 1))
            head = data[:2] + b"\x81\x80\x00\x01\x00\x01\x00\x00\x00\x00"
            self.transport.sendto(head + data[12:] + record, addr)


class Air:
    """Carries bytes as long as the faults let it; what is under way when Wi-Fi goes arrives when it comes back."""

    def __init__(self, faults, ways):
        """faults: the plant's dict of faults, looked at all the time; ways: Way of each port."""
        self.faults = faults
        self.ways = ways
        self.names = Names(lambda: faults["dns_dead"] or faults["wifi_down"])

    async def run(self):
        """Serve for ever."""
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(lambda: self.names, sock=self.names.link)
        servers = [await asyncio.start_server(self._of(way), "127.0.0.1", way.port) for way in self.ways]
        try:
            while True:
                for way in self.ways:
                    if self._is_refused(way):
                        for writer in tuple(way.writers):
                            reset(writer)
                await asyncio.sleep(LOOK_S)
        finally:
            transport.close()
            for server in servers:
                server.close()

    def _is_refused(self, way):
        return way.fault != "" and self.faults[way.fault]

    def _of(self, way):
        """The function that serves one connection of a way."""

        async def serve(reader, writer):
            pair = ()
            way.writers.add(writer)
            try:
                await self._clear()
                if self._is_refused(way):
                    raise ConnectionRefusedError
                pair = await asyncio.open_connection(*way.there)
                way.writers.add(pair[1])
                await asyncio.gather(self._carried(reader, pair[1]), self._carried(pair[0], writer))
            except (OSError, asyncio.CancelledError):
                reset(writer)
            finally:
                for one in (writer, *pair[1:]):
                    way.writers.discard(one)
                    one.close()

        return serve

    async def _clear(self):
        """Wait until there is Wi-Fi."""
        while self.faults["wifi_down"]:
            await asyncio.sleep(LOOK_S)

    async def _carried(self, reader, writer):
        """Bytes of one direction until its end."""
        while chunk := await reader.read(CHUNK):
            await self._clear()
            writer.write(chunk)
            await writer.drain()
        await self._clear()
        if writer.can_write_eof():
            writer.write_eof()


def reset(writer):
    """End a connection at once, as the other side sees it when a host is gone."""
    with contextlib.suppress(OSError, AttributeError):
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    writer.transport.abort()
