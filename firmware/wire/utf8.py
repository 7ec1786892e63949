"""Text from outside: UTF-8 as RFC 3629 has it, where the chip's own check takes overlong forms, surrogates and more."""

# byte: (least, most) of the byte behind it; RFC 3629 §4. C0, C1 and F5 to FF begin nothing.
BEHIND = ((0xE0, 0xA0, 0xBF), (0xED, 0x80, 0x9F), (0xF0, 0x90, 0xBF), (0xF4, 0x80, 0x8F))


def text_of(octets: "Octets") -> str:
    """Text of bytes. Errors: ValueError for what is no UTF-8 (UnicodeError is one)."""
    body = bytes(octets)
    if body and max(body) >= 0xC0:
        before = 0
        for byte in body:
            if byte >= 0xC0 and (byte < 0xC2 or byte > 0xF4):
                raise ValueError("no UTF-8")
            for first, least, most in BEHIND:
                if before == first and not least <= byte <= most:
                    raise ValueError("no UTF-8")
            before = byte
    return str(body, "utf-8")
