"""RSA signatures of a SHA-256 digest, proved in steps of a few ms (RFC 8017, 8.1.2 and 8.2.2); exponent 65537 alone."""

import hashlib

LEAST_B, MOST_B = 256, 384  # keys of 2048–3072 bits (grid-contract.md, trust)
EXPONENT_BITS = 16  # 65537: so many squarings and one multiplication
DIGEST_B = SALT_B = 32  # the salt is as long as the digest (RFC 7518, 3.5)
# 0 1 FF… 0, then what says that SHA-256 follows (RFC 8017, 9.2).
DIGEST_INFO = b"\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20"
TRAILER = 0xBC  # RFC 8017, 9.1.2


def sha256(octets: "Octets") -> bytes:
    """Digest of bytes."""
    return hashlib.sha256(octets).digest()  # pyright: ignore[reportUnknownMemberType]  the chip's stub lacks it


def is_key(modulus: bytes) -> bool:
    """Whether these bytes may be a key's modulus: whole bytes, odd, of a length that counts as safe."""
    return LEAST_B <= len(modulus) <= MOST_B and modulus[0] >= 0x80 and modulus[-1] & 1 == 1


def is_pkcs1(encoded: bytes, digest: bytes) -> bool:
    """Whether a block is EMSA-PKCS1-v1_5 of the digest: made again and compared whole, never taken apart."""
    filled = b"\xff" * (len(encoded) - 3 - len(DIGEST_INFO) - DIGEST_B)
    return encoded == b"\x00\x01" + filled + b"\x00" + DIGEST_INFO + digest


def is_pss(encoded: bytes, digest: bytes) -> bool:
    """Whether a block is EMSA-PSS of the digest, MGF1 with SHA-256 and a salt of SALT_B (RFC 8017, 9.1.2)."""
    split = len(encoded) - DIGEST_B - 1
    if encoded[-1] != TRAILER or encoded[0] & 0x80:
        return False
    hashed = encoded[split:-1]
    filled = mask(hashed, split)
    block = bytearray(split)
    for index in range(split):
        block[index] = encoded[index] ^ filled[index]
    block[0] &= 0x7F  # a modulus of n bits leaves n − 1 for the block
    begin = split - SALT_B
    if bytes(block[:begin]) != bytes(begin - 1) + b"\x01":
        return False
    return sha256(bytes(8) + digest + block[begin:]) == hashed


def mask(seed: bytes, count: int) -> bytes:
    """At least `count` bytes of MGF1 (RFC 8017, B.2.1)."""
    made = b""
    number = 0
    while len(made) < count:
        made += sha256(seed + number.to_bytes(4, "big"))
        number += 1
    return made


def proof(
    signature: bytes, modulus: bytes, digest: bytes, is_encoded: "Callable[[bytes, bytes], bool]"
) -> "Iterator[bool | None]":
    """Whether `signature` is that of a digest: None after each step of a few ms, at last True or False.

    is_encoded: is_pkcs1 or is_pss. In steps because pow() would hold the tick up for 0.15 s on a chip.
    """
    if not is_key(modulus) or len(signature) != len(modulus) or len(digest) != DIGEST_B:
        yield False
        return
    key, first = int.from_bytes(modulus, "big"), int.from_bytes(signature, "big")
    if first >= key:  # out of range, or one signature would have several forms
        yield False
        return
    power = first
    for _ in range(EXPONENT_BITS):
        power = power * power % key
        yield None
    power = power * first % key
    yield is_encoded(power.to_bytes(len(modulus), "big"), digest)
