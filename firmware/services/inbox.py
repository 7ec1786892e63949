"""The one door for commands: a short queue that takes what the next tick will decide on, or says that it is busy."""

from firmware.core import units

# A flood of the grid or the house never keeps the owner out (faults.md N4).
MOST_OF_NETWORK = 12
MOST_OF_OWNER = 4


def is_pause(command):
    """Whether a command asks for less than the pilot can offer."""
    return command.kind == "limit" and command.limit_ma < units.MIN_OFFER_MA


class Inbox:
    """Commands that wait for the next tick, oldest first. What finds no room is handed back, never lost silently."""

    def __init__(self):
        self._waiting = []

    def put(self, command):
        """The Command whose sender must be told "busy", or None.

        Where there is no room that is `command` itself; but a pause takes the place of the oldest that is none, or of
        the oldest pause: the newest pause wins (faults.md N4).
        """
        waiting = self._waiting
        is_owner = command.source == "owner"
        count = 0
        oldest = first = -1
        for index in range(len(waiting)):
            if (waiting[index].source == "owner") == is_owner:
                count += 1
                first = index if first < 0 else first
                if oldest < 0 and not is_pause(waiting[index]):
                    oldest = index
        given_way = None
        if count >= (MOST_OF_OWNER if is_owner else MOST_OF_NETWORK):
            if not is_pause(command):
                return command
            given_way = waiting.pop(first if oldest < 0 else oldest)
        waiting.append(command)
        return given_way

    def take(self):
        """Tuple of all waiting commands; the queue is empty after."""
        if not self._waiting:
            return ()
        taken = tuple(self._waiting)
        self._waiting.clear()
        return taken
