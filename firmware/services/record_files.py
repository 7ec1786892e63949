"""Records of one length in numbered files: so many of such a length, and the oldest goes, whatever the clock says."""

import os

from firmware.services import flash_files


def length_of(path):
    """Bytes of a file, 0 when there is none."""
    try:
        return os.stat(path)[6]
    except OSError:
        return 0


def seq_of(octets):
    """Number of a record."""
    return int.from_bytes(octets[1:5], "little")


class RecordFiles:
    """The files <prefix><number>.bin; records are added to the newest."""

    def __init__(self, prefix, record_b, most):
        """prefix: path without the number; record_b: bytes of a record; most: (records in a file, full files kept)."""
        self.prefix = prefix
        self.record_b = record_b
        self.most = most
        self.first = self.last = 0  # numbers of the oldest and the newest file
        self.next_seq = 0  # of the record that they lack (bytes 1 to 4 of a record, wire/ledger_record.py)

    def path(self, number):
        """Path of a file."""
        return "%s%d.bin" % (self.prefix, number)

    def append(self, octets):
        """Add one record. Errors: OSError; then it is not there, or torn, and torn ones are passed over."""
        number = self.last
        length_b = length_of(self.path(number))
        while length_b >= self.record_b * self.most[0] or length_b % self.record_b:
            number += 1
            length_b = length_of(self.path(number))
        flash_files.append(self.path(number), octets)
        self.last = number
        self.next_seq = seq_of(octets) + 1

    def trim(self):
        """Take the oldest file away where there is one too many; whether that was done.

        One that a failing flash keeps stays in the row: else such files would gather, and nobody take them away.
        """
        if self.last - self.first <= self.most[1] or not flash_files.is_gone(self.path(self.first)):
            return False
        self.first += 1
        return True

    def first_kept(self):
        """Number of the oldest file of those that are kept, whatever else lies there under such a name."""
        return max(self.first, self.last - self.most[1])
