"""The text of a settings file: all settings in plain sight, with version, number and checksum at its end."""

import json

from firmware.core import settings
from firmware.wire import sealed_text, strict_json

VERSION = 2  # 1 had no end: files of the first firmware, and those that a tool on a PC puts there
# A key never changes its meaning: a new meaning is a new key, so that an older firmware can leave it out.
RENAMED: "tuple[tuple[int, str, str], ...]" = ()  # (version that brought it, old key, new key)


def packed(chosen: "SettingsRecord", seq: int) -> bytes:
    """The file for these settings; seq: one more than that of any file before it."""
    rows = ['"%s": %s' % (settings.KEYS[index], json.dumps(chosen[index])) for index in range(len(settings.KEYS))]
    return sealed_text.sealed(", ".join(rows), VERSION, seq)


def opened(payload: bytes) -> "tuple[int, int, Fields] | None":
    """(version, seq, fields) of a file, or None for one that is damaged; (1, 0, fields) where it has no end."""
    if sealed_text.MARK.encode() in payload:
        return sealed_text.unsealed(payload)
    try:
        found = strict_json.opened(payload)
    except strict_json.BadJson:
        return None
    return None if "version" in found or "seq" in found or "crc" in found else (1, 0, found)


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
