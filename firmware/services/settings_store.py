"""The settings of the box on flash; what reads and writes them is loaded for each change, and dropped.

While the coil is on a change goes into the journal, and into the files once it is off.
"""

import json

from firmware.core import settings
from firmware.core.records import Refusal
from firmware.services.flash_gate import BUSY, gate
from firmware.services.journal import Journal
from firmware.wire import journal_record


class SettingsStore:
    """load() at a start, save() whenever they change; how they lie there: settings_copies.py."""

    def __init__(self, directory, journal=None):
        """journal: Journal, None: what changes while the coil is on waits in memory."""
        self._directory = directory
        self._journal = journal or Journal(None)
        self._seq = 0  # of the files in force
        self._known = None  # Settings as flash has them
        self.is_ahead = False  # files do not have what is in force
        self._is_lost = False  # nor has the journal
        self._is_safe = False  # files were lost at this start

    def load(self):
        """(Settings, code): code is "", or the part after stored.… in words_en.txt of what was wrong (faults.md F1)."""
        found, copies = self._read()
        self._known, self._seq = found[0], copies.seq
        self._is_safe = found[1] == "factory_safe"
        return found

    def take(self, octets, chosen):
        """Settings after one change that the journal has, oldest first; one older than the files changes nothing.

        Nor does any where the files are lost (faults.md F1): what it changes is not known any more.
        """
        try:
            seq, changes = json.loads(str(octets, "utf-8"))
            is_newer = type(changes) is dict and seq >= self._seq
        except (ValueError, TypeError):
            return chosen
        if self._is_safe:
            self._seq = max(self._seq, seq)  # the next files are newer than it
            return chosen
        made = settings.changed(chosen, changes) if is_newer else None
        if made is None or isinstance(made, Refusal):
            return chosen
        self._known, self.is_ahead = made, True
        return made

    def save(self, chosen):
        """Store all settings; what was in force stands until the new file is complete.

        Errors: OSError; EBUSY where the coil is on and the journal takes no more.
        """
        if not gate.may_touch_files():
            self._put(chosen)
            return
        copies = self._read()[1]
        copies.seq = max(copies.seq, self._seq)
        copies.write(chosen)
        self._known, self._seq, self.is_ahead = chosen, copies.seq, False

    async def is_kept(self):
        """Whether a power cut leaves all that was saved: files have it, or the journal once what waits is there."""
        return not self.is_ahead or (not self._is_lost and await self._journal.stored())

    def _put(self, chosen):
        """What is changed against what flash has, as one value of the journal. Errors: OSError, EBUSY."""
        journal = self._journal
        if journal.places():
            before = self._known or settings.defaults()
            keys = settings.KEYS
            changes = {keys[at]: chosen[at] for at in range(len(keys)) if chosen[at] != before[at]}
            if not journal.put(journal_record.SETTINGS, json.dumps([self._seq, changes]).encode()):
                raise OSError(BUSY)
            self._known = chosen
        self._is_lost = self._known != chosen
        self.is_ahead = True

    def _read(self):
        """(what load() gives, the SettingsCopies that found it)."""
        from firmware.services import dropped, settings_copies

        copies = settings_copies.SettingsCopies(self._directory)
        found = copies.load()
        dropped.drop()
        return found, copies
