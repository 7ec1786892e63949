"""The head of an answer over HTTP/1.1: how long is what follows it, or why nothing that follows is taken."""

from firmware.core.records import Refusal

MOST_HEAD_B = 2048  # some 300 bytes are usual
MOST_FIELDS = 32
END = b"\r\n\r\n"
MOST_DIGITS = 9
# RFC 9110, 5.6.2: what a field's name is made of
NAME_MARKS = b"!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"


def length_of(head: bytes, most_b: int) -> "int | Refusal":
    """Bytes of the body behind `head`, which ends with its empty line, or a Refusal; total: any bytes give an answer.

    No way round: one status (200), one length of 1 to most_b bytes told in digits, no coding, no folded lines.
    """
    if len(head) > MOST_HEAD_B or head[-4:] != END or not is_plain(head[:-4]):
        return refusal("bad_answer", "")
    lines = head[:-4].split(b"\r\n")
    status = status_of(lines[0])
    if status < 0:
        return refusal("bad_answer", "")
    if 300 <= status < 400:
        return refusal("redirect", "")
    if status != 200:
        return refusal("not_there", "HTTP %d" % status)
    return told_by(lines[1:], most_b)


def told_by(lines: "list[bytes]", most_b: int) -> "int | Refusal":
    """The length that the fields of a good answer tell."""
    length_b = -1
    if len(lines) > MOST_FIELDS:
        return refusal("bad_answer", "")
    for line in lines:
        name, mark, value = line.partition(b":")
        name, value = name.lower(), value.strip(b" \t")
        if not mark or not is_name(name) or (name == b"content-encoding" and value.lower() != b"identity"):
            return refusal("bad_answer", "")
        if name == b"transfer-encoding":  # RFC 9112, 6.3: it would count before any length
            return refusal("no_length", "")
        if name == b"content-length":
            # Two of them are a well-known way to let two readers see two bodies (RFC 9112, 11.2).
            if length_b >= 0 or not value.isdigit():
                return refusal("bad_answer", "")
            length_b = int(value) if len(value) <= MOST_DIGITS else most_b + 1
    if length_b <= 0:
        return refusal("no_length", "")
    return length_b if length_b <= most_b else refusal("too_big", "")


def refusal(code: str, field: str) -> "Refusal":
    """A no whose words stand in words_en.txt under update.<code>."""
    return Refusal(code, field, "", None)


def status_of(line: bytes) -> int:
    """Status of a status line of HTTP/1.x, -1 where it is none."""
    is_line = line[:7] == b"HTTP/1." and line[7:8].isdigit() and line[8:9] == b" " and line[12:13] in (b"", b" ")
    return int(line[9:12]) if is_line and len(line) >= 12 and line[9:12].isdigit() else -1


def is_plain(octets: bytes) -> bool:
    """Whether there is no control character but line ends, which come in pairs, and tabs."""
    before = 0
    for octet in octets:
        if (octet == 10) != (before == 13) or (octet < 32 and octet not in (9, 10, 13)) or octet == 127:
            return False
        before = octet
    return before != 13


def is_name(name: bytes) -> bool:
    """Whether these bytes, in small letters, are a field's name."""
    for octet in name:
        if octet not in NAME_MARKS:
            return False
    return len(name) > 0
