"""Factory reset by the button: what is the owner's goes, to its end over any power cut; then the box starts anew."""

import os

from firmware.services import flash_files, short_pause
from firmware.services.flash_gate import gate

MARKER = "factory_reset"  # as long as it lies there the next start goes on with it
DONE = "factory_reset.done"  # lies there until the log, which went too, tells of the reset
MOST_MARKER = 256
MOST_STEPS = 100  # of the journal, at most 3 ms each, with the contactor open
# What stays: of the ledger the meter's total alone, which never falls (faults.md I5); latches and what the grid asked
# for, which no owner may lift so.
KEPT = ("ledger-", "state.")


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
            flash_files.rename(folder + MARKER, folder + DONE)
        except OSError:
            return False  # the next start tries again
    return is_whole


def forget(journal):
    """What the journal holds counts no more; it is erased while the box rests. Whether that is on flash."""
    for _ in range(MOST_STEPS):
        if journal.is_stored():
            break
        journal.step(False)
    is_said = journal.checkpoint()
    for _ in range(MOST_STEPS):
        if journal.is_stored():
            break
        journal.step(False)
    return is_said and journal.is_stored()


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
    if not await short_pause.opened(app):
        app.notice("reset", "reset.not_now")
        short_pause.over(app)
        return
    is_kept = await app.state.keep(app)
    if not gate.may_touch_files():  # where no pause was needed the coil may have come on meanwhile
        app.notice("reset", "reset.not_now")
        short_pause.over(app)
        return
    try:
        app.ledger.save(app.now_ms(), app.board.wall_s())
        flash_files.write_whole(folder + MARKER, "\n".join(app.config.get("kept_files", ())).encode())
    except OSError:
        pass  # a full flash: what goes now makes room
    if is_kept:
        forget(app.journal)
    is_whole = cleared(folder)
    if not is_kept and await app.state.keep(app):
        is_kept = True
        forget(app.journal)
    # Latches that no file takes are in the journal and in memory alone: no restart may lose them.
    if is_whole and is_kept:
        app.restart()
    else:
        app.notice("reset", "reset.not_whole")
