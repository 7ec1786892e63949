"""Lines of the firmware in words: the log's codes by words_en.txt, tracebacks by the names behind the short ones."""

import json
import re

from firmware.wire import words
from host_tools import bootstrap
from host_tools.device.esptool_call import Trouble

WORDS = bootstrap.ROOT / "firmware" / "words_en.txt"
LOG = re.compile(r"log: (\d+) ([a-z_]+)(?: (.*))?")
SERVICE = re.compile(r"ebb: ([a-z_]+) (.*)")
FRAME = re.compile(r'(\s*File ")([^"]+)(", line \d+, in )(\S+)(.*)')
NAME = re.compile(r"\b[A-Za-z_][A-Za-z0-9_]*\b")
QUOTED = re.compile(r"'([A-Za-z_][A-Za-z0-9_]*)'")
CODE = re.compile(r"\b(?:state|holder|fault|setting|reason|mqtt)\.[A-Za-z0-9_]+\b")
MODULE = re.compile(r"[A-Za-z_]\w*(?:\.\w+)+")  # compiled code is told by its module's name
PLACE = re.compile(r'File "([^"]+)"(, line \d+, in )(\S+)')
# event: (sentence; {0}, {1} are its arguments in words, families of words_en.txt by which they are looked up)
EVENTS = {
    "state": ("{1} (before: {0})", ("state", "state")),
    "letter": ("The pilot goes from {0} to {1}", ("", "")),
    "fault": ("Fault {0}", ("fault",)),
    "fault_gone": ("Fault gone: {0}", ("fault",)),
    "refused": ("Refused what {0} asked for: {1}", ("holder", "reason")),
    "command": ("Done as {0} asked", ("holder",)),
    "received": ("Heard a command of {0}", ("holder",)),
    "duplicate": ("Heard a command of {0} once more", ("holder",)),
    "replayed": ("An old command of {0} is ignored", ("holder",)),
    "grid": ("Command of {0}: {1}", ("holder", "")),
    "charge_now": ("Charging now, as asked for", ()),
    "unlock": ("This car may charge, as asked for", ()),
    "crash": ("A program error: {0}", ("",)),
}


def names_of(path):
    """{module: {short: long}} of a names.json. Errors: Trouble."""
    try:
        found = json.loads(path.read_bytes())
        if all(type(short) is str and type(long) is str for rows in found.values() for short, long in rows.items()):
            return found
    except (OSError, ValueError, AttributeError) as error:
        raise Trouble(f"{path} holds no names of a build ({error}).", code=2) from None
    raise Trouble(f"{path} holds no names of a build.", code=2)


def harmless(content):
    """Text of a line's bytes; what could steer a terminal is shown as what it is."""
    text = content.decode("utf-8", "backslashreplace").replace("\t", "    ")
    return "".join(mark if mark.isprintable() else f"\\x{ord(mark):02x}" for mark in text)


def file_of(told):
    """Path of the file that a traceback speaks of, which may be told as firmware.app."""
    is_module = MODULE.fullmatch(told) and not told.endswith(".py")
    return told.replace(".", "/") + ".py" if is_module else told


class Decoder:
    """Words for each line; remembers in which module a traceback ends."""

    def __init__(self, names):
        """names: {module: {short: long}}, {} where they are not known."""
        self._names = names
        self._module = None
        self._phrases = {}
        for line in WORDS.read_text("utf-8").splitlines():
            code, _, _ = line.partition(words.MARK)
            found = words.phrase_in(line, code)
            if found:
                self._phrases[code] = found

    def line(self, text):
        """The line as a person reads it."""
        frame = FRAME.fullmatch(text)
        if frame:
            self._module = file_of(frame[2])
            file, name = self._defined(self._module, frame[4])
            return frame[1] + file + frame[3] + name + frame[5]
        module, self._module = self._module, None
        if module is not None:  # the error itself, which may name an attribute
            return QUOTED.sub(lambda found: f"'{self._long(module, found[1])}'", text)
        log = LOG.fullmatch(text)
        if log:
            return f"{int(log[1]) / 1000:.3f} s  {self._event(log[2], log[3] or '')}"
        service = SERVICE.fullmatch(text)
        if service:
            return f"{service[1]}: {CODE.sub(lambda found: self._phrase(found[0]), service[2])}"
        return text

    def _rows(self, module):
        """{short: long} of a module; those of the slot's folders are the same."""
        return self._names.get(module) or self._names.get(module.lstrip("/").removeprefix("a/").removeprefix("b/"), {})

    def _long(self, module, name):
        """The name that a short one stands for, or each of several."""
        found = self._rows(module).get(name, name).split("|")
        return "|".join(dict.fromkeys(one.rpartition(":")[2] for one in found))

    def _defined(self, module, name):
        """(file, function) that a short name stands for: the first of several is what the module itself defines.

        A merged module holds several files; where more than one defines such a method, all of them are told.
        """
        said = []
        files = [module]
        for part in name.split("."):
            longs = self._rows(module).get(part, part).split("|")
            first = longs[0].rpartition(":")[2]
            files = [one.rpartition(":")[0] for one in longs if one.endswith(":" + first)] or files
            said.append(first)
        if len(files) == 1:
            return files[0], ".".join(said)
        return module, ".".join(said) + " of " + " or ".join(sorted(files))

    def _phrase(self, code):
        """Words of a code, and the code itself where it has none."""
        found = self._phrases.get(code)
        return found[0] if found else code

    def _event(self, code, rest):
        """A sentence on one event of the log."""
        if code == "crash":
            return EVENTS[code][0].format(PLACE.sub(self._place, rest))
        sentence, families = EVENTS.get(code, ("", ()))
        told = rest.split(" ")[: len(families)] if families else []
        if not sentence or len(told) != len(families) or len(rest.split()) != len(families):
            return f"{code} {rest}".rstrip()
        said = [self._phrase(f"{family}.{one}") if family else one for one, family in zip(told, families, strict=True)]
        said = [word.removeprefix(f"{family}.") for word, family in zip(said, families, strict=True)]
        if code in ("fault", "fault_gone"):
            todo = self._phrases.get(f"fault.{told[0]}", ("", ""))[1] if code == "fault" else ""
            said = [f"{told[0]}: {said[0]}." + (f" {todo}" if todo else "")]
            return sentence.format(*said)
        return sentence.format(*said).rstrip(".") + "."

    def _place(self, found):
        """A place in a crash's event, with the long name."""
        file, name = self._defined(file_of(found[1]), found[3])
        return f'File "{file}"{found[2]}{name}'
