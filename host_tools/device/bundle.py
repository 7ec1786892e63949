"""An update as a file: head, manifest, signature and the files of a build's slot (firmware/wire/update_header.py)."""

import hashlib
import json

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from firmware.wire import update_bundle, update_header

SLOT = "a/"
SUFFIX = ".ebbupdate"


class BadBundle(Exception):
    """No update can be made of this; the text is one clear line."""


def head(board, version, security, lengths, kind=update_header.SLOT):
    """HEAD_B bytes; version: "0.1.0"; lengths: bytes of the manifest and of all files. Errors: BadBundle."""
    try:
        parts = [int(part) for part in version.split(".")]
        numbers = b"".join(part.to_bytes(2, "big") for part in parts)
        assert len(parts) == 3 and len(board) <= update_header.VERSION_AT - update_header.BOARD_AT
        numbers += b"".join(number.to_bytes(4, "big") for number in (security, *lengths))
    except (ValueError, OverflowError, AssertionError):
        raise BadBundle(f"'{board}' {version} with security {security} fits no head of an update.") from None
    name = board.encode().ljust(update_header.VERSION_AT - update_header.BOARD_AT, b"\0")
    return (update_header.MAGIC + name + numbers + bytes((kind,))).ljust(update_header.HEAD_B, b"\0")


def signature(key, octets):
    """What the maker's key says to these bytes."""
    return key.sign(octets, padding.PKCS1v15(), hashes.SHA256())


def packed(files, key, image=b""):
    """Bytes of the update with the slot of a build; files: {path: bytes} of the build. Errors: BadBundle.

    image: the signed app image that the slot belongs to, b"" for the slot alone.
    """
    manifest = files[SLOT + update_bundle.OWN]
    found = json.loads(manifest)
    contents = [files[SLOT + row["path"]] for row in found["files"]]
    kind = update_header.IMAGE if image else update_header.SLOT
    if image:
        contents.append(image)
        found["images"] = [{"bytes": len(image), "sha256": hashlib.sha256(image).hexdigest()}]
        manifest = json.dumps(found, separators=(",", ":")).encode()
    lengths = (len(manifest), sum(map(len, contents)))
    made = head(found["board"], found["version"], found["security"], lengths, kind)
    whole = b"".join((made, manifest, signature(key, made + manifest), *contents))
    opened = update_header.opened(made, len(whole))
    if not isinstance(opened, update_header.Head):
        raise BadBundle(f"a box would not take an update of {len(whole)} B ({opened.code}).")
    if not isinstance(update_bundle.rows_of(manifest, opened), list):
        raise BadBundle("a box would not take this manifest: too many files, or a path that it does not allow.")
    return whole


def outcome(octets, modulus, board, least, announced_b=None, takes=None):
    """({path: bytes}, manifest or None, "whole" or a code) of what a box makes of these bytes.

    Does in memory what the box's updater does on flash. least: (version numbers, security); announced_b: the length
    that the sender tells, None for the true one; takes: as Bundle's.
    """
    length_b = len(octets) if announced_b is None else announced_b
    reader = update_bundle.Bundle(length_b, modulus, board, least, None, takes)
    files, manifest, name, at, wanted = {}, None, "", 0, 0
    while True:
        piece = octets[at : at + wanted]
        if len(piece) < wanted:
            return files, manifest, "cut_short"
        at += wanted
        kind, value, wanted = reader.feed(piece)
        if kind == "open":
            name = value
            files[name] = b""
        elif kind == "write":
            files[name] += bytes(value)  # pyright: ignore[reportArgumentType]
        elif kind == "flash":
            files[update_bundle.IMAGE] = files.get(update_bundle.IMAGE, b"") + bytes(value)  # pyright: ignore[reportArgumentType]
        elif kind == "seal":
            manifest = bytes(value)  # pyright: ignore[reportArgumentType]  octets, with this kind
        elif kind in ("refused", "whole"):
            return files, manifest, value or kind
