"""Settings on flash in two copies: what is damaged gives way to the copy before, and that to 6 A behind a lock.

Needed at a start and when settings change, and dropped again (settings_store.py).
"""

from firmware.core import settings
from firmware.core.records import Refusal
from firmware.services import factory_reset, flash_files
from firmware.wire import settings_file

MOST_BYTES = 4096  # a settings file is under 2 kB; anything longer is not ours
NOT_THERE = 2  # ENOENT


class SettingsCopies:
    """settings.json, and settings.old with what was in force before; a cut leaves one or the other, never a mixture."""

    def __init__(self, directory):
        self._folder = directory.rstrip("/") + "/"
        self._path = directory.rstrip("/") + "/settings.json"
        self._old = directory.rstrip("/") + "/settings.old"
        self.seq = 0
        self._is_good = False  # what lies in settings.json is in force

    def load(self):
        """(Settings, code): code is "", or the part after stored.… in words_en.txt of what was wrong (faults.md F1)."""
        if factory_reset.is_begun(self._folder):
            factory_reset.cleared(self._folder)
        newest, before = _read(self._path), _read(self._old)
        self.seq = max(newest[2], before[2])
        # A file without a number was put there by a tool, and counts; two with numbers are judged by these.
        self._is_good = newest[3] is not None and (not newest[2] or before[3] is None or newest[2] > before[2])
        if newest[3] is not None and self._is_good:
            return newest[3], "newer" if newest[1] > settings_file.VERSION else ""
        if before[3] is not None:
            return before[3], "previous"
        return (safe(), "factory_safe") if newest[0] or before[0] else (settings.defaults(), "")

    def write(self, chosen):
        """Store all settings; what was in force stands until the new file is complete. Errors: OSError."""
        payload = settings_file.packed(chosen, self.seq + 1)
        if self._is_good:
            # The one that is replaced is kept as the copy before. A cut between two renames leaves just that.
            flash_files.write_beside(self._path, payload)
            flash_files.rename(self._path, self._old)
            self._is_good = False
            flash_files.rename(self._path + flash_files.NEW, self._path)
        else:
            flash_files.write_whole(self._path, payload)
        self._is_good = True
        self.seq += 1


def safe():
    """Settings of a box whose own are lost: 6 A, and no car charges before its owner allows it."""
    made = settings.changed(settings.defaults(), {"locked_until_allowed": True})
    return made if not isinstance(made, Refusal) else settings.defaults()


def _read(path):
    """(whether there is such a file, version, seq, Settings or None where it is damaged or refused)."""
    try:
        found = settings_file.settings_of(flash_files.read_bounded(path, MOST_BYTES))
    except OSError as error:
        return error.args[0] != NOT_THERE, 0, 0, None
    if found is None:
        return True, 0, 0, None
    return True, found[0], found[1], None if isinstance(found[2], Refusal) else found[2]
