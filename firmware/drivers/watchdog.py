"""The chip's watchdog: resets it unless the tick lives."""

from machine import WDT

TIMEOUT_MS = 2000  # faults.md X3
# While the services are loaded, which firmware/starter.py arms, and whenever files may be written, both with the
# contactor open: one call of the file system took 2.2 s by the worst values of the flash (docs/figures.md).
START_MS = 8000
FEED_EVERY_MS = 500


class Watchdog:
    """Starts at once and cannot be stopped; made once more it waits as long as that one says."""

    def __init__(self, timeout_ms=TIMEOUT_MS):
        self._timeout_ms = timeout_ms
        self._wdt = WDT(timeout=timeout_ms)

    def feed(self):
        """The tick lives, or the start goes on."""
        self._wdt.feed()

    def feed_beside(self, may_touch_files):
        """The tick lives; with may_touch_files (the coil is off) the next one may come as late as a start's."""
        timeout_ms = START_MS if may_touch_files else TIMEOUT_MS
        if timeout_ms != self._timeout_ms:
            self._timeout_ms = timeout_ms
            self._wdt = WDT(timeout=timeout_ms)
        self._wdt.feed()


def keep_alive():
    """Feed from a timer while a person works at the prompt; only ever called with the contactor open."""
    from machine import Timer

    dog = Watchdog()
    Timer(0).init(period=FEED_EVERY_MS, callback=lambda timer: dog.feed())
