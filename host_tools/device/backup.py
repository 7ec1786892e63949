"""Command `device backup`: settings and facts of one box into a file, and back onto a board, whole or not at all."""

import argparse
import getpass
import json
import sys
import time
from pathlib import Path

from firmware.core import settings
from firmware.core.records import Refusal
from firmware.wire import settings_file
from host_tools.device import asked, backup_file, box_file, flash
from host_tools.device.esptool_call import Trouble

SETTINGS = "/data/settings.json"
LEAST_PASSPHRASE = 10
VERSIONS_CODE = """
import json, os, sys
root = ([one for one in sys.path[:2] if one in ("/a", "/b")] or ["/a"])[0]
told = {"micropython": ".".join(str(one) for one in sys.implementation[1][:3])}
board = {}
try:
    with open(root + "/manifest.json") as file:
        found = json.load(file)
    told["firmware"], told["board"], told["mpy"] = found["version"], found["board"], found["mpy"]
    with open(root + "/board.json") as file:
        board = json.load(file)
    board.pop("pins", None)
except (OSError, ValueError, KeyError):
    pass
try:
    os.stat("/data")
    has_data = True
except OSError:
    has_data = False
print(json.dumps([told, board, has_data]))
"""


def about(prompt):
    """(versions, facts of the board file) on the board. Errors: Trouble where no firmware has prepared its data."""
    try:
        versions, board, has_data = json.loads(prompt.run(VERSIONS_CODE))
    except ValueError:
        raise Trouble("the board does not tell its versions.") from None
    if not has_data:
        raise Trouble("the board has no /data: install the firmware first (device flash).", code=2)
    return versions, {name: board[name] for name in box_file.SCALES if name in board}


def stored_settings(prompt):
    """What is in the settings file of the board, {} in factory state. Errors: Trouble."""
    payload = prompt.read(SETTINGS)
    if payload is None:
        return {}
    found = settings_file.opened(payload)
    if found is None:
        raise Trouble(f"{SETTINGS} on the board is damaged: save the settings once on the box's page.")
    version, _, fields = found
    stored = settings_file.migrated(fields, version, settings_file.RENAMED)
    made = settings.changed(settings.defaults(), stored)
    if isinstance(made, Refusal):
        raise Trouble(f"{SETTINGS} on the board is refused by this firmware: {made.words}")
    return stored


def split(facts, is_apart):
    """(those whose key is not apart, those whose key is)."""
    return (
        {key: value for key, value in facts.items() if not is_apart(key)},
        {key: value for key, value in facts.items() if is_apart(key)},
    )


def taken(prompt):
    """(backup without secrets, the secrets) of a board. Errors: Trouble."""
    versions, board = about(prompt)
    plain, hidden_settings = split(stored_settings(prompt), box_file.is_secret)
    facts, hidden_box = split(box_file.parsed(prompt.read(box_file.BOX), box_file.BOX), box_file.is_secret)
    box, calibration = split(facts, box_file.is_calibration)
    made = {
        "kind": backup_file.KIND,
        "schema": backup_file.SCHEMA,
        "made_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "chip": box_file.chip_id(prompt),
        "versions": versions,
        "settings": plain,
        "box": box,
        "calibration": calibration,
        "board": board,
        "secrets": None,
    }
    wrong = backup_file.wrong_facts(plain, facts)
    if wrong:
        raise Trouble(f"the board {wrong}.")
    return made, {"settings": hidden_settings, "box": hidden_box}


def merged(backup, hidden, present):
    """(/data/settings.json, /box.json, what is said of it); present: (/box.json on the board, number of its chip).

    Who the box is and its secrets come all from the backup or all from the board; so does its calibration.
    Errors: Trouble.
    """
    facts, chip = present
    said = []
    chosen = settings.changed(settings.defaults(), {**backup["settings"], **hidden["settings"]})
    if isinstance(chosen, Refusal):
        raise Trouble(f"a setting is refused ({chosen.words}) Nothing was written.", code=2)
    if backup["settings"].get("mqtt_host") and not hidden["settings"]:
        said.append(
            "the broker's password is not in this backup and is empty now: if it needs one, set it on the page."
        )
    rest, who = split(backup["box"], box_file.is_identity)
    own_rest, own_who = split(facts, box_file.is_identity)
    own_calibration = split(own_rest, box_file.is_calibration)[1]
    if hidden["box"]:
        who = {**who, **hidden["box"]}
        said.append(f"this board is the box '{who.get('box', '')}' now, with the secrets of the backup.")
        if backup["chip"] != chip:
            said.append("the backup is of another board: the two must not run side by side under one name.")
    else:
        who = own_who
        said.append("the id and the secrets of this board stay as they were.")
    if backup["chip"] == chip:
        calibration = backup["calibration"]
    else:
        calibration = own_calibration
        said.append("the calibration of the other board is left out; this board keeps its own.")
    box = {**rest, **who, **calibration}
    wrong = box_file.refusal(box)
    if wrong:
        raise Trouble(f"/box.json is refused: {wrong}. Nothing was written.", code=2)
    return dict(zip(settings.KEYS, chosen, strict=True)), box, said


