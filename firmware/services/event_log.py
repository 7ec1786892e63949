"""The last events of the box in memory: codes and numbers, newest last, oldest dropped."""

MOST_KEPT = 24


class EventLog:
    """Ring of (now_ms, code, args); `count` tells how many there ever were, so that nothing is missed unseen."""

    def __init__(self):
        self._ring = []
        self.count = 0

    def put(self, now_ms, event):
        """Keep one Event with its moment."""
        if len(self._ring) >= MOST_KEPT:
            self._ring.pop(0)
        self._ring.append((now_ms, event.code, event.args))
        self.count += 1

    def newest(self):
        """Tuple of all kept entries, oldest first."""
        return tuple(self._ring)
