"""The last events of the box in memory: codes and numbers, newest last, oldest dropped."""

from firmware.core.records import GUARDED_SERVICES

MOST_KEPT = 24
# Whoever sends messages can cause as many of these as he likes: they make room first, so that no flood hides a fault.
LESSER = ("refused", "received", "duplicate", "replayed", "command", "grid", "letter")
# These come next, and most of what services tell. What is left names a login, a key or a fault, and keeps its place.
LESS = ("state", "fault_gone", "charge_now")
GUESS = "wrong_login"  # all of them are counted in one entry (log_store.py)


def rank(row):
    """How much is lost with an entry: 0 to 2."""
    code = row[2]
    if code in LESSER:
        return 0
    if code in LESS or (code == "service" and row[3][0] not in GUARDED_SERVICES):
        return 1
    return 1 if is_guess(code, row[3]) else 2


def is_guess(code, args):
    """Whether an event with these arguments is a wrong password."""
    return code == "security" and args[0] == GUESS


class EventLog:
    """Ring of (number, now_ms, code, args); numbers have no gaps, so that nothing is missed unseen."""

    def __init__(self):
        self._ring = []
        self.count = 0
        self.guesses = 0  # wrong passwords so far, also those that kept no place
        self.guesser = ""  # address of the last

    def put(self, now_ms, event):
        """Keep one Event with its moment."""
        ring = self._ring
        if len(ring) >= MOST_KEPT:
            ring.remove(min(ring, key=rank))  # the oldest of the least
        self.count += 1
        if is_guess(event.code, event.args):
            self.guesses += 1
            self.guesser = event.args[1]
        ring.append((self.count, now_ms, event.code, event.args))

    def newest(self):
        """Tuple of all kept entries, oldest first."""
        return tuple(self._ring)
