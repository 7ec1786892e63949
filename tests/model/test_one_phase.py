"""A board with one phase at the settings of the factory: it is told in words, and it charges."""

import sys

import pytest

from firmware.core import claims, decide, settings
from firmware.core.records import Ref
from firmware.drivers import board_facts
from firmware.services.control_loop import ControlLoop
from firmware.services.inbox import Inbox
from host_tools.sim import fake_machine, world
from host_tools.sim.fast_board import FastBoard
from host_tools.sim.plant import Plant

ONE_PHASE = ("wrover", "experimental/compact")


def run(board, chosen, ticks=1400):
    """(plant, memory, ids of the faults) after a car was plugged in at such a board."""
    sys.modules["machine"] = fake_machine
    facts = board_facts.loaded(f"hardware/boards/{board}.json")
    plant = Plant(1, facts.phases)
    seam = FastBoard(plant, facts)
    rows = (claims.standing("cable", 32_000, Ref("board", "cable", 0)),)
    loop = ControlLoop(seam, chosen, decide.first_memory(0, rows, (0, 0)), Inbox())
    told = []
    loop.sink = told.extend
    world.change(plant, {"car": {"is_plugged": True}})
    for _ in range(ticks):
        loop.tick()
        plant.advance_to(plant.now_us + 23_000)
    return plant, loop.memory, {event.args[0] for event in told if event.code == "fault"}


@pytest.mark.parametrize("board", ONE_PHASE)
def test_it_charges_with_the_settings_of_the_factory(board):
    facts = board_facts.loaded(f"hardware/boards/{board}.json")
    chosen = settings.fitted(settings.defaults(), facts.phases)
    plant, memory, ids = run(board, chosen)
    assert plant.is_coil_on and memory.stage.state == "charging" and "S17" not in ids


@pytest.mark.parametrize("board", ONE_PHASE)
def test_three_phases_would_be_a_disturbed_mains_for_ever(board):
    plant, _, ids = run(board, settings.defaults())
    assert not plant.is_coil_on and "S17" in ids
