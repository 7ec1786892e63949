"""The settings of the box on flash; what reads and writes them is loaded for each change, and dropped."""

from firmware.core import settings  # noqa: F401 - in memory with the control part, not apart for each load


class SettingsStore:
    """load() at a start, save() whenever they change; how they lie there: settings_copies.py."""

    def __init__(self, directory):
        self._directory = directory

    def load(self):
        """(Settings, code): code is "", or the part after stored.… in words_en.txt of what was wrong (faults.md F1)."""
        return self._read()[0]

    def save(self, chosen):
        """Store all settings; what was in force stands until the new file is complete. Errors: OSError."""
        self._read()[1].write(chosen)

    def _read(self):
        """(what load() gives, the SettingsCopies that found it)."""
        from firmware.services import dropped, settings_copies

        copies = settings_copies.SettingsCopies(self._directory)
        found = copies.load()
        dropped.drop()
        return found, copies
