"""The same words and units from every board: the fast seam, and the real drivers with and without peak detectors."""

import sys
import types
from pathlib import Path

import pytest
from conftest import Seam

from firmware.core.records import Outputs
from firmware.drivers import board_facts
from host_tools.sim import fake_machine, world
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


class Train:
    """esp32.RMT whose pulses the plant plays without the program."""

    plant: Plant

    def __init__(self, channel, *, pin, clock_div):
        self.end_us = 0

    def write_pulses(self, durations, data):
        plant = self.plant
        for number, duration_us in enumerate(durations):
            plant.later(number * duration_us, plant.heartbeat)
        self.end_us = plant.now_us + sum(durations)

    def wait_done(self, *, timeout):
        return self.plant.now_us >= self.end_us

    def deinit(self):
        pass


@pytest.mark.parametrize(("for_ms", "is_held"), ((1400, True), (1900, False)))
def test_a_stall_that_outlasts_the_train_closes_nothing_again(seam, monkeypatch, for_ms, is_held):
    plant, board, run = seam
    monkeypatch.setitem(sys.modules, "esp32", types.SimpleNamespace(RMT=type("RMT", (Train,), {"plant": plant})))
    run(CLOSED, 5)
    board.bridge()
    plant.advance_to(plant.now_us + for_ms * 1000)
    assert plant.is_coil_on is is_held
    assert board.sense().is_relay_pin_high is is_held  # else the tick finds X3, and asks for no closing
    for _ in range(20):
        run(CLOSED, 5)
    assert plant.is_coil_on


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


@pytest.fixture
def chip_clock(monkeypatch):
    """(board, RTC) of a chip that was just switched on."""
    board = Seam("reference", False).board.board
    monkeypatch.setattr(fake_machine, "clock", None)
    return board, fake_machine.RTC()


def test_the_chips_own_clock_follows_what_the_box_is_told(chip_clock):
    board, rtc = chip_clock
    assert rtc.datetime()[:7] == (2000, 1, 1, 5, 0, 0, 0)
    for wall_s, fields in (
        (1_798_761_599, (2026, 12, 31, 3, 23, 59, 59)),
        (1_798_761_600, (2027, 1, 1, 4, 0, 0, 0)),  # one second on: the box's time stays, the chip's moves
        (1_835_395_200, (2028, 2, 29, 1, 0, 0, 0)),
        (2_147_483_648, (2038, 1, 19, 1, 3, 14, 8)),
        (4_233_462_143, (2104, 2, 26, 1, 9, 42, 23)),
        (1_798_761_599, (2026, 12, 31, 3, 23, 59, 59)),
    ):
        board.set_wall_s(wall_s)
        assert rtc.datetime()[:7] == fields


def test_the_floor_moves_the_chips_own_clock_only_forward(chip_clock):
    board, rtc = chip_clock
    board.set_floor_s(1_798_761_599)
    assert rtc.datetime()[:7] == (2026, 12, 31, 3, 23, 59, 59) and board.wall_s() is None
    for earlier_s in (1_798_761_598, 1_798_761_599, 946_684_800):
        board.set_floor_s(earlier_s)
        assert rtc.datetime()[:7] == (2026, 12, 31, 3, 23, 59, 59)
    board.set_floor_s(1_798_761_600)
    assert rtc.datetime()[:7] == (2027, 1, 1, 4, 0, 0, 0)


def test_a_missing_time_winks_where_all_is_dark_and_nowhere_else():
    seam = Seam("reference", False)

    def seen(pattern):
        shown = []
        for _ in range(400):
            seam.board.board._panel.show(pattern)
            shown.append(seam.plant.led)
        return "".join(name[0] for name in shown)

    plain = {pattern: seen(pattern) for pattern in ("off", "blue", "blue_blink", "green", "green_blink", "red")}
    seam.board.board.show_no_time(True)
    for pattern, shown in plain.items():
        if pattern == "off":
            assert seen(pattern).count("b") == 8 and set(shown) == {"o"}
        else:
            assert seen(pattern) == shown
    seam.board.board.show_no_time(False)
    assert seen("off") == plain["off"]


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


def test_too_many_gaps_in_the_burst_make_it_void():
    plant = Plant(SEED)
    board = TrueBoard(plant, board_facts.loaded("hardware/boards/burst.json"))
    board.act(PWM)
    board.sense()
    board.world.gap_one_in = 5
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