def restore(port, path, is_forced):
    """Put a backup onto the board; list of what was done. Errors: Trouble, before anything is written."""
    backup = backup_file.read(path)
    hidden: dict[str, dict] = {"settings": {}, "box": {}}
    if backup["secrets"] is not None:
        hidden = backup_file.opened(backup, typed("Passphrase of the backup: "))
    merged(backup, hidden, ({}, ""))  # what can be refused is refused before the board is stopped
    with box_file.stopped(flash.find_port(port), asked.guard(is_forced)) as prompt:
        about(prompt)
        try:
            present = box_file.parsed(prompt.read(box_file.BOX), box_file.BOX)
        except Trouble as trouble:
            if not hidden["box"]:
                raise Trouble(f"{trouble} Nothing was written; 'device provision --force' makes it anew.") from None
            present = {}
        chosen, box, said = merged(backup, hidden, (present, box_file.chip_id(prompt)))
        files = {SETTINGS: json.dumps(chosen).encode(), box_file.BOX: box_file.encoded(box)}
        box_file.replace(prompt, files)
    shown = ", ".join(f"{key} {value}" for key, value in chosen.items() if not box_file.is_secret(key))
    return [f"settings: {shown}.", *said]


def typed(words):
    """What a person types unseen. Errors: Trouble when nobody is there."""
    try:
        return getpass.getpass(words)
    except EOFError:
        raise Trouble("nobody typed the passphrase.", code=2) from None


def save(port, path, has_secrets, is_forced):
    """Write a backup of the board; list of what was done. Errors: Trouble."""
    passphrase = ""
    if has_secrets:
        passphrase = typed("New passphrase for the secrets: ")
        if len(passphrase) < LEAST_PASSPHRASE:
            raise Trouble(f"a passphrase has at least {LEAST_PASSPHRASE} characters.", code=2)
        if typed("Once more: ") != passphrase:
            raise Trouble("the two passphrases differ.", code=2)
    with box_file.stopped(flash.find_port(port), asked.guard(is_forced)) as prompt:
        made, hidden = taken(prompt)
    if has_secrets:
        made = backup_file.sealed(made, hidden, passphrase)
    backup_file.write(made, path)
    count = sum(len(part) for part in hidden.values())
    words = f"with its {count} secrets, sealed" if has_secrets else f"without its {count} secrets"
    return [f"{path}: the box '{made['box'].get('box', 'ebb-' + made['chip'][-6:])}' {words}."]


def run(argv):
    """Run the command; 0 when the backup is made or restored, 2 when nothing was begun."""
    parser = argparse.ArgumentParser(prog="python3 -m host_tools device backup", description=__doc__)
    parser.add_argument("--port", help="serial port (default: the only USB one)")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--out", type=Path, metavar="FILE", help="make a backup")
    what.add_argument("--restore", type=Path, metavar="FILE", help="put a backup onto the board")
    parser.add_argument("--with-secrets", action="store_true", help="with --out: the passwords too, sealed")
    parser.add_argument("--force", action="store_true", help=asked.HELP)
    options = parser.parse_args(argv)
    if options.restore and options.with_secrets:
        parser.error("--with-secrets goes with --out; a restore takes what the backup has.")
    try:
        if options.restore:
            said = restore(options.port, options.restore, options.force)
        else:
            said = save(options.port, options.out, options.with_secrets, options.force)
    except Trouble as trouble:
        print(f"ebb: {trouble}", file=sys.stderr)
        return trouble.code
    print("\n".join(said))
    return 0
