"""What the grid and the owner sent, told to the oracle in its own words."""

MOST_LIVE = 8  # grid-contract.md: more grid events at once may be refused as busy
LEAST_MA = 6000  # requirements §1: less is a pause
LATE_MS = 50  # the last tick of a limit may be judged either way


class Sent:
    """Keeps the oracle's list. Times are plant times in ms."""

    def __init__(self, oracle):
        self._oracle = oracle
        self._number = 0

    def _now_ms(self):
        return self._oracle.plant.now_us // 1000

    def limit(self, from_ms, until_ms, limit_ma):
        """A grid limit that the box took."""
        sent = self._oracle.sent
        now_ms = self._now_ms()
        sent.rows = [row for row in sent.rows if row[1] > now_ms]
        if len(sent.rows) < MOST_LIVE:
            self._number += 1
            sent.limit("grid", self._number, (from_ms, until_ms - LATE_MS), limit_ma)

    def is_held(self):
        """Whether something that was sent keeps the power away now."""
        now_ms = self._now_ms()
        return any(row[0] <= now_ms < row[1] and row[2] < LEAST_MA for row in self._oracle.sent.rows)

    def resumed(self):
        """The grid took back all it asked for."""
        self._oracle.sent.resume("grid")

    def clicked(self, now_ms):
        """The owner wants power: what is live is lifted, what is to come still counts."""
        sent = self._oracle.sent
        coming = [row for row in sent.rows if row[0] > now_ms + 2 * LATE_MS]
        sent.charge_now(now_ms)
        sent.rows = coming

    def forgotten(self):
        """A power cut: the box knows of no limit any more."""
        self._oracle.sent.resume("grid")

    def kept(self):
        """What is to be remembered, fit for pickling."""
        return list(self._oracle.sent.rows), self._oracle.sent.clicked_ms, self._number

    def put(self, kept):
        """What was kept before."""
        rows, self._oracle.sent.clicked_ms, self._number = kept
        self._oracle.sent.rows = list(rows)

    def noticed(self):
        """The world changed at this instant."""
        self._oracle.noticed()
