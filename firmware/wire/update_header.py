"""The head of an update: for which board, how new, how long, and whether the maker of this box has signed it.

An update is head | manifest | signature | files, one behind the other in the manifest's order, and not a byte more. In
the kind IMAGE an app image for the chip's other app partition follows the files of the slot that runs under it. The
signature (RSA-3072, PKCS#1 v1.5 with SHA-256, RFC 8017 8.2) covers head and manifest; these hold length and SHA-256 of
every byte behind them, so it covers the whole. Nothing is written before it was proved; what comes then is compared
file by file behind its last byte, in a slot that no start takes before all of it matches.
"""

from firmware.core.records import Refusal
from firmware.wire import rsa

MAGIC = b"ebbupd1\n"
HEAD_B = 64
SIGNATURE_B = 384
# Where the fields lie, all of them big-endian: MAGIC, then
BOARD_AT, VERSION_AT, SECURITY_AT, MANIFEST_AT, PAYLOAD_AT, KIND_AT, SPARE_AT = 8, 40, 46, 50, 54, 58, 59
SLOT, IMAGE = 0, 1  # kinds; older boxes want a zero there, and say that the other one is no update of ebb
MOST_MANIFEST_B = 16384  # the starter reads no more of it
MOST_PAYLOAD_B = 768 * 1024  # two slots and a quarter of 2 MB free
MOST_IMAGE_B = 2 << 20  # the larger app partition (hardware/micropython); each box has its own bound besides
MOST_B = HEAD_B + MOST_MANIFEST_B + SIGNATURE_B + MOST_PAYLOAD_B + MOST_IMAGE_B


class Head:
    """The fields of a head that is well formed."""

    def __init__(self, octets: bytes) -> None:
        """octets: HEAD_B of them."""
        self.board: bytes = octets[BOARD_AT:VERSION_AT].rstrip(b"\x00")
        self.version: tuple[int, ...] = tuple(number(octets, at, 2) for at in range(VERSION_AT, SECURITY_AT, 2))
        self.security: int = number(octets, SECURITY_AT, 4)
        self.manifest_b: int = number(octets, MANIFEST_AT, 4)
        self.payload_b: int = number(octets, PAYLOAD_AT, 4)
        self.kind: int = octets[KIND_AT]

    def whole_b(self) -> int:
        """Bytes of the whole update."""
        return HEAD_B + self.manifest_b + SIGNATURE_B + self.payload_b


def number(octets: bytes, at: int, count: int) -> int:
    """A field of `count` bytes."""
    return int.from_bytes(octets[at : at + count], "big")


def refusal(code: str, field: str) -> "Refusal":
    """A no whose words stand in words_en.txt under update.<code>."""
    return Refusal(code, field, "", None)


def opened(octets: bytes, announced_b: int) -> "Head | Refusal":
    """Head of an update of announced_b bytes, or why it is none; lengths are judged before anything is made of them."""
    if len(octets) != HEAD_B or octets[:BOARD_AT] != MAGIC or octets[SPARE_AT:] != bytes(HEAD_B - SPARE_AT):
        return refusal("no_update", "head")
    head = Head(octets)
    if head.kind not in (SLOT, IMAGE):
        return refusal("no_update", "kind")
    most_b = MOST_PAYLOAD_B + MOST_IMAGE_B if head.kind == IMAGE else MOST_PAYLOAD_B
    if not 0 < head.manifest_b <= MOST_MANIFEST_B or not 0 < head.payload_b <= most_b:
        return refusal("too_big", "")
    if head.whole_b() != announced_b:
        return refusal("wrong_length", "")
    return head


def unfit(head: "Head", board: str, version: "tuple[int, ...]", security: int) -> "Refusal | None":
    """Why this box may not have it; version and security: what the box runs, and the least it still takes."""
    if head.board != board.encode():
        return refusal("wrong_board", "board")
    if head.security < security:
        return refusal("older", "security")
    if head.version < version:
        return refusal("older", "version")
    return None


def is_key(modulus: bytes) -> bool:
    """Whether these bytes may be the modulus of the maker's key: 3072 bits, odd."""
    return len(modulus) == SIGNATURE_B and rsa.is_key(modulus)


def proof(signature: bytes, modulus: bytes, digest: bytes) -> "Iterator[bool | None]":
    """Whether `signature` is the maker's of a SHA-256 `digest`, in steps as rsa.proof()."""
    if is_key(modulus):
        yield from rsa.proof(signature, modulus, digest, rsa.is_pkcs1)
    else:
        yield False
