"""The set-up access point's DNS server: every name leads to the box, so that a phone opens its page by itself."""

import asyncio
import socket

from firmware.wire import dns

POLL_S = 0.1
RETRY_S = 1
MOST_QUERY = 300
MOST_AT_ONCE = 8


class CaptiveDns:
    """One UDP socket that never blocks the tick."""

    ADDRESS = "192.168.4.1"

    def __init__(self, place, tell):
        """place: (host, port) to listen on; tell: function (name, words)."""
        self._place = place
        self._tell = tell
        self._socket = None

    async def run(self):
        """Answer until cancelled; without the port set-up still works by its address."""
        await self._open()
        try:
            while True:
                self._answer()
                await asyncio.sleep(POLL_S)
        finally:
            self._socket.close()

    async def _open(self):
        """Bind; an access point that was just opened has its address a moment later."""
        told = ""
        while True:
            self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            try:
                self._socket.bind(socket.getaddrinfo(*self._place)[0][-1])
                self._socket.setblocking(False)
                return
            except OSError as error:
                self._socket.close()
                if str(error) != told:
                    told = str(error)
                    self._tell("dns", told)
            await asyncio.sleep(RETRY_S)

    def _answer(self):
        """Answer what waits, a few at a time."""
        for _ in range(MOST_AT_ONCE):
            try:
                payload, sender = self._socket.recvfrom(MOST_QUERY)
                made = dns.captive(payload, self.ADDRESS)
                if made is not None:
                    self._socket.sendto(made, sender)
            except OSError:
                return  # nothing waits, or who asked is gone
