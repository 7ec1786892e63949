"""A current sensor whose mid-rail is off: no amperes out of nothing, no weld, and none missing beside real ones."""

import random

import pytest
from conftest import Seam
from test_spikes import Charging

from firmware.core.records import Outputs
from firmware.drivers import current_sensor
from host_tools.sim import world

X1 = Outputs(False, "high", 1000, "off", False)
CLOSED = Outputs(True, "pwm", 266, "green", False)
SEED = random.SystemRandom().randrange(1 << 31)
VARIANTS = 200
REST_MA = 500  # all that nothing may read as
OFFSET_MA = 2900  # 33 mV: two resistors of 1 % at mid-rail, and the ADC beside them
FOUND_MA = 1044  # 12 mV


def most_ma(made):
    """The largest current of these readings."""
    return max(max(one.currents_ma) for one in made)


def test_any_offset_reads_as_nothing_and_takes_nothing_away():
    chance = random.Random(SEED)
    worst_ma = worst = 0
    for _ in range(VARIANTS):
        seam = Seam(chance.choice(("reference", "wrover")), False, chance.getrandbits(30))
        plant, seam.board.world.spike_one_in = seam.plant, 0
        plant.current_offsets_ma = [chance.choice((-1, 1)) * chance.randint(0, OFFSET_MA) for _ in range(3)]
        plant.frequency_mhz = chance.choice((50, 60)) * 1000 + chance.randint(-2000, 2000)
        rest_ma = most_ma(seam.readings(X1, 30))
        amps_ma = chance.choice((6000, 10_000, 16_000, 32_000))
        seam.readings(CLOSED, 3)
        plant.currents_ma = tuple([amps_ma * (index < plant.phases) for index in range(3)])
        for one in seam.readings(CLOSED, 40)[14:]:
            for phase in range(plant.phases):
                worst = max(worst, abs(one.currents_ma[phase] / amps_ma - 1))
        rest_ma = max(rest_ma, most_ma(seam.readings(X1, 24)[14:]))
        assert rest_ma <= REST_MA, (SEED, rest_ma, plant.current_offsets_ma)
        worst_ma = max(worst_ma, rest_ma)
    print(f"zero_worst: {worst_ma} mA of nothing, {worst * 100:.1f} % beside a current (seed {SEED})")
    assert worst <= 0.08, SEED


def test_the_zero_is_followed_only_while_open_and_never_far():
    seam = Seam("reference", False)
    sensor, per_a = seam.board.board._currents, seam.facts.current_uv_per_a
    seam.run(CLOSED, 1)
    seam.plant.current_offsets_ma = [FOUND_MA, -5000, 300]
    zeros_uv = list(sensor._zeros_uv)
    seam.readings(CLOSED, 30)
    assert list(sensor._zeros_uv) == zeros_uv
    seam.readings(X1, 200)
    moved_a = [(uv - seam.facts.current_zero_uv) / per_a for uv in sensor._zeros_uv]
    assert moved_a == pytest.approx([1.04, -current_sensor.MEAN_MOST_A, 0.3], abs=0.1)


@pytest.mark.parametrize("uv", (-3_300_000, -400_000, 400_000, 3_300_000))
def test_a_spike_beside_an_offset_is_no_fault(uv):
    seam = Seam("reference", False, 11)
    seam.board.world.spike_one_in = 0
    seam.plant.current_offsets_ma = [OFFSET_MA, -OFFSET_MA, FOUND_MA]
    seam.readings(X1, 100)
    for number in range(48):  # each phase's reads are among them
        seam.board.world.spikes_uv = {seam.board.world.reads + 10 + number: uv}
        assert most_ma(seam.readings(X1, 14)) < 1000, number


@pytest.mark.parametrize("offset_ma", (-OFFSET_MA, FOUND_MA, OFFSET_MA))
def test_no_session_is_disturbed(offset_ma, monkeypatch):
    began = []
    real = Charging.run

    def run(box, ticks):
        if not began:
            began.append(box)
            box.plant.current_offsets_ma = [offset_ma] * 3
        real(box, ticks)

    monkeypatch.setattr(Charging, "run", run)
    box = Charging("reference", 7)
    world.change(box.plant, {"car": {"is_plugged": False}})
    box.run(200)
    assert [event for event in box.told if event.code == "fault"] == [] and box.loop.memory.stage.state == "idle"


def test_amperes_alone_are_the_sensors_fault_and_it_ends_by_itself(monkeypatch):
    monkeypatch.setattr(current_sensor, "MEAN_MOST_A", 0)  # as if nothing were taken away
    box = Charging("reference", 7)
    world.change(box.plant, {"car": {"is_plugged": False}})
    box.run(50)
    box.plant.current_offsets_ma = [2000, 0, 0]
    box.run(60)
    assert [event.args[0] for event in box.told if event.code == "fault"] == ["S8"]
    box.plant.current_offsets_ma = [0, 0, 0]
    box.run(1400)
    assert box.loop.memory.faults.active == () and box.loop.memory.stage.state == "idle"
