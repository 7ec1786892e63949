"""One connection to the broker: a socket that never blocks the tick, plain or with a checked certificate."""

import asyncio

try:
    import ssl
except ImportError:  # the chip's build has only `tls`
    ssl = None

CONNECT_S = 10


def tls_context(ca_der):
    """Client context that checks the broker's certificate against one authority (DER bytes)."""
    if ssl is not None and hasattr(ssl, "create_default_context"):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(cadata=ca_der)
        return context
    import tls

    context = tls.SSLContext(tls.PROTOCOL_TLS_CLIENT)
    context.verify_mode = tls.CERT_REQUIRED  # pyright: ignore[reportAttributeAccessIssue]  the chip's stub lacks it
    context.load_verify_locations(ca_der)
    return context


async def opened(config, address_of):
    """(reader, writer) connected to config.host:config.port within 10 s. Errors: OSError, asyncio.TimeoutError.

    address_of: coroutine function that turns the host's name into a numeric address without blocking.
    """
    host = await address_of(config.host)
    if not config.ca_der:
        return await asyncio.wait_for(asyncio.open_connection(host, config.port), CONNECT_S)
    context = tls_context(config.ca_der)
    # The certificate is checked against the name the owner typed, not against the address behind it.
    work = asyncio.open_connection(host, config.port, ssl=context, server_hostname=config.host)
    return await asyncio.wait_for(work, CONNECT_S)
