"""The same words and units from every board: the fast seam, and the real drivers with and without peak detectors."""

from pathlib import Path

import pytest

from firmware.core.records import Outputs
from firmware.drivers import board_facts
from host_tools.sim import world
from host_tools.sim.plant import Plant
from host_tools.sim.true_board import START_TICKS, TrueBoard

SEED = 5
X1 = Outputs(False, "high", 1000, "off", False)
PWM = Outputs(False, "pwm", 266, "green", False)
CLOSED = Outputs(True, "pwm", 266, "green", False)
LOW = Outputs(False, "low", 0, "red", False)


def near(value, wanted, permille):
    """Whether value is within permille of wanted."""
    return abs(value - wanted) * 1000 <= abs(wanted) * permille


@pytest.mark.parametrize(("letter", "high_mv"), (("A", 12_000), ("B", 8_979), ("C", 5_995)))
def test_pilot_halves(seam, letter, high_mv):
    plant, board, run = seam
    plant.car.is_plugged = letter != "A"
    plant.car.is_s2_closed = letter == "C"
    plant.car.wants_charge = False
    run(PWM, 3)
    plant.car.is_s2_closed = letter == "C"
    plant.wire_changed()
    readings = run(PWM, 3)
    assert near(readings.pilot_high_mv, high_mv, 20)
    assert near(readings.pilot_low_mv, -12_000, 20)
    assert readings.pilot_age_ms < 60


def test_x1_has_no_low_half_and_f_no_high_half(seam):
    plant, board, run = seam
    readings = run(X1, 4)
    assert plant.pilot_mode == "high" and near(readings.pilot_high_mv, 12_000, 20) and readings.pilot_low_mv is None
    readings = run(LOW, 4)
    assert plant.pilot_mode == "low" and readings.pilot_high_mv is None and near(readings.pilot_low_mv, -12_000, 20)
    run(PWM, 1)
    assert (plant.pilot_mode, plant.duty_permille) == ("pwm", 266)


def test_currents_volts_and_real_power(seam):
    plant, board, run = seam
    run(X1, 3)
    world.change(plant, {"car": {"is_plugged": True}})
    run(PWM, 60)
    readings = run(CLOSED, 250)
    assert plant.currents_ma == (15_960, 15_960, 15_960)
    assert all(near(value, 15_960, 50) for value in readings.currents_ma)
    assert all(near(value, 230_000, 50) for value in readings.voltages_mv)
    assert near(readings.power_mw, plant.power_mw(), 50)


def test_opening_is_immediate_and_the_lease_lapses_by_itself(seam):
    plant, board, run = seam
    run(CLOSED, 5)
    assert plant.is_coil_on
    board.act(X1)
    assert not plant.is_coil_on
    run(CLOSED, 5)
    last_us = plant.heartbeat_at_us
    plant.edges.clear()
    plant.advance_to(last_us + 199_000)
    assert plant.is_coil_on
    plant.advance_to(last_us + 301_000)
    assert not plant.is_coil_on
    off_ms = next(at_ms for at_ms, name, value in plant.edges if name == "coil")
    assert 200 <= off_ms - last_us / 1000 <= 300


def test_self_test_trips_and_clears(seam):
    plant, board, run = seam
    assert not run(X1, 3).is_residual_tripped
    assert run(Outputs(False, "high", 1000, "off", True), 5).is_residual_tripped
    assert not run(X1, 5).is_residual_tripped
    world.change(plant, {"faults": {"residual_test_dead": True}})
    assert not run(Outputs(False, "high", 1000, "off", True), 50).is_residual_tripped


def test_time_never_wraps_and_keeps_steady(seam):
    plant, board, run = seam
    assert START_TICKS + 31_000 > 1 << 30
    before = board.now_ms()
    for _ in range(20):
        run(X1, 100)
        assert board.now_ms() - before in range(2250, 2400)
        before = board.now_ms()
    assert board.wall_s() is None
    board.set_wall_s(1_795_190_400)
    run(X1, 100)
    assert board.wall_s() in (1_795_190_402, 1_795_190_403)
    board.set_wall_s(1_795_190_403)
    assert board.wall_s() in (1_795_190_402, 1_795_190_403)


def test_inputs(seam):
    plant, board, run = seam
    readings = run(X1, 2)
    assert readings.is_earth_ok and readings.is_lid_closed and not readings.is_button_pressed
    changes = {"faults": {"earth_lost": True, "lid_open": True}, "panel": {"button_is_pressed": True}}
    world.change(plant, changes)
    readings = run(X1, 2)
    assert not readings.is_earth_ok and not readings.is_lid_closed and readings.is_button_pressed


def test_stuck_zero_and_full_readings_are_no_pilot(seam):
    plant, board, run = seam
    run(PWM, 3)
    for fault in ("adc_zero", "adc_full"):
        world.change(plant, {"faults": {fault: True}})
        readings = run(PWM, 3)
        halves = [half for half in (readings.pilot_high_mv, readings.pilot_low_mv) if half is not None]
        assert len(halves) == 1 and abs(halves[0]) > 13_500, (fault, halves)
        world.change(plant, {"faults": {fault: False}})
        run(PWM, 3)


def test_a_gap_in_the_burst_makes_it_void():
    plant = Plant(SEED)
    board = TrueBoard(plant, board_facts.loaded("hardware/boards/burst.json"))
    board.act(PWM)
    board.sense()
    board.world.gap_one_in = 20
    ages = []
    for _ in range(20):
        begun_us = plant.now_us
        ages.append(board.sense().pilot_age_ms)
        plant.advance_to(max(plant.now_us, begun_us + 23_000))
    assert max(ages) > 100


def test_bad_board_files_are_refused_in_words():
    import json

    good = json.loads(Path("hardware/boards/reference.json").read_text())
    for key, value, words in (
        ("tick_ms", 25, "half cycle"),
        ("tick_ms", 20, "half cycle"),
        ("tick_ms", 28, "21-27"),
        ("phases", 2, "1 or 3"),
        ("has_peak_detectors", False, None),
    ):
        board = {**good, key: value}
        if words is None:
            board["cable_ma"], words = 63_000, "peak detectors"
        with pytest.raises(ValueError, match=words):
            board_facts.facts_of(board)
    for key in ("pins", "cable_ma"):
        with pytest.raises(ValueError, match=key):
            board_facts.facts_of({name: value for name, value in good.items() if name != key})
    with pytest.raises(ValueError, match="coil_enable"):
        board_facts.facts_of({**good, "pins": {k: v for k, v in good["pins"].items() if k != "coil_enable"}})
