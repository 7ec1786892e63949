"""`network` of the virtual chip: a radio in a world with one access point, which the bench may take away."""

import fake_machine
import fake_network
from fake_network import *  # noqa: F403 - this module is the look-alike
from fake_network import WLAN, hostname  # noqa: F401


class Faults:
    """The bench's fault wifi_down, asked when the radio looks."""

    def __getitem__(self, name):
        return name == "down" and fake_machine.world.is_air_dead()


def made(access_points, now_ms):
    """Put the world behind the radio."""
    fake_network.world = fake_network.World(now_ms)
    fake_network.world.access_points = [tuple(row) for row in access_points]
    fake_network.world.faults = Faults()
