"""A backup of the settings as JSON: what nobody must keep secret, with a checksum; its way back is the one check."""

import json

from firmware.core import settings
from firmware.core.records import Refusal
from firmware.wire import sealed_text, settings_file

KIND = "ebb settings"
# A broker's password goes to no other broker, and a Wi-Fi is tried before it is kept (its own form).
OF_BROKER = ("mqtt_host", "mqtt_port", "mqtt_user", "mqtt_is_tls")
OWN_FORM = ("wifi_ssid", "wifi_password")


def checksum(fields: "Fields") -> str:
    """Checksum of settings, in whatever order they come."""
    return sealed_text.crc_of(", ".join(['"%s": %s' % (key, json.dumps(fields[key])) for key in sorted(fields)]))


def made(chosen: "SettingsRecord", box: "Fields") -> "Fields":
    """Body of GET /api/backup. box: {"box", "firmware", "wall_s"}, which a restore does not look at."""
    shown: Fields = {}
    for index in range(len(settings.SETTINGS)):
        if not settings.SETTINGS[index][8]:
            shown[settings.KEYS[index]] = chosen[index]
    found: Fields = {"kind": KIND, "version": settings_file.VERSION, "settings": shown, "crc": checksum(shown)}
    found.update(box)
    return found


def changes(fields: "Fields", chosen: "SettingsRecord") -> "tuple[Fields, list[str]] | Refusal":
    """(changes to the settings in force, keys left out) for the body of POST /api/backup, or a Refusal without words.

    "owner_only": true leaves out what is the installer's. A secret in a backup is refused: none of ours holds any.
    """
    found, version = fields.get("settings"), fields.get("version")
    if fields.get("kind") != KIND or not isinstance(found, dict) or type(version) is not int or version < 1:
        return Refusal("no_backup", "kind", "", None)
    if fields.get("crc") != checksum(found):
        return Refusal("bad_backup", "crc", "", None)
    asked: Fields = {}
    left_out: list[str] = []
    wanted = settings_file.migrated(found, version, settings_file.RENAMED)
    for key in wanted:
        row = settings.SETTINGS[settings.KEYS.index(key)] if key in settings.KEYS else None
        if row is not None and row[8]:
            return Refusal("not_allowed", key, "", None)
        is_same = row is not None and wanted[key] == chosen[settings.KEYS.index(key)]
        is_left_out = key in OWN_FORM or (
            row is not None and row[6] == "installer" and fields.get("owner_only") is True
        )
        if is_left_out and not is_same:
            left_out.append(key)
        elif not is_left_out:
            asked[key] = wanted[key]
    for key in OF_BROKER:
        if key in asked and asked[key] != chosen[settings.KEYS.index(key)]:
            asked["mqtt_password"] = ""
    if asked.get("mqtt_password") == "" and chosen.mqtt_password:
        left_out.append("mqtt_password")
    return asked, left_out
