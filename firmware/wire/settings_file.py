"""The text of a settings file: all settings in plain sight, with version, number and checksum at its end."""

import binascii
import json

from firmware.core import settings
from firmware.wire import strict_json

VERSION = 2  # 1 had no end: files of the first firmware, and those that a tool on a PC puts there
# A key never changes its meaning: a new meaning is a new key, so that an older firmware can leave it out.
RENAMED: "tuple[tuple[int, str, str], ...]" = ()  # (version that brought it, old key, new key)
MARK = ', "crc": "'
END = '"}'


def crc_of(text: str) -> str:
    """Checksum of a text, eight hex digits."""
    return "%08x" % (binascii.crc32(text.encode()) & 0xFFFFFFFF)  # pyright: ignore[reportUnknownMemberType]  the chip's stub lacks it


def packed(chosen: "SettingsRecord", seq: int) -> bytes:
    """The file for these settings; seq: one more than that of any file before it."""
    rows = ['"%s": %s' % (settings.KEYS[index], json.dumps(chosen[index])) for index in range(len(settings.KEYS))]
    text = "{%s, " % ", ".join(rows) + '"version": %d, "seq": %d' % (VERSION, seq)
    return (text + MARK + crc_of(text) + END).encode()


def opened(payload: bytes) -> "tuple[int, int, Fields] | None":
    """(version, seq, fields) of a file, or None for one that is damaged; (1, 0, fields) where it has no end."""
    try:
        text, mark, end = str(payload, "utf-8").rpartition(MARK)
        if not mark:
            # The chip's own parser takes half a file for a whole one.
            found = strict_json.opened(payload)
            return None if "version" in found or "seq" in found or "crc" in found else (1, 0, found)
        if end != crc_of(text) + END:
            return None
        parsed: Json = json.loads(text + "}")
    except (ValueError, UnicodeError, RuntimeError, strict_json.BadJson):  # RuntimeError: too deep for the parser
        return None
    if not isinstance(parsed, dict):
        return None
    version, seq = parsed.pop("version", 0), parsed.pop("seq", 0)
    if type(version) is not int or type(seq) is not int or version < 2 or seq < 1:
        return None
    return version, seq, parsed


def migrated(fields: "Fields", version: int, renamed: "tuple[tuple[int, str, str], ...]") -> "Fields":
    """Fields of a file as this firmware calls them; of a newer firmware's file only what this one knows."""
    made: Fields = {}
    for key in fields:
        name = key
        for since, old, new in renamed:
            if version < since and name == old:
                name = new
        if version <= VERSION or name in settings.KEYS:
            made[name] = fields[key]
    return made


def settings_of(payload: bytes) -> "tuple[int, int, SettingsRecord | Refusal] | None":
    """(version, seq, Settings or the Refusal of its one check) of a file, or None for one that is damaged."""
    found = opened(payload)
    if found is None:
        return None
    version, seq, fields = found
    return version, seq, settings.changed(settings.defaults(), migrated(fields, version, RENAMED))
