"""The state files: what a start does with those of the last one, and how one is written; loaded for each."""

import asyncio

from firmware.core import remembered
from firmware.services import flash_files
from firmware.wire import sealed_text, state_record

MOST_BYTES = 16_384  # 24 claims and 64 ids at their longest are 12 kB
NOT_THERE = 2  # ENOENT


def found(path):
    """(fields of the newest whole file or None, code of words, number of the newest file).

    path: of the two files, without their last character.
    """
    files = [_read(path + name) for name in "01"]
    whole = [row for row in files if row and row[0] == state_record.VERSION]
    seq = max([row[1] for row in files if row] or [0])
    if not whole:
        return None, "state_lost" if None in files else "", seq
    fields = whole[-1][2] if whole[-1][1] == max([row[1] for row in whole]) else whole[0][2]
    return fields, "state_before" if None in files else "", seq


def with_value(fields, seq, octets):
    """(fields with one value of the journal, whether it is newer than the file with this number); fields: or None."""
    from firmware.wire import state_changed

    made = state_changed.nothing() if fields is None else fields
    try:
        is_newer = state_changed.with_value(made, seq, octets)
    except (ValueError, TypeError):
        return fields, False
    return (made, True) if is_newer else (fields, False)


def restored(left, memory, is_power_return):
    """(Memory with what was left behind, code of words, what state_store.aged() needs or None, its seqs).

    left: (fields or None, code) as found() gave them, completed by with_value().
    """
    fields, code = left
    if fields is None:
        return memory, code, None, ()
    from firmware.wire import signed_seqs, state_restored

    try:
        made = state_restored.with_saved(memory, fields, is_power_return)
    except (ValueError, TypeError):
        return memory, "state_lost", None, ()
    kept = remembered.claims_of(made)
    aged_from = (fields["wall_s"], memory.now_ms, kept) if fields.get("wall_s") and kept else None
    return made, code, aged_from, signed_seqs.rows_of(fields)


def _read(path):
    """(version, seq, fields); () where there is no such file, None for a damaged one."""
    try:
        return sealed_text.unsealed(flash_files.read_bounded(path, MOST_BYTES))
    except OSError as error:
        return () if error.args[0] == NOT_THERE else None


async def written(app, memory, place):
    """Write one file, put together in steps. place: (path but for its last digit, number, seqs). Errors: OSError."""
    path, seq, seqs = place
    text = ""
    for part in state_record.parts(memory, app.board.wall_s(), seqs):
        text += part
        await asyncio.sleep(0)
    flash_files.write_whole(path + str(seq & 1), sealed_text.sealed(text, state_record.VERSION, seq))
