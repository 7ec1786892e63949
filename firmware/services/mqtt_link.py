"""One connection to the broker: a socket that never blocks the tick, plain or with a checked certificate."""

import asyncio

try:
    import ssl
except ImportError:  # the chip's build has only `tls`
    ssl = None

CONNECT_S = 10
LOCAL = "localhost"


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


def address_of(host):
    """Numeric address for a host; names are resolved elsewhere, never by a blocking call. Errors: OSError."""
    if host == LOCAL:
        return "127.0.0.1"
    parts = host.split(".")
    if len(parts) == 4 and all(part.isdigit() and int(part) < 256 for part in parts):
        return host
    raise OSError("the broker's name cannot be resolved: " + host)


async def opened(config):
    """(reader, writer) connected to config.host:config.port within 10 s. Errors: OSError, asyncio.TimeoutError."""
    host = address_of(config.host)
    if not config.ca_der:
        return await asyncio.wait_for(asyncio.open_connection(host, config.port), CONNECT_S)
    context = tls_context(config.ca_der)
    # The certificate is checked against the name the owner typed, not against the address behind it.
    work = asyncio.open_connection(host, config.port, ssl=context, server_hostname=config.host)
    return await asyncio.wait_for(work, CONNECT_S)
