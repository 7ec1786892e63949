"""May a command stop the firmware? The running one is asked first over its serial line: is a car there, and charging?

Every command that stops a firmware comes through guard() or at_port(), and their words are here alone.
"""

import re
import time

import serial

from host_tools.device import watch
from host_tools.device.esptool_call import Trouble

# Ctrl-B ends what another tool may have left at the prompt; a running firmware reads the question mark alone.
ASK = b"\x02?\r"
ANSWER = re.compile(rb"ebb: stands ([a-z]+) ([A-F]) (open|closed)\r?\n")
PROMPT = b">>> "
ASK_EVERY_S = 1
ANSWER_S = 15  # the firmware looks once a second, and it may just be starting
FEW_S = 5  # where silence means that none runs: one that starts now has its contactor open
READ_S = 0.1

CAR = "car"  # kind of Trouble: a person can end it at the car
NOTHING = "Nothing was stopped or written."
CHARGING = "A car is charging at this box. End that first, or wait for it; nothing was stopped or written."
PLUGGED = "A car is plugged in: unplug it first."
UNSURE = "The box cannot tell whether a car is plugged in (its pilot reads letter {letter})."
SILENT = "The firmware does not say whether a car is plugged in."
LOOK = "Look at the box: when no car is plugged in, {option} goes on."
ALL_THE_SAME = "{option} goes on all the same, since nothing charges."
DOCTOR = "'device doctor' says what is wrong."
HELP = "although a car is plugged in; never while one charges"


def stands(line, for_s=ANSWER_S):
    """(state, letter, "open" or "closed") of the firmware, "prompt" where none runs, None where nothing answers.

    line: open serial port. Errors: OSError, serial.SerialException when it goes.
    """
    heard = b""
    begun_s = asked_s = time.monotonic()
    line.write(ASK)
    while time.monotonic() - begun_s < for_s:
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


def check(line, is_forced, option, needs_answer):
    """As the function that guard() gives. Errors: Trouble."""
    try:
        found = stands(line, ANSWER_S if needs_answer else FEW_S)
    except (OSError, serial.SerialException) as error:
        raise Trouble(f"the board's line broke off ({error}).", code=2) from None
    if found == "prompt":
        return False
    if found is None:
        if needs_answer and not is_forced:
            raise Trouble(" ".join((SILENT, LOOK.format(option=option) if option else DOCTOR, NOTHING)), code=2)
        return False
    state, letter, contactor = found
    if contactor == "closed" or state in ("charging", "stopping"):
        raise Trouble(CHARGING, CAR, 2)
    is_car = letter in "BCD"
    if not is_forced and (is_car or (needs_answer and letter != "A")):
        what = PLUGGED if is_car else UNSURE.format(letter=letter)
        raise Trouble(" ".join((what, *([ALL_THE_SAME.format(option=option)] if option else []), NOTHING)), CAR, 2)
    return letter != "A"


def guard(is_forced, option="--force", needs_answer=False):
    """Function (open serial port) for Prompt: whether a car may be plugged in; it refuses what must not be stopped.

    option: what a person says to go on with a car plugged in, "" where nothing does; no option helps while one charges.
    needs_answer: silence is refused too, and a pilot that shows neither a car nor none. Other commands are also for
    boards that are new, empty or crashed: there silence means that no firmware runs.
    """
    return lambda line: check(line, is_forced, option, needs_answer)


def at_port(port, is_forced, option="--force"):
    """The same for what does not begin with a Prompt. A port that cannot be opened is left to what comes next to tell.

    Errors: Trouble.
    """
    try:
        line = watch.opened(port)
    except Trouble:
        return
    try:
        guard(is_forced, option)(line)
    finally:
        watch.close(line)
