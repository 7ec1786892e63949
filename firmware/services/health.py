"""Keeps the services running: one that fails is started again, later each time, and charging never notices."""

import asyncio

FIRST_WAIT_S = 1
LONGEST_WAIT_S = 60


class Health:
    """What each service last died of; a service that returns or raises is restarted with back-off (faults.md X2)."""

    def __init__(self, tell):
        """tell: function (name, words) called at each failure."""
        self._tell = tell
        self.failures = 0

    async def keep(self, name, start):
        """Run `start()` (makes a coroutine) for ever."""
        wait_s = FIRST_WAIT_S
        while True:
            try:
                await start()
                words = "ended"
            except MemoryError:
                words = "out of memory"
            except Exception as error:  # any service may fail; none may take the box with it (faults.md X2)
                words = "%s: %s" % (type(error).__name__, error)
            self.failures += 1
            self._tell(name, words)
            await asyncio.sleep(wait_s)
            wait_s = min(wait_s * 2, LONGEST_WAIT_S)
