"""The doctor on a virtual chip: healthy, with every fault that can be provoked, and on boards that give no prompt."""

import contextlib
import json
import math
import os
import pty
import re
import threading
import tty

import pytest
from chips import RunningChip, installed

from host_tools.device import asked, doctor, examined_files, examined_pins, prompt, unprompted
from host_tools.device.prompt import Prompt
from host_tools.sim import world

MAINS = 2 * math.pi * 50 / 1_000_000  # radians in a microsecond


def visit(capsys, port, *more):
    """(exit code, what it prints) of the doctor."""
    code = doctor.run(["--port", port, *more])
    said = capsys.readouterr()
    return code, said.out + said.err


@contextlib.contextmanager
def changed(chip, change):
    """The world with a change, and as it was after it."""
    before = {"faults": dict.fromkeys(chip.plant.faults, False), "panel": {"button_is_pressed": False}}
    before |= {"car": {"is_plugged": False}, "mains": {"voltages_mv": [230_000] * 3}}

    async def apply(wanted):
        world.change(chip.plant, wanted)

    chip.now(apply(change))
    try:
        yield
    finally:
        chip.now(apply(before))


@pytest.fixture
def healthy(ready):
    """A chip with its firmware running, whose world is put right after each test."""
    ready.wait_runs()
    return ready


@pytest.fixture(scope="module")
def ready(tmp_path_factory):
    """The chip of all these tests."""
    with RunningChip(tmp_path_factory.mktemp("healthy") / "chip") as chip:
        installed(chip)
        yield chip


@pytest.fixture
def chip(tmp_path):
    with RunningChip(tmp_path / "chip") as running:
        yield running


def test_a_healthy_board_and_the_firmware_runs_again(healthy, capsys):
    starts = len(healthy.chip.resets)
    code, said = visit(capsys, healthy.port)
    assert (code, said.splitlines()[-1]) == (0, doctor.HEALTHY), said
    assert said.splitlines() == [doctor.HEALTHY]
    healthy.wait(lambda: len(healthy.chip.resets) == starts + 1, "the start after the visit")
    healthy.wait_runs()
    code, said = visit(capsys, healthy.port, "--json")
    told = json.loads(said)
    assert (code, told["findings"]) == (0, [])
    assert 30 < told["measured"]["adc_read_us"] < 68 and 5 < told["measured"]["pilot_noise_mv"] < 20
    assert not healthy.plant.is_coil_on


@pytest.mark.parametrize(
    ("change", "words"),
    (
        ({"faults": {"earth_lost": True}}, "protective earth is missing: disconnect"),
        ({"faults": {"lid_open": True}}, "The lid is open"),
        ({"faults": {"contactor_welded_l2": True}}, "Behind the open contactor L2 is live"),
        ({"faults": {"feedback_broken": True}}, "The mirror contact says"),
        ({"faults": {"temperature_sensor_dead": True}}, "The temperature sensor gives no temperature"),
        ({"faults": {"proximity_open": True}}, "Proximity shows no cable"),
        ({"faults": {"proximity_short": True}}, "Proximity shows 0 ohm"),
        ({"faults": {"residual_test_dead": True}}, "does not trip when asked"),
        ({"faults": {"residual_trip": True}}, "says tripped at rest"),
        ({"faults": {"adc_zero": True}}, "The ADC stands still"),
        ({"faults": {"adc_full": True}}, "The ADC stands still"),
        ({"faults": {"adc_stuck": True}}, "The ADC stands still"),
        ({"faults": {"pilot_short_minus12": True}}, "no voltage above zero is read"),
        ({"faults": {"adc_offset": True}}, "instead of 12.0 V"),
        ({"faults": {"adc_noise": True}}, "The pilot's noise is"),
        ({"faults": {"pilot_short_12v": True}}, "The pilot's low half is"),
        ({"panel": {"button_is_pressed": True}}, "The button is held down all the time"),
        ({"mains": {"voltages_mv": [230_000, 120_000, 230_000]}}, "Phase 2 shows 1"),
    ),
)
def test_each_fault_has_its_words(healthy, capsys, change, words):
    with changed(healthy, change):  # some read as a car: tests/end_to_end/test_device_asks.py has the question
        code, said = visit(capsys, healthy.port, "--force")
    assert code == 1 and words in said and doctor.HEALTHY not in said, said
    if words != "The pilot's noise is":  # noise shows in more places
        assert len([line for line in said.splitlines() if not line.startswith("(")]) == 1, said


