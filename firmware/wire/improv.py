"""Improv over a serial line, version 1 (improv-wifi.com/serial): frames in and out, bounded, total on any bytes."""

START = b"IMPROV\x01"
STATE, ERROR, COMMAND, RESULT = 1, 2, 3, 4  # kinds of frames
READY, PROVISIONING, PROVISIONED = 2, 3, 4  # states
NO_ERROR, BAD_PACKET, UNKNOWN_COMMAND, NOT_CONNECTED = 0, 1, 2, 3  # errors
SEND_WIFI, ASK_STATE, ASK_DEVICE, ASK_NETWORKS = 1, 2, 3, 4  # commands
CHUNK = 64
MOST_DATA = 255
KEYS = b"\r\n\x01\x03"
CTRL_C = b"\x03"


def framed(kind: int, data: bytes) -> bytes:
    """One frame, with the line feed that ends it on a console."""
    body = START + bytes((kind, len(data))) + data
    return body + bytes((sum(body) & 255, 10))


def result(command: int, texts: "tuple[str, ...]") -> bytes:
    """Frame with the answer to a command: a list of texts, cut where they would not fit."""
    data = b""
    for text in texts:
        part = text.encode()
        if len(data) + len(part) + 3 > MOST_DATA:
            break
        data += bytes((len(part),)) + part
    return framed(RESULT, bytes((command, len(data))) + data)


def command_of(data: bytes) -> "tuple[int, bytes] | None":
    """(command, its data) of a COMMAND frame, or None when its length is wrong."""
    if len(data) < 2 or data[1] != len(data) - 2:
        return None
    return data[0], data[2:]


def wifi_of(data: bytes) -> "tuple[str, str] | None":
    """(ssid, password) of SEND_WIFI, or None."""
    parts: list[str] = []
    while data:
        end = data[0] + 1
        if end > len(data):
            return None
        try:
            parts.append(bytes(data[1:end]).decode())
        except ValueError:
            return None
        data = data[end:]
    return (parts[0], parts[1]) if len(parts) == 2 else None


def _size(held: bytes) -> int:
    """Bytes of the frame that begins here as far as is known, 0 where none does."""
    if not START.startswith(held[: len(START)]):
        return 0
    return held[8] + 10 if len(held) > 8 else 10


class Parser:
    """feed() takes any bytes in any portions; it keeps less than one frame."""

    def __init__(self) -> None:
        self._held = b""

    def feed(self, chunk: "Octets") -> "list[tuple[int, bytes]]":
        """List of (kind, data) of the frames that these bytes end; everything else is dropped."""
        frames: list[tuple[int, bytes]] = []
        for start in range(0, len(chunk), CHUNK):
            held = self._held + bytes(chunk[start : start + CHUNK])
            size = _size(held)
            while size <= len(held):
                if size and sum(held[: size - 1]) & 255 == held[size - 1]:
                    frames.append((held[7], held[9 : size - 1]))
                    held = held[size:]
                else:
                    # A real frame may begin inside what looked like one.
                    at = held.find(b"I", 1)
                    held = held[at:] if at > 0 else b""
                size = _size(held)
            self._held = held
        return frames

    def is_stop(self, chunk: bytes) -> bool:
        """Whether a person or mpremote pressed Ctrl-C: between frames, alone or with the keys that go with it.

        Frames hold the same byte, so the line's own Ctrl-C is off meanwhile; to be asked before feed().
        """
        return not self._held and CTRL_C in chunk and not chunk.strip(KEYS)

    def quiet(self) -> "list[tuple[int, bytes]]":
        """The line went quiet: what began will not end; frames that were hidden in it."""
        held, self._held = self._held[1:], b""
        return self.feed(held)
