"""The fast seam with the firmware's own clock over ticks that wrap each 12.4 days, as on the chip."""

from types import SimpleNamespace

from firmware.drivers.clock import Clock
from host_tools.sim import true_board
from host_tools.sim.fast_board import FastBoard


class WrappingBoard(FastBoard):
    """FastBoard whose time is drivers.clock's; the ticks go on over a boot, so a boot may fall on any of them."""

    def __init__(self, plant, facts, clock=None):
        super().__init__(plant, facts)
        true_board.install(SimpleNamespace(plant=plant, extra_us=0))
        self.clock = clock or Clock()
        self.booted_ms = plant.now_us // 1000 - self.clock.now_ms()

    def now_ms(self):
        """Milliseconds since boot, as the firmware counts them."""
        return self.clock.now_ms()

    def true_ms(self):
        """Milliseconds since boot, as the plant knows them."""
        return self.plant.now_us // 1000 - self.booted_ms

    def wall_s(self):
        """UTC epoch seconds, or None."""
        return self.clock.wall_s()

    def boot_epoch_ms(self):
        """UTC epoch milliseconds of the boot, or None."""
        return self.clock.boot_epoch_ms()

    def set_wall_s(self, wall_s):
        """Set the time of day."""
        self.clock.set_wall_s(wall_s)