@pytest.mark.parametrize(
    ("volts_mv", "words"),
    (([0, 0, 0], "(No mains: the voltages"), ([230_000, 0, 0], "(No mains on phase 2 and 3: right for")),
)
def test_no_mains_is_told_and_nothing_wrong(healthy, capsys, volts_mv, words):
    with changed(healthy, {"mains": {"voltages_mv": volts_mv}}):
        code, said = visit(capsys, healthy.port)
    assert code == 0 and words in said and doctor.HEALTHY in said


def test_a_slow_adc_a_coil_pin_held_high_and_a_current_without_a_load(healthy, capsys):
    wires = healthy.link.world
    costs_us, read_pin, facts = wires.costs_us, wires.read_pin, wires.facts
    wires.costs_us = [120] * len(costs_us)
    wires.read_pin = lambda pin: 1 if pin == facts.pins.coil_enable else read_pin(pin)
    before = healthy.plant.current_ma
    healthy.plant.current_ma = lambda at_us, phase: round(2000 * math.sin(at_us * MAINS)) if phase == 1 else 0
    try:
        code, said = visit(capsys, healthy.port)
    finally:
        wires.costs_us, wires.read_pin, healthy.plant.current_ma = costs_us, read_pin, before
    assert code == 1
    assert "An ADC read takes 12" in said and "The coil's pin 11 (coil_enable) is high" in said
    assert re.findall(r"Phase (\d) shows \d+ mA although the contactor is open", said) == ["2"]


def test_files_that_are_missing_wrong_or_not_there_yet(chip, capsys):
    code, said = visit(capsys, chip.port)
    assert code == 1 and "The board runs MicroPython 1.25 and has no firmware: run 'device flash'." in said
    installed(chip)
    path = "/a/firmware.bin"
    with Prompt(chip.port) as at:
        good = at.read(path)
        at.put(path, good[:-1] + bytes((good[-1] ^ 1,)))
    code, said = visit(capsys, chip.port)
    assert code == 1 and f"Slot a is damaged: {path} is not what the manifest says: run 'device flash'." in said
    with Prompt(chip.port) as at:
        at.remove(path)
    code, said = visit(capsys, chip.port)
    assert code == 1 and f"Slot a is damaged: {path} is missing" in said and "Pins and sensors were not" in said
    with Prompt(chip.port) as at:
        at.remove("/a/manifest.json")
    assert "an installation was not finished" in visit(capsys, chip.port)[1]
    with Prompt(chip.port) as at:
        at.put(path, good)
    installed(chip, {"box": "ebb-test", "facts": {"pilot_uv_per_v": 1}})
    code, said = visit(capsys, chip.port)
    assert code == 1 and "The facts in /box.json are refused: The board's own pilot_uv_per_v is 1, more than" in said


def test_unprovisioned_full_and_restarted_too_often(chip, capsys):
    installed(chip)
    with Prompt(chip.port) as at:
        at.remove("/box.json")
    code, said = visit(capsys, chip.port)
    assert code == 1 and "not provisioned: there is no /box.json" in said
    with Prompt(chip.port) as at:
        at.put("/box.json", b"{")
        at.run("import esp32\nstore = esp32.NVS('ebb')\nstore.set_i32('crashes', 3)\nstore.commit()")
        # In steps: a program that runs for 2 s on a slow PC would be bitten by the watchdog.
        at.run("f = open('/data/much', 'wb')")
        for _ in range(20):
            at.run("for _ in range(10): f.write(bytes(4096))")
        at.run("f.close()")
        at.restart()
    chip.wait_runs()
    code, said = visit(capsys, chip.port)
    assert code == 1 and "/box.json is not readable" in said and "3 times in a row, so the contactor stays" in said
    assert "The data file system has only 2" in said


def test_an_image_that_does_not_find_its_psram(tmp_path, capsys):
    chip = RunningChip(tmp_path / "chip")
    chip.has_psram = False
    with chip:
        installed(chip)
        code, said = visit(capsys, chip.port)
    assert code == 1 and "has PSRAM: it is not found: flash MicroPython's image with SPIRAM" in said


def test_a_module_without_psram_has_too_little_memory_left_beside_its_radio(tmp_path, capsys):
    """gc.mem_free() + gc.mem_alloc() looked well on this board."""
    with RunningChip(tmp_path / "chip", board="compact") as chip:
        installed(chip)
        chip.wait_said("nearly used up")
        code, said = visit(capsys, chip.port)
    assert code == 1 and "With the radio on the chip's own memory is short: " in said


CHIP = {"version": [1, 25, 0], "machine": "Generic ESP32S3 module with ESP32S3", "platform": "esp32", "cause": 1}
CHIP |= {"radio": "", "psram_bytes": 2_060_000, "idf": [[250_000, 90_000, 80_000, 60_000]]}
CHIP |= {"partitions": ["vfs", "data"], "crashes": 0, "data": [4096, 4096, 256, 200]}
BOARD = {"name": "reference", "chip": "esp32s3", "has_psram": True}


