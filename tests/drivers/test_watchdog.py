"""The watchdog waits 2 s while the coil is on, and longer while one call of the file system may take longer."""

import sys

import pytest

from host_tools.sim import fake_machine


class Dogs:
    """A world that notes how long the chip's watchdog waits."""

    def __init__(self):
        self.timeouts_ms = []
        self.fed = 0

    def set_watchdog(self, timeout_ms):
        """The watchdog is made, or made anew."""
        self.timeouts_ms.append(timeout_ms)

    def feed(self):
        """One more timeout."""
        self.fed += 1


@pytest.fixture
def dogs(monkeypatch):
    """Dogs, behind the `machine` that the driver imports."""
    made = Dogs()
    monkeypatch.setitem(sys.modules, "machine", fake_machine)
    monkeypatch.delitem(sys.modules, "firmware.drivers.watchdog", raising=False)
    monkeypatch.setattr(fake_machine, "world", made)
    return made


def test_it_waits_long_only_while_the_coil_is_off(dogs):
    from firmware.drivers.watchdog import START_MS, TIMEOUT_MS, Watchdog

    dog = Watchdog(START_MS)
    for may_touch_files in (True, True, False, False, True):
        dog.feed_beside(may_touch_files)
    assert dogs.timeouts_ms == [START_MS, TIMEOUT_MS, START_MS]
    assert dogs.fed == 5
    assert TIMEOUT_MS == 2000 < START_MS


def test_the_tick_that_closes_is_watched_for_two_seconds_at_once(dogs):
    from firmware.drivers.watchdog import TIMEOUT_MS, Watchdog

    dog = Watchdog(8000)
    dog.feed_beside(True)
    dog.feed_beside(False)
    assert dogs.timeouts_ms[-1] == TIMEOUT_MS
