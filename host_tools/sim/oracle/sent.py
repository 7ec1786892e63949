"""What was sent to the box, and what it therefore may signal: kept by those who send, never read from the box."""

FOREVER_MS = 1 << 50


class Sent:
    """Limits in force by sender. Times are plant times in ms."""

    def __init__(self):
        self.rows = []  # (from_ms, until_ms, limit_ma, source, id)
        self.is_allowed = False  # the owner said "unlock"
        self.clicked_ms = -FOREVER_MS  # the owner's last click that wants power

    def limit(self, source, name, span, limit_ma):
        """A limit from span[0] until span[1] (None: until replaced); the same name replaces the older one."""
        self.rows = [row for row in self.rows if row[3:] != (source, name)]
        self.rows.append((span[0], FOREVER_MS if span[1] is None else span[1], limit_ma, source, name))

    def resume(self, source):
        """A sender takes back all it asked for."""
        self.rows = [row for row in self.rows if row[3] != source]

    def unplugged(self):
        """What the house asked for holds until unplug (grid-contract.md, set/…)."""
        if self.rows:
            self.resume("house")

    def charge_now(self, now_ms):
        """The owner wants power: own limits and optional grid events end (grid-contract.md, owner's say)."""
        self.rows = [row for row in self.rows if row[3] == "house"]
        self.clicked_ms = now_ms

    def lowest(self, now_ms, late_ms):
        """(limit in mA or None, its source) of what has been in force for at least late_ms."""
        lowest_ma, holder = None, ""
        for from_ms, until_ms, limit_ma, source, _ in self.rows:
            if from_ms + late_ms <= now_ms < until_ms and (lowest_ma is None or limit_ma < lowest_ma):
                lowest_ma, holder = limit_ma, source
        return lowest_ma, holder
