"""A slot's modules, words and page in one file that stays open; `device build` makes firmware/__init__.mpy of this.

An open in a folder of 46 files costs hundreds of flash commands, and a module loaded while a car charges costs them
again. Here the index is read once, and what is asked for later costs its own bytes. It is mounted beside the slot, so
that a starter of before, which only puts the slot on the path, starts such a slot too (docs/decisions/0015).

The file is MAGIC | count of rows, 2 B | rows | contents. A row is CRC-32 of the path, 4 B, place and length of the
content, 3 B each, all big-endian; a folder has the length FOLDER_B. The starter has compared its SHA-256 before.
"""

import binascii
import io

MOUNT = "/ebb"
FILE = ".bin"  # behind the folder of the package: /a/firmware.bin
MAGIC = b"ebbslot1"
COUNT_B, KEY_B, NUMBER_B = 2, 4, 3
ROW_B = KEY_B + 2 * NUMBER_B
FOLDER_B = 0xFFFFFF
MOST_AT_ONCE_B = 8192  # a longer module is read piece by piece: it would want one block of the heap
PIECE_B = 255  # of a longer one; the most that MicroPython's loader takes
BUFFER_SIZE = 11  # what the loader asks a stream: how much it likes to give at once
READ_B = 128  # littlefs then reads up to four times as much with one command; a stock image mounts with 32
# What modules ask for by name and the chip may look for in each folder of the path first: found once, and kept.
BUILT_IN = "asyncio binascii collections hashlib io json machine os select socket struct time"
feeds = []  # what main.py puts here feeds the watchdog while a long module is loaded
NO_ENTRY, NOT_PERMITTED, DAMAGED = 2, 1, 5  # ENOENT, EPERM, EIO


class Member:
    """One content, read in pieces from the file that stays open."""

    def __init__(self, file, at, length_b):
        self._file = file
        self._start = at
        self._length_b = length_b
        self._at = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def close(self):
        """Nothing is to be closed."""

    def seek(self, offset, whence=0):
        """Go to a place: from the start, from here (1) or from the end (2). Returns it."""
        base = (0, self._at, self._length_b)[whence]
        self._at = max(0, base + offset)
        return self._at

    def read(self, count=-1):
        """At most so many bytes, all that is left for -1. Errors: OSError."""
        left_b = max(0, self._length_b - self._at)
        count = left_b if count < 0 else min(count, left_b)
        self._file.seek(self._start + self._at)
        octets = self._file.read(count)
        if len(octets) != count:
            raise OSError(DAMAGED)
        self._at += count
        return octets


class Stream(io.IOBase):
    """A long module for the chip's loader, which takes what a stream in C or an IOBase gives, and nothing else.

    The watchdog is fed at each piece, as between other steps of a start: the whole may take longer than a second.
    """

    def __init__(self, member):
        self._member = member

    def readinto(self, buffer):
        """The next bytes; their count."""
        octets = self._member.read(len(buffer))
        buffer[: len(octets)] = octets
        if feeds:
            feeds[0]()
        return len(octets)

    def ioctl(self, request, argument):
        """Everything else that is asked of a stream."""
        return PIECE_B if request == BUFFER_SIZE else 0


class Archive:
    """What MicroPython mounts: it asks stat() for a name and open() for its content."""

    def __init__(self, path):
        """Errors: OSError, also for a file that is no archive."""
        self._file = open(path, "rb")  # noqa: SIM115  it stays open for as long as the box runs
        head = self._file.read(len(MAGIC) + COUNT_B)
        count = int.from_bytes(head[len(MAGIC) :], "big")
        self._rows = self._file.read(ROW_B * count)
        if head[: len(MAGIC)] != MAGIC or not 0 < ROW_B * count == len(self._rows):
            self._file.close()
            raise OSError(DAMAGED)

    def mount(self, is_read_only, is_made):
        """MicroPython calls it."""

    def umount(self):
        """The file is given back."""
        self._file.close()

    def _row(self, path):
        """(place, length) of a path. Errors: OSError where there is none."""
        key = key_of(path)
        at = self._rows.find(key)
        while at >= 0 and at % ROW_B:
            at = self._rows.find(key, at + 1)
        if at < 0:
            raise OSError(NO_ENTRY)
        middle, end = at + KEY_B + NUMBER_B, at + ROW_B
        return int.from_bytes(self._rows[at + KEY_B : middle], "big"), int.from_bytes(self._rows[middle:end], "big")

    def stat(self, path):
        """As os.stat()."""
        length_b = self._row(path)[1]
        return (0x4000 if length_b == FOLDER_B else 0x8000, 0, 0, 0, 0, 0, length_b, 0, 0, 0)

    def open(self, path, mode):
        """A module as a stream for the chip's loader, anything else as a Member. Errors: OSError."""
        at, length_b = self._row(path)
        if length_b == FOLDER_B or "r" not in mode:
            raise OSError(NOT_PERMITTED)
        if not path.endswith(".mpy"):
            return Member(self._file, at, length_b)
        if length_b <= MOST_AT_ONCE_B:
            return io.BytesIO(Member(self._file, at, length_b).read())
        return Stream(Member(self._file, at, length_b))


def key_of(path):
    """By what the index knows a path, with or without the slash before it."""
    return binascii.crc32(path.lstrip("/").encode()).to_bytes(KEY_B, "big")


def mounted(folder):
    """Mount the archive of a package's folder ("/a/firmware"): where the package lies from then on. Errors: OSError."""
    import sys

    import vfs

    path, sys.path[:] = list(sys.path), [".frozen"]
    for name in BUILT_IN.split():
        try:
            sys.modules[name] = __import__(name)
        except ImportError:
            pass  # whoever wants it says so
    sys.path[:] = path
    _read_more(vfs)
    try:
        vfs.umount(MOUNT)  # of a package that was imported before
    except OSError:
        pass
    vfs.mount(Archive(folder + FILE), MOUNT)
    if MOUNT not in sys.path:
        sys.path.insert(1, MOUNT)  # the first one tells the starter which slot runs
    return MOUNT + "/" + folder.rpartition("/")[2]


def _read_more(vfs):
    """Mount the chip's file system with longer reads; where that fails it stays as it was."""
    try:
        from esp32 import Partition

        found = Partition.find(Partition.TYPE_DATA, label="vfs")
        made = found and vfs.VfsLfs2(found[0], readsize=READ_B)
    except (ImportError, OSError):
        return
    if made:
        vfs.umount("/")
        vfs.mount(made, "/")
