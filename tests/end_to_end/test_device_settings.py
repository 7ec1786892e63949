"""Settings over the cable of a running box: its own rules, nothing shown that is secret, and nothing stopped."""

import io
import json
import sys
import threading
import time

import pytest
from chips import box_chip

from firmware.wire import cable_line, secret
from host_tools.device import box_file, task, watch
from host_tools.device import settings as device_settings
from host_tools.device.prompt import Prompt
from host_tools.sim import world

CODE = "ab2de-fgh3j-k4mnp"
PASSWORD = "a broker's own wor?d!"
BOX = {"box": "cellar", "owner_password": "abcde-fghjk-mnpqr", "installer_code": secret.kept(CODE, bytes(range(16)))}
STORED = {"wiring_limit_ma": 16000, "wifi_ssid": "nobody-home", "wifi_password": "some-password", "phases": 3}


@pytest.fixture(scope="module")
def chip(tmp_path_factory):
    """A box that has its Wi-Fi, so that its line is the prompt's; no page."""
    with box_chip(tmp_path_factory.mktemp("settings") / "chip") as running:
        with box_file.stopped(running.port) as prompt:
            prompt.put("/box.json", json.dumps(BOX).encode())
            prompt.put("/data/settings.json", json.dumps(STORED).encode())
        running.wait_runs()
        yield running


@pytest.fixture
def asked(chip, capsys, monkeypatch):
    """Function (arguments, typed lines) that gives (exit code, output, errors); the box goes on all the while."""

    def run(*arguments, typed=""):
        resets, stops = list(chip.chip.resets), chip.said().count("stopped by a person")
        monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
        code = task.run(["settings", "--port", chip.port, *arguments])
        said = capsys.readouterr()
        assert chip.chip.resets == resets and chip.said().count("stopped by a person") == stops
        assert "Traceback" not in chip.said()
        for word in (PASSWORD, CODE, *(value for key, value in STORED.items() if key.endswith("password"))):
            assert word not in said.out + said.err + chip.said()
        return code, said.out, said.err

    return run


def press(chip):
    """The box's own button, briefly."""
    for is_pressed in (True, False):
        chip.now(changed(chip, {"panel": {"button_is_pressed": is_pressed}}))
        time.sleep(0.5)


async def changed(chip, change):
    """The world, with a change."""
    world.change(chip.plant, change)


def test_the_list_and_one(asked):
    code, out, _ = asked()
    assert code == 0 and len(out.splitlines()) == 20
    assert "wiring_limit_ma       16000 mA         Limit of the wiring (6000 to 80000 in steps of 100; inst" in out
    assert "mqtt_password         (never shown)" in out and "mqtt_is_tls           true" in out
    code, out, _ = asked("phases")
    assert code == 0 and out.startswith("phases                3 ") and out.count("\n") == 1


def test_what_is_the_owners(asked):
    assert asked("mqtt_host", "broker.example")[1] == "mqtt_host: (empty) -> broker.example\n"
    assert asked("mqtt_password", "-", typed=PASSWORD + "\n")[1] == "mqtt_password: (never shown) -> (never shown)\n"
    assert asked("mqtt_is_tls", "off")[1] == "mqtt_is_tls: true -> false\n"
    assert "broker.example" in asked("mqtt_host")[1]


def test_a_lower_limit_needs_neither_code_nor_button(asked):
    assert asked("wiring_limit_ma", "13000")[:2] == (0, "wiring_limit_ma: 16000 mA -> 13000 mA\n")


