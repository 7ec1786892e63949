"""Secrets that people type: compared in constant time; a code that the box never shows is kept as a digest alone."""

import binascii
import hashlib

MARK = "$"  # between the parts of a kept digest: sha256$salt$digest, both in hex
KIND = "sha256"


def digest_of(text: str) -> bytes:
    """SHA-256 of a text, 32 bytes."""
    return hashlib.sha256(text.encode()).digest()  # pyright: ignore[reportUnknownMemberType]  the chip's stub lacks it


def is_same(one: str, other: str) -> bool:
    """Whether two texts are equal, in a time that does not depend on where they differ, nor on the second's length."""
    first, second = digest_of(one), digest_of(other)
    differing = 0
    for index in range(len(first)):
        differing |= first[index] ^ second[index]
    return differing == 0


def kept(code: str, salt: bytes) -> str:
    """What may lie on flash in place of a code. Codes are random, 74 bits (device provision): one round is enough."""
    salt_hex = binascii.hexlify(salt).decode()
    return MARK.join((KIND, salt_hex, binascii.hexlify(digest_of(salt_hex + code)).decode()))


def is_right(code: str, stored: "Json") -> bool:
    """Whether `code` is the one that `stored` was made of by kept(); anything else stored lets nobody in."""
    if type(stored) is not str:
        return False
    parts = stored.split(MARK)
    if len(parts) != 3 or parts[0] != KIND:
        return False
    return is_same(binascii.hexlify(digest_of(parts[1] + code)).decode(), parts[2])
