"""Files of settings as a worn flash or a tool may leave them: settings within their rows, or a no."""

import json

from firmware.core import settings
from firmware.core.records import Refusal
from firmware.wire import sealed_text, settings_file
from host_tools.fuzz import objects, settings_import
from host_tools.fuzz.broken import must

TOKENS = (*settings_import.TOKENS, b'"version"', b'"seq"', b', "crc": "', b'"}', b"[" * 600, b"2", b"1e999", b"NaN")


def seeds():
    """Good files of this version, of none and of a later one."""
    made = [settings_file.packed(settings.defaults(), seq) for seq in (1, 2**31)]
    chosen = settings.changed(settings.defaults(), {"wiring_limit_ma": 32_000, "groups": "a,b", "mqtt_host": "h"})
    assert not isinstance(chosen, Refusal)
    made.append(settings_file.packed(chosen, 9))
    made += [json.dumps(one).encode() for one in settings_import.GOOD]
    return [*made, sealed(b'{"wings": 2, "phases": 1, "version": 3, "seq": 5')]


def fresh(chance):
    """Good changes, a little changed, as a file with an end."""
    names = [*settings.KEYS, "version", "seq", "wings"]
    values = (*settings_import.VALUES, 2, 3, 99)
    bases = [{**one, "version": 2, "seq": 7} for one in settings_import.GOOD]
    return sealed(objects.made(chance, bases, (names, values))[:-1])


def sealed(text):
    """A file with a good checksum for the text before it."""
    try:
        check = sealed_text.crc_of(text.decode())
    except ValueError:
        check = "0" * 8
    return text + sealed_text.MARK.encode() + check.encode() + sealed_text.END.encode()


def repaired(octets, chance):
    """Most of them with a good checksum, so that more than that is looked at."""
    text, mark, _ = octets.rpartition(sealed_text.MARK.encode())
    return sealed(text) if mark and chance() < 0.75 else octets


def tried(octets):
    """What became of the file, as a short label. Errors: Broken, or whatever the reader lets out."""
    found = settings_file.settings_of(octets)
    if found is None:
        return "damaged"
    version, seq, made = found
    must(type(version) is int and type(seq) is int and seq >= 0 and version >= 1, "a version that is none")
    must(version == 1 or seq > 0, "a file without an end that has a later version")
    if isinstance(made, Refusal):
        must(bool(made.words), "a refusal without words")
        return "refused %s %s" % (made.code, made.field if made.field in settings.KEYS else "")
    settings_import.in_bounds(made)
    again = settings_file.settings_of(settings_file.packed(made, seq + 1))
    must(again is not None and again[1:] == (seq + 1, made), "settings that read otherwise")
    return "good%d" % min(version, 3)
