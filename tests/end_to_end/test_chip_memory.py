"""The chip's own memory on a virtual chip: who comes first gets it, and what is short is said in words."""

import json

import pytest
from chips import RunningChip, installed

from host_tools.device.prompt import Prompt

pytestmark = pytest.mark.needs_chip
WIFI = {"wifi_ssid": "home", "wifi_password": "home-secret"}
JOIN_S = 12
STARTS = 3  # empty, with the firmware, with its settings


def started(chip, change=None):
    """The board's firmware runs on the chip, with the Wi-Fi of the bench; change: {path: function of bytes}."""
    installed(chip)
    with Prompt(chip.port) as prompt:
        prompt.put("/data/settings.json", json.dumps(WIFI).encode())
        for path, made in (change or {}).items():
            prompt.put(path, made(prompt.read(path)))
        starts = len(chip.chip.resets)
        chip.chip.console.clear()
        prompt.restart()
    chip.wait(lambda: len(chip.chip.resets) > starts, "the start")
    chip.wait_runs()


def heap_first(main):
    """main.py as it was: the app is imported, and the radio comes when the app has been made."""
    assert main.count(b"radio.switch_on()") == 1
    return main.replace(b"radio.switch_on()", b"pass")


def test_a_heap_that_grows_first_leaves_the_radio_too_little(tmp_path):
    """The planted bug. Emulated image: 84.6 kB after the app's import, 29.0 after App(), 4 of 10 buffers."""
    with RunningChip(tmp_path / "chip", board="compact") as chip:
        started(chip, {"/main.py": heap_first})
        chip.wait_said("Expected to init 10 rx buffer, actual is ")
        chip.wait_said("The radio found too little memory and stays off")
        chip.wait_said("The memory of the chip's own system is short")
        assert len(chip.chip.resets) == STARTS, "no restart: the box goes on without its radio"
        assert not chip.plant.is_coil_on


def test_with_the_radio_first_a_module_without_psram_still_never_joins(tmp_path):
    """Emulated image: 102 kB, 44 after the app's import, 1.1 after App(), and it never joins."""
    with RunningChip(tmp_path / "chip", board="compact") as chip:
        started(chip)
        chip.wait_said("The memory of the chip's own system was nearly used up")
        with pytest.raises(AssertionError):
            chip.wait_said("Connected to the Wi-Fi", JOIN_S)
        assert "actual is" not in chip.said()


@pytest.mark.parametrize("board", ("wrover", "reference"))
def test_boards_with_psram_join_and_keep_their_memory(tmp_path, board):
    with RunningChip(tmp_path / "chip", board=board) as chip:
        started(chip)
        chip.wait_said("Connected to the Wi-Fi", JOIN_S)
        assert "own system" not in chip.said()


def test_an_image_without_a_radio_says_so_and_the_box_ticks(tmp_path):
    chip = RunningChip(tmp_path / "chip")
    chip.has_network = False
    with chip:
        started(chip)
        chip.wait_said("This image of MicroPython has no Wi-Fi")
        chip.wait(lambda: chip.plant.pilot_mode == "high", "a tick")
        assert len(chip.chip.resets) == STARTS
