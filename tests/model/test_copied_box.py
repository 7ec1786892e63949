"""A copy of a simulated box goes on exactly as the box itself would have, whatever was planned at that moment."""

import pickle

import pytest

from host_tools.sim import world
from host_tools.sim.box import Box
from host_tools.sim.car import CHARACTERS


def lived(box):
    """What happens to a box in the next half minute: edges, energy, memory."""
    box.plant.edges.clear()
    box.run_ms(500)
    box.owner("limit", 0, 5)
    box.run_ms(12_000)
    world.change(box.plant, {"car": {"wants_charge": False}})
    box.run_ms(18_000)
    box.plant.settle_energy()
    return list(box.plant.edges), box.plant.energy_uj, box.loop.memory, box.events


@pytest.mark.parametrize("character", CHARACTERS)
@pytest.mark.parametrize("for_ms", (100, 2050, 7000, 14_000))
def test_copy_goes_on_as_the_box(character, for_ms):
    box = Box(character, 7)
    box.run_ms(3000)
    world.change(box.plant, {"car": {"is_plugged": True}})
    box.run_ms(for_ms)
    frozen = box.frozen()
    first, second = pickle.loads(frozen), pickle.loads(frozen)
    assert first.board._sensors._noise is box.board._sensors._noise
    told = lived(box)
    assert lived(first) == told
    assert lived(second) == told
    assert len(told[0]) > 0
