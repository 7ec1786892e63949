"""An update as it comes in: bytes one way, and the other way what is to be done with them, only after the signature.

A file is longer than what fits into memory: it is written as it comes, and its digest is known behind its last byte.
"""

import binascii
import hashlib
import json

from firmware.core.records import Refusal
from firmware.wire import update_header

PIECE_B = 512
MOST_FILES = 160
MOST_PATH = 64
PATH_MARKS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./"
# No source text and nothing that a start would run by its name: a slot holds bytecode and what it reads.
KINDS = (".mpy", ".json", ".txt", ".gz", ".bin")
OWN = "manifest.json"  # written last, from the signed bytes themselves
IMAGE = ""  # no file has this path
DIGEST_MARKS = 64  # of the frozen modules, as the image itself holds them

# What feed() answers, with (value, bytes that it wants next):
#   more    call again with so many bytes      pause   call again with none; let others work before
#   clear   remove what the slot holds         open    begin the file `value`
#   write   append `value` to it               close   it is complete
#   flash   append `value` to the image        check   read the image back: its SHA-256 is `value`
#   seal    write the manifest `value`         whole   the slot is complete
#   refused value is the Refusal's code, and nothing more is taken


class Bundle:
    """One update on its way in; every answer of feed() is to be done before the next call."""

    def __init__(
        self,
        announced_b: int,
        modulus: bytes,
        board: str,
        least: "tuple[tuple[int, ...], int]",
        fits: "Callable[[str], bool] | None" = None,
        takes: "Callable[[str, int], str] | None" = None,
    ) -> None:
        """announced_b: length that the sender tells; modulus: of the maker's key; least: (version, security).

        fits: whether a slot may run under the box's image, by the digest of the frozen modules that it needs or "";
        None: under any. takes: code of why the box has no place for an image with frozen modules of this digest and of
        so many bytes, "" where it has; None: it has none.
        """
        self._announced_b = announced_b
        self._modulus = modulus
        self._board = board
        self._least = least
        self._fits = fits
        self._takes = takes
        self._octets = b""
        self._steps = self._read()
        self.refusal: Refusal | None = None
        self.head: update_header.Head | None = None

    def feed(self, octets: bytes) -> "tuple[str, Octets | str, int]":
        """The next thing to do, for exactly the bytes that the last answer wanted. Total: any bytes give an answer."""
        self._octets = octets
        for step in self._steps:
            return step
        if self.refusal is None:
            self.refusal = update_header.refusal("over", "")
        return "refused", self.refusal.code, 0

    def _read(self) -> "Iterator[tuple[str, Octets | str, int]]":
        """The whole way, from the head to the last byte."""
        if not update_header.is_key(self._modulus):
            self.refusal = update_header.refusal("no_key", "")
            return
        yield "more", "", update_header.HEAD_B
        first = self._octets
        head = update_header.opened(first, self._announced_b)
        unfit = head if isinstance(head, Refusal) else update_header.unfit(head, self._board, *self._least)
        if isinstance(head, Refusal) or unfit is not None:
            self.refusal = unfit
            return
        self.head = head
        manifest = bytearray()
        while len(manifest) < head.manifest_b:
            yield "more", "", min(PIECE_B, head.manifest_b - len(manifest))
            manifest += self._octets
        yield "more", "", update_header.SIGNATURE_B
        made = hashlib.sha256(first)
        made.update(manifest)  # pyright: ignore[reportUnknownMemberType]  the chip's stub lacks it
        is_signed = None
        digest = made.digest()  # pyright: ignore[reportUnknownMemberType]  the chip's stub lacks it
        for is_signed in update_header.proof(self._octets, self._modulus, digest):
            yield "pause", "", 0
        if not is_signed:
            self.refusal = update_header.refusal("bad_signature", "")
            return
        rows = rows_of(manifest, head, self._fits, self._takes or takes_none)
        if isinstance(rows, Refusal):
            self.refusal = rows
            return
        yield "clear", "", 0
        for row in rows:
            yield from self._file(row)
            if self.refusal is not None:
                return
        yield "seal", manifest, 0
        yield "whole", "", 0

    def _file(self, row: "tuple[str, int, bytes]") -> "Iterator[tuple[str, Octets | str, int]]":
        """One file, or the image; it is compared before it counts, and before the next one begins."""
        path, left_b, sha256 = row
        made = hashlib.sha256()
        is_image = path == IMAGE
        if not is_image:
            yield "open", path, 0
        while left_b > 0:
            yield "more", "", min(PIECE_B, left_b)
            octets = self._octets
            left_b -= len(octets)
            made.update(octets)  # pyright: ignore[reportUnknownMemberType]  the chip's stub lacks it
            yield "flash" if is_image else "write", octets, 0
        if made.digest() != sha256:  # pyright: ignore[reportUnknownMemberType]  the chip's stub lacks it
            self.refusal = update_header.refusal("bad_file", path)
            return
        yield ("check", sha256, 0) if is_image else ("close", path, 0)


