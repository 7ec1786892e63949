"""Runs on the board for `device update`: the firmware's own updater at the prompt; the firmware rests meanwhile."""

import starter

from firmware.services import updater


class Receiver:
    """One update into the slot that does not run."""

    def __init__(self, length_b):
        """length_b: of the whole update. Errors: OSError, ValueError, KeyError."""
        letter = starter.slot()
        self._other = starter.SLOTS[1 - starter.SLOTS.index(letter)]
        board, version, security, modulus = updater.running("/" + letter)
        security = max(security, starter.number_of(starter.memory(), "security"))
        self._one = updater.Updater("/" + self._other, (board, version, security, modulus), length_b)

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
        """The slot is the next one to start, on trial."""
        starter.forget_crashes()
        starter.set_number(starter.memory(), "slot", starter.SLOTS.index(self._other) | starter.START)
