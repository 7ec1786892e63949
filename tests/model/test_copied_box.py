"""A copy of a simulated box goes on exactly as the box itself would have, whatever was planned at that moment."""

import pickle

import pytest

from host_tools.sim import world
from host_tools.sim.box import Box
from host_tools.sim.car import CHARACTERS
from host_tools.sim.life import Life


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


@pytest.mark.parametrize("character", CHARACTERS)
def test_a_copied_life_goes_on_as_one_from_bytes(character):
    def outcome(life):
        life.do("grid pauses for 20 s, resume now")
        life.go(9000)
        life.do("fault adc_noise on")
        life.do("plug out")
        life.go(40_000)
        life.tell()
        plant = life.box.plant
        return (
            list(plant.edges),
            plant.energy_uj,
            life.box.loop.memory,
            life.box.events,
            life.lines,
            life.oracle.ticks_on,
        )

    life = Life(character, 7)
    life.do("plug in")
    life.go(14_000)
    frozen = life.frozen()
    template = pickle.loads(frozen)
    told = outcome(pickle.loads(frozen))
    assert outcome(template.copied()) == told, "a copy moves as what came from bytes"
    assert outcome(template.copied()) == told, "and leaves the one it was copied from as it was"
