"""Files of the box: written whole under another name and renamed, read with a bound, every write counted.

Nothing else in the firmware writes, renames or takes away a file, and everything here asks the gate first: OSError,
EBUSY, while the coil is on (flash_gate.py).
"""

import os

from firmware.services.flash_gate import gate

NEW = ".new"  # behind the name of what is not complete yet
NOT_THERE, TOO_LONG = 2, 27  # ENOENT, EFBIG
MINUTE_MS = 60_000
MOST_A_MINUTE, MOST_PLAIN = 10, 6  # faults.md P2; what is not urgent leaves room for what is


class Tally:
    """How much was written since the start, and whether more may be written now."""

    def __init__(self):
        self.writes = 0
        self.written_b = 0
        self.proofs = 0  # writes that cable_proof.py asked for
        self._taken = []  # moments of the last minute in which a write was allowed

    def may_write(self, now_ms, is_urgent):
        """Whether one write may be made now; a yes is one write taken (faults.md P2).

        is_urgent: a latch, an accepted command or its number. Others wait for the first minute after the start to pass.
        now_ms: since the start.
        """
        taken = self._taken
        while taken and now_ms - taken[0] >= MINUTE_MS:
            taken.pop(0)
        if len(taken) >= (MOST_A_MINUTE if is_urgent else MOST_PLAIN) or (now_ms < MINUTE_MS and not is_urgent):
            return False
        taken.append(now_ms)
        return True

    def note(self, count):
        """Count a write of so many bytes, tried or done: either wears the flash."""
        self.writes += 1
        self.written_b += count


tally = Tally()


unclosed = []  # files whose writer ended while the coil was on; the collector would close them, and that writes


def asked():
    """Ask the gate, and end what was left open behind it. Errors: OSError, EBUSY, while the coil is on."""
    gate.ask()
    while unclosed:
        unclosed.pop().close()


class Growing:
    """A file that is written in steps; before each step its writer waits for the gate."""

    def __init__(self, path):
        """Errors: OSError."""
        asked()
        self._file = open(path, "wb")  # noqa: SIM115  closed by close()

    def write(self, octets):
        """Append to it. Errors: OSError."""
        gate.ask()
        self._file.write(octets)

    def close(self):
        """It is complete, or what came of it stays; while the coil is on that waits. Errors: OSError."""
        if gate.may_touch_files():
            self._file.close()
        elif self._file not in unclosed:
            unclosed.append(self._file)


def write_beside(path, data):
    """Write `data` (bytes) whole into path + NEW, for who renames more than one file. Errors: OSError; it is gone."""
    asked()
    tally.note(len(data))
    try:
        with open(path + NEW, "wb") as file:
            file.write(data)
    except OSError:
        removed(path + NEW)
        raise


def write_whole(path, data):
    """Put `data` (bytes) in place of a file: after a cut at any instant the old or the new one is there (faults.md P3).

    Errors: OSError; the old file stands, and what was begun beside it is taken away where the flash still lets it.
    """
    write_beside(path, data)
    try:
        os.rename(path + NEW, path)
    except OSError:
        removed(path + NEW)
        raise


def rename(path, new_path):
    """Give a file another name, in place of what was there. Errors: OSError."""
    gate.ask()
    os.rename(path, new_path)


def append(path, data):
    """Add `data` (bytes) at the end of a file, which is made where it is missing. Errors: OSError; a part may stand."""
    asked()
    tally.note(len(data))
    with open(path, "ab") as file:
        file.write(data)


def read_bounded(path, most):
    """The bytes of a file of at most `most` bytes. Errors: OSError, EFBIG for a longer one."""
    gate.ask()
    with open(path, "rb") as file:
        data = file.read(most + 1)
    if len(data) > most:
        raise OSError(TOO_LONG)
    return data


def read_at(path, at, count):
    """`count` bytes of a file from `at`, fewer at its end. Errors: OSError."""
    gate.ask()
    with open(path, "rb") as file:
        file.seek(at)
        return file.read(count)


def is_gone(path):
    """Take a file away; whether there is none any more."""
    try:
        gate.ask()
        os.remove(path)
    except OSError as error:
        return bool(error.args) and error.args[0] == NOT_THERE
    return True


def is_there(path):
    """Whether there is such a file; one that a failing flash does not tell of may be there."""
    try:
        gate.ask()
        os.stat(path)
    except OSError as error:
        return not error.args or error.args[0] != NOT_THERE
    return True


def removed(path):
    """Take a file away; whether it was there and is gone."""
    try:
        gate.ask()
        os.remove(path)
    except OSError:
        return False
    return True


def make_folder(path):
    """Make a folder. Errors: OSError."""
    gate.ask()
    os.mkdir(path)


def remove_folder(path):
    """Take an empty folder away. Errors: OSError."""
    gate.ask()
    os.rmdir(path)


def remove(path):
    """Take a file away. Errors: OSError."""
    gate.ask()
    os.remove(path)
