"""Settings on flash: read at start through the one check, written whole to a second file and then renamed."""

import json
import os

from firmware.core import settings
from firmware.core.records import Refusal

MOST_BYTES = 4096  # a settings file is under 1 kB; anything longer is not ours


class SettingsStore:
    """settings.json in one directory; a file that does not pass the check leaves the factory settings standing."""

    def __init__(self, directory):
        self._path = directory.rstrip("/") + "/settings.json"

    def load(self):
        """(Settings, Refusal or None): what is stored, or factory settings (6 A) and why (faults.md F1)."""
        try:
            with open(self._path) as file:
                text = file.read(MOST_BYTES + 1)
        except OSError:
            return settings.defaults(), None
        try:
            stored = json.loads(text) if len(text) <= MOST_BYTES else None
        except ValueError:
            stored = None
        if type(stored) is not dict:
            words = "The settings file is not readable; factory settings are used."
            return settings.defaults(), Refusal("bad_settings", "settings.json", words, None)
        made = settings.changed(settings.defaults(), stored)
        return (settings.defaults(), made) if isinstance(made, Refusal) else (made, None)

    def save(self, chosen):
        """Store all settings; the old file stands until the new one is complete. Errors: OSError."""
        stored = {}
        for index in range(len(settings.KEYS)):
            stored[settings.KEYS[index]] = chosen[index]
        with open(self._path + ".new", "w") as file:
            file.write(json.dumps(stored))
        os.rename(self._path + ".new", self._path)
