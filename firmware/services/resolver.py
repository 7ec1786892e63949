"""Names into addresses with the box's own questions: two servers, a small memory, and never a blocking call."""

from firmware.services import datagram
from firmware.wire import dns

PORT = 53
LOCAL = "localhost"
NO_SERVER = "0.0.0.0"  # what the chip's network says when DHCP named none
MOST_SERVERS, ROUNDS = 2, 2
SHORTEST_S, LONGEST_S = 60, 3600
STALE_MS = 86_400_000
MOST_KEPT = 8


class Resolver:
    """address_of(host) for the services; what was found is kept for its lifetime, and longer when nobody answers."""

    def __init__(self, servers, tools, suffixes=(), port=PORT):
        """servers: function that gives the addresses of today; tools: (now_ms, random_below); suffixes for bare names,
        tried in this order before the bare name itself.
        """
        self._servers = servers
        self._tools = tools
        self._suffixes = suffixes
        self._port = port
        self._kept = []  # (host, address, fresh until), oldest first

    async def address_of(self, host):
        """Numeric address of a host. Errors: OSError in words."""
        if host == LOCAL:
            return "127.0.0.1"
        if dns.quad(host):
            return host
        now_ms = self._tools[0]()
        kept = None
        for entry in self._kept:
            if entry[0] == host:
                kept = entry
        if kept and now_ms < kept[2]:
            return kept[1]
        found = await self._looked_up(host)
        if found == "not_found":
            raise OSError("no such name: " + host)
        if found is not None:
            self._keep(host, found)
            return found[0]
        if kept and now_ms < kept[2] + STALE_MS:
            return kept[1]
        raise OSError("no name server answers for " + host)

    def _keep(self, host, found):
        """Put a fresh entry in, and the oldest out when there are too many."""
        until_ms = self._tools[0]() + min(max(found[1], SHORTEST_S), LONGEST_S) * 1000
        kept = [entry for entry in self._kept if entry[0] != host]
        self._kept = kept[1 - MOST_KEPT :] + [(host, found[0], until_ms)]

    async def _looked_up(self, host):
        """(address, ttl_s) or "not_found" after every name it may mean, None once nobody answers. Errors: OSError."""
        if host.endswith("."):
            names = [host[:-1]]
        elif "." in host:
            names = [host]
        else:
            names = [host + "." + suffix for suffix in self._suffixes] + [host]
        for name in names:
            found = await self._asked(name)
            if found != "not_found":
                return found
        return "not_found"

    async def _asked(self, name):
        """(address, ttl_s), "not_found", or None when no server gives an answer of use. Errors: OSError."""
        for _ in range(ROUNDS):
            for server in self._servers()[:MOST_SERVERS]:
                if server == NO_SERVER or not dns.quad(server):
                    continue
                number = self._tools[1](65536)
                try:
                    asked = dns.query(number, name)
                except ValueError as error:
                    raise OSError(str(error))
                there = datagram.place(server, self._port)
                found = await datagram.exchanged(asked, there, _opener(number, name), self._tools)
                if found is not None and found != "bad":
                    return found
        return None


def _opener(number, name):
    """The function that opens the answer to one question."""
    return lambda payload: dns.answer(payload, number, name)
