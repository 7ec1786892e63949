"""Command `device flash`: from an empty chip to a ticking box, in two steps that each go on where a run ended.

With --micropython the stock image goes onto the chip with the project's partition table; then, always, the firmware
goes onto the board file by file through MicroPython's prompt, each file checked, and the board starts it.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path

from host_tools import bootstrap
from host_tools.device import asked, boards, esptool_call, flash, install, locked, running_board, slot, stock_image
from host_tools.device.esptool_call import Line, Trouble
from host_tools.device.prompt import Prompt

FIRST_START_S = 30  # reset, USB comes back, the file system is made
TRIES = 3  # connections that noise may end without one more file


def write_chip(line, board, path, state):
    """Step 1: MicroPython and the partition table. Errors: Trouble."""
    parts = stock_image.parts(path, board)
    found = flash.named(line, board["chip"])
    need_mb = board["flash_mb"]
    if found.flash_bytes is not None and found.flash_bytes < need_mb << 20:
        have = f"the flash has {found.flash_bytes >> 10} KB"
        raise Trouble(f"{have}, the board '{board['name']}' needs {need_mb << 10} KB: nothing was written.", code=2)
    vfs_bytes = next(row[4] for row in stock_image.rows(board) if row[0] == "vfs")
    if not stock_image.is_ours(flash.read(line, board["chip"], stock_image.VFS, 0x1040), vfs_bytes):
        # MicroPython makes a file system only where the flash is blank; on another one it stops for good.
        parts.append((stock_image.VFS, b"\xff" * 0x2000))
    with tempfile.TemporaryDirectory(prefix="ebb-image-") as folder:
        images = []
        for offset, content in parts:
            images.append((offset, Path(folder) / f"{offset:08x}.bin"))
            images[-1][1].write_bytes(content)
        done = flash.flash(line, board["chip"], images, state)
    print(f"{done.chip} {done.mac}: MicroPython written and verified", flush=True)


def first_prompt(port, wait_s, is_forced):
    """A Prompt; wait_s: how long a board that was just flashed may take. Errors: Trouble."""
    end = time.monotonic() + wait_s
    while True:
        try:
            return Prompt(port, asked.guard(is_forced))  # a board that came back may run its firmware again
        except Trouble as trouble:
            if trouble.kind == asked.CAR or time.monotonic() > end:
                raise
            time.sleep(0.5)


def write_firmware(port, board, files, options):
    """Step 2: the firmware's files, and a start. Returns paths of the files written. Errors: Trouble."""
    written, first, failures = set(), None, 0
    wait_s = FIRST_START_S if options.micropython else 0

    def told(path, number, of):
        install.told(path, number, of)
        written.add(path)

    while failures < TRIES:
        count = len(written)
        try:
            with first_prompt(port, wait_s, options.force) as prompt:
                put_on(prompt, board, files, options.force, told)
            return written
        except Trouble as trouble:
            if trouble.kind == asked.CAR:
                raise
            if trouble.code == 2 and first is None:
                raise explained(trouble, port, board)
            first = first or trouble
            failures = failures + 1 if len(written) == count else 1
            if trouble.code == 2:
                break
            bootstrap.say(f"{str(trouble).rstrip('.')}; going on")
    raise Trouble(flash.again(first, "it goes on with the files that are not there yet."))


def put_on(prompt, board, files, is_forced, told):
    """Ask the board what it is, write what differs, and start it. Errors: Trouble."""
    running = running_board.asked(prompt, ["/a", *(f"/{name}" for name in install.ROOT_FILES)])
    running_board.check(running, board, files, is_forced)
    if not running.has_data:
        bootstrap.say("the board has no data partition and will remember nothing; --micropython FILE makes one")
    install.install(prompt, files, told)
    running_board.choose_slot(prompt)
    prompt.restart()


def explained(trouble, port, board):
    """The trouble of a first connection, with what to do."""
    if trouble.kind == esptool_call.NO_BOARD and os.path.exists(port):
        words = f"{port} cannot be opened: another program holds it, or you are not in the group 'dialout'."
        return Trouble(words, trouble.kind, 2)
    if trouble.kind != esptool_call.SILENT:
        return trouble
    command = f"python3 -m host_tools device flash --board {board['name']} --port {port} --micropython FILE"
    words = (
        f"no MicroPython answers on {port}: download the image from {stock_image.where(board)}, and run '{command}'."
    )
    return Trouble(words, trouble.kind, 2)


def guarded(work):
    """Exit code of work(): a trouble is one line on standard error, Ctrl-C another."""
    try:
        work()
    except (Trouble, boards.BadBoard, slot.BadBuild, locked.BadWheel) as trouble:
        print("ebb: " + " ".join(str(trouble).split()), file=sys.stderr, flush=True)
        return getattr(trouble, "code", 2)
    except KeyboardInterrupt:
        print("ebb: stopped: run the same command again, it goes on where this ended.", file=sys.stderr, flush=True)
        return 1
    return 0


def is_frozen(files):
    """Whether a build is the slot of an own image (`device image`)."""
    return "frozen" in json.loads(files["a/manifest.json"])


def both_steps(options):
    """The whole command. Errors: Trouble and those of a build."""
    board = boards.loaded(options.board)
    if not options.source:
        boards.check_offered(board, options.experimental)
    port = flash.find_port(options.port)
    if not os.path.exists(port):
        raise Trouble(f"there is no board on {port}: there is no such port. Plug it in, or name another.", code=2)
    files = install.files_of(options.board, options.source)
    # What is wrong with a board is wrong under a stock image: a slot of an own image starts under no other.
    boards.check_offered(board, options.experimental or is_frozen(files))
    print(f"build_sha256: {slot.digest(files)}", flush=True)
    if options.micropython:
        asked.at_port(port, options.force)  # esptool resets the chip
        line = Line(port, options.baud, not options.no_stub)
        write_chip(line, board, options.micropython, options.state)
    written = write_firmware(port, board, files, options)
    print(f"files_written: {len(written)} of {len(files)}")
    print("The board starts the firmware. 'python3 -m host_tools device watch' shows what it says.", flush=True)


def run(argv):
    """Run the command; 0 when the firmware is on the board, 2 when nothing was begun, 1 when it ended in the middle."""
    parser = argparse.ArgumentParser(prog="python3 -m host_tools device flash", description=__doc__.split("\n")[0])
    parser.add_argument("--board", required=True, metavar="NAME", help=boards.listed())
    parser.add_argument("--port", help="serial port; else the only USB one")
    parser.add_argument(
        "--micropython", metavar="FILE", help="stock image (.bin) to write first; erases what ran before"
    )
    parser.add_argument("--baud", type=int, default=460800, help="bits a second for the image (%(default)s)")
    parser.add_argument("--no-stub", action="store_true", help="speak to the chip's ROM only: slower, fewer steps")
    parser.add_argument("--from", dest="source", metavar="DIR", help="a tree of `device build`, not a new one")
    parser.add_argument("--state", default=str(flash.STATE), metavar="FILE", help="what was verified, for the next run")
    parser.add_argument("--experimental", action="store_true", help="flash also a board that is not offered")
    parser.add_argument(
        "--force", action="store_true", help=f"go on though the board says that it is another one, or {asked.HELP}"
    )
    options = parser.parse_args(argv)
    return guarded(lambda: both_steps(options))
