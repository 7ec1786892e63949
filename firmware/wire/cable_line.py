"""Requests over the serial line of a running box: one line '!', checksum, JSON object, Return; total on any bytes."""

from firmware.wire import sealed_text, strict_json

BEGIN, ASKING = 33, 63  # "!" begins a request, "?" alone asks how the box stands
ENDS = b"\r\n"
MOST_B = 512  # two texts of the settings at their longest, a code, and what JSON needs around them


def packed(text: str) -> bytes:
    """The line for the text of a JSON object."""
    return ("!%s %s\r" % (sealed_text.crc_of(text), text)).encode()


def opened(line: "Octets") -> "Fields | None":
    """The object in a line without its '!' and its end, None where a bit was lost on the way."""
    try:
        text = str(line, "ascii")
        if text[:9] != sealed_text.crc_of(text[9:]) + " ":
            return None
        return strict_json.opened(text[9:].encode())
    except (ValueError, UnicodeError, strict_json.BadJson):
        return None


class Lines:
    """feed() takes any bytes in any portions; it keeps less than one line."""

    def __init__(self) -> None:
        self._held: bytes | None = None

    def is_open(self) -> bool:
        """Whether a request has begun and not ended."""
        return self._held is not None

    def quiet(self) -> None:
        """The line went quiet: what began will not end."""
        self._held = None

    def feed(self, chunk: "Octets") -> "list[bytes]":
        """What these bytes ask for, in order: b"?", or a whole line for opened()."""
        made: list[bytes] = []
        for byte in chunk:
            if self._held is None:
                if byte == BEGIN:
                    self._held = b""
                elif byte == ASKING and b"?" not in made:
                    made.append(b"?")
            elif byte in ENDS:
                if self._held:
                    made.append(self._held)
                self._held = None
            elif byte < 32 or byte > 126 or len(self._held) >= MOST_B:
                self._held = None
            else:
                self._held += bytes((byte,))
        return made
