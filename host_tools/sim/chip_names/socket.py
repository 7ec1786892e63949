"""`socket` of the virtual chip: port 53 of this machine is its own, so names are asked of the bench's name server."""

import chip_clock
import usocket
from usocket import *  # noqa: F403 - everything else is the interpreter's own


def getaddrinfo(host, port, *rest):
    """As the interpreter's, with the bench's port in the place of 53."""
    return usocket.getaddrinfo(host, chip_clock.dns_port if port == 53 and chip_clock.dns_port else port, *rest)
