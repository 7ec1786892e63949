"""The end of a connection, the same on both interpreters."""

import asyncio

MOST_S = 5


async def closed(writer):
    """Close a connection: close() alone does nothing on the chip, where the socket, and with TLS 40 kB, would wait for
    the collector; an answer without a length ends here.
    """
    writer.close()
    try:
        await asyncio.wait_for(writer.wait_closed(), MOST_S)
    except (OSError, asyncio.TimeoutError):
        pass  # it is gone
