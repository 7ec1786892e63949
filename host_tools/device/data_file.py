"""The files of one box's data partition as a file of the PC: `device divide` keeps them there while the flash is empty.

Secrets stay as the box stores them, so nobody but its owner may read it.
"""

import base64
import contextlib
import hashlib
import json
import os
import time
from pathlib import Path

from host_tools.device.esptool_call import Trouble

KIND, SCHEMA = "ebb data", 1
MOST_BYTES = 64 << 20  # the largest partition is 12 MB
PARTS = {"kind": str, "schema": int, "made_at": str, "chip": str, "files": dict, "left_out": list, "since": dict}


def made(chip, files):
    """What is kept of a box. chip: its number; files: {path behind /data: bytes}."""
    return {
        "kind": KIND,
        "schema": SCHEMA,
        "made_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "chip": chip,
        "files": files,
        "left_out": [],  # paths that do not go back
        "since": {},  # what the box stored after the division broke off
    }


def wanted(kept):
    """{path: bytes} of what goes back onto the box."""
    return {path: octets for path, octets in kept["files"].items() if path not in kept["left_out"]}


def name_of(kept):
    """SHA-256 by which the box knows what goes back onto it."""
    rows = sorted((path, hashlib.sha256(octets).hexdigest()) for path, octets in wanted(kept).items())
    return hashlib.sha256(json.dumps([kept["chip"], rows]).encode()).hexdigest()


def digest(told):
    """SHA-256 of everything but itself."""
    rest = {part: value for part, value in told.items() if part != "sha256"}
    return hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()


def write(kept, path):
    """Put it in its place whole, readable by its owner only, and on the disk when this is back. Errors: Trouble."""
    told = dict(kept)
    for part in ("files", "since"):
        told[part] = {name: base64.b64encode(octets).decode() for name, octets in kept[part].items()}
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(json.dumps({**told, "sha256": digest(told)}, indent=1, sort_keys=True).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        os.replace(fresh, path)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        with contextlib.suppress(OSError):
            Path(fresh).unlink()
        raise Trouble(f"{path} cannot be written: {error.strerror}.", code=2) from None


def read(path):
    """What was written, every part of it checked. Errors: Trouble."""
    try:
        with open(path, "rb") as file:
            content = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise Trouble(f"{path} cannot be read: {error.strerror}.", code=2) from None
    try:
        told = json.loads(content) if len(content) <= MOST_BYTES else None
    except (ValueError, RecursionError):
        told = None
    if type(told) is not dict or told.get("kind") != KIND or told.get("schema") != SCHEMA:
        raise Trouble(f"{path} is damaged, or does not hold the files of a box.", code=2)
    if told.get("sha256") != digest(told):
        raise Trouble(f"{path} was changed or damaged (its checksum differs).", code=2)
    if set(told) != {*PARTS, "sha256"} or not all(isinstance(told[part], kind) for part, kind in PARTS.items()):
        raise Trouble(f"{path} lacks a part.", code=2)
    try:
        for part in ("files", "since"):
            told[part] = {name: base64.b64decode(text, validate=True) for name, text in told[part].items()}
    except (ValueError, TypeError):
        raise Trouble(f"{path} has a part that is none.", code=2) from None
    if not all(is_path(name) for part in ("files", "since", "left_out") for name in told[part]):
        raise Trouble(f"{path} names a place outside of a box's data.", code=2)
    del told["sha256"]
    return told


def is_path(name):
    """Whether this may be a file's path behind /data."""
    return type(name) is str and name[:1] == "/" and not {"", ".", ".."} & set(name[1:].split("/"))
