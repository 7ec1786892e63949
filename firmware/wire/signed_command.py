"""Signed mode of the grid contract: who may speak, in which order, and what is looked at before any signature."""

import binascii
from collections import namedtuple

from firmware.core.records import Refusal
from firmware.wire import grid_contract, jws, rsa, signed_seqs, strict_json

MOST_KEYS, KEYS_AN_ISSUER = 6, 2  # two of one issuer may be live, for rotation (grid-contract.md, trust)
NEEDED = ("issued_at", "expires_at", "seq")

# keys: ((issuer, kid, modulus), …), kid "" where it has none; secret: the box's own key for HS256, b"" for none.
Trust: "type[TrustRecord]" = namedtuple(  # pyright: ignore[reportUntypedNamedTuple, reportAssignmentType]
    "Trust", ("keys", "secret")
)
# parsed: of grid_contract.parse(); place: "box", "all" or "group <name>"; keys: those that may have signed it.
Claimed: "type[ClaimedRecord]" = namedtuple(  # pyright: ignore[reportUntypedNamedTuple, reportAssignmentType]
    "Claimed", ("parsed", "place", "seq", "jws", "keys")
)


def claimed(
    message: "MessageRecord", place: str, context: "ContextRecord", known: "tuple[TrustRecord, SeqRows, Seen]"
) -> "ClaimedRecord | Refusal":
    """What a message claims to be, all but its signature judged, or a Refusal; total. known: (Trust, rows, seen ids).

    The cheap checks come first, so that who floods a box with forged commands costs it little.
    """
    trust, rows, seen = known
    found = jws.opened(message.payload)
    if isinstance(found, Refusal):
        return found
    ref = grid_contract.NO_REF
    try:
        fields = strict_json.opened(found.payload)
        ref = grid_contract.ref_of(fields)
        if "issuer" not in fields:
            raise grid_contract.Refused("bad_field", "issuer")
        issued_s, expires_s, seq = [grid_contract.number(fields, name, 1, strict_json.MOST_INT) for name in NEEDED]
        if issued_s is None or expires_s is None or seq is None:
            raise grid_contract.Refused("bad_field", NEEDED[(issued_s, expires_s, seq).index(None)])
        if found.alg == jws.SHARED and message.scope != "box":
            raise grid_contract.Refused("not_allowed", "alg")  # no key is shared by a group
        parsed = grid_contract.command_of(fields, message, binding(context))
        if context.wall_s is None and parsed[0].kind == "resume":
            raise grid_contract.Refused("no_clock", "kind")
        if signed_seqs.is_replayed(rows, (ref.issuer, place, seq), ref in seen):
            raise grid_contract.Refused("replayed", "seq")
        keys = keys_of(trust, ref.issuer, found)
        if not keys:
            raise grid_contract.Refused("bad_signature", "issuer")
    except grid_contract.Refused as refused:
        return Refusal(refused.code, refused.field, "", ref)
    except strict_json.BadJson as bad:
        return Refusal(bad.code, bad.field, "", ref)
    return Claimed(parsed, place, seq, found, keys)


def binding(context: "ContextRecord") -> "ContextRecord":
    """What is signed may bind: only plain mode takes `emergency` and `mandatory` as `market`."""
    now_ms, wall_s, voltage_mv, phases, word_number, _ = context
    return grid_contract.Context(now_ms, wall_s, voltage_mv, phases, word_number, True)


def keys_of(trust: "TrustRecord", issuer: str, found: "JwsRecord") -> "tuple[bytes, ...]":
    """Keys that may have made the signature: of this issuer, and of the kid that the header names."""
    rows = [row for row in trust.keys if row[0] == issuer]
    if found.alg == jws.SHARED:
        return (trust.secret,) if rows and trust.secret else ()
    return tuple([row[2] for row in rows if not row[1] or not found.kid or row[1] == found.kid])


def trust_of(fields: "Json") -> "TrustRecord":
    """Trust of {"keys": [{"issuer", "kid", "modulus"}], "secret"}, numbers in hex. Errors: ValueError in words."""
    if not isinstance(fields, dict) or not isinstance(fields.get("keys"), list):
        raise ValueError("there are no keys")
    made: tuple[tuple[str, str, bytes], ...] = ()
    rows: list[Json] = fields["keys"]  # pyright: ignore[reportAssignmentType]  looked at right above
    if len(rows) > MOST_KEYS:
        raise ValueError("there are more than %d keys" % MOST_KEYS)
    for row in rows:
        if not isinstance(row, dict):
            raise ValueError("a key is no object")
        try:
            issuer = grid_contract.identifier(row, "issuer", 32)
            kid = grid_contract.identifier(row, "kid", jws.MOST_KID)
        except grid_contract.Refused as refused:
            raise ValueError("a key's %s is not a name" % refused.field)
        modulus = octets_of(row.get("modulus"))
        if not issuer or not rsa.is_key(modulus):
            raise ValueError("a key is not RSA of 2048 to 3072 bits with an issuer")
        made += ((issuer, kid or "", modulus),)
        if len([one for one in made if one[0] == issuer]) > KEYS_AN_ISSUER:
            raise ValueError("an issuer has more than %d keys" % KEYS_AN_ISSUER)
    secret = octets_of(fields.get("secret", ""))
    if secret and not jws.SECRET_B <= len(secret) <= jws.HMAC_BLOCK_B:
        raise ValueError("the box's own key is not 32 to 64 bytes")
    return Trust(made, secret)


def octets_of(text: "Json") -> bytes:
    """Bytes of a text in hex. Errors: ValueError."""
    if type(text) is not str:
        raise ValueError("a key is not in hex")
    try:
        return binascii.unhexlify(text)
    except ValueError:
        raise ValueError("a key is not in hex")
