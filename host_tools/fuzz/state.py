"""Files of what a restart remembers, as a worn flash may leave them: a Memory that decide() can go on with, or a no."""

import json

from firmware.core import claims, decide, settings
from firmware.core.records import Readings, Ref
from firmware.wire import sealed_text, signed_seqs, state_record, state_restored
from host_tools.fuzz import objects
from host_tools.fuzz.broken import must
from host_tools.fuzz.stored import sealed

NOW_MS = 5000
TICKS = 6
SEQS = (("dso", "box", 7), ("dso", "group north", 2**31 - 1))
NAMES = ["seqs", "claims", "latches", "counts", "wear", "hot_for_ms", "seen", "wall_s", "version", "seq"]
CLAIM = ["grid", 0, -1000, 60_000, "dso", "a1", 0, "market", 0, "new", 0]
GOOD = [
    {"wall_s": 1_795_266_000, "claims": [CLAIM], "latches": [["S14", True, 0]], "counts": [["S12a", 2, 9000]]},
    {"wall_s": 0, "claims": [], "latches": [], "counts": []},
]
GOOD = [
    {**one, "wear": [5, 1, 0], "hot_for_ms": [7], "seen": [["dso", "a1", 0]], "version": 1, "seq": 3} for one in GOOD
]
VALUES = (
    [],
    [[]],
    [CLAIM] * 40,
    [CLAIM[:10]],
    [["K1", True, 5]],
    [["X9", True, 5]],
    [["S14", 1, None]],
    [1, 2],
    [1, 2, 3, 4],
)
VALUES += (
    [[None] * 11],
    {},
    None,
    True,
    -1,
    2**31,
    1.5,
    "x",
    ["x", "x", "x"],
    [["a", "b", 2**70]],
    [[["a"], {}, 0]],
    [True] * 3,
)
TOKENS = tuple(b'"%s"' % name.encode() for name in (*NAMES, "grid", "owner", "house", "S14", "K1"))
TOKENS += (b"[", b"]", b",", b"null", b"true", b"-1", b"1e999", b"{}", b'"\\u0000"')


def seeds():
    """Good files, one of them as the box writes it."""
    text = "".join(state_record.parts(memory_of(), 1_795_266_000, SEQS))
    return [sealed_text.sealed(text, 1, 4)] + [sealed(json.dumps(one).encode()[:-1]) for one in GOOD]


def fresh(chance):
    """A good file with other parts."""
    return sealed(objects.made(chance, GOOD, (NAMES, VALUES))[:-1])


def repaired(octets, chance):
    """Most of them with a good checksum, so that more than that is looked at."""
    text, mark, _ = octets.rpartition(sealed_text.MARK.encode())
    return sealed(text) if mark and chance() < 0.8 else octets


def memory_of():
    """Memory of a box that has just started."""
    return decide.first_memory(NOW_MS, (claims.standing("cable", 32_000, Ref("board", "cable", 0)),), (0, 0))


def reading(now_ms):
    """Readings of a healthy box without a car."""
    mains_mv = (230_000, 230_000, 230_000)
    seen = (now_ms, 12_000, None, (0, 0, 0), mains_mv, 0, 50_000, 250, None, 0)
    return Readings(*seen, False, False, True, True, False, False, 0, 0)


def tried(octets):
    """What became of the file, as a short label. Errors: Broken, or what the box itself does not catch."""
    found = sealed_text.unsealed(octets)
    if found is None:
        return "damaged"
    before = memory_of()
    try:
        made = state_restored.with_saved(before, found[2], bool(octets[-3] & 1))
    except ValueError:
        return "refused"
    must(len(made.claims.rows) <= claims.MAX_ROWS, "too many claims")
    must(all(type(row[2]) is int for row in signed_seqs.rows_of(found[2])), "a number that is none")
    must(made.claims.limit_ma <= 32_000, "a stored claim raises the limit of the cable")
    must(made.outputs == before.outputs and made.stage == before.stage, "a file drives the box")
    for tick in range(1, TICKS + 1):
        at_ms = NOW_MS + tick * 23 * (1 if tick < 4 else 60_000)
        decided = decide.decide(made, reading(at_ms), (), settings.defaults())
        must(not decided.outputs.is_contactor_closed, "closed without a car")
        made = decided.memory
    return "good %d %d" % (min(3, len(made.claims.rows)), min(2, len(made.faults.active)))
