"""Signed commands: what another reader of JWS finds in them too; and no byte may change in what is believed."""

import base64
import hashlib
import hmac
import json

from firmware.core.records import Refusal
from firmware.wire import grid_contract, jws, signed_command
from host_tools.fuzz import objects
from host_tools.fuzz.broken import must
from host_tools.fuzz.commands import CONTEXTS, REASONS, SCOPES, judged
from host_tools.fuzz.commands import NAMES as COMMAND_NAMES
from host_tools.fuzz.commands import VALUES as COMMAND_VALUES

SECRET = bytes(range(32))
OTHER = hashlib.sha256(b"other").digest()
TRUST = signed_command.Trust((("dso1", "2026a", b"\xff" * 256), ("dso1", "", b"\xfd" * 384)), SECRET)
ROWS = (("dso1", "box", 7), ("dso1", "all", 2**31 - 1))
FIELDS = {"issuer": "dso1", "issued_at": 1_795_265_990, "expires_at": 1_795_266_600, "seq": 8}
GOOD = [
    {"id": "a1", "kind": "pause", "duration_s": 3600, **FIELDS},
    {"id": "a2", "kind": "limit", "limit_ma": 8000, "duration_s": 60, "class": "emergency", **FIELDS},
    {"id": "a3", "kind": "resume", "of": "a1", **FIELDS},
    {"id": "a4", "kind": "pause", "duration_s": 60, **FIELDS, "seq": ROWS[0][2]},  # good, but for its number
]
HEADS = [{"alg": "HS256"}, {"alg": "HS256", "kid": "2026a"}, {"alg": "RS256"}, {"alg": "PS256", "typ": "JWT"}]
HEAD_NAMES = ["alg", "kid", "crit", "b64", "typ", "jwk"]
HEAD_VALUES = ("none", "HS256", "RS256", "PS256", "HS384", "", "2026a", "x" * 65, None, True, 5, [], ["exp"], {})
NAMES = [*COMMAND_NAMES, "seq", "issuer", "issued_at", "expires_at"]
VALUES = (*COMMAND_VALUES, "dso1", "dso2", 6, 7, 8)
TOKENS = (b".", b"..", b"=", b"==", b"+", b"/", b"-", b"_", b"\n", b" ", b"eyJhbGciOiJIUzI1NiJ9", b"e30", b"\xc3\xa4")


def part_of(octets):
    """Base64url as Python's own library writes it."""
    return base64.urlsafe_b64encode(octets).rstrip(b"=")


def signed(head, payload, key=SECRET):
    """Compact form, signed with HS256 whatever the header says."""
    text = part_of(head) + b"." + part_of(payload)
    return text + b"." + part_of(hmac.new(key, text, hashlib.sha256).digest())


def seeds():
    """Good ones, ones signed by another, and what is no JWS."""
    made = [signed(json.dumps(head).encode(), json.dumps(one).encode()) for head in HEADS for one in GOOD]
    return [*made, signed(b'{"alg":"HS256"}', json.dumps(GOOD[0]).encode(), OTHER), b"pause", b"e30.e30.e30"]


def fresh(chance):
    """A good one with other fields in header or payload, in most cases signed well."""
    head = objects.made(chance, HEADS, (HEAD_NAMES, HEAD_VALUES))
    payload = objects.made(chance, GOOD, (NAMES, VALUES))
    return signed(head, payload, SECRET if chance() < 0.8 else OTHER)


def repaired(octets, chance):
    """Half of the changed ones get a signature that fits."""
    text, mark, _ = octets.rpartition(b".")
    if not mark or chance() < 0.5:
        return octets
    return text + b"." + part_of(hmac.new(SECRET, text, hashlib.sha256).digest())


def tried(octets):
    """What became of the bytes, as a short label. Errors: Broken, or whatever the parser lets out."""
    mark = sum(octets[-8:]) if octets else 0
    context = CONTEXTS[mark & 1]
    scope = SCOPES[mark % 3] if mark % 5 == 0 else "box"
    message = grid_contract.Message(scope, octets, False)
    found = signed_command.claimed(message, scope, context, (TRUST, ROWS, ()))
    if isinstance(found, Refusal):
        must(found.code in REASONS, "a refusal without a reason")
        return found.code + "." + found.field[:12]
    label = judged(found.parsed, context)
    compared(octets, found)
    if found.jws.alg != jws.SHARED:
        return label + " " + found.jws.alg
    is_proved = list(jws.proof(found.jws, found.keys))[-1]
    theirs = hmac.new(SECRET, octets.rpartition(b".")[0], hashlib.sha256).digest()
    must(is_proved == (part_of(theirs) == octets.rpartition(b".")[2]), "proved, or not, against the library")
    must(scope == "box", "a shared key beyond the box's own topic")
    return "%s %s" % (label, is_proved)


def compared(octets, found):
    """Python's own library reads the same header and payload, and the rules of signed mode hold. Errors: Broken."""
    head, payload, signature = octets.split(b".")
    must(part_of(base64.urlsafe_b64decode(payload + b"=" * (-len(payload) % 4))) == payload, "another form of base64")
    must(part_of(found.jws.signature) == signature and found.jws.signed == head + b"." + payload, "another text")
    fields = json.loads(base64.urlsafe_b64decode(payload + b"=" * (-len(payload) % 4)))
    header = json.loads(base64.urlsafe_b64decode(head + b"=" * (-len(head) % 4)))
    must(header["alg"] == found.jws.alg and "crit" not in header, "another header")
    must(fields["issuer"] == "dso1" and fields["seq"] == found.seq > 0, "another issuer or number")
    must(found.place == "all" or found.place == "group" or found.seq > 7, "a number that was passed")
    must(found.place != "all", "a number over the last one there is")
    must(
        0 < fields["expires_at"] - fields["issued_at"] <= 86_400 or fields["expires_at"] == fields["issued_at"], "times"
    )
