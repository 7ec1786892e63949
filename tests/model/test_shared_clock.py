"""The clock of a demo stands while the PC is busy elsewhere, and goes on while the firmware itself is slow."""

import pytest

from host_tools.sim import shared_clock
from host_tools.sim.shared_clock import SharedClock

MS = 1_000_000


class Kernel:
    """A firmware process of which a test tells what it does; the plant looks each 5 ms, unless it is late."""

    def __init__(self, tells_late_ns=0):
        """tells_late_ns: the kernel brings the time on a core up to date only so often."""
        self.now_ns = self.ran_ns = self.queued_ns = 0
        self.state = b"S"
        self.waits_since_ns = None
        self.tells_late_ns = tells_late_ns
        self.seen = (0, 0)
        self.clock = SharedClock(False, lambda: self.now_ns, self)

    def since_last(self):
        ran_ns = self.ran_ns - (self.ran_ns % self.tells_late_ns if self.tells_late_ns and self.state == b"R" else 0)
        found = self.state, ran_ns - self.seen[0], self.queued_ns - self.seen[1]
        self.seen = ran_ns, self.queued_ns
        return found

    def go(self, what, for_ms, is_plant_late=False):
        """what: "sleeps", "runs" or "queues", for so long; returns the clock."""
        self.state = b"S" if what == "sleeps" else b"R"
        for _ in range(1 if is_plant_late else for_ms):
            self.now_ns += for_ms * MS if is_plant_late else MS
            self.ran_ns += what == "runs" and (for_ms * MS if is_plant_late else MS)
            if not is_plant_late:
                self.now_ms()
        if what == "queues":
            self.queued_ns += for_ms * MS  # the kernel tells a wait at its end
        return self.now_ms()

    def now_ms(self):
        return self.clock.now_us() / 1000


@pytest.mark.parametrize("tells_late_ns", (0, 4 * MS, 10 * MS))
def test_what_the_firmware_does_is_time(tells_late_ns):
    kernel = Kernel(tells_late_ns)
    assert kernel.go("sleeps", 500) == pytest.approx(500, abs=2)
    kernel.go("runs", 3000)  # a loop that never ends, or a collection
    assert kernel.now_ms() == pytest.approx(3500, abs=11)
    assert kernel.go("sleeps", 20) == pytest.approx(3520, abs=2)


def test_what_keeps_it_from_a_core_is_none():
    kernel = Kernel()
    kernel.go("sleeps", 100)
    for _ in range(50):
        before_ms = kernel.now_ms()
        assert kernel.go("queues", 300) - before_ms <= 2
        kernel.go("runs", 2)
        kernel.go("sleeps", 21)
    assert kernel.now_ms() == pytest.approx(100 + 50 * 23, rel=0.05)


def test_a_plant_that_comes_late_costs_no_time():
    kernel = Kernel()
    assert kernel.go("sleeps", 4000, is_plant_late=True) < 15
    before_ms = kernel.now_ms()
    assert kernel.go("runs", 200, is_plant_late=True) - before_ms == pytest.approx(200, abs=15), "it computed all along"


def test_the_wall_clock_hides_nothing():
    kernel = Kernel()
    kernel.clock.is_wall = True
    assert kernel.go("queues", 300) == 300


def test_without_a_process_it_is_the_wall_clock():
    now_ns = 0
    clock = SharedClock(False, lambda: now_ns)
    clock.follow(1 << 30)  # there is none
    for _ in range(100):
        now_ns += 5 * MS
        clock.now_us()
    assert clock.now_us() == 500_000


def test_the_kernel_tells_of_a_real_process():
    import os

    process = shared_clock.Process()
    process.follow(os.getpid())
    before = process.since_last()
    end = sum(number * number for number in range(2_000_000))
    state, ran_ns, queued_ns = process.since_last()
    assert end and before[0] == state == b"R" and ran_ns > MS and queued_ns >= 0
