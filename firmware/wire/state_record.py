"""What of Memory outlives a restart, as text: claims with the time they have left, seen ids, latches, counts, wear."""

import json

from firmware.core import faults, remembered

VERSION = 1
SEEN_AT_ONCE = 16


def parts(memory: "Memory", wall_s: "int | None", seqs: "SeqRows") -> "Iterator[str]":
    """The rows of a JSON object in pieces; moments are told from this one.

    wall_s: UTC epoch seconds or None; seqs: the last numbers of signed commands (signed_command.py).
    """
    now_ms = memory.now_ms
    yield '"wall_s": %d, "claims": ' % (wall_s or 0)
    yield json.dumps([claim_row(claim, now_ms) for claim in remembered.claims_of(memory)])
    yield ', "latches": '
    active = remembered.latches_of(memory)
    yield json.dumps([[faults.FAULTS[row.row][0], row.is_latched, row.clear_at_ms - now_ms] for row in active])
    yield ', "counts": '
    yield json.dumps([[faults.FAULTS[row][0], times, now_ms - at_ms] for row, times, at_ms in memory.faults.counts])
    wear, here = memory.wear, memory.local
    yield ', "wear": [%d, %d, %d], "hot_for_ms": ' % (wear.operations, wear.hot_openings, here.blind)
    yield json.dumps([now_ms - at_ms for at_ms in here.hot_at_ms]) + ', "seen": ['
    for first in range(0, len(memory.seen), SEEN_AT_ONCE):
        refs = [list(ref) for ref in memory.seen[first : first + SEEN_AT_ONCE]]
        yield (", " if first else "") + json.dumps(refs)[1:-1]
    yield '], "seqs": ' + json.dumps([list(row) for row in seqs])


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