def test_what_is_the_installers(asked, chip, monkeypatch):
    monkeypatch.setattr(device_settings, "BUTTON_S", 1)
    code, _, said = asked("phases", "1", typed=CODE + "\n")
    assert code == 1 and "Press the button" in said and "Somebody must be at the box" in said
    # Without the press no code is looked at: even the right one tells nothing.
    code, _, said = asked("phases", "1", typed="wrong\n")
    assert code == 1 and "Somebody must be at the box" in said
    assert asked("phases")[1].startswith("phases                3 ")
    monkeypatch.setattr(device_settings, "BUTTON_S", 30)
    pressing = threading.Timer(5, press, (chip,))
    pressing.start()
    code, out, said = asked("phases", "1", typed=CODE + "\n")
    pressing.join()
    assert (code, out) == (0, "phases: 3 -> 1\n"), said
    code, _, said = asked("wiring_limit_ma", "32000", typed="wrong\n")
    assert code == 1 and "is not the installer's code" in said
    assert asked("wiring_limit_ma", "32000", typed=CODE + "\n")[0] == 0


def test_wrong_codes_wait_as_on_the_page(asked, chip):
    press(chip)
    line = watch.opened(chip.port)
    try:
        box = device_settings.Box(line)
        codes = [box.ask({"nominal_hz": 60, "installer_code": "wrong"})[1]["code"] for _ in range(5)]
        assert codes[0] == "code" and "wait" in codes
        right = box.ask({"nominal_hz": 60, "installer_code": CODE})[1]
        assert right["code"] == "wait", "not even the right one is looked at"
    finally:
        watch.close(line)
    assert asked("nominal_hz")[1].startswith("nominal_hz            50 Hz")


@pytest.mark.parametrize(
    "arguments, words",
    (
        (("odd",), "there is no setting 'odd'"),
        (("phases", "4"), "phases must be 1 to 3."),
        (("phases", "one"), "phases must be a whole number."),
        (("wiring_limit_ma", "16050"), "must be 6000 plus a multiple of 100"),
        (("mqtt_is_tls", "maybe"), "must be true or false"),
        (("groups", "a b"), "may hold only letters"),
        (("mqtt_password", "seen"), "stays in the shell's history"),
        (("wifi_password", "-"), "Wi-Fi is tried as a whole"),
    ),
)
def test_bad_input_reaches_no_box(asked, arguments, words):
    code, out, said = asked(*arguments)
    assert (code, out) == (2, "") and words in said and said.count("\n") == 1 and "Nothing was changed." in said


def test_noise_on_the_line_changes_nothing(asked, chip):
    line = watch.opened(chip.port)
    try:
        whole = cable_line.packed('{"restart_spread_s": 1}')
        for hurt in (whole.replace(b"1}", b"2}"), whole[1:], whole[:-9] + b"\r", b"!\r", b"!" + b"x" * 2000 + b"\r"):
            line.write(b"\r" + hurt)
            time.sleep(1.3)
    finally:
        watch.close(line)
    assert asked("restart_spread_s")[1].startswith("restart_spread_s      600 s")


def test_a_wifi_is_tried_before_it_is_kept(asked, chip):
    code, _, said = asked("wifi_ssid", "home", typed="not-the-secret\n")
    assert code == 1 and "Nothing was changed" in said and "nobody-home" in asked("wifi_ssid")[1]
    code, out, said = asked("wifi_ssid", "home", typed="home-secret\n")
    assert (code, out) == (0, "wifi_ssid: nobody-home -> home\n"), said


def test_a_box_that_charges_is_not_held_up(asked, chip):
    chip.now(changed(chip, {"car": {"is_plugged": True}}))
    chip.wait(lambda: chip.plant.is_coil_on, "it charges", 40)
    code, _, said = asked()
    assert code == 1 and "a car is charging" in said and chip.plant.is_coil_on
    chip.now(changed(chip, {"car": {"is_plugged": False}}))
    chip.wait(lambda: not chip.plant.is_coil_on, "it ends", 20)


def test_no_firmware_and_no_board(chip, capsys):
    with Prompt(chip.port):
        pass
    assert task.run(["settings", "--port", chip.port]) == 2
    assert "no firmware runs" in capsys.readouterr().err
    assert task.run(["settings", "--port", "/dev/ebb-no-such-port"]) == 2
    said = capsys.readouterr().err
    assert "nothing can be opened" in said and said.count("\n") == 1
