"""The chip's watchdog: resets it unless the tick lives."""

from machine import WDT

TIMEOUT_MS = 2000  # faults.md X3
FEED_EVERY_MS = 500


class Watchdog:
    """Starts at once and cannot be stopped."""

    def __init__(self):
        self._wdt = WDT(timeout=TIMEOUT_MS)

    def feed(self):
        """The tick lives."""
        self._wdt.feed()


def keep_alive():
    """Feed from a timer while a person works at the prompt; only ever called with the contactor open."""
    from machine import Timer

    dog = Watchdog()
    Timer(0).init(period=FEED_EVERY_MS, callback=lambda timer: dog.feed())
