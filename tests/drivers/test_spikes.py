"""One ADC reading that is far off, of any size and at any place of a tick, changes nothing that the box does."""

import random
import sys

import pytest

from firmware.core import claims, decide, settings
from firmware.core.records import Ref
from firmware.drivers import board_facts
from firmware.services.control_loop import ControlLoop
from firmware.services.inbox import Inbox
from host_tools.sim import fake_machine, world
from host_tools.sim.plant import Plant
from host_tools.sim.true_board import TrueBoard

BOARDS = ("reference", "wrover", "experimental/compact", "burst")
SPIKES = 75  # a board
APART = 12  # ticks between two: a window of currents holds one
WIRING_MA = 32_000


class Charging:
    """A box at 32 A on the firmware's own drivers."""

    def __init__(self, board, seed):
        sys.modules["machine"] = fake_machine
        facts = board_facts.loaded(f"hardware/boards/{board}.json")
        self.plant = Plant(seed, facts.phases)
        self.seam = TrueBoard(self.plant, facts)
        self.seam.world.spike_one_in = self.seam.world.gap_one_in = 0
        chosen = settings.changed(settings.defaults(), {"wiring_limit_ma": WIRING_MA, "phases": facts.phases})
        rows = (claims.standing("cable", WIRING_MA, Ref("board", "cable", 0)),)
        memory = decide.first_memory(self.seam.now_ms(), rows, (0, 0))
        self.loop = ControlLoop(self.seam, chosen, memory, Inbox())
        self.told = []
        self.loop.sink = self.told.extend
        self.run(130)  # 3 s
        world.change(self.plant, {"car": {"is_plugged": True}})
        self.run(1000)
        assert self.loop.memory.stage.state == "charging" and max(self.plant.currents_ma) > 31_000
        self.told.clear()
        self.plant.edges.clear()

    def run(self, ticks):
        """So many ticks of 23 ms."""
        for _ in range(ticks):
            begun_us = self.plant.now_us
            self.loop.tick()
            self.plant.advance_to(max(self.plant.now_us, begun_us + 23_000))


def struck(board, seed):
    """What the box told and the wires showed over SPIKES spikes, each at one read of a tick of its own."""
    box = Charging(board, seed)
    chance = random.Random(seed)
    pins = box.seam.world
    begun = pins.reads
    box.run(1)
    a_tick = pins.reads - begun
    for _ in range(SPIKES):
        # Most of them at the reads that are few: of the pilot's held peaks, of temperature and cable.
        uv = chance.choice((-1, 1)) * chance.choice((170_000, 200_000, chance.randrange(20_000, 3_300_000)))
        pins.spikes_uv = {pins.reads + chance.randrange(a_tick): uv}
        box.run(APART)
    return [event.code for event in box.told], [edge for edge in box.plant.edges if edge[1] != "current_ma"]


@pytest.mark.parametrize("board", BOARDS)
@pytest.mark.parametrize("seed", (1, 2))
def test_a_single_spike_changes_nothing(board, seed):
    assert struck(board, seed) == ([], [])


@pytest.mark.parametrize("half", (0, 1))
def test_each_read_of_a_held_peak_may_be_a_spike(half):
    box = Charging("reference", 3)
    line, pins = box.seam.board._pilot, box.seam.world
    real = line.beside
    for index in range(half, 16, 2):
        for uv in (-3_300_000, -170_000, 200_000, 3_300_000):

            def struck_beside(at, index=index, uv=uv):
                if at == index:
                    pins.spikes_uv = {pins.reads: uv}
                real(at)

            line.beside = struck_beside
            box.run(1)
            line.beside = real
            box.run(2)
            assert box.plant.is_coil_on and box.told == [], (index, uv)


def test_one_read_alone_would_open(monkeypatch):
    from firmware.drivers import pilot_line

    monkeypatch.setattr(pilot_line, "middle_of", lambda reads: reads[0])
    assert ("coil", False) in [edge[1:] for edge in struck("reference", 1)[1]]


def test_the_median():
    from firmware.drivers import dividers, pilot_line

    chance = random.Random(5)
    for _ in range(300):
        reads = [chance.randrange(1000, 1010) for _ in range(pilot_line.PEAK_READS)]
        for spikes in range(4):  # a burst of interference may hit three of eight
            for index in chance.sample(range(len(reads)), spikes):
                reads[index] = chance.choice((0, 3_300_000))
            if reads.count(0) + reads.count(3_300_000) <= 3:
                assert 1000 <= pilot_line.middle_of(reads) < 1010
        three = [chance.randrange(100) for _ in range(3)]
        assert dividers.middle_of(*three) == sorted(three)[1]
