"""What the fields of the core's records are, as records.pyi says: nested lists become records again.

The names of types are short ones on a board, so a flight record tells values alone. Runs on both interpreters.
"""

from firmware.core import records

STUB = records.__file__.rpartition(".")[0] + ".pyi"
HEAD = "class "
OPTIONAL = " | None"


class Broken(Exception):
    """The file is no whole flight record, or none for this version; the text says what is wrong."""


def fields_of(text):
    """{class: [type of each field]} of the text of a stub."""
    found = {}
    fields = []
    for line in text.split("\n"):
        if line.startswith(HEAD):
            fields = found[line[len(HEAD) :].split("(")[0]] = []
        elif line.startswith("    ") and ": " in line:
            fields.append(line.strip().split(": ", 1)[1].split("  #")[0])
    return found


def loaded():
    """fields_of() the records of this version."""
    with open(STUB) as file:
        return fields_of(file.read())


TYPES = loaded()


def parts_of(text):
    """Types between the commas of "int, tuple[int, int], str"."""
    parts, depth, start = [], 0, 0
    for at in range(len(text)):
        depth += {"[": 1, "]": -1}.get(text[at], 0)
        if text[at] == "," and not depth:
            parts.append(text[start:at].strip())
            start = at + 1
    return parts + [text[start:].strip()]


def built(kind, value):
    """The record or tuple of type `kind` that the lists of `value` were. Errors: Broken, TypeError."""
    if kind.endswith(OPTIONAL) and not kind.endswith("]"):
        kind = kind[: -len(OPTIONAL)]
        if value is None:
            return None
    if kind in TYPES:
        fields = TYPES[kind]
        if type(value) is not list or len(value) != len(fields):
            raise Broken("this version's %s has other fields: replay with the version that wrote the record" % kind)
        return getattr(records, kind)(*[built(fields[place], value[place]) for place in range(len(fields))])
    if type(value) is not list:
        return value
    inner = parts_of(kind[len("tuple[") : -1]) if kind.startswith("tuple[") else []
    if inner[1:] == ["..."]:
        return tuple([built(inner[0], item) for item in value])
    if len(inner) != len(value):
        inner = ["Any"] * len(value)
    return tuple([built(inner[place], value[place]) for place in range(len(value))])
