"""The one door for commands: a short queue that takes what the next tick will decide on, or says that it is busy."""

MOST_WAITING = 16  # more than the grid sends a box in one tick; a flood is told "busy" (architecture, life of a pause)


class Inbox:
    """Commands that wait for the next tick, oldest first; newer pauses push out nothing and are never lost silently."""

    def __init__(self):
        self._waiting = []

    def put(self, command):
        """Whether the command was taken; False means busy."""
        if len(self._waiting) >= MOST_WAITING:
            return False
        self._waiting.append(command)
        return True

    def take(self):
        """Tuple of all waiting commands; the queue is empty after."""
        if not self._waiting:
            return ()
        taken = tuple(self._waiting)
        self._waiting.clear()
        return taken
