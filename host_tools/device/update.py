"""Command `device update`: a signed update over the serial line into the slot that does not run, then a start on trial.

The running firmware is asked first whether a car is plugged in; only then it is stopped, and rests, so the contactor is
open. It checks the update itself, as it does one from its page.
"""

import argparse
import sys
from pathlib import Path

from firmware.services.phrase_book import PhraseBook
from firmware.wire import update_header
from host_tools import bootstrap
from host_tools.device import asked, box_file, examined_files, examined_pins, flash
from host_tools.device.esptool_call import Trouble

SCRIPT = bootstrap.ROOT / "host_tools" / "chip_scripts" / "update.py"
WORDS = bootstrap.ROOT / "firmware" / "words_en.txt"
UNPLUGGED_MV = 10_500  # requirements §1, A/B
TOLD_EVERY_B = 64 * 1024


def words(code):
    """What the box says to a code, in one line."""
    what, todo = PhraseBook(str(WORDS)).phrase("update." + code)
    return f"{what}. {todo}" if todo else f"{what}."


def slot_of(prompt):
    """Letter of the slot that runs. Errors: Trouble where none runs, or one on trial."""
    letter = prompt.run("import starter\nprint(starter.slot())").strip()
    if not letter:
        raise Trouble("no whole firmware runs on this board: 'device flash' puts one there.", code=2)
    # The other slot is the way back of a version on trial.
    if prompt.run("print(starter.number_of(starter.memory(), 'slot') & starter.TRIAL)").strip() != "0":
        raise Trouble(words("trial"), code=2)
    return letter


def check_unplugged(prompt, letter):
    """Refuse a box with a car on it. Errors: Trouble."""
    box, _ = examined_files.box_of(prompt)
    high_mv = examined_pins.Bench(prompt, letter, box.get("facts", {})).ask("rest()")["high_mv"]
    if high_mv is None or high_mv < UNPLUGGED_MV:
        raise Trouble(words("plugged"), code=2)


def sent(prompt, octets):
    """Code of what the box makes of an update. Errors: Trouble."""
    prompt.run(SCRIPT.read_text("utf-8"))
    prompt.run(f"one = Receiver({len(octets)})")
    at, said, told_b = 0, prompt.run("print(one.feed(b''))").strip(), 0
    while said.isdigit():
        piece = octets[at : at + int(said)]
        if len(piece) < int(said):
            raise Trouble(words("cut_short"), code=2)
        said = prompt.run(f"print(one.feed({piece!r}))").strip()
        at += len(piece)
        if at - told_b >= TOLD_EVERY_B:
            told_b = at
            bootstrap.say(f"{at // 1024} of {len(octets) // 1024} KiB")
    if said == "stored":
        return prompt.run("print(one.chosen())").strip()
    prompt.run("one.clear()")
    return said


def run(argv):
    """Run the command; 0 when the update is stored, 2 when the box does not take it."""
    parser = argparse.ArgumentParser(prog="python3 -m host_tools device update", description=__doc__.split("\n")[0])
    parser.add_argument("--port", help="serial port (default: the only USB one)")
    parser.add_argument("update", type=Path, metavar="FILE", help="made by device build --sign")
    parser.add_argument("--force", action="store_true", help=asked.HELP)
    options = parser.parse_args(argv)
    try:
        octets = options.update.read_bytes() if options.update.stat().st_size <= update_header.MOST_B else b""
        if len(octets) < update_header.HEAD_B:
            raise Trouble(words("no_update"), code=2)
        with box_file.stopped(flash.find_port(options.port), asked.guard(options.force, needs_answer=True)) as prompt:
            letter = slot_of(prompt)
            if not prompt.before:  # else a person knows of the car
                check_unplugged(prompt, letter)
            code = sent(prompt, octets)
    except OSError as error:
        print(f"ebb: {options.update} cannot be read: {error}.", file=sys.stderr)
        return 2
    except Trouble as trouble:
        print(f"ebb: {trouble}", file=sys.stderr)
        return trouble.code
    if code != "stored":
        print(f"ebb: {words(code)}", file=sys.stderr)
        return 2
    print(
        f"{words(code)} It goes back by itself unless it ticks for a minute, passes its self-test and serves its page."
    )
    return 0
