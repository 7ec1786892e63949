"""A pilot without peak detectors: an ADC of any speed from 10 to 90 us a read, and gaps that cost a burst at most."""

import random

import pytest

from firmware.core import pilot
from firmware.core.records import Outputs
from firmware.drivers import board_facts, pilot_line
from host_tools.sim.plant import Plant
from host_tools.sim.true_board import TrueBoard

SEED = random.SystemRandom().randrange(1 << 31)
VARIANTS = 200
STALE_MS = 150  # S8
ENDS_US = ((10, 12), (20, 25), (38, 40), (39, 39), (60, 72), (70, 75), (85, 90), (90, 90))


def boarded(chance, costs_us, gap_one_in=20_000):
    """(plant, TrueBoard) of `burst` whose reads take from … to so many us."""
    plant = Plant(chance.getrandbits(30))
    board = TrueBoard(plant, board_facts.loaded("hardware/boards/burst.json"))
    pins = board.world
    pins.costs_us = [chance.randint(*costs_us) for _ in pins.costs_us]
    pins.gap_one_in = gap_one_in
    return plant, board


def shown(plant, letter):
    """A car that shows this letter, and does nothing else."""
    plant.car.is_plugged, plant.car.is_s2_closed, plant.car.wants_charge = letter != "A", letter == "C", False
    plant.wire_changed()


def ticked(plant, board, outputs):
    """Readings of one tick."""
    begun_us = plant.now_us
    readings = board.sense()
    took_us = plant.now_us - begun_us
    board.act(outputs)
    plant.advance_to(max(plant.now_us, begun_us + 23_000))
    return readings, took_us


def test_any_speed_of_the_adc():
    chance = random.Random(SEED)
    for _ in range(VARIANTS):
        least_us = chance.randrange(10, 85)
        costs_us = chance.choice((*ENDS_US, (least_us, chance.randint(least_us, 90))))
        plant, board = boarded(chance, costs_us)
        duty = chance.choice((100, 850, chance.randint(100, 850)))
        outputs = Outputs(False, "pwm", duty, "off", False)
        board.act(outputs)
        for letter in chance.sample("ABC", 3):
            shown(plant, letter)
            for _ in range(3):
                readings, took_us = ticked(plant, board, outputs)
                assert readings.pilot_age_ms <= 30, (SEED, costs_us)
                assert took_us < 20_000, (SEED, costs_us, took_us)
                found = readings.pilot_high_mv and pilot.letter_of(readings.pilot_high_mv, "E")
                assert found == letter, (SEED, costs_us, duty, readings.pilot_high_mv)
                assert readings.pilot_low_mv is not None and abs(readings.pilot_low_mv + 12_000) < 200


@pytest.mark.parametrize("gap_one_in", (1000, 300, 100))
def test_gaps_make_no_fault(gap_one_in):
    chance = random.Random(SEED + gap_one_in)
    plant, board = boarded(chance, (35, 60), gap_one_in)
    outputs = Outputs(False, "pwm", 100, "off", False)
    board.act(outputs)
    shown(plant, "C")
    ticked(plant, board, outputs)
    oldest_ms = 0
    for _ in range(400):
        readings, took_us = ticked(plant, board, outputs)
        oldest_ms = max(oldest_ms, readings.pilot_age_ms)
        assert readings.pilot_high_mv is not None and pilot.letter_of(readings.pilot_high_mv, "E") == "C", SEED
    print(f"oldest_with_a_gap_in_{gap_one_in}: {oldest_ms} ms of {STALE_MS} (seed {SEED})")
    assert oldest_ms <= STALE_MS // 2


def test_the_three_ends():
    chance = random.Random(SEED)
    for _ in range(300):
        reads = [chance.randrange(100, 130) for _ in range(chance.randrange(6, 40))]
        ends = [0, 0, 0, 999, 999, 999]
        for uv in reads:
            if uv > ends[2]:
                pilot_line.ranked_high(ends, uv)
            if uv < ends[5]:
                pilot_line.ranked_low(ends, uv)
        assert ends == sorted(reads)[:-4:-1] + sorted(reads)[:3]
