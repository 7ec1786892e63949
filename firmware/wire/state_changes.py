"""What changed of the state since it was stored, as values of the journal: a claim, an id, a number, a latch at a time.

A value is the JSON list [now_ms, wall_s, base, change, …]: now_ms since that start, wall_s UTC seconds or 0, base the
number of the state file that the changes go on from. A change is a list that begins with a letter of CHANGES.
"""

import json

from firmware.core import faults, remembered

MOST_B = 420  # of one value: 20 slots of the journal
# c: a claim, as in a state file | e: its end, [source, issuer, id, rev] | l: latches, all of them | n: counts and wear,
# all of them | s: an id that was seen | q: the number of a signed command
CHANGES = "celnsq"

# What is stored: claims, latches (rows of the fault table), seen, seqs, others (counts, wear, hot_at_ms and blind). A
# StateStore compares it with what the box remembers.


def stored_of(memory: "Memory", seqs: "SeqRows") -> "StoredParts":
    """All that is to be stored of this moment."""
    here = memory.local
    others = (memory.faults.counts, memory.wear, (here.hot_at_ms, here.blind))
    return remembered.claims_of(memory), latch_rows(memory), memory.seen, seqs, others


def latch_rows(memory: "Memory") -> "tuple[int, ...]":
    """Rows of the latched faults; how long one has left does not count as a change."""
    return tuple([fault.row for fault in remembered.latches_of(memory)])


def packed(
    before: "StoredParts", memory: "Memory", seqs: "SeqRows", moment: "tuple[int, int]"
) -> "tuple[bytes, StoredParts]":
    """(value, what is stored with it): as many changes as one value takes. moment: (wall_s or 0, base)."""
    text = "[%d, %d, %d" % ((memory.now_ms,) + moment)
    made = list(before)
    for place, part, change in changes_of(before, memory, seqs):
        more = ", " + json.dumps(change)
        if made != list(before) and len(text.encode()) + len(more.encode()) >= MOST_B:
            return (text + "]").encode(), (made[0], made[1], made[2], made[3], made[4])
        text += more
        made[place] = part
    return (text + "]").encode(), stored_of(memory, seqs)


def changes_of(
    before: "StoredParts", memory: "Memory", seqs: "SeqRows"
) -> "Iterator[tuple[int, tuple[Any, ...], list[Json]]]":
    """(place in what is stored, that part after the change, the change), what limits the box first."""
    now_ms = memory.now_ms
    wanted = stored_of(memory, seqs)
    if wanted[1] != before[1]:
        yield 1, wanted[1], ["l", latches_told(memory)]
    claims = before[0]
    for row in wanted[0]:
        if row not in claims:
            claims = tuple([one for one in claims if one.source != row.source or one.ref != row.ref]) + (row,)
            yield 0, claims, ["c", claim_row(row, now_ms)]
    for row in claims:
        if row not in wanted[0]:
            claims = tuple([one for one in claims if one is not row])
            yield 0, claims, ["e", [row.source] + list(row.ref)]
    seen = before[2]
    for ref in wanted[2]:
        if ref not in seen:
            seen += (ref,)
            yield 2, seen, ["s", list(ref)]
    known = before[3]
    for row in seqs:
        if row not in known:
            known += (row,)
            yield 3, known, ["q", list(row)]
    if wanted[4] != before[4]:
        told: list[Json] = ["n", counts_told(memory)]
        yield 4, wanted[4], told + others_told(memory)


def latches_told(memory: "Memory") -> "list[Json]":
    """[name, is_latched, left_ms] of each latched fault."""
    active = remembered.latches_of(memory)
    return [[faults.FAULTS[row.row][0], row.is_latched, row.clear_at_ms - memory.now_ms] for row in active]


def counts_told(memory: "Memory") -> "list[Json]":
    """[name, times, ago_ms] of each fault that is counted."""
    return [[faults.FAULTS[row][0], times, memory.now_ms - at_ms] for row, times, at_ms in memory.faults.counts]


def others_told(memory: "Memory") -> "list[Json]":
    """[[operations, hot openings, sessions without current], [ms ago of each hot opening]]."""
    wear, here = memory.wear, memory.local
    return [[wear.operations, wear.hot_openings, here.blind], [memory.now_ms - at_ms for at_ms in here.hot_at_ms]]


def claim_row(claim: "Claim", now_ms: int) -> "list[Json]":
    """One claim; its moments as milliseconds from now."""
    until_ms = None if claim.until_ms is None else claim.until_ms - now_ms
    ref = claim.ref
    return [
        claim.source,
        claim.limit_ma,
        claim.from_ms - now_ms,
        until_ms,
        ref.issuer,
        ref.id,
        ref.rev,
        claim.rank,
        claim.after_ms,
        claim.stage,
        claim.ramp_ma,
    ]
