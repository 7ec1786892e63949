"""Keeps the services running: one that fails is started again, later each time, and charging never notices."""

import asyncio
import gc
import sys

FIRST_WAIT_S = 1
LONGEST_WAIT_S = 60
WELL_MS = 60_000  # a service that ran so long was well: its back-off starts anew


class Health:
    """A service that returns or raises is restarted with back-off (faults.md X2); all give way where memory is short
    (X4).
    """

    def __init__(self, tell, now_ms):
        """tell: function (name, words) called at each failure; now_ms: function."""
        self._tell = tell
        self._now_ms = now_ms
        self._kept = []  # [task, name, start], the most needed first
        self.failures = 0

    def add(self, name, start):
        """Keep `start` (makes a coroutine) running from now on; what is added later gives way sooner."""
        self._kept.append([asyncio.create_task(self.keep(name, start, 0)), name, start])

    def shed(self):
        """Memory is short: the service added last that still runs goes, for a minute (faults.md X4)."""
        now_ms = self._now_ms()
        for row in reversed(self._kept):
            if len(row) == 3 or now_ms >= row[3]:
                row[0].cancel()
                row[3:] = [now_ms + LONGEST_WAIT_S * 1000]
                row[0] = asyncio.create_task(self.keep(row[1], row[2], LONGEST_WAIT_S))
                self._noted(row[1], "gives its memory back")
                return

    def _noted(self, name, words):
        """Count and tell, where there is memory for it."""
        self.failures += 1
        try:
            mend()
            self._tell(name, words)
        except MemoryError:
            gc.collect()

    async def keep(self, name, start, wait_s):
        """Run `start()` for ever, first after wait_s."""
        while True:
            await asyncio.sleep(wait_s)
            begun_ms = self._now_ms()
            try:
                await start()
                words = "ended"
            except MemoryError:
                gc.collect()
                words = "out of memory"
            except Exception as error:  # any service may fail; none may take the box with it (faults.md X2)
                words = words_of(error)
            self._noted(name, words)
            was_well = self._now_ms() - begun_ms >= WELL_MS
            wait_s = FIRST_WAIT_S if was_well or not wait_s else min(wait_s * 2, LONGEST_WAIT_S)


def mend():
    """Forget modules that were begun and not made, for lack of memory; each import of one would fail from then on.

    MicroPython 1.25 lists a name before it takes memory for the module, and leaves it there without one.
    """
    for name in tuple(sys.modules):
        if name.startswith("firmware.") and sys.modules.get(name) is None:
            sys.modules.pop(name, None)


def words_of(error):
    """What went wrong, as far as there is memory to say it."""
    try:
        return "%s: %s" % (type(error).__name__, error)
    except MemoryError:
        return "failed"
