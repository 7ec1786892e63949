"""Ports of the demo: what is free, what answers, and one clear line where that is not so."""

import socket


class CannotStart(Exception):
    """One clear line; exit 2."""


HELD = []  # bound and not listening: whoever is to have the port gets it, and nobody else while this process lives


def free_port(wanted, name):
    """The wanted loopback port, or a free one for 0, held for its user. Errors: CannotStart when it is taken."""
    probe = socket.socket()
    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        probe.bind(("127.0.0.1", wanted))
    except (OSError, OverflowError):
        probe.close()
        raise CannotStart(f"port {wanted} for {name} is in use or not allowed; choose another with --{name}.") from None
    HELD.append(probe)
    return probe.getsockname()[1]


def broker_address(text):
    """(host, port) of a given broker that answers. Errors: CannotStart."""
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit() or not 0 < int(port) < 65536:
        raise CannotStart(f"--broker wants HOST:PORT, not '{text}'.")
    try:
        socket.create_connection((host, int(port)), 5).close()
        return socket.gethostbyname(host), int(port)
    except OSError as error:
        raise CannotStart(f"no broker answers at {text} ({error.strerror or error}).") from None
