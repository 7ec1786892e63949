"""Pieces of images, and the file that remembers which of them a board holds."""

import collections
import hashlib
import json
import os
from pathlib import Path

from host_tools.device.esptool_call import Trouble

PIECE_BYTES = 0x10000
SECTOR_BYTES = 0x1000

Piece = collections.namedtuple("Piece", "offset content sha256")
Piece.__doc__ = "A part of an image: flash offset in bytes, its bytes, their SHA-256 in hex."


def read_images(images):
    """[(offset, bytes)] in flash order from [(offset, path)]; refuses what a flash cannot take. Errors: Trouble."""
    read = []
    for offset, path in images:
        try:
            content = Path(path).read_bytes()
        except OSError as error:
            raise Trouble(f"{path} cannot be read: {error.strerror}.", code=2)
        if not content:
            raise Trouble(f"{path} is empty.", code=2)
        if offset < 0 or offset % SECTOR_BYTES:
            raise Trouble(f"{path} cannot go to 0x{offset:x}: the offset must be a multiple of 0x1000.", code=2)
        read.append((offset, content, path))
    read.sort(key=lambda one: one[0])
    for i in range(1, len(read)):
        end = read[i - 1][0] + len(read[i - 1][1])
        if end + -end % SECTOR_BYTES > read[i][0]:
            raise Trouble(f"{read[i - 1][2]} ends at 0x{end:x}, over {read[i][2]} at 0x{read[i][0]:x}.", code=2)
    return [(offset, content) for offset, content, _ in read]


def pieces_of(images):
    """Every Piece of [(offset, bytes)], in flash order."""
    found = []
    for offset, content in images:
        for at in range(0, len(content), PIECE_BYTES):
            part = content[at : at + PIECE_BYTES]
            found.append(Piece(offset + at, part, hashlib.sha256(part).hexdigest()))
    return found


class Journal:
    """Which pieces of one job were verified on one board; another board, chip or image starts anew."""

    def __init__(self, path, board, images):
        self.path = Path(path)
        self.pieces = pieces_of(images)
        self.total_bytes = sum(len(piece.content) for piece in self.pieces)
        digests = [[offset, len(content), hashlib.sha256(content).hexdigest()] for offset, content in images]
        self._job = {"chip": board.chip, "mac": board.mac, "images": digests}
        self._verified = set()
        self._read()

    def _read(self):
        try:
            kept = json.loads(self.path.read_text())
            if kept["job"] == self._job:
                self._verified = {(offset, digest) for offset, digest in kept["verified"]}
        except (OSError, ValueError, KeyError, TypeError):
            self._verified = set()  # none or a torn one: the job starts anew

    def remaining(self):
        """Pieces still to be written."""
        return [piece for piece in self.pieces if (piece.offset, piece.sha256) not in self._verified]

    def done_bytes(self):
        """Bytes that were verified."""
        return self.total_bytes - sum(len(piece.content) for piece in self.remaining())

    def percent(self):
        """Verified part of the job in whole percent."""
        return 100 * self.done_bytes() // self.total_bytes

    def mark(self, offset):
        """The piece at this offset was verified; kept on the disk at once."""
        for piece in self.pieces:
            if piece.offset == offset:
                self._verified.add((piece.offset, piece.sha256))
                self._write()

    def _write(self):
        self.path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self.path.with_name(f"{self.path.name}.{os.getpid()}")
        fresh.write_text(json.dumps({"job": self._job, "verified": sorted(self._verified)}, indent=1) + "\n")
        fresh.replace(self.path)

    def forget(self):
        """The job is over, or its flash cannot be trusted."""
        self._verified = set()
        self.path.unlink(missing_ok=True)
