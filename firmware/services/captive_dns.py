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

    async def run(self):
        """Answer until cancelled; without the port set-up still works by its address."""
        link = await self._open()
        try:
            while True:
                self._answer(link)
                await asyncio.sleep(POLL_S)
        finally:
            link.close()

    async def _open(self):
        """A bound socket; an access point that was just opened has its address a moment later."""
        told = ""
        while True:
            link = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            try:
                link.bind(socket.getaddrinfo(*self._place)[0][-1])
                link.setblocking(False)
                return link
            except OSError as error:
                link.close()
                if str(error) != told:
                    told = str(error)
                    self._tell("dns", told)
            await asyncio.sleep(RETRY_S)

    def _answer(self, link):
        """Answer what waits, a few at a time."""
        for _ in range(MOST_AT_ONCE):
            try:
                payload, sender = link.recvfrom(MOST_QUERY)
                made = dns.captive(payload, self.ADDRESS)
                if made is not None:
                    link.sendto(made, sender)
            except OSError:
                return  # nothing waits, or who asked is gone
