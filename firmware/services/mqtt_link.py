"""One connection to the broker: a socket that never blocks the tick, plain or with a checked certificate."""

import asyncio

from firmware.services.stream_end import closed

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


async def opened(config, address_of, gate):
    """(reader, writer) connected to config.host:config.port. Errors: OSError, asyncio.TimeoutError.

    address_of: coroutine function that turns the host's name into a numeric address without blocking; gate: TlsGate
    or None.
    """
    if config.ca_der and gate is not None:
        await gate.may_begin()
    host = await address_of(config.host)
    pair = await asyncio.wait_for(asyncio.open_connection(host, config.port), CONNECT_S)
    if not config.ca_der:
        return pair
    try:
        if gate is not None:
            gate.begins()
        return await asyncio.wait_for(encrypted(pair, config), CONNECT_S)
    except BaseException:
        await closed(pair[1])
        raise


async def encrypted(pair, config):
    """(reader, writer) over TLS. The certificate is checked against the name the owner typed, not its address."""
    context = tls_context(config.ca_der)
    reader, writer = pair
    if hasattr(writer, "start_tls"):
        await writer.start_tls(context, server_hostname=config.host)
        return reader, writer
    made = context.wrap_socket(writer.s, server_hostname=config.host, do_handshake_on_connect=False)
    stream = type(writer)(made, {})  # the chip has one class for both ways
    return stream, stream
