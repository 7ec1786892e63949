"""One call of esptool on one serial line, and its troubles in words."""

import collections
import os
import re
import subprocess
import sys

NO_BOARD, WRONG_CHIP, SILENT, GARBLED = "no board", "wrong chip", "silent", "garbled"  # nothing was begun
NOISE, PULLED, DIFFERS, OTHER = "noise", "pulled", "differs", "other"
NOTHING_BEGUN = (NO_BOARD, WRONG_CHIP, SILENT, GARBLED)
CHIPS = {"esp32": "ESP32", "esp32s3": "ESP32-S3"}  # as a board says it, as esptool says it
SAFE_BAUD = 115200
# what esptool says (the first that is found counts), kind of trouble
SAYINGS = (
    (r"Lost connection|device disconnected|returned no data|Errno (5|6|19)\]|Input/output error", PULLED),
    (r"[Ww]rite timeout|ClearCommError|Device not configured|No such device\b", PULLED),
    (r"Failed to set baud rate", OTHER),
    (r"[Cc]ould not open", NO_BOARD),
    (r"This chip is (\S+), not", WRONG_CHIP),
    (r"Failed to connect[^\n]*(Invalid head|noise|SLIP)", GARBLED),
    (r"Failed to connect|Wrong boot mode", SILENT),
    (r"Verification failed", DIFFERS),
    (r"Invalid head|noise|corruption|SLIP|No more data|transfer stopped|doesn't match request", NOISE),
    (r"MD5 of file does not match|written flash region is empty|Unexpected chip|No serial data|Failed to ", NOISE),
    (r"Only got \d+ byte|Unable to verify flash", NOISE),
)


class Trouble(Exception):
    """The board cannot be worked on: one clear line, its kind (one of the words above) and the exit code."""

    def __init__(self, words, kind=OTHER, code=1):
        super().__init__(words)
        self.kind = kind
        self.code = code


Line = collections.namedtuple("Line", "port baud has_stub")
Line.__doc__ = "A serial line: path of the port, bits a second, and whether esptool may load its faster stub."


def call(line, arguments, after="no-reset", heard=None):
    """Run esptool with the arguments; returns what it said. `heard` is told every line at once. Errors: Trouble."""
    command = [sys.executable, "-m", "esptool", "--port", line.port, "--baud", str(line.baud), "--after", after]
    command += [] if line.has_stub else ["--no-stub"]
    env = {**os.environ, "NO_COLOR": "1", "PYTHONUNBUFFERED": "1"}
    said = []
    with subprocess.Popen(
        [*command, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=env,
        encoding="utf-8",
        errors="replace",
    ) as process:
        try:
            for text in process.stdout or ():
                said.append(text)
                if heard is not None:
                    heard(text)
        except BaseException:
            process.terminate()  # Ctrl-C: no esptool stays behind on the port
            raise
    whole = "".join(said)
    if process.returncode:
        raise trouble(line, whole)
    return whole


def trouble(line, said):
    """What went wrong, from what esptool said last."""
    for saying, kind in SAYINGS:
        found = re.search(saying, said)
        if found:
            return Trouble(worded(line, kind, said, found), kind, 2 if kind in NOTHING_BEGUN else 1)
    if "No module named" in said:
        return Trouble("esptool is not installed: run 'python3 -m host_tools setup'.", OTHER, 2)
    return Trouble(worded(line, OTHER, said, None), OTHER)


def worded(line, kind, said, found):
    """One line for a person at the board."""
    if kind == NO_BOARD and "Permission denied" in said:
        return f"{line.port} may not be opened: add yourself to the group 'dialout' and log in again."
    if kind == NO_BOARD:
        return f"there is no board on {line.port}, or another program holds the port."
    if kind == WRONG_CHIP:
        return f"the board on {line.port} is an {found[1].rstrip(',')}, not the chip of this firmware."
    if kind == SILENT:
        return f"the board on {line.port} does not answer: hold BOOT, press RESET, let go of BOOT, and run this again."
    if kind == PULLED:
        return f"the board on {line.port} is gone: the cable was pulled."
    if kind == DIFFERS:
        return "the flash does not hold what was written."
    if kind == OTHER:
        return f"esptool gave up: {last_words(said)}."
    slower = f"try --baud {SAFE_BAUD}" if line.baud > SAFE_BAUD else "try another cable, or hold BOOT and press RESET"
    if kind == GARBLED:
        return f"{line.port} gives only garbage: another program runs on the board, or the rate is wrong; {slower}."
    return f"the line on {line.port} is noisy or too fast at {line.baud} baud ({last_words(said)}); {slower}."


def last_words(said):
    """The heart of esptool's error, without its address of a web page."""
    found = re.findall(r"error occurred: *([^\n]+)", said)
    lines = found or [text.strip() for text in said.splitlines() if text.strip()] or ["without a word"]
    return lines[-1].strip().rstrip(".!")[:160]
