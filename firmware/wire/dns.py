"""DNS as bytes: one question for an address, the answer to it, and the one answer of a captive portal."""

LETTERS = b"abcdefghijklmnopqrstuvwxyz0123456789-_"
MOST_LABEL, MOST_NAME = 63, 253  # RFC 1035 §2.3.4, written with dots
MOST_CNAMES = 8
MOST_RECORDS = 32  # more do not fit into a datagram of 512 bytes with one name
MOST_STEPS = 144  # 127 labels, the root and 16 pointers: the longest name that is followed
HEADER = 12
A_IN, CNAME_IN = b"\x00\x01\x00\x01", b"\x00\x05\x00\x01"
PORTAL_TTL_S = 10  # a telephone must forget the portal soon after it leaves


def quad(text: str) -> bool:
    """Whether a text is an address a.b.c.d, without leading zeros, which some read as octal."""
    parts = text.encode().split(b".")
    if len(parts) != 4:
        return False
    for part in parts:
        if not part.isdigit() or len(part) > 3 or int(part) > 255 or (part[0] == 48 and len(part) > 1):
            return False
    return True


def wire_name(name: str) -> bytes:
    """A name as labels with their lengths, in lower case. Errors: ValueError."""
    made = b""
    for label in name.encode().lower().split(b"."):
        if not 0 < len(label) <= MOST_LABEL or not all(letter in LETTERS for letter in label):
            raise ValueError("not a host name: " + name)
        made += bytes((len(label),)) + label
    if len(made) > MOST_NAME + 1:
        raise ValueError("host name too long: " + name)
    return made + b"\x00"


def query(number: int, name: str) -> bytes:
    """The question for the address of a name; number: 0–65,535, random. Errors: ValueError."""
    head = bytes((number >> 8, number & 255)) + b"\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00"
    return head + wire_name(name) + A_IN


def answer(payload: bytes, number: int, name: str) -> "tuple[str, int] | str | None":
    """(address, ttl_s), "not_found", "bad" when the server fails or garbles, None when it answers another question.

    payload: any bytes. Errors: ValueError for a name that query() refuses.
    """
    wanted = wire_name(name)
    if len(payload) < HEADER or _u16(payload, 0) != number or payload[2] & 0xF8 != 0x80:
        return None
    code = payload[3] & 15
    if code and not _u16(payload, 4):
        return "bad"  # a server that refuses may leave the question out
    asked = _question(payload)
    if asked is None or asked[0] != wanted or asked[1] != A_IN:
        return None
    if code:
        return "not_found" if code == 3 else "bad"
    return _address(payload, asked[2], wanted)


def captive(payload: bytes, address: str) -> "bytes | None":
    """An answer that sends every name to `address`, empty for what is no A question; None for no question at all."""
    if len(payload) < HEADER or payload[2] & 0xF8:
        return None
    asked = _question(payload)
    if asked is None or asked[2] != HEADER + len(asked[0]) + 4:  # a question has nothing to point at
        return None
    is_address = asked[1] == A_IN
    flags = bytes((0x84 | payload[2] & 1, 0x80, 0, 1, 0, 1 if is_address else 0, 0, 0, 0, 0))
    made = payload[:2] + flags + payload[HEADER : asked[2]]
    if is_address:
        made += b"\xc0\x0c" + A_IN + bytes((0, 0, 0, PORTAL_TTL_S, 0, 4)) + bytes(int(n) for n in address.split("."))
    return made


def _u16(payload: bytes, at: int) -> int:
    return payload[at] << 8 | payload[at + 1]


def _question(payload: bytes) -> "tuple[bytes, bytes, int] | None":
    """(name, type and class, offset behind it) of the one question, or None."""
    if _u16(payload, 4) != 1:
        return None
    found = _name(payload, HEADER)
    if found is None or found[1] + 4 > len(payload):
        return None
    name, at = found
    return name, payload[at : at + 4], at + 4


def _name(payload: bytes, at: int) -> "tuple[bytes, int] | None":
    """(name as wire_name makes it, offset behind it), or None; a pointer leads only back, so there is an end."""
    name = b""
    behind = 0
    start = at
    for _ in range(MOST_STEPS):
        if at >= len(payload):
            return None
        size = payload[at]
        if not size:
            return (name + b"\x00").lower(), behind or at + 1
        if size <= MOST_LABEL:
            name += payload[at : at + size + 1]
            at += size + 1
        elif size < 0xC0 or at + 1 >= len(payload):
            return None
        else:
            behind = behind or at + 2
            at = _u16(payload, at) & 0x3FFF
            if at >= start:
                return None
            start = at
    return None


def _address(payload: bytes, at: int, wanted: bytes) -> "tuple[str, int] | str":
    """(address, ttl_s), "not_found" or "bad": the first A record at the end of the chain, in the order sent."""
    count = _u16(payload, 6)
    ttl_s = 0x7FFFFFFF
    cnames = 0
    for _ in range(min(count, MOST_RECORDS)):
        owner = _name(payload, at)
        if owner is None or owner[1] + 10 > len(payload):
            return "bad"
        at = owner[1] + 10
        end = at + _u16(payload, at - 2)
        if end > len(payload):
            return "bad"
        kind = payload[at - 10 : at - 6]
        if owner[0] == wanted and kind in (A_IN, CNAME_IN):
            # RFC 2181 §8: a lifetime with its top bit set is none.
            left_s = 0 if payload[at - 6] & 0x80 else _u16(payload, at - 6) << 16 | _u16(payload, at - 4)
            ttl_s = min(ttl_s, left_s)
            if kind == A_IN:
                return (".".join(str(n) for n in payload[at:end]), ttl_s) if end - at == 4 else "bad"
            target = _name(payload, at)
            cnames += 1
            if target is None or target[1] != end or cnames > MOST_CNAMES:
                return "bad"
            wanted = target[0]
        at = end
    return "bad" if count > MOST_RECORDS or payload[2] & 2 else "not_found"
