"""Memory of a new start with what the last one left behind; needed once, and dropped."""

from firmware.core import claims, commands, faults, remembered
from firmware.core import local as place
from firmware.core.records import Active, Claim, Faults, Memory, Ref, Wear

CLAIM, LATCH, COUNT, SEEN = 11, 3, 3, 3  # length of each row


def with_saved(memory: "Memory", fields: "Fields", is_power_return: bool) -> "Memory":
    """Memory with the rows of a state file. Errors: ValueError where they are not what state_record writes.

    A permanent latch ends with a power return: what it stands for is tested again before any closing (requirements §2).
    """
    now_ms = memory.now_ms
    rows = memory.claims.rows + tuple(claim_of(row, now_ms) for row in rows_of(fields, "claims", CLAIM))
    active: tuple[Active, ...] = ()
    for name, is_latched, left_ms in rows_of(fields, "latches", LATCH):
        index = index_of(text_of(name))
        if index is not None and not (is_power_return and faults.FAULTS[index][4] == "permanent"):
            active += (Active(index, is_latched is True, now_ms + whole_of(left_ms)),)
    counts: Counts = ()
    for name, times, ago_ms in rows_of(fields, "counts", COUNT):
        index = index_of(text_of(name))
        if index is not None:
            counts += ((index, whole_of(times), now_ms - whole_of(ago_ms)),)
    seen = tuple(ref_of(row) for row in rows_of(fields, "seen", SEEN))[-commands.SEEN_KEPT :]
    operations, hot_openings, blind = [whole_of(item) for item in list_of(fields, "wear")]
    here = place.with_part(memory.local, place.BLIND, blind)
    hot_at_ms = tuple(now_ms - whole_of(item) for item in list_of(fields, "hot_for_ms"))
    return Memory(
        now_ms,
        memory.pilot,
        memory.stage,
        claims.summed(rows[: claims.MAX_ROWS], now_ms),
        Faults((), active, counts, faults.strongest(active)),
        memory.offer,
        memory.energy,
        Wear(operations, hot_openings),
        memory.outputs,
        seen,
        place.with_part(here, place.HOT_AT, hot_at_ms),
    )


def claim_of(row: "list[Json]", now_ms: int) -> "Claim":
    """One claim, which gets the time it had left (grid-contract.md, what a command may do)."""
    source, limit_ma, from_ms, until_ms, issuer, name, rev, rank, after_ms, stage, ramp_ma = row
    if source not in remembered.KEPT:
        raise ValueError("source")
    return Claim(
        text_of(source),
        whole_of(limit_ma),
        now_ms + whole_of(from_ms),
        None if until_ms is None else now_ms + whole_of(until_ms),
        ref_of([issuer, name, rev]),
        text_of(rank),
        whole_of(after_ms),
        text_of(stage),
        whole_of(ramp_ma),
    )


def ref_of(row: "list[Json]") -> "Ref":
    """One (issuer, id, rev)."""
    return Ref(text_of(row[0]), text_of(row[1]), whole_of(row[2]))


def index_of(name: str) -> "int | None":
    """Index of a row of the fault table; None for one that this firmware does not have."""
    for index in range(len(faults.FAULTS)):
        if faults.FAULTS[index][0] == name:
            return index
    return None


def list_of(fields: "Fields", key: str) -> "list[Json]":
    """The list of that name. Errors: ValueError."""
    found = fields.get(key)
    if not isinstance(found, list):
        raise ValueError(key)
    return found


def rows_of(fields: "Fields", key: str, width: int) -> "list[list[Json]]":
    """The list of that name, of rows of that length. Errors: ValueError."""
    made: list[list[Json]] = []
    for row in list_of(fields, key):
        if not isinstance(row, list) or len(row) != width:
            raise ValueError(key)
        made.append(row)
    return made


def whole_of(value: "Json") -> int:
    """A whole number. Errors: ValueError."""
    if type(value) is not int:
        raise ValueError("number")
    return value


def text_of(value: "Json") -> str:
    """Text. Errors: ValueError."""
    if type(value) is not str:
        raise ValueError("text")
    return value
