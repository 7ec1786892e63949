"""One question and its answer over UDP, polled so that the tick never waits for the network."""

import asyncio
import socket

ANSWER_MS = 2000
POLL_S = 0.02
MOST_BYTES = 512
FIRST_PORT, PORTS = 49152, 16384  # a random one, that a forger must guess too; lwIP counts up


def place(address, port):
    """What a socket takes for a numeric address; never a name, which would block."""
    return socket.getaddrinfo(address, port)[0][-1]


def is_same(source, there):
    """Whether a datagram came from where it was asked for; the 32-bit port on a PC gives bytes, the chip a tuple."""
    if isinstance(source, tuple):
        return source == there
    return bytes(source[:8]) == bytes(there[:8])


async def exchanged(payload, there, opened, tools):
    """What opened(bytes) makes of the first answer it does not call None; None when there is none in 2 s.

    there: place(); tools: (now_ms function, random_below function).
    """
    now_ms, random_below = tools
    link = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        link.setblocking(False)
        try:
            link.bind(place("0.0.0.0", FIRST_PORT + random_below(PORTS)))
        except OSError:
            pass  # taken: the system chooses one
        link.sendto(payload, there)
        end_ms = now_ms() + ANSWER_MS
        while now_ms() < end_ms:
            await asyncio.sleep(POLL_S)
            try:
                heard, source = link.recvfrom(MOST_BYTES)
            except OSError:
                continue  # nothing yet
            found = opened(heard) if is_same(source, there) else None
            if found is not None:
                return found
    except OSError:
        pass  # no network: the same as no answer
    finally:
        link.close()
    return None
