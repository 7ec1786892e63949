"""Flashing through esptool: find the board, name its chip, write piece by piece, verify, go on where a run ended."""

import collections
import os
import re
import stat
import sys
import tempfile
from pathlib import Path

from serial.tools import list_ports

from host_tools import bootstrap
from host_tools.device import esptool_call, flash_journal
from host_tools.device.esptool_call import CHIPS, Trouble, call

TRIES = 3  # calls in a row that noise may end without one more piece
WROTE = re.compile(r"Wrote \d+ bytes.* at (0x[0-9a-f]+)", re.MULTILINE)
WRITING = re.compile(r"Writing at (0x[0-9a-f]+)", re.MULTILINE)
STATE = bootstrap.ROOT / ".cache" / "flash.json"

Board = collections.namedtuple("Board", "chip mac flash_bytes")
Board.__doc__ = "What answers on a port: chip as esptool names it, its MAC, size of its flash in bytes or None."


def find_port(wanted=None):
    """Path of the serial port: the wanted one, else the only USB one. Errors: Trouble for none, several or no port."""
    if wanted:
        if os.path.exists(wanted) and not stat.S_ISCHR(os.stat(wanted).st_mode):
            raise Trouble(f"{wanted} is no serial port.", code=2)
        return wanted
    found = sorted(port.device for port in list_ports.comports() if port.vid is not None)
    if not found:
        raise Trouble("there is no board: no USB serial port is there. Plug it in, or name one with --port.", code=2)
    if len(found) > 1:
        raise Trouble(f"there are several serial ports: choose one with --port: {', '.join(found)}.", code=2)
    return found[0]


def name_board(line):
    """The Board on a line. Errors: Trouble."""
    said = patiently(lambda: call(line, ["flash-id"]))
    chip = re.search(r"Connected to (\S+) on", said)
    mac = re.search(r"MAC: *([0-9a-f:]{17,23})", said)
    size = re.search(r"flash size: *(\d+)(KB|MB)", said)
    if not chip or not mac:
        raise Trouble("esptool's words about the board were not understood: " + esptool_call.last_words(said))
    size_bytes = int(size[1]) << (20 if size[2] == "MB" else 10) if size else None
    return Board(chip[1], mac[1], size_bytes)


def check_chip(board, chip, port):
    """Refuse a board whose chip is not `chip` ("esp32" or "esp32s3"). Errors: Trouble."""
    if board.chip != CHIPS[chip]:
        words = f"the board on {port} is an {board.chip}, but this firmware is for the {CHIPS[chip]}"
        raise Trouble(words + ": nothing was written.", esptool_call.WRONG_CHIP, 2)


def check_size(board, images):
    """Refuse images ([(offset, bytes)]) that end beyond the board's flash. Errors: Trouble."""
    end = max(offset + len(content) for offset, content in images)
    if board.flash_bytes is not None and end > board.flash_bytes:
        room = f"the flash has {board.flash_bytes >> 10} KB, the images need {(end + 1023) >> 10} KB"
        raise Trouble(room + ": nothing was written.", code=2)


def write(line, chip, journal):
    """Write the journal's remaining pieces, each verified by the chip before it is marked.

    One call of esptool carries all of them; noise begins a new call at the first piece that is not verified.
    Errors: Trouble, with the place where the next run goes on.
    """
    failures = 0
    while journal.remaining():
        before = journal.done_bytes()
        try:
            write_once(line, chip, journal)
        except Trouble as trouble:
            failures = 0 if journal.done_bytes() > before else failures + 1
            if trouble.kind != esptool_call.NOISE or failures >= TRIES:
                raise Trouble(again(trouble, f"it goes on at {journal.percent()} %."), trouble.kind)
            bootstrap.say(f"noise on the line; going on at {journal.percent()} %")


def write_once(line, chip, journal):
    """One call of esptool with every piece that remains. Errors: Trouble."""
    at = None

    def heard(text):
        nonlocal at
        wrote = WROTE.match(text)
        writing = WRITING.match(text)
        if wrote:
            at = int(wrote[1], 16)
        elif writing:
            show(journal, int(writing[1], 16))
        elif text.startswith("Hash of data verified") and at is not None:
            journal.mark(at)
            show(journal)
            at = None

    with tempfile.TemporaryDirectory(prefix="ebb-flash-") as folder:
        arguments = ["--chip", chip, "write-flash"] + ([] if sys.stderr.isatty() else ["--no-progress"])
        for piece in journal.remaining():
            path = Path(folder) / f"{piece.offset:08x}.bin"
            path.write_bytes(piece.content)
            arguments += [f"0x{piece.offset:x}", str(path)]
        call(line, arguments, heard=heard)
    if journal.remaining():
        raise Trouble("esptool ended without a word on every piece.")


def show(journal, at=None):
    """Progress on standard error: every step on a terminal, else one line a verified piece."""
    begun = [piece for piece in journal.remaining() if at is not None and piece.offset < at]
    done_bytes = journal.done_bytes() + (at - begun[-1].offset if begun else 0)
    words = f"{100 * done_bytes // journal.total_bytes} % of {(journal.total_bytes + 1023) >> 10} KB"
    if sys.stderr.isatty():
        print(f"\rebb: {words} ", end="\n" if not journal.remaining() else "", file=sys.stderr, flush=True)
    elif at is None:
        bootstrap.say(words + " verified")


def verify(line, chip, images):
    """Compare whole images ([(offset, path)]) with the flash; the chip starts them then. Errors: Trouble."""
    pairs = [word for offset, path in images for word in (f"0x{offset:x}", str(path))]
    patiently(lambda: call(line, ["--chip", chip, "verify-flash", *pairs], after="hard-reset"))


def again(trouble, words):
    """The trouble's line, with what a second run will do."""
    return f"{str(trouble).rstrip('.')}: run the same command again, {words}"


def patiently(act):
    """What act() gives, begun again when noise ends it. Errors: Trouble."""
    for _ in range(TRIES - 1):
        try:
            return act()
        except Trouble as trouble:
            if trouble.kind != esptool_call.NOISE:
                raise
    return act()


def named(line, chip):
    """The Board on a line once it is known to have this chip. Errors: Trouble."""
    board = name_board(line)
    check_chip(board, chip, line.port)
    return board


def read(line, chip, offset, size_bytes):
    """Bytes of the flash. Errors: Trouble."""
    with tempfile.TemporaryDirectory(prefix="ebb-read-") as folder:
        path = Path(folder) / "read.bin"
        arguments = ["--chip", chip, "read-flash", f"0x{offset:x}", f"0x{size_bytes:x}", str(path)]
        patiently(lambda: call(line, arguments))
        return path.read_bytes()


def flash(line, chip, images, state=STATE):
    """Name, refuse, write, verify: the whole step for [(offset, path)]. Returns the Board. Errors: Trouble."""
    contents = flash_journal.read_images(images)
    board = named(line, chip)
    check_size(board, contents)
    journal = flash_journal.Journal(state, board, contents)
    bootstrap.say(f"{board.chip} with MAC {board.mac} on {line.port}")
    if journal.done_bytes():
        bootstrap.say(f"going on at {journal.percent()} %")
    write(line, chip, journal)
    try:
        verify(line, chip, images)
    except Trouble as trouble:
        if trouble.kind != esptool_call.DIFFERS:
            raise Trouble(again(trouble, "all is written, but not yet compared as a whole."), trouble.kind)
        journal.forget()
        raise Trouble(again(trouble, "it begins anew."))
    journal.forget()
    return board
