"""Commands of the grid and of the page: a Command within its bounds or a Refusal, and JSON as Python's own reads it."""

import json
import re

from firmware.core.records import Command, Refusal
from firmware.wire import grid_contract, strict_json, web_api
from host_tools.fuzz import objects
from host_tools.fuzz.broken import must

CONTEXTS = (
    grid_contract.Context(10_000_000, 1_795_266_000, 230_000, 3, 5, False),
    grid_contract.Context(1 << 40, None, 100_000, 1, 0, True),
)
SCOPES = ("box", "group", "all")
WORDS = "id kind rev issuer class start_at duration_s limit_ma limit_w issued_at expires_at spread_s resume of note"
WORDS += (
    " pause limit resume setpoint tariff heartbeat now slack random:9 random:3600 market emergency mandatory advice"
)
WORDS += " charge_now opt_out clear_fault unlock code for_s S18 X1 installer_code"
TOKENS = tuple(b'"%s"' % word.encode() for word in WORDS.split())
TOKENS += (
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b"true",
    b"false",
    b"null",
    b"NaN",
    b"-Infinity",
    b"\\u0000",
    b'"\\ud800"',
)
TOKENS += (
    b"1795266000",
    b"1795266100",
    b"-",
    b"1.0",
    b"1e3",
    b'\\"',
    b"\xc3\xa4",
    b"\xed\xa0\x80",
    b"\xf4\x90\x80\x80",
    b'"":',
)
NAMES = WORDS.split()[:15] + ["for_s", "code", "id", "kind", "duration_s"]
VALUES = tuple(word for word in WORDS.split()[15:]) + (
    "a1",
    "a",
    "x" * 65,
    "\u00e4",
    "",
    "a.b_c:d-e",
    "id",
    "a b",
    "a\nb",
    200_000,
)
VALUES += (
    0,
    1,
    60,
    599,
    600,
    1800,
    3600,
    21_600,
    21_601,
    86_400,
    86_401,
    6000,
    8000,
    16_000,
    80_000,
    80_001,
    1_795_266_000,
)
VALUES += (1_795_266_060, 1_795_265_000, 2**31 - 1, 2**31, -1, True, False, None, 1.5, [1, [2]], {"a": 1})
REASONS = grid_contract.REASONS.split()


GOOD = [
    {"id": "a1", "kind": "pause", "duration_s": 3600},
    {
        "id": "a2",
        "kind": "limit",
        "limit_ma": 8000,
        "duration_s": 60,
        "class": "emergency",
        "rev": 3,
        "issuer": "dso",
    },
    {"id": "a3", "kind": "limit", "limit_w": 4200, "duration_s": 60, "start_at": 1_795_266_060, "spread_s": 600},
    {"id": "a4", "kind": "resume", "of": "a1", "resume": "random:30", "issued_at": 1_795_266_000},
    {"id": "a5", "kind": "pause", "duration_s": 60, "expires_at": 1_795_266_100, "note": "peak", "resume": "slack"},
    {"id": "a6", "kind": "tariff"},
    {"kind": "limit", "limit_ma": 16_000, "for_s": 60},
    {"kind": "clear_fault", "code": "S18"},
    {"kind": "opt_out", "id": "a1", "whole_day": True},
    {"kind": "pause", "a": [1, {"b": None}], "c": "\u00e4\n"},
]


def seeds():
    """Good commands of every kind."""
    return [json.dumps(one).encode() for one in GOOD] + [b"pause", b"resume", b'{"\\u0069d" :\t"\\/"}']


def fresh(chance):
    """A good command, a little changed."""
    return objects.made(chance, GOOD, (NAMES, VALUES))


def repaired(octets, chance):
    """As they are: JSON has no checksum."""
    return octets


def tried(octets):
    """What became of the bytes, as a short label. Errors: Broken, or whatever the parser lets out."""
    mark = sum(octets[:8]) if octets else 0
    context = CONTEXTS[mark & 1]
    message = grid_contract.Message(SCOPES[mark % 3], octets, mark & 4 == 4)
    label = judged(grid_contract.parse(message, context), context)
    made = web_api.parse(octets, context.now_ms)
    if isinstance(made, Command):
        must(made.source == "owner" and 0 <= made.limit_ma <= 80_000, "a command of the page out of its bounds")
        must(made.until_ms is None or context.now_ms < made.until_ms, "a command that is over when it comes")
        label += " page " + made.kind
    else:
        must(isinstance(made, Refusal) and bool(made.words), "a refusal of the page without words")
        label += " " + made.code
    compared(octets)
    return label


def judged(made, context):
    """Label of what the contract's parser made. Errors: Broken."""
    if isinstance(made, Refusal):
        must(made.code in REASONS, "a refusal without a reason")
        return made.code + "." + made.field if made.field in WORDS else made.code
    command = grid_contract.drawn(made, lambda count: count - 1)
    must(command.source == "grid" and command.kind in ("limit", "resume"), "a command of the grid of another kind")
    must(0 <= command.limit_ma <= 80_000, "a limit out of its bounds")
    must(all(33 <= ord(mark) <= 126 for mark in command.ref.id + command.ref.issuer), "an id with other characters")
    if command.kind == "limit":
        until_ms = command.until_ms or 0
        must(context.now_ms <= command.from_ms < until_ms, "a limit that is over when it comes")
        must(until_ms - command.from_ms <= 86_400_000 + 1_800_000, "a limit without end")
    return "%s %s" % (command.kind, command.rank)


def compared(octets):
    """Strict JSON reads what Python's own reads, or refuses. Errors: Broken."""
    try:
        ours = strict_json.opened(octets)
    except strict_json.BadJson:
        ours = None
    try:
        theirs = json.loads(octets.decode(), object_pairs_hook=pairs)
    except (ValueError, RecursionError):
        must(ours is None, "text that is no JSON is taken")
        return
    if ours is not None:
        must(ours == theirs and repr(ours) == repr(theirs), "JSON is read otherwise")
    elif isinstance(theirs, dict) and not HALF_ESCAPE.search(octets):
        must(not is_allowed(theirs, 1), "good JSON is refused")


# PyPy's json takes blanks among the four digits.
HALF_ESCAPE = re.compile(rb"\\u(?![0-9a-fA-F]{4})")


class Twice(ValueError):
    """A key comes twice."""


def pairs(found):
    """Dict of the pairs of an object. Errors: Twice."""
    made = dict(found)
    if len(made) < len(found):
        raise Twice()
    return made


def is_allowed(value, depth):
    """Whether the contract takes such a value (grid-contract.md: whole numbers, short text, depth 3)."""
    if isinstance(value, dict):
        return depth <= strict_json.MOST_DEPTH and all(
            is_allowed(key, 1) and is_allowed(one, depth + 1) for key, one in value.items()
        )
    if isinstance(value, list):
        return depth <= strict_json.MOST_DEPTH and all(is_allowed(one, depth + 1) for one in value)
    if isinstance(value, str):
        return len(value) <= strict_json.MOST_TEXT and not any(0xD800 <= ord(mark) < 0xE000 for mark in value)
    if isinstance(value, bool) or value is None:
        return True
    return isinstance(value, int) and -strict_json.MOST_INT <= value <= strict_json.MOST_INT
