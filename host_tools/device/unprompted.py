"""A board that gives no prompt: listen to what it prints, and say what that means."""

import re
import time

import serial

from host_tools.device.esptool_call import NO_BOARD, Trouble

BAUD = 115200
LISTEN_S = 8
PIECE_S = 0.2
MOST_BYTES = 16 * 1024
# what a board prints (the first that is found counts), what it means, what to do
SAYINGS = (
    (
        r"waiting for download|DOWNLOAD\(",
        "The chip waits in its boot loader",
        "press RESET; if it comes back here, BOOT is held or its wire is shorted",
    ),
    (
        r"[Bb]rownout",
        "The supply breaks down while the chip starts",
        "use another cable or a stronger supply",
    ),
    (
        r"appears to be corrupted",
        "The file system is damaged, so MicroPython starts in a loop without a prompt",
        "run 'device flash' with --micropython FILE",
    ),
    (
        r"invalid header|No bootable app|flash read err|ets_main\.c",
        "There is no MicroPython on the board",
        "run 'device flash' with --micropython FILE",
    ),
    (
        r"(?s)rst:0x.*rst:0x|Guru Meditation.*rst:0x",
        "The board starts again and again and never comes to a prompt (a boot loop)",
        "run 'device flash' with --micropython FILE",
    ),
)
SILENT = ("The board says nothing at all", "check its supply and its cable, press RESET, and run this again")
GARBAGE = (
    "The board prints only garbage",
    "another program runs on it, or at another rate: run 'device flash' with --micropython FILE",
)
ENDLESS = "run 'device flash' with --micropython FILE"


def heard(port):
    """What the board prints, as bytes; ends early once it is clear what it means. Errors: Trouble."""
    made = b""
    end = time.monotonic() + LISTEN_S
    try:
        with serial.Serial(port, BAUD, timeout=PIECE_S) as line:
            while time.monotonic() < end and len(made) < MOST_BYTES:
                made += line.read(256)
                if saying(made) is not None:
                    break
    except (OSError, serial.SerialException):
        raise Trouble(f"{port} is gone while listening: the cable was pulled.", NO_BOARD, 2) from None
    return made


def saying(made):
    """(what, do) of the first known saying, or None."""
    text = made.decode("ascii", "replace")
    for pattern, what, do in SAYINGS:
        if re.search(pattern, text):
            return what, do
    return None


def meaning(made):
    """(what is wrong, what to do) for what was heard from a board without a prompt."""
    known = saying(made)
    if known is not None:
        return known
    text = made.decode("ascii", "replace")
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if not lines:
        return SILENT
    if sum(not one.isprintable() or one == "\ufffd" for one in text.replace("\r", "").replace("\n", "")) * 4 > len(
        text
    ):
        return GARBAGE
    return f"The board prints lines but never gives a prompt (a boot loop; its last line: '{lines[-1][:80]}')", ENDLESS
