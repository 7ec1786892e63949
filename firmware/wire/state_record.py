"""What of Memory outlives a restart, as text: claims with the time they have left, seen ids, latches, counts, wear."""

import json

from firmware.core import remembered
from firmware.wire import state_changes

VERSION = 1
SEEN_AT_ONCE = 16


def parts(memory: "Memory", wall_s: "int | None", seqs: "SeqRows") -> "Iterator[str]":
    """The rows of a JSON object in pieces; moments are told from this one.

    wall_s: UTC epoch seconds or None; seqs: the last numbers of signed commands (signed_command.py).
    """
    yield '"wall_s": %d, "at_ms": %d, "claims": ' % (wall_s or 0, memory.now_ms)
    yield json.dumps([state_changes.claim_row(claim, memory.now_ms) for claim in remembered.claims_of(memory)])
    yield ', "latches": ' + json.dumps(state_changes.latches_told(memory))
    yield ', "counts": ' + json.dumps(state_changes.counts_told(memory))
    wear, hot_for_ms = state_changes.others_told(memory)
    yield ', "wear": ' + json.dumps(wear) + ', "hot_for_ms": ' + json.dumps(hot_for_ms) + ', "seen": ['
    for first in range(0, len(memory.seen), SEEN_AT_ONCE):
        refs = [list(ref) for ref in memory.seen[first : first + SEEN_AT_ONCE]]
        yield (", " if first else "") + json.dumps(refs)[1:-1]
    yield '], "seqs": ' + json.dumps([list(row) for row in seqs])
