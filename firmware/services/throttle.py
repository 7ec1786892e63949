"""Slows guessing down: after each wrong secret of an address its next one waits twice as long."""

FIRST_WAIT_MS = 1000
LONGEST_WAIT_MS = 60_000
# So many addresses have a row of their own, and all others share one more: no more guesses than five rows give.
MOST_ROWS = 4
OTHERS = "*"
FORGET_MS = 3_600_000  # a row goes when its address has been quiet for so long


class Throttle:
    """One for each secret: whoever guesses at one makes neither another's owner wait nor who comes from elsewhere."""

    def __init__(self):
        self._rows = []  # [address, wrong secrets, moment before which none is looked at]

    def _row(self, place):
        """Row of an address, or that of all others; None where it has none."""
        others = None
        for row in self._rows:
            if row[0] == place:
                return row
            if row[0] == OTHERS:
                others = row
        return others

    def must_wait(self, now_ms, place=""):
        """Whether a secret from this address is not even looked at now."""
        row = self._row(place)
        return row is not None and now_ms < row[2]

    def left_s(self, now_ms, place=""):
        """For how many seconds."""
        row = self._row(place)
        return (row[2] - now_ms + 999) // 1000 if row else 0

    def wrong(self, now_ms, place=""):
        """One wrong secret more."""
        self._rows = [row for row in self._rows if now_ms - row[2] < FORGET_MS]
        row = self._row(place)
        if row is None:
            row = [place if len(self._rows) < MOST_ROWS else OTHERS, 0, 0]
            self._rows.append(row)
        row[2] = now_ms + min(FIRST_WAIT_MS << min(row[1], 8), LONGEST_WAIT_MS)
        row[1] += 1

    def right(self, place=""):
        """The secret was right: the count of this address starts anew."""
        self._rows = [row for row in self._rows if row[0] != place]
