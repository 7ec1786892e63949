"""Factory reset by the button: what is the owner's goes, to its end over any power cut; then the box starts anew."""

import asyncio
import os

from firmware.core.records import Command, Ref
from firmware.services import flash_files

MARKER = "factory_reset"  # as long as it lies there the next start goes on with it
DONE = "factory_reset.done"  # lies there until the log, which went too, tells of the reset
MOST_MARKER = 256
# What stays: the meter's total, which never falls; latches and what the grid asked for, which no owner may lift so.
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
    is_whole = True
    for name in _names(folder):
        if name != MARKER and name not in more and not name.startswith(KEPT) and not _is_folder(folder + name):
            is_whole = flash_files.removed(folder + name) and is_whole
    if is_whole and is_begun(folder):
        try:
            os.rename(folder + MARKER, folder + DONE)
        except OSError:
            return False  # the next start tries again
    return is_whole


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
