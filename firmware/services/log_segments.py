"""A rotating row of small files: records of fixed length are added to the newest, and the oldest file goes."""

import asyncio
import os

from firmware.services import flash_files
from firmware.wire import log_lines

SEGMENT_B = 4096  # one block of the flash
SUFFIX = ".bin"
IO_ERROR, NO_ROOM = 5, 28  # EIO, ENOSPC
LEFT = 2  # files that stay even then


class LogSegments:
    """<prefix><number>.bin in one folder; at most `kept` of them, each at most SEGMENT_B long."""

    def __init__(self, folder, prefix, kept):
        self._start = folder.rstrip("/") + "/" + prefix
        self._kept = kept
        self._numbers = None  # oldest first; None: not looked yet
        self._used_b = SEGMENT_B  # of the newest file; full until it has been looked at

    def numbers(self):
        """Numbers of the files, oldest first. Errors: OSError."""
        if self._numbers is None:
            folder, _, prefix = self._start.rpartition("/")
            found = []
            for name in os.listdir(folder or "/"):
                digits = name[len(prefix) : -len(SUFFIX)]
                if name == prefix + digits + SUFFIX and digits.isdigit() and len(digits) < 10:
                    found.append(int(digits))
            self._numbers = sorted(found)
        return self._numbers

    def path(self, number):
        """Path of one file."""
        return "%s%d%s" % (self._start, number, SUFFIX)

    def read(self, number):
        """Bytes of one file; b"" when it cannot be read or is none of ours."""
        try:
            return flash_files.read_bounded(self.path(number), SEGMENT_B)
        except OSError:
            return b""

    def _goes_on(self):
        """Find out whether records can be added to the newest file: it is read, and they would stand in line there.

        Otherwise the next record begins a new file. Errors: OSError.
        """
        numbers = self.numbers()
        try:
            used_b = len(flash_files.read_bounded(self.path(numbers[-1]), SEGMENT_B)) if numbers else SEGMENT_B
        except OSError:
            used_b = SEGMENT_B
        self._used_b = SEGMENT_B if used_b % log_lines.ENTRY_B else used_b

    async def last(self):
        """(highest seq, highest start) of all whole records, where garbled ones count as if they had been whole.

        The files are read from the newest on until one holds a whole record, one in a turn. Errors: OSError.
        """
        self._goes_on()
        lost = 0
        for number in reversed(self.numbers()):
            octets = self.read(number)
            found = [log_lines.opened(octets, at) for at in range(0, len(octets), log_lines.ENTRY_B)]
            whole = [entry for entry in found if entry is not None]
            lost += len(found) - len(whole)
            if whole:
                return max([one.seq for one in whole]) + lost, max([one.start for one in whole])
            await asyncio.sleep(0)
        return lost, 0

    def append(self, octets):
        """Add whole records, no more than one file takes. Errors: OSError; what was there before stays."""
        numbers = self.numbers()
        if self._used_b + len(octets) > SEGMENT_B:
            while len(numbers) >= self._kept:
                if not flash_files.is_gone(self.path(numbers[0])):
                    raise OSError(IO_ERROR)  # it stays in the row: else files would gather that nobody takes away
                numbers.pop(0)
            numbers.append(numbers[-1] + 1 if numbers else 1)
            self._used_b = 0
        try:
            flash_files.append(self.path(numbers[-1]), octets)
        except OSError as error:
            self._failed(numbers, error.args[0] if error.args else 0)
            raise
        self._used_b += len(octets)

    def _failed(self, numbers, errno):
        """After an error nothing is added to the same file: behind a part of a record nothing would stand in line."""
        if not self._used_b and flash_files.is_gone(self.path(numbers[-1])):
            numbers.pop()  # or each new attempt would push out an old file
        self._used_b = SEGMENT_B
        if errno == NO_ROOM and len(numbers) > LEFT and flash_files.is_gone(self.path(numbers[0])):
            numbers.pop(0)  # old logs go first (faults.md F3)
