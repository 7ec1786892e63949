"""Slows guessing down: after each wrong secret the next one waits twice as long."""

FIRST_WAIT_MS = 1000
LONGEST_WAIT_MS = 60_000


class Throttle:
    """One for each secret: whoever guesses at one never makes the owner of another wait."""

    def __init__(self):
        self._wrong = 0
        self._after_ms = 0

    def must_wait(self, now_ms):
        """Whether a secret is not even looked at now."""
        return now_ms < self._after_ms

    def wrong(self, now_ms):
        """One wrong secret more."""
        self._after_ms = now_ms + min(FIRST_WAIT_MS << min(self._wrong, 8), LONGEST_WAIT_MS)
        self._wrong += 1

    def right(self):
        """The secret was right: the count starts anew."""
        self._wrong = 0
