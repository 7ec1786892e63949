"""Asks a running firmware over its serial line, without stopping it: is a car plugged in, does one charge?"""

import re
import time

import serial

from host_tools.device.esptool_call import Trouble

# Ctrl-B ends what another tool may have left at the prompt; a running firmware reads the question mark alone.
ASK = b"\x02?\r"
ANSWER = re.compile(rb"ebb: stands ([a-z]+) ([A-F]) (open|closed)\r?\n")
PROMPT = b">>> "
ASK_EVERY_S = 1
ANSWER_S = 15  # the firmware looks once a second, and it may just be starting
READ_S = 0.1

CHARGING = "A car is charging at this box. End that first, or wait for it; nothing was stopped or written."
PLUGGED = (
    "A car is plugged in. Unplug it; a box is updated only while nothing hangs on it. --force goes on all the same, "
    "since nothing charges. Nothing was stopped or written."
)
SILENT = (
    "the firmware does not say whether a car is plugged in. Look at the box: when no car is, --force goes on. Nothing "
    "was stopped or written."
)


def stands(line):
    """(state, letter, "open" or "closed") of the firmware, "prompt" where none runs, None where nothing answers.

    line: open serial port. Errors: OSError, serial.SerialException when it goes.
    """
    heard = b""
    begun_s = asked_s = time.monotonic()
    line.write(ASK)
    while time.monotonic() - begun_s < ANSWER_S:
        waiting = line.in_waiting
        if waiting:
            heard = (heard + line.read(waiting))[-4096:]
        found = ANSWER.search(heard)
        if found:
            return tuple(part.decode() for part in found.groups())
        if heard.endswith(PROMPT):
            return "prompt"
        if time.monotonic() - asked_s >= ASK_EVERY_S:
            asked_s = time.monotonic()
            line.write(ASK)
        time.sleep(READ_S)
    return None


def check(line, is_forced):
    """Whether a car is plugged in that may stay; refuses a box that must not be stopped. Errors: Trouble."""
    try:
        found = stands(line)
    except (OSError, serial.SerialException) as error:
        raise Trouble(f"the board's line broke off ({error}).", code=2) from None
    if found == "prompt":
        return False
    if found is None:
        if not is_forced:
            raise Trouble(SILENT, code=2)
        return False
    state, letter, contactor = found
    if contactor == "closed" or state in ("charging", "stopping"):
        raise Trouble(CHARGING, code=2)
    if letter != "A" and not is_forced:
        raise Trouble(PLUGGED, code=2)
    return letter != "A"
