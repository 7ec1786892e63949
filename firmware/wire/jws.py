"""A text in JWS compact form, <header>.<payload>.<signature> (RFC 7515, 7.1), taken apart and proved in steps."""

import binascii
from collections import namedtuple

from firmware.core.records import Refusal
from firmware.wire import rsa, strict_json

MOST_B, MOST_HEADER_B, MOST_PAYLOAD_B = 2048, 256, 1024  # grid-contract.md, command
MOST_KID = 64
HMAC_BLOCK_B, SECRET_B = 64, 32  # RFC 2104; RFC 7518, 3.2: no shorter than the digest
SHARED = "HS256"
# alg of the header: what it wants of the block in the signature (RFC 7518, 3.3 and 3.5). Never "none".
PADDINGS = (("RS256", rsa.is_pkcs1), ("PS256", rsa.is_pss))

# alg, kid: text, kid "" where there is none; signed: what the signature covers; payload, signature: bytes.
Jws: "type[JwsRecord]" = namedtuple(  # pyright: ignore[reportUntypedNamedTuple, reportAssignmentType]
    "Jws", ("alg", "kid", "signed", "payload", "signature")
)


def opened(octets: "Octets") -> "JwsRecord | Refusal":
    """Jws of bytes, or a Refusal without ref; nothing in it is proved yet. Total."""
    if len(octets) > MOST_B:
        return refused("too_big", "")
    text = bytes(octets)
    if text.count(b".") != 2:
        return refused("bad_signature", "jws")  # plain JSON and bare words too: nobody has signed them
    head, payload, signature = text.split(b".")
    parts = (decoded(head), decoded(payload), decoded(signature))
    if not all(parts):
        return refused("bad_signature", "jws")
    if len(parts[0]) > MOST_HEADER_B or len(parts[1]) > MOST_PAYLOAD_B:
        return refused("too_big", "")
    try:
        fields = strict_json.opened(parts[0])
    except strict_json.BadJson as bad:
        return refused(bad.code, "header")
    alg, kid = fields.get("alg"), fields.get("kid", "")
    # No extension is understood, so each `crit` is refused (RFC 7515, 4.1.11); b64 wants to be one (RFC 7797, 6).
    if "crit" in fields or "b64" in fields:
        return refused("bad_field", "crit")
    if type(kid) is not str or len(kid) > MOST_KID:
        return refused("bad_field", "kid")
    if type(alg) is not str or alg not in ("RS256", "PS256", SHARED):
        return refused("bad_signature", "alg")
    return Jws(alg, kid, head + b"." + payload, parts[1], parts[2])


def refused(code: str, field: str) -> "Refusal":
    """A no before anybody is known."""
    return Refusal(code, field, "", None)


def decoded(part: bytes) -> bytes:
    """Bytes of base64url without padding (RFC 7515, 2), b"" for anything else: each octet string has one form alone."""
    try:
        octets = binascii.a2b_base64(part.replace(b"-", b"+").replace(b"_", b"/") + b"=" * (-len(part) % 4))
    except ValueError:
        return b""
    return octets if encoded(octets) == part else b""


def encoded(octets: bytes) -> bytes:
    """Base64url without padding."""
    return binascii.b2a_base64(octets).rstrip(b"\n=").replace(b"+", b"-").replace(b"/", b"_")


def hmac(secret: bytes, text: bytes) -> bytes:
    """HMAC-SHA256 of a text (RFC 2104); secret: SECRET_B to HMAC_BLOCK_B bytes."""
    filled = secret + bytes(HMAC_BLOCK_B - len(secret))
    inner = rsa.sha256(bytes([octet ^ 0x36 for octet in filled]) + text)
    return rsa.sha256(bytes([octet ^ 0x5C for octet in filled]) + inner)


def is_same(one: bytes, other: bytes) -> bool:
    """Whether two digests are equal, in a time that does not tell where they differ."""
    if len(one) != len(other):
        return False
    differing = 0
    for index in range(len(one)):
        differing |= one[index] ^ other[index]
    return differing == 0


def proof(found: "JwsRecord", keys: "tuple[bytes, ...]") -> "Iterator[bool | None]":
    """Whether one of these keys has made the signature: None after each step of a few ms, at last True or False.

    keys: moduli, or for SHARED secrets.
    """
    if found.alg == SHARED:
        yield any([is_same(hmac(key, found.signed), found.signature) for key in keys])
        return
    digest = rsa.sha256(found.signed)
    for alg, is_encoded in PADDINGS:
        for key in keys if alg == found.alg else ():
            for verdict in rsa.proof(found.signature, key, digest, is_encoded):
                if verdict:
                    yield True
                    return
                yield None
    yield False
