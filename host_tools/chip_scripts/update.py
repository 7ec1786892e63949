"""Runs on the board for `device update`: the firmware's own updater at the prompt; the firmware rests meanwhile."""

import starter

from firmware import updates
from firmware.services import updater
from firmware.services.flash_gate import gate

gate.watch(None)  # nothing ticks, and the coil is off; else it would wait a second after that, by a loop that stands


class Receiver:
    """One update into the slot that does not run."""

    def __init__(self, length_b):
        """length_b: of the whole update. Errors: OSError, ValueError, KeyError."""
        letter = starter.slot()
        self._other = starter.SLOTS[1 - starter.SLOTS.index(letter)]
        board, version, security, modulus = updater.running("/" + letter)
        security = max(security, starter.number_of(starter.memory(), "security"))
        self._one = updater.Updater(
            "/" + self._other, (board, version, security, modulus), length_b, starter.fits, updates.image_for
        )

    def feed(self, octets):
        """How many bytes it wants next, or the code of what became of it."""
        wanted = self._one.advance(octets)
        while not wanted and not self._one.outcome:
            wanted = self._one.advance(b"")
        return self._one.outcome or wanted

    def clear(self):
        """Empty the slot after a no."""
        if self._one.has_begun:
            for _ in self._one.clear():
                pass

    def chosen(self):
        """Make the slot the next one to start, on trial; the code of what became of it."""
        code = updates.chosen(self._one, self._other)
        if code != "stored":
            self.clear()
        return code