@pytest.mark.parametrize(
    ("change", "words"),
    (
        ({}, ""),
        ({"machine": "Generic ESP32 module with ESP32"}, "The chip is an esp32 and"),
        ({"machine": "Generic ESP32C3 module with ESP32C3"}, "The chip is an esp32c3 and"),
        ({"machine": "Raspberry Pi Pico with RP2040"}, "The chip is an Raspberry"),
        ({"radio": None}, "has no Wi-Fi"),
        ({"radio": "WiFi Out of Memory"}, "The radio does not start (WiFi Out of Memory)"),
        ({"psram_bytes": 0}, "has PSRAM: it is not found"),
        ({"psram_bytes": 1_000_000}, "The PSRAM has 976 KiB, and the board"),
        ({"idf": [[250_000, 39_000, 30_000, 9000], [9000, 0, 0, 0]]}, "is short: 39000 B free, 30000 B in one"),
        ({"idf": [[250_000, 90_000, 20_000, 9000]]}, "is short: 90000 B free, 20000 B in one"),
        ({"version": [1, 23, 0]}, "MicroPython is 1.23, and"),
        ({"partitions": ["vfs"]}, "There is no partition data"),
        ({"data": None}, "is not mounted"),
        ({"cause": 3}, "The watchdog started the board"),
        ({"crashes": 2}, "restarted 2 times in a row and nobody"),
    ),
)
def test_what_only_a_real_chip_can_show(change, words):
    chip = CHIP | change
    looks = (examined_files.version_findings, examined_files.data_findings, examined_files.start_findings)
    found = [one for look in looks for one in look(chip)] + list(examined_files.chip_findings(chip, BOARD))
    assert [what.startswith(words) or words in what for what, _ in found] == [True] * bool(words), found


def test_a_residual_sensor_that_stays_tripped():
    rest = {"is_tripped": False}
    found = list(examined_pins.residual_findings({"rest": rest, "trips": True, "stays": True}))
    assert "stays tripped" in found[0][0]


def test_a_boot_loop_without_a_prompt(chip, capsys, monkeypatch):
    monkeypatch.setattr(prompt, "READ_S", 1)
    chip.wait_said(">>> ")
    chip.now(chip.chip.cut())
    image = chip.chip.folder / "vfs.img"
    image.write_bytes(b"\x55" * 65536 + image.read_bytes()[65536:])
    chip.now(chip.chip.power_on())
    code, said = visit(capsys, chip.port)
    assert code == 1 and "starts in a loop without a prompt: run 'device flash'" in said


@contextlib.contextmanager
def talker(line):
    """Path of a port on which something prints the same bytes again and again and hears nothing."""
    master, slave = pty.openpty()
    tty.setraw(slave)
    os.set_blocking(master, False)
    is_over = threading.Event()

    def talk():
        while not is_over.wait(0.05):
            with contextlib.suppress(BlockingIOError):
                os.write(master, line)

    thread = threading.Thread(target=talk, daemon=True)
    thread.start()
    try:
        yield os.ttyname(slave)
    finally:
        is_over.set()
        thread.join()
        os.close(master)
        os.close(slave)


@pytest.mark.parametrize(
    ("line", "words"),
    (
        (b"", "The board says nothing at all: check its supply"),
        (b"ESP-ROM:esp32s3-20210327\r\ninvalid header: 0xffffffff\r\n", "There is no MicroPython on the board"),
        (b"waiting for download\r\n", "The chip waits in its boot loader"),
        (b"rst:0x3 (RTC_SW_SYS_RST),boot:0x8\r\nload:0x3fce3808\r\n", "comes to a prompt (a boot loop)"),
        (b"Brownout detector was triggered\r\n", "The supply breaks down"),
        (b"tick 7\r\n", "never gives a prompt (a boot loop; its last line: 'tick 7')"),
        (b"\xff\x80\x91\xfe", "only garbage"),
    ),
)
def test_boards_that_give_no_prompt(line, words, capsys, monkeypatch):
    monkeypatch.setattr(prompt, "READ_S", 0.3)
    monkeypatch.setattr(prompt, "INTERRUPTS", 1)
    monkeypatch.setattr(unprompted, "LISTEN_S", 1)
    monkeypatch.setattr(asked, "FEW_S", 0.3)
    with talker(line) as port:
        code, said = visit(capsys, port)
    assert code == 1 and words in said, said


def test_no_board(capsys):
    code, said = visit(capsys, "/dev/ebb-no-such-port")
    assert code == 2 and said.startswith("ebb: nothing can be opened") and said.count("\n") == 1
