"""Both seams behind the same words: the plant's own board, and the firmware's drivers over fake pins."""

import pytest

from firmware.drivers import board_facts
from host_tools.sim.fast_board import FastBoard
from host_tools.sim.plant import Plant
from host_tools.sim.true_board import TrueBoard

SEED = 5


class Seam:
    """A plant and a board on it, ticked as the control loop would."""

    def __init__(self, board, is_fast, seed=SEED):
        self.facts = board_facts.loaded(f"hardware/boards/{board}.json")
        self.plant = Plant(seed, self.facts.phases)
        self.board = FastBoard(self.plant, self.facts) if is_fast else TrueBoard(self.plant, self.facts)

    def run(self, outputs, ticks):
        """Readings after `ticks` ticks under these outputs."""
        return self.readings(outputs, ticks)[-1]

    def readings(self, outputs, ticks):
        """Readings of each of `ticks` ticks under these outputs."""
        made = []
        for _ in range(ticks):
            begun_us = self.plant.now_us
            made.append(self.board.sense())
            self.board.act(outputs)
            self.plant.advance_to(max(self.plant.now_us, begun_us + 23_000))
        return made


@pytest.fixture(params=("fast", "reference", "burst"))
def seam(request):
    """(plant, board, run function) of one seam."""
    made = Seam("reference" if request.param == "fast" else request.param, request.param == "fast")
    return made.plant, made.board, made.run


@pytest.fixture(params=("fast", "reference", "burst", "wrover", "fast one phase"))
def every(request):
    """A Seam, three phases and one."""
    board = {"fast": "reference", "fast one phase": "wrover"}.get(request.param, request.param)
    return Seam(board, request.param.startswith("fast"))
