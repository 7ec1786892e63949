"""Calibration of a virtual chip whose parts differ from the board file by 4 %; what cannot be right is refused."""

import io
import json

import pytest
from chips import RunningChip, installed

from firmware.drivers import board_facts
from host_tools.device import calibrate, doctor
from host_tools.device.prompt import Prompt

BOX = {"box": "ebb-test", "web_port": 80}
TRUE = {"pilot_uv_per_v": 87_984, "pilot_zero_uv": 1_320_000, "current_uv_per_a": 11_960, "current_zero_uv": 1_320_000}
PILOT = ("--pilot-mv", "12000", "--pilot-low-mv", "-12000")
CURRENT = ("--shown-ma", "16640", "--reference-ma", "16000")


@pytest.fixture(scope="module")
def chip(tmp_path_factory):
    running = RunningChip(tmp_path_factory.mktemp("calibrated") / "chip")
    running.true_facts = running.facts._replace(**TRUE)
    with running:
        installed(running, BOX)
        yield running


def box_of(chip):
    """The board's /box.json as a dict."""
    chip.wait_runs()
    with Prompt(chip.port) as prompt:
        content = prompt.read("/box.json")
        prompt.restart()
    chip.wait_runs()
    return json.loads(content)


def rest(chip, capsys):
    """What the doctor measures at rest."""
    chip.wait_runs()
    capsys.readouterr()
    doctor.run(["--port", chip.port, "--json"])
    return json.loads(capsys.readouterr().out)["measured"]["pins"]["rest"]


def test_readings_are_right_after_it_and_nothing_else_changes(chip, capsys, monkeypatch):
    before = rest(chip, capsys)
    assert abs(before["high_mv"] - 12_000) * 100 > 12_000  # a current's zero is followed by the firmware itself
    assert calibrate.run(["--port", chip.port, *PILOT, *CURRENT]) == 0
    said = capsys.readouterr().out
    assert "current_uv_per_a: 11500 -> 11960" in said
    box = box_of(chip)
    assert {name: value for name, value in box.items() if name != "facts"} == BOX
    assert set(box["facts"]) == set(board_facts.OWN)
    for name, value in TRUE.items():
        assert abs(box["facts"][name] - value) * 100 < value, name
    after = rest(chip, capsys)
    assert abs(after["high_mv"] - 12_000) * 100 < 12_000 and max(after["currents_ma"]) < 300
    # Again, with answers on the terminal and without a load: the scale of the current stays.
    monkeypatch.setattr("sys.stdin", io.StringIO("\n12000\n-12000\n"))
    assert calibrate.run(["--port", chip.port]) == 0
    assert "current_uv_per_a: 11960 -> 11960" in capsys.readouterr().out
    assert box_of(chip)["facts"]["current_uv_per_a"] == 11_960


@pytest.mark.parametrize(
    ("options", "code", "words"),
    (
        ((*PILOT[:1], "9000", *PILOT[2:], *CURRENT), 1, "that cannot be right: The board's own pilot_"),
        ((*PILOT, "--shown-ma", "20000", "--reference-ma", "16000"), 1, "own current_uv_per_a is"),
        ((*PILOT, "--shown-ma", "900", "--reference-ma", "900"), 1, "too small to calibrate with"),
        (("--pilot-mv", "12000", "--pilot-low-mv", "12000", *CURRENT), 1, "too close together"),
        (("--pilot-mv", "12000", *CURRENT), 2, "'' is no whole number"),
    ),
)
def test_what_cannot_be_right_is_refused_and_changes_nothing(chip, capsys, monkeypatch, options, code, words):
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    before = box_of(chip)
    assert calibrate.run(["--port", chip.port, *options]) == code
    said = capsys.readouterr().err
    assert words in said and "nothing was changed" in said and said.count("\n") == 1
    assert box_of(chip) == before


def test_no_board(capsys):
    assert calibrate.run(["--port", "/dev/ebb-no-such-port", *PILOT, *CURRENT]) == 2


def test_the_firmware_takes_them_and_refuses_others():
    path = "hardware/boards/reference.json"
    plain = board_facts.loaded(path)
    facts, words = board_facts.with_own(path, TRUE)
    assert (facts.pilot_uv_per_v, facts.current_zero_uv, words) == (87_984, 1_320_000, "")
    assert facts.pins == plain.pins and board_facts.with_own(path, {}) == (plain, "")
    for own in ({"pilot_uv_per_v": 100_000}, {"pilot_uv_per_v": 84_600.5}, {"pins": {}}, {"tick_ms": 24}, [1], None):
        facts, words = board_facts.with_own(path, own)
        assert facts == plain and words, own


def test_a_refused_fact_is_said_when_the_firmware_starts(tmp_path):
    with RunningChip(tmp_path / "chip") as chip:
        installed(chip, {**BOX, "facts": {"pilot_uv_per_v": 1}})
        chip.wait_said("ebb: board The board's own pilot_uv_per_v is 1, more than 15 % from 84600.")
        chip.wait(lambda: chip.plant.pilot_mode == "high", "the firmware runs with the file's facts")
