"""What the grid and the owner sent, told to the oracle in its own words."""

MOST_LIVE = 8  # grid-contract.md: more grid events at once may be refused as busy
LATE_MS = 50  # the last tick of a limit may be judged either way


class Sent:
    """Keeps the oracle's list. Times are plant times in ms."""

    def __init__(self, oracle):
        self._oracle = oracle
        self._number = 0

    def limit(self, from_ms, until_ms, limit_ma):
        """A grid limit that the box took."""
        kept = self._oracle.pauses
        now_ms = self._oracle.plant.now_us // 1000
        kept[:] = [row for row in kept if row[1] > now_ms]
        if len(kept) < MOST_LIVE:
            kept.append((from_ms, until_ms - LATE_MS, limit_ma))

    def resumed(self):
        """The grid took back all it asked for."""
        self._oracle.pauses.clear()

    def clicked(self, now_ms):
        """The owner wants power: what is live is lifted, what is to come still counts."""
        kept = self._oracle.pauses
        kept[:] = [row for row in kept if row[0] > now_ms + 2 * LATE_MS]

    def forgotten(self):
        """A power cut: the box knows of no limit any more."""
        self._oracle.pauses.clear()

    def rows(self):
        """What is kept, fit for pickling."""
        return list(self._oracle.pauses)

    def put(self, rows):
        """What was kept before."""
        self._oracle.pauses[:] = rows

    def noticed(self):
        """The world changed at this instant."""
