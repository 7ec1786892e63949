"""The one file of a slot that holds modules, words and page: written for firmware/slot_archive.py."""

from pathlib import PurePosixPath

from firmware import slot_archive
from firmware.slot_archive import COUNT_B, FOLDER_B, KEY_B, MAGIC, NUMBER_B, ROW_B

PATH = "firmware.bin"  # in the slot


class BadArchive(Exception):
    """The archive cannot be made or read; the text is one clear line."""


def asked_for(path):
    """Names by which a chip asks before it finds a module: its folder and its source."""
    stem = path.removesuffix(".mpy")
    return [stem, stem + ".py"] if path.endswith(".mpy") else []


def packed(files):
    """Bytes of the archive of {path: bytes}. Errors: BadArchive where a path could be taken for another one."""
    folders = sorted({str(above) for path in files for above in PurePosixPath(path).parents} - {"."})
    # littlefs finds a place from the end of a file: what is read again and again lies there.
    names = [*folders, *sorted(files, key=lambda path: (path.endswith(".txt"), path))]
    keys = {name: slot_archive.key_of(name) for name in {*names, *(one for path in files for one in asked_for(path))}}
    if len(set(keys.values())) != len(keys):
        raise BadArchive("two paths of the slot have the same CRC-32; rename a module.")
    at = len(MAGIC) + COUNT_B + ROW_B * len(names)
    rows, contents = [], []
    for name in names:
        content = files.get(name)
        length_b = FOLDER_B if content is None else len(content)
        rows.append(keys[name] + at.to_bytes(NUMBER_B, "big") + length_b.to_bytes(NUMBER_B, "big"))
        contents.append(content or b"")
        at += len(contents[-1])
    if at >= FOLDER_B:
        raise BadArchive(f"the slot has {at} B, more than an archive can hold.")
    return b"".join((MAGIC, len(names).to_bytes(COUNT_B, "big"), *rows, *contents))


def rows_of(octets):
    """[[key, place, length]] of an archive. Errors: BadArchive."""
    head_b = len(MAGIC) + COUNT_B
    if octets[: len(MAGIC)] != MAGIC:
        raise BadArchive("this is no archive of a slot.")
    count = int.from_bytes(octets[len(MAGIC) : head_b], "big")
    found = []
    for start in range(head_b, head_b + ROW_B * count, ROW_B):
        row = octets[start : start + ROW_B]
        found.append(
            [row[:KEY_B], *(int.from_bytes(row[at : at + NUMBER_B], "big") for at in (KEY_B, KEY_B + NUMBER_B))]
        )
    return found


def content(octets, path):
    """Bytes of one path of an archive, None where it has none. Errors: BadArchive."""
    for key, at, length_b in rows_of(octets):
        if key == slot_archive.key_of(path) and length_b != FOLDER_B:
            return octets[at : at + length_b]
    return None


def changed(octets, changes):
    """The archive with other contents {path: bytes} for paths that it has. Errors: BadArchive."""
    wanted = {slot_archive.key_of(path): data for path, data in changes.items()}
    rows = rows_of(octets)
    if set(wanted) - {row[0] for row in rows}:
        raise BadArchive("the archive has no such path.")
    at = len(MAGIC) + COUNT_B + ROW_B * len(rows)
    made, contents = [], []
    for key, start, length_b in rows:
        data = b"" if length_b == FOLDER_B else wanted.get(key, octets[start : start + length_b])
        length_b = FOLDER_B if length_b == FOLDER_B else len(data)
        made.append(key + at.to_bytes(NUMBER_B, "big") + length_b.to_bytes(NUMBER_B, "big"))
        contents.append(data)
        at += len(data)
    return b"".join((MAGIC, len(rows).to_bytes(COUNT_B, "big"), *made, *contents))
