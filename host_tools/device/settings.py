"""Command `device settings`: read and change any setting over the cable, while the firmware runs and is not stopped.

The box itself checks each change, with the rules of its page: what is the installer's needs his code and a press of the
box's own button; a lower installation limit needs neither.
"""

import argparse
import getpass
import json
import re
import sys
import time

import serial

from firmware.core import settings
from firmware.core.records import Refusal
from firmware.wire import cable_line, words
from host_tools import bootstrap
from host_tools.device import asked, flash, watch
from host_tools.device.esptool_call import Trouble

ANSWER = re.compile(rb"ebb: settings (value|refused|end) ?(.*)")
WAKE_S = 1.2  # the firmware looks once a second, and often once a line has begun
PIECE_B, PIECE_S = 32, 0.05  # the port's buffer on the chip holds some 260 bytes
ANSWER_S, WIFI_S = 15, 75
TRIES = 3  # for a line that did not arrive whole: nothing was done with it
BUTTON_S, AGAIN_S = 180, 2
BOOLS = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}
UNITS = {"ma": "mA", "mv": "mV", "hz": "Hz", "s": "s"}
HIDDEN = "-"  # as a value: it is asked for, and not seen
NOTHING = "Nothing was changed."


def row_of(name):
    """Row of the settings table. Errors: Trouble."""
    for row in settings.SETTINGS:
        if row[0] == name:
            return row
    raise Trouble(f"there is no setting '{name}'; 'device settings' lists them. {NOTHING}", code=2)


def value_of(row, text):
    """The value that a person typed, checked against the table. Errors: Trouble."""
    value = text
    if row[1] == "bool":
        value = BOOLS.get(text.lower(), text)
    elif row[1] == "int" and re.fullmatch(r"-?\d{1,12}", text):
        value = int(text)
    made = settings.changed(settings.defaults(), {row[0]: value})
    if isinstance(made, Refusal):
        raise Trouble(f"{made.words} {NOTHING}", code=2)
    return value


def hidden(question):
    """What a person types without its being seen; a line of the input where that is no terminal. Errors: Trouble."""
    try:
        made = getpass.getpass(question + ": ") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\r\n")
    except EOFError:
        made = ""
    if not made.isascii() or not made.isprintable():
        raise Trouble(f"only plain characters can be typed here. {NOTHING}", code=2)
    return made


def bounds(row):
    """What a setting may be, in words."""
    key, kind, low, high, step = row[:5]
    if kind == "bool":
        return "true or false"
    if kind == "int":
        return f"{low} to {high}" + (f" in steps of {step}" if step != 1 else "")
    return f"text, {low} to {high} characters" if kind == "text" else f"names, at most {high}, with commas between"


def labels():
    """{setting: its words}."""
    lines = (bootstrap.ROOT / "firmware" / "words_en.txt").read_text("utf-8").splitlines()
    made = {}
    for key in settings.KEYS:
        found = [words.phrase_in(line, "setting." + key) for line in lines]
        made[key] = next((phrase[0] for phrase in found if phrase), key)
    return made


def shown(row, value):
    """A value as a person reads it; a secret is never told."""
    if row[8]:
        return "(never shown)"
    if row[1] == "bool":
        return "true" if value else "false"
    return f"{value} {UNITS.get(row[7], '')}".strip() if value != "" else "(empty)"


def told(values, only):
    """Lines of the list, of one setting alone where `only` names it."""
    known = labels()
    for row in settings.SETTINGS:
        if row[0] in values and only in (None, row[0]):
            yield f"{row[0]:<21} {shown(row, values[row[0]]):<16} {known[row[0]]} ({bounds(row)}; {row[6]})"
    for key in values:
        if key not in settings.KEYS and only is None:
            yield f"{key:<21} {values[key]}  (a newer firmware's; this tool cannot change it)"


