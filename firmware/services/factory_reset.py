"""Factory reset by the button: what is the owner's goes, to its end over any power cut; then the box starts anew."""

import asyncio
import os

from firmware.core.records import Command, Ref
from firmware.services import flash_files

MARKER = "factory_reset"  # as long as it lies there the next start goes on with it
DONE = "factory_reset.done"  # lies there until the log, which went too, tells of the reset
MOST_MARKER = 256
# What stays: of the ledger the meter's total alone, which never falls (faults.md I5); latches and what the grid asked
# for, which no owner may lift so.
KEPT = ("ledger-", "state.")
OPEN_MS = 8000  # a pause opens within 6.1 s
LOOK_S = 0.1
REF = Ref("owner", "factory_reset", 0)


def is_begun(folder):
    """Whether a reset was begun and not ended. folder: path that ends in "/"."""
    return MARKER in _names(folder)


def cleared(folder):
    """Whether everything of the owner's is gone; what is not is tried again at the next start."""
    try:
        more = flash_files.read_bounded(folder + MARKER, MOST_MARKER).decode().split("\n")
    except (OSError, ValueError):
        more = []
    head = _total(folder)
    is_bare = _keep_alone(folder, head)
    is_whole = True
    for name in _names(folder):
        is_kept = name.startswith(KEPT) and not name.endswith(flash_files.NEW)
        if name != MARKER and name not in more and not is_kept and not _is_folder(folder + name):
            is_whole = flash_files.removed(folder + name) and is_whole
    # Where the flash was full there is room by now.
    is_whole = (is_bare or _keep_alone(folder, head)) and is_whole
    if is_whole and is_begun(folder):
        try:
            os.rename(folder + MARKER, folder + DONE)
        except OSError:
            return False  # the next start tries again
    return is_whole


def _total(folder):
    """Head of the ledger with the meter's total and nothing else; history may know the total better than the heads."""
    from firmware.services import ledger_start
    from firmware.wire import ledger_record

    found = ledger_start.found(folder, 0).head
    none = (0, ledger_record.NO_WH, 0, 0, 0, 0, 0, ledger_start.NO_MINUTES)
    return ledger_record.Head(*((found.seq, 0, found.wh, found.mwh) + none))


def _keep_alone(folder, head):
    """Store a Head in place of both copies; whether that is done. No running session and no minute outlives it."""
    from firmware.services import ledger
    from firmware.wire import ledger_record

    newer, older = ledger.HEADS[head.seq & 1], ledger.HEADS[1 - (head.seq & 1)]
    try:
        flash_files.write_whole(folder + newer, ledger_record.packed_head(head))
    except OSError:
        return False
    return older not in _names(folder) or flash_files.removed(folder + older)


def done_in(folder):
    """Path of what says that a reset was ended and is not told yet, "" where there is none."""
    return folder + DONE if DONE in _names(folder) else ""


def _names(folder):
    try:
        return os.listdir(folder)
    except OSError:
        return []


def _is_folder(path):
    try:
        return os.stat(path)[0] & 0x4000 != 0
    except OSError:
        return False


async def run(app):
    """The button was held for 10 s: let the car go, forget, start anew."""
    app.tell("reset", app.phrases.phrase("reset.begun")[0])
    folder = app.config["data_dir"].rstrip("/") + "/"
    now_ms = app.now_ms()
    app.submit(Command("limit", "owner", 0, now_ms, now_ms + OPEN_MS, REF, "", 0, None, ""))
    while app.now_ms() - now_ms < OPEN_MS:
        await asyncio.sleep(LOOK_S)
        if not app.loop.memory.outputs.is_contactor_closed:
            break
    app.submit(Command("resume", "owner", 0, now_ms, None, REF, "", 0, None, ""))
    await asyncio.sleep(LOOK_S)
    await app.state.keep(app)
    try:
        flash_files.write_whole(folder + MARKER, "\n".join(app.config.get("kept_files", ())).encode())
    except OSError:
        pass  # a full flash: what goes now makes room
    if cleared(folder):
        app.restart()
    else:
        app.notice("reset", "reset.not_whole")
