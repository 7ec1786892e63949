"""The state files: what a start does with those of the last one, and how one is written; loaded for each."""

import asyncio

from firmware.core import remembered
from firmware.core.records import Command
from firmware.services import flash_files
from firmware.wire import sealed_text, state_record

MOST_BYTES = 16_384  # 24 claims and 64 ids at their longest are 12 kB
NOT_THERE = 2  # ENOENT


def restored(path, memory, is_power_return):
    """(Memory with what was saved, code of words, number of the newest file, what aged() needs or None, its seqs).

    path: of the two files, without their last character.
    """
    found = [_read(path + name) for name in "01"]
    whole = [row for row in found if row and row[0] == state_record.VERSION]
    seq = max([row[1] for row in found if row] or [0])
    if not whole:
        return memory, "state_lost" if None in found else "", seq, None, ()
    fields = whole[-1][2] if whole[-1][1] == max([row[1] for row in whole]) else whole[0][2]
    from firmware.wire import signed_seqs, state_restored

    try:
        made = state_restored.with_saved(memory, fields, is_power_return)
    except (ValueError, TypeError):
        return memory, "state_lost", seq, None, ()
    kept = remembered.claims_of(made)
    aged_from = (fields["wall_s"], memory.now_ms, kept) if fields.get("wall_s") and kept else None
    return made, "state_before" if None in found else "", seq, aged_from, signed_seqs.rows_of(fields)


def _read(path):
    """(version, seq, fields); () where there is no such file, None for a damaged one."""
    try:
        return sealed_text.unsealed(flash_files.read_bounded(path, MOST_BYTES))
    except OSError as error:
        return () if error.args[0] == NOT_THERE else None


def aged(app, aged_from):
    """None once every claim of the last start was told how long the box was off, else what is still to be told.

    The clock is set: a live claim is cut to its wall-clock end (grid-contract.md); a clock set back cuts nothing.
    """
    wall_s, start_ms, rows = aged_from
    gap_ms = app.board.boot_epoch_ms() + start_ms - wall_s * 1000
    while gap_ms > 0 and rows:
        row = rows[0]
        if row.until_ms is not None and row.source != "owner":
            asked = Command("elapsed", "clock", 0, 0, row.until_ms, row.ref, "", gap_ms, None, "")
            if app.submit(asked) is asked:
                return wall_s, start_ms, rows
        rows = rows[1:]
    return None


async def written(app, memory, place):
    """Write one file, put together in steps. place: (path but for its last digit, number, seqs). Errors: OSError."""
    path, seq, seqs = place
    text = ""
    for part in state_record.parts(memory, app.board.wall_s(), seqs):
        text += part
        await asyncio.sleep(0)
    flash_files.write_whole(path + str(seq & 1), sealed_text.sealed(text, state_record.VERSION, seq))
