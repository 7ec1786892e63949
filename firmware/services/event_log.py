"""The last events of the box in memory: codes and numbers, newest last, oldest dropped."""

MOST_KEPT = 24
# Whoever sends messages can cause as many of these as he likes: they make room first, so that no flood hides a fault.
LESSER = ("refused", "received", "duplicate", "replayed", "command", "grid", "letter")


class EventLog:
    """Ring of (number, now_ms, code, args); numbers have no gaps, so that nothing is missed unseen."""

    def __init__(self):
        self._ring = []
        self.count = 0

    def put(self, now_ms, event):
        """Keep one Event with its moment."""
        ring = self._ring
        if len(ring) >= MOST_KEPT:
            at = 0
            while at < MOST_KEPT and ring[at][2] not in LESSER:
                at += 1
            ring.pop(at if at < MOST_KEPT else 0)
        self.count += 1
        ring.append((self.count, now_ms, event.code, event.args))

    def newest(self):
        """Tuple of all kept entries, oldest first."""
        return tuple(self._ring)
