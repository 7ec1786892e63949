"""A backup as a file: one JSON with schema, checksum and, sealed with a passphrase, the secrets; checked as a whole."""

import base64
import contextlib
import hashlib
import json
import os
import re
import secrets
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from firmware.core import settings
from firmware.core.records import Refusal
from host_tools.device import box_file
from host_tools.device.esptool_call import Trouble

KIND, SCHEMA = "ebb backup", 1
MOST_BYTES = 64 * 1024
SALT_BYTES = 16
COST = 1 << 15  # of scrypt, with 8 and 1: 32 MB and a tenth of a second for each guess
# part: type; all of them and no others make a backup
PARTS = {
    "kind": str,
    "schema": int,
    "made_at": str,
    "chip": str,
    "versions": dict,
    "settings": dict,
    "box": dict,
    "calibration": dict,
    "board": dict,
    "secrets": (dict, type(None)),
    "sha256": str,
}
OPEN_PARTS = ("settings", "box", "calibration", "board")


def digest(parts):
    """Checksum over parts of a backup, the same however the file is laid out."""
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def plain_digest(backup):
    """Checksum of what is not sealed; lies in what is, so that no two backups can be mixed."""
    return digest({part: value for part, value in backup.items() if part not in ("secrets", "sha256")})


def key_of(passphrase, salt):
    """Fernet of a passphrase."""
    made = Scrypt(salt=salt, length=32, n=COST, r=8, p=1).derive(passphrase.encode())
    return Fernet(base64.urlsafe_b64encode(made))


def sealed(backup, hidden, passphrase):
    """The backup with its secrets; hidden: {"settings": …, "box": …}."""
    salt = secrets.token_bytes(SALT_BYTES)
    content = json.dumps({**hidden, "of": plain_digest(backup)}).encode()
    made = {"salt": salt.hex(), "sealed": key_of(passphrase, salt).encrypt(content).decode()}
    return {**backup, "secrets": made}


def opened(backup, passphrase):
    """{"settings": …, "box": …} that were sealed. Errors: Trouble."""
    kept = backup["secrets"]
    try:
        found = json.loads(key_of(passphrase, bytes.fromhex(kept["salt"])).decrypt(kept["sealed"].encode()))
        is_whole = found["of"] == plain_digest(backup)
        hidden = {"settings": dict(found["settings"]), "box": dict(found["box"])}
    except InvalidToken:
        raise Trouble("the passphrase is wrong: nothing was written.", code=2) from None
    except (ValueError, KeyError, TypeError):
        raise Trouble("the sealed part of the backup is not readable: nothing was written.", code=2) from None
    if not is_whole or not all(box_file.is_secret(key) for part in hidden.values() for key in part):
        raise Trouble("the sealed part is that of another backup: nothing was written.", code=2)
    return hidden


def write(backup, path):
    """Put a backup in its place whole, readable by its owner only. Errors: Trouble."""
    content = json.dumps({**backup, "sha256": digest(backup)}, indent=1, sort_keys=True).encode() + b"\n"
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(fresh, path)
    except OSError as error:
        with contextlib.suppress(OSError):
            Path(fresh).unlink()
        raise Trouble(f"{path} cannot be written: {error.strerror}.", code=2) from None


def no_number(text):
    """NaN and Infinity, which the chip's JSON does not know. Errors: ValueError."""
    raise ValueError(text)


def read(path):
    """The backup in a file, every part of it checked. Errors: Trouble."""
    try:
        with open(path, "rb") as file:
            content = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise Trouble(f"{path} cannot be read: {error.strerror}.", code=2) from None
    try:
        found = json.loads(content, parse_constant=no_number) if len(content) <= MOST_BYTES else None
    except (ValueError, RecursionError):
        raise Trouble(f"{path} is damaged or no backup: nothing was written.", code=2) from None
    wrong = reason(found)
    if found is None or wrong:
        raise Trouble(f"{path} {wrong}: nothing was written.", code=2)
    return found


def reason(found):
    """Why this is no backup that can be restored, in words; None when it is one."""
    if type(found) is not dict or found.get("kind") != KIND:
        return "is no backup of a box"
    if found.get("schema") != SCHEMA:
        return f"has the schema {str(found.get('schema'))[:16]!r}, and this program knows {SCHEMA}"
    if found.get("sha256") != digest({part: value for part, value in found.items() if part != "sha256"}):
        return "was changed or damaged (its checksum differs)"
    if set(found) != set(PARTS) or not all(isinstance(found[part], kind) for part, kind in PARTS.items()):
        return "lacks a part of a backup"
    if any(box_file.is_secret(key) for part in OPEN_PARTS for key in found[part]):
        return "holds a secret that is not sealed"
    if any(map(box_file.is_calibration, found["box"])) or not all(map(box_file.is_calibration, found["calibration"])):
        return "has facts in the wrong part"
    kept = found["secrets"]
    if kept is not None and not (set(kept) == {"salt", "sealed"} and all(type(one) is str for one in kept.values())):
        return "has a sealed part that is none"
    if kept is not None and not re.fullmatch(r"[0-9a-f]{32}", kept["salt"]):
        return "has a sealed part that is none"
    return wrong_facts(found["settings"], {**found["box"], **found["calibration"]})


def wrong_facts(stored, box):
    """Why settings or a /box.json may not be written, in words; None when they may."""
    made = settings.changed(settings.defaults(), stored)
    if isinstance(made, Refusal):
        return f"holds a setting that this firmware refuses ({made.field}: {made.words.rstrip('.')})"
    wrong = box_file.refusal(box)
    return None if wrong is None else f"holds a fact of the box that may not be so ({wrong})"
