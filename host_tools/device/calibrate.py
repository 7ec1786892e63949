"""Command `device calibrate`: the board's own scales of pilot and current against a meter, into its /box.json.

The current's scale comes first, while the firmware charges a car; the rest through the prompt, the contactor open.
"""

import argparse
import json
import sys

from firmware.drivers import board_facts
from host_tools.device import asked, examined_files, examined_pins, flash
from host_tools.device.esptool_call import Trouble
from host_tools.device.prompt import Prompt

LEAST_SPAN_MV = 10_000  # between the pilot's two points
LEAST_LOAD_MA = 5_000  # below, the reading's own noise counts too much
MOST_BOX_BYTES = 4096  # firmware/starter.py reads no more
QUESTIONS = {
    "shown_ma": "Charge a car. What does the box's page show as current of phase 1, in mA? (Return leaves it out)",
    "reference_ma": "And what does the meter show at the same moment, in mA?",
    "pilot_mv": "No car is plugged in. The pilot is at +12 V: what does the meter show between pilot and earth, in mV?",
    "pilot_low_mv": "The pilot is at -12 V: what does the meter show now, in mV?",
}

UNPLUG = "The current's readings are kept. End the charge, unplug the car, and press Return."


class Answers:
    """What a person says, by options or on the terminal."""

    def __init__(self, options):
        self._options = options

    def number(self, name, may_miss=False):
        """A whole number, None when it is left out. Errors: Trouble."""
        given = getattr(self._options, name)
        if given is not None:
            return given
        try:
            text = input(QUESTIONS[name] + " ").strip()
        except EOFError:
            text = ""
        if not text and may_miss:
            return None
        try:
            return int(text)
        except ValueError:
            raise Trouble(f"'{text}' is no whole number: nothing was changed.", code=2) from None


def current_ratio(answers):
    """(shown, meter) of a charging car in mA, None when it is left out. Errors: Trouble."""
    shown_ma = answers.number("shown_ma", may_miss=True)
    if shown_ma is None:
        return None
    reference_ma = answers.number("reference_ma")
    if min(shown_ma, reference_ma) < LEAST_LOAD_MA:
        raise Trouble(f"a load below {LEAST_LOAD_MA // 1000} A is too small to calibrate with: nothing was changed.")
    return shown_ma, reference_ma


def pilot_scale(points):
    """{fact: value} from two points (uV at the ADC, mV at the meter). Errors: Trouble."""
    (high_uv, high_mv), (low_uv, low_mv) = points
    if high_mv - low_mv < LEAST_SPAN_MV:
        raise Trouble("the meter's two values of the pilot are too close together: nothing was changed.")
    uv_per_v = (high_uv - low_uv) * 1000 / (high_mv - low_mv)
    return {"pilot_uv_per_v": round(uv_per_v), "pilot_zero_uv": round(high_uv - uv_per_v * high_mv / 1000)}


def measured(bench, board, answers):
    """{fact: value} of pilot and current zero. Errors: Trouble."""
    pins = board["pins"]
    points = []
    for mode, pin, question in (("high", "pilot_high_adc", "pilot_mv"), ("low", "pilot_low_adc", "pilot_low_mv")):
        bench.ask("rest()" if mode == "high" else "low()")
        shown_mv = answers.number(question)
        points.append((bench.ask(f"raw({pins[pin]}, {mode!r})")[0], shown_mv))
    zeros = [bench.ask(f"raw({pin}, 'high')")[0] for pin in pins["current_adc"][: board["phases"]]]
    return pilot_scale(points) | {"current_zero_uv": round(sum(zeros) / len(zeros))}


def whole_slot(prompt):
    """Letter of the slot that the board starts. Errors: Trouble when none is whole."""
    found, letter, _ = examined_files.slot_findings(prompt, examined_files.look_at_chip(prompt))
    if not letter:
        raise Trouble(f"{found[0][0]}: {found[0][1]}.")
    return letter


def calibrated(prompt, ratio, answers):
    """(the facts before, the facts after), written to the board. Errors: Trouble, and then nothing is changed."""
    letter = whole_slot(prompt)
    board = json.loads(prompt.read(f"/{letter}/board.json"))
    box, found = examined_files.box_of(prompt)
    if found:
        raise Trouble(f"{found[0][0]}: {found[0][1]}.")
    old = box.get("facts", {})
    if board_facts.own_refusal(board, old):
        old = {}
    before = {name: old.get(name, board[name]) for name in board_facts.OWN}
    made = measured(examined_pins.Bench(prompt, letter, old), board, answers)
    if ratio is not None:
        made["current_uv_per_a"] = round(before["current_uv_per_a"] * ratio[0] / ratio[1])
    words = board_facts.own_refusal(board, made)
    if words:
        raise Trouble(f"that cannot be right: {words} Look at the meter and the wires; nothing was changed.")
    content = json.dumps(box | {"facts": old | made}).encode()
    if len(content) > MOST_BOX_BYTES:
        raise Trouble("/box.json would be too long: nothing was changed.")
    prompt.put("/box.json.new", content)
    prompt.run("import os\nos.rename('/box.json.new', '/box.json')")  # at once: a pulled cable leaves one or the other
    return before, before | made


def freed(port, is_forced, may_wait):
    """A Prompt of a box that no car is plugged into; may_wait: a person has just read a charging car's current.

    Errors: Trouble.
    """
    while True:
        try:
            return Prompt(port, asked.guard(is_forced))
        except Trouble as trouble:
            if trouble.kind != asked.CAR or not may_wait:
                raise
            print(f"ebb: {trouble}", file=sys.stderr)
            try:
                input(UNPLUG + " ")
            except EOFError:
                raise trouble from None


def run(argv):
    """Run the command; 1 when the results are refused, 2 without a board or a number."""
    parser = argparse.ArgumentParser(prog="python3 -m host_tools device calibrate", description=__doc__.split("\n")[0])
    parser.add_argument("--port", help="serial port (default: the only USB one)")
    parser.add_argument("--pilot-mv", type=int, metavar="N", help="what the meter shows at +12 V")
    parser.add_argument("--pilot-low-mv", type=int, metavar="N", help="what the meter shows at -12 V")
    parser.add_argument("--shown-ma", type=int, metavar="N", help="what the box's page shows while a car charges")
    parser.add_argument("--reference-ma", type=int, metavar="N", help="what the meter shows at the same moment")
    parser.add_argument("--force", action="store_true", help=asked.HELP)
    options = parser.parse_args(argv)
    answers = Answers(options)
    try:
        port = flash.find_port(options.port)
        ratio = current_ratio(answers)
        is_typed = ratio is not None and options.shown_ma is None
        with freed(port, options.force, is_typed) as prompt:
            try:
                before, after = calibrated(prompt, ratio, answers)
            finally:
                prompt.restart()
    except Trouble as error:
        print(f"ebb: {error}", file=sys.stderr)
        return error.code
    except KeyboardInterrupt:
        print("ebb: stopped: nothing was changed.", file=sys.stderr)
        return 1
    for name in board_facts.OWN:
        print(f"{name}: {before[name]} -> {after[name]}")
    return 0
