"""A dead network never resets the box, never opens the contactor under load, and is asked for only when it may be."""

import random

from host_tools import dead_network
from host_tools.dead_network import DeadNetwork

SEED = random.SystemRandom().randrange(1 << 31)


def test_hours_of_a_dead_network():
    assert dead_network.report(2, SEED)


def test_a_handshake_without_the_train_would_open_under_load(monkeypatch):
    """The same life with a board that says it has a cut-off and has none: the lease lapses, which the count finds."""
    from host_tools.sim.fast_board import FastBoard

    monkeypatch.setattr(FastBoard, "bridge", lambda self: None)
    made = DeadNetwork(1, True).run(2)
    assert made.handshakes_closed and made.plant.hot_openings
