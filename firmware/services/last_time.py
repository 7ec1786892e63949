"""The last known time of day, kept over a loss of the supply: the floor below which no clock is believed."""

from firmware.services import flash_files
from firmware.services.flash_gate import gate
from firmware.wire import journal_record, ntp

FILE = "last_time"
MOST_B = 32
NUMBER_B = 4


def known(wall_s):
    """The time, 0 for one that no clock of ours has told: the chip could not begin at it (wire/ntp.py, LAST_S)."""
    return wall_s if wall_s <= ntp.LAST_S else 0


class LastTime:
    """One number of UTC epoch seconds; last_s: as found at the start, 0 for none."""

    def __init__(self, folder, now_ms, journal):
        """folder: path that ends in "/"; now_ms: function; journal: Journal, for the hours without files."""
        self._path = folder + FILE
        self._now_ms = now_ms
        self.last_s = self._found()
        self._journal = journal
        self.is_ahead = False  # whether the journal has a later time than the file

    def take(self, octets):
        """A later time than the file's, of the journal as the last start left it."""
        self.last_s = max(self.last_s, known(int.from_bytes(octets[:NUMBER_B], "little")))
        self.is_ahead = True

    def _found(self):
        """The number stands there twice: a file that went bad must not put the floor into the far future."""
        try:
            words = flash_files.read_bounded(self._path, MOST_B).decode().split()
            return known(int(words[0])) if len(words) == 2 and words[0] == words[1] else 0
        except (OSError, ValueError):
            return 0

    def may_bring(self):
        """Whether the file may and should get what only the journal has; a checkpoint waits for that."""
        return self.is_ahead and gate.may_touch_files()

    def keep(self, wall_s):
        """Store it; whether that was done."""
        if not gate.may_touch_files():
            octets = wall_s.to_bytes(NUMBER_B, "little")
            if not self._journal.put(journal_record.TIME, octets):
                return False
            self.is_ahead = True
            return True
        now_ms = self._now_ms()
        # A checkpoint of the journal waits for what it is ahead by: no flood of commands may keep that from its place.
        is_urgent = self.is_ahead and now_ms >= flash_files.MINUTE_MS
        if not flash_files.tally.may_write(now_ms, is_urgent):
            return False
        try:
            flash_files.write_whole(self._path, b"%d %d\n" % (wall_s, wall_s))
        except OSError:
            return False  # the next look tries again; the flash's own trouble is told by who needs it more
        self.is_ahead = False
        return True