def takes_none(frozen: str, image_b: int) -> str:
    """Of a box without a place for an image."""
    return "no_place"


def rows_of(
    manifest: "Octets",
    head: "update_header.Head",
    fits: "Callable[[str], bool] | None" = None,
    takes: "Callable[[str, int], str] | None" = None,
) -> "list[tuple[str, int, bytes]] | Refusal":
    """[(path, bytes, SHA-256)] of a manifest, or why it does not fit its head; the maker's mistakes end here too.

    The last row of the kind IMAGE is that of the image, with this name for a path. takes: as Bundle's; None: any image.
    """
    wrong = update_header.refusal("bad_manifest", "")
    try:
        found = json.loads(bytes(manifest).decode())
        same = (found["board"], found["version"], found["security"])
        rows = [(row["path"], row["bytes"], binascii.unhexlify(row["sha256"])) for row in found["files"]]
        frozen = found.get("frozen", "")
        has_types = type(found["security"]) is int and type(frozen) is str and type(found.get("images", [])) is list
        images = [(IMAGE, row["bytes"], binascii.unhexlify(row["sha256"])) for row in found.get("images", [])]
        is_same = same == (str(head.board, "utf-8"), ".".join([str(part) for part in head.version]), head.security)
    except (ValueError, KeyError, TypeError, RuntimeError):
        return wrong
    if not is_same or not has_types or not 0 < len(rows) <= MOST_FILES or not has_good_rows(rows):
        return wrong
    code = ""
    if head.kind == update_header.IMAGE:
        if len(images) != 1 or not has_image(images[0], frozen):
            return wrong
        code = takes(frozen, images[0][1]) if takes is not None else ""
    elif images:
        return wrong
    elif fits is not None and not fits(frozen):
        code = "other_image"
    if code:
        return update_header.refusal(code, "")
    rows += images
    return rows if sum([row[1] for row in rows]) == head.payload_b else wrong


def has_image(row: "tuple[str, int, bytes]", frozen: str) -> bool:
    """Whether an image has a length and a digest, and its slot names the frozen modules that it needs.

    A slot with modules of its own runs under any image: it would not be told apart which one was tried.
    """
    if type(row[1]) is not int or row[1] <= 0 or len(row[2]) != 32:
        return False
    return type(frozen) is str and len(frozen) == DIGEST_MARKS


def has_good_rows(rows: "list[tuple[str, int, bytes]]") -> bool:
    """Whether each path stays in its slot, none comes twice, and lengths and digests are such."""
    before = ""
    for path, length_b, sha256 in rows:
        if type(path) is not str or type(length_b) is not int or length_b < 0 or len(sha256) != 32:
            return False
        if not is_path(path) or path <= before:
            return False
        before = path
    return True


def is_path(path: str) -> bool:
    """Whether a path names a file inside a slot: no way up, no root, no empty or hidden part, of a known kind.

    No folder has a dot in its name, so none has that of a file.
    """
    if not 0 < len(path) <= MOST_PATH or path == OWN or path[path.rfind(".") :] not in KINDS:
        return False
    for mark in path:
        if mark not in PATH_MARKS:
            return False
    folders = path.split("/")
    name = folders.pop()
    return name[0] != "." and not [one for one in folders if one == "" or "." in one]
