"""A JSON object with version, number and checksum at its end: what is not whole is not taken."""

import binascii
import json

MARK = ', "crc": "'
END = '"}'


def crc_of(text: str) -> str:
    """Checksum of a text, eight hex digits."""
    crc: int = binascii.crc32(text.encode())  # pyright: ignore[reportUnknownMemberType]  the chip's stub lacks it
    return "%08x" % (crc & 0xFFFFFFFF)


def sealed(text: str, version: int, seq: int) -> bytes:
    """The file for the rows of a JSON object (without braces, at least one); seq: one more than any file before it."""
    text = '{%s, "version": %d, "seq": %d' % (text, version, seq)
    return (text + MARK + crc_of(text) + END).encode()


def unsealed(payload: bytes) -> "tuple[int, int, Fields] | None":
    """(version, seq, fields) of a file that sealed() made, or None."""
    try:
        text, _, end = str(payload, "utf-8").rpartition(MARK)
        # The checksum comes first: the chip's parser takes half a text for a whole one.
        if end != crc_of(text) + END:
            return None
        parsed: Json = json.loads(text + "}")
    except (ValueError, UnicodeError, RuntimeError):  # RuntimeError: too deep for the parser
        return None
    found = parsed if isinstance(parsed, dict) else {}  # on the chip "[1}" is a list
    version, seq = found.pop("version", 0), found.pop("seq", 0)
    if type(version) is not int or type(seq) is not int or version < 1 or seq < 1:
        return None
    return version, seq, found
