"""An update that is announced over MQTT: where it lies, its version and its SHA-256; a hint, the signature decides."""

import binascii
import hashlib

from firmware.core.records import Refusal
from firmware.wire import strict_json, update_header

MOST_B = 512
MOST_HOST = 64
MOST_PORT = 65535
MOST_PART = 65535  # of a version: two bytes in the head of an update
HOST_MARKS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-."
HEX_MARKS = "0123456789abcdefABCDEF"
SCHEMES = (("http://", False, 80), ("https://", True, 443))


class Announcement:
    """One announcement that is well formed."""

    def __init__(self, version: "tuple[int, ...]", sha256: bytes) -> None:
        """version: (major, minor, patch); sha256: of the whole update, 32 bytes."""
        self.version = version
        self.sha256 = sha256
        self.is_tls = False
        self.place = ""
        self.host = ""
        self.port = 0
        self.path = "/"

    def id(self) -> str:
        """What its acknowledgements are called."""
        return "update-%d.%d.%d" % self.version

    def request(self) -> bytes:
        """Bytes of the one question that is put to its address."""
        head = "GET %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: ebb\r\n" % (self.path, self.place)
        return (head + "Accept-Encoding: identity\r\nConnection: close\r\n\r\n").encode()


class Check:
    """Whether the update that comes is the one that was announced."""

    def __init__(self, announced: "Announcement") -> None:
        self._announced = announced
        self._made = hashlib.sha256()
        self._has_head = False

    def code(self, octets: bytes, left_b: int) -> str:
        """Code of why it is another one, or "", for its next bytes; left_b: how many come after these.

        The first bytes are the whole head. The last bytes are not to be used before they have passed.
        """
        self._made.update(octets)  # pyright: ignore[reportUnknownMemberType]  the chip's stub lacks it
        if not self._has_head:
            self._has_head = True
            is_update = octets[: update_header.BOARD_AT] == update_header.MAGIC
            if is_update and update_header.Head(octets).version != self._announced.version:
                return "other_version"
        if left_b > 0:
            return ""
        digest = self._made.digest()  # pyright: ignore[reportUnknownMemberType]  the chip's stub lacks it
        return "" if digest == self._announced.sha256 else "other_digest"


def opened(payload: "Octets") -> "Announcement | Refusal":
    """Announcement in the bytes of a message, or a Refusal with the field at fault; total."""
    if len(payload) > MOST_B:
        return refusal("")
    try:
        fields = strict_json.opened(payload)
    except strict_json.BadJson as bad:
        return refusal(bad.field)
    version = numbers_of(fields.get("version"))
    sha256 = fields.get("sha256")
    if not version:
        return refusal("version")
    if type(sha256) is not str or len(sha256) != 64 or not has_only(sha256, HEX_MARKS):
        return refusal("sha256")
    made = Announcement(version, binascii.unhexlify(sha256))
    return made if is_found(made, fields.get("url")) else refusal("url")


def refusal(field: str) -> "Refusal":
    """The no to an announcement that is none."""
    return Refusal("bad_announcement", field, "", None)


def is_found(made: "Announcement", url: "Json") -> bool:
    """Take scheme, host, port and path of an address over; False when it is none that the box would ask."""
    if type(url) is not str:
        return False
    for scheme, is_tls, port in SCHEMES:
        if not url.startswith(scheme):
            continue
        rest = url[len(scheme) :]
        at = rest.find("/")
        made.is_tls = is_tls
        made.place, made.path = (rest, "/") if at < 0 else (rest[:at], rest[at:])
        made.host, mark, digits = made.place.partition(":")
        made.port = number_of(digits, MOST_PORT) if mark else port
        return is_host(made.host) and made.port > 0 and is_path(made.path)
    return False


def is_host(host: str) -> bool:
    """Whether it is a name to ask a name server for, or an address of four numbers."""
    if not 0 < len(host) <= MOST_HOST or not has_only(host, HOST_MARKS):
        return False
    parts = host.split(".")
    for part in parts:
        if part == "" or part[0] == "-":
            return False
    if not has_only(host, "0123456789."):
        return True
    # Anything else in digits would be taken for an address by some and asked for, blocking, by others.
    return len(parts) == 4 and min([number_of(part, 255) for part in parts]) >= 0


def is_path(path: str) -> bool:
    """Whether it goes into a request as it is: no blank, no line end, nothing that is not sent to a server."""
    for mark in path:
        if not "!" <= mark <= "~" or mark == "#":
            return False
    return True


def numbers_of(version: "Json") -> "tuple[int, ...]":
    """(0, 2, 0) of "0.2.0", () of what is no version."""
    parts = version.split(".") if type(version) is str else []
    numbers = tuple([number_of(part, MOST_PART) for part in parts])
    return numbers if len(numbers) == 3 and min(numbers) >= 0 else ()


def number_of(digits: str, most: int) -> int:
    """A whole number of one to five digits up to `most`, -1 where it is none."""
    if not 0 < len(digits) <= 5 or not has_only(digits, "0123456789"):
        return -1
    found = int(digits)
    return found if found <= most else -1


def has_only(text: str, marks: str) -> bool:
    """Whether each character of a text is one of `marks`."""
    for mark in text:
        if mark not in marks:
            return False
    return True