class Box:
    """A running box at an open serial port."""

    def __init__(self, line):
        """Errors: Trouble where no firmware runs."""
        self._line = line
        found = asked.stands(line)
        if found == "prompt":
            raise Trouble(
                "no firmware runs on this board, so there is nobody to ask: 'device doctor' says why.", code=2
            )
        if found is None:
            raise Trouble(
                f"the firmware does not answer. Is it the right port, and does a box run there? {NOTHING}", code=2
            )

    def ask(self, fields, for_s=ANSWER_S):
        """({key: value} that the box tells, its refusal as a dict or None). Errors: Trouble."""
        for _ in range(TRIES):
            self._send(cable_line.packed(json.dumps(fields)))
            values, refusal = self._answer(for_s)
            if refusal is None or refusal["code"] != "bad_line":
                return values, refusal
        raise Trouble(f"the line to the box is too noisy: its checksum was wrong {TRIES} times. {NOTHING}")

    def _send(self, octets):
        """Wake the listener, then so slowly that nothing is lost in the chip's buffer."""
        self._line.write(b"\r" + octets[:1])
        time.sleep(WAKE_S)
        self._line.reset_input_buffer()  # an answer to somebody before
        for start in range(1, len(octets), PIECE_B):
            self._line.write(octets[start : start + PIECE_B])
            time.sleep(PIECE_S)

    def _answer(self, for_s):
        """As ask()."""
        values, end_s = {}, time.monotonic() + for_s
        kept = b""
        while time.monotonic() < end_s:
            kept += self._line.read(max(1, self._line.in_waiting))
            *whole, kept = kept.split(b"\n")
            for line in whole:
                found = ANSWER.fullmatch(line.rstrip(b"\r"))
                if found and found[1] == b"end":
                    return values, None
                if found and found[1] == b"refused":
                    return values, json.loads(found[2])
                if found:
                    row = json.loads(found[2])
                    values[row["key"]] = row["value"]
        raise Trouble(
            "the box does not answer to this. Its firmware may be older than this command: update it. If it was a "
            "change, list the settings to see whether it was made."
        )


def refused(refusal):
    """Trouble of a refusal by the box."""
    if refusal["code"] == "charging":
        said = "a car is charging, and the box reads nothing from its flash meanwhile. Ask again after it."
    else:
        said = refusal["words"] or refusal["code"]
    return Trouble(f"{said} {NOTHING}")


def change(box, fields):
    """Make a change; the code and the button are asked for when the box wants them. Errors: Trouble."""
    _, refusal = box.ask(fields, WIFI_S if "wifi_ssid" in fields else ANSWER_S)
    if refusal and refusal["code"] == "code":
        print(refusal["words"], file=sys.stderr)
        fields = {**fields, "installer_code": hidden("installer's code (it is not shown)")}
        _, refusal = box.ask(fields)
    end_s = time.monotonic() + BUTTON_S
    if refusal and refusal["code"] == "button":
        print("Press the button on the box briefly now; waiting for it.", file=sys.stderr, flush=True)
    while refusal and refusal["code"] == "button" and time.monotonic() < end_s:
        time.sleep(AGAIN_S)
        _, refusal = box.ask(fields)
    if refusal and refusal["code"] == "code":
        raise Trouble(f"this is not the installer's code of this box. {NOTHING}")
    if refusal:
        raise refused(refusal)


def wanted(name, text):
    """The change that a person asks for, as a dict. Errors: Trouble."""
    row = row_of(name)
    if row[8] and text != HIDDEN:
        words = f"a password typed here stays in the shell's history: write '{name} {HIDDEN}', and it is asked for."
        raise Trouble(f"{words} {NOTHING}", code=2)
    if name == "wifi_password":
        raise Trouble(f"Wi-Fi is tried as a whole: change wifi_ssid, and its password is asked for. {NOTHING}", code=2)
    fields = {name: value_of(row, hidden(name + " (it is not shown)") if row[8] else text)}
    if name == "wifi_ssid":
        password = hidden("password of that Wi-Fi (it is not shown; empty for an open one)")
        fields["wifi_password"] = value_of(row_of("wifi_password"), password)
    return fields


def work(options):
    """Do what the options say. Errors: Trouble."""
    fields = None
    if options.name is not None:
        row_of(options.name)
    if options.value is not None:
        fields = wanted(options.name, options.value)
    line = watch.opened(flash.find_port(options.port))
    try:
        box = Box(line)
        before, refusal = box.ask({})
        if refusal:
            raise refused(refusal)
        if fields is None:
            print("\n".join(told(before, options.name)))
            return
        change(box, fields)
        row = row_of(options.name)
        print(f"{options.name}: {shown(row, before[options.name])} -> {shown(row, fields[options.name])}")
    except (OSError, serial.SerialException) as error:
        raise Trouble(f"the line to the box broke off ({error}); list the settings to see where it stands.") from None
    finally:
        watch.close(line)


def run(argv):
    """Run the command; 1 when the box refuses, 2 when nothing was asked."""
    parser = argparse.ArgumentParser(prog="python3 -m host_tools device settings", description=__doc__.split("\n")[0])
    parser.add_argument("--port", help="serial port (default: the only USB one)")
    parser.add_argument("name", nargs="?", metavar="NAME", help="one setting (default: all of them)")
    parser.add_argument("value", nargs="?", metavar="VALUE", help=f"its new value; {HIDDEN} for a password")
    options = parser.parse_args(argv)
    try:
        work(options)
    except Trouble as trouble:
        print(f"ebb: {trouble}", file=sys.stderr)
        return trouble.code
    except KeyboardInterrupt:
        print("ebb: stopped; list the settings to see where they stand.", file=sys.stderr)
        return 1
    return 0
