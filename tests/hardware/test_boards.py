"""Board files: every one of the project is good, and every reason to refuse one is told in words."""

import copy
import json

import pytest

from firmware.drivers import board_facts
from host_tools.device import boards

GOOD = boards.loaded("reference")
CLASSIC = boards.loaded("wrover")


def changed(board, **facts):
    """A copy with other facts; pins_… changes a pin."""
    made = copy.deepcopy(board)
    for name, value in facts.items():
        if name.startswith("pins_"):
            made["pins"][name[5:]] = value
        else:
            made[name] = value
    return made


@pytest.mark.parametrize("name", boards.names())
def test_boards_of_the_project_are_good(name):
    board = boards.loaded(name)
    assert board["name"] == name and "unproved" in board["about"]


def test_the_boards_that_must_be_there():
    found = {name: boards.loaded(name) for name in ("reference", "wrover", "compact")}
    assert (found["reference"]["chip"], found["reference"]["flash_mb"], found["reference"]["has_psram"]) == (
        "esp32s3",
        8,
        True,
    )
    assert (found["wrover"]["chip"], found["wrover"]["flash_mb"], found["wrover"]["has_psram"]) == ("esp32", 8, True)
    assert (found["compact"]["flash_mb"], found["compact"]["has_psram"], found["compact"]["has_page"]) == (
        4,
        False,
        False,
    )


def test_an_experimental_board_says_why_and_wants_its_word(tmp_path, monkeypatch):
    compact = boards.loaded("compact")
    assert "compact" not in boards.names() and "compact (experimental)" in boards.listed()
    with pytest.raises(boards.BadBoard, match=r"is experimental: MicroPython's heap grows .* --experimental"):
        boards.check_offered(compact, False)
    boards.check_offered(compact, True)
    boards.check_offered(GOOD, False)
    folder = tmp_path / boards.EXPERIMENTAL
    folder.mkdir()
    (tmp_path / "schema.json").write_text((boards.FOLDER / "schema.json").read_text())
    (tmp_path / "compact.json").write_text(json.dumps(compact))
    (folder / "reference.json").write_text(json.dumps(GOOD))
    monkeypatch.setattr(boards, "FOLDER", tmp_path)
    for name in ("compact", "reference"):
        with pytest.raises(boards.BadBoard, match="says why in 'experimental'"):
            boards.loaded(name)


@pytest.mark.parametrize(
    ("board", "words"),
    (
        (changed(CLASSIC, pins_voltage_adc=[25], pins_pilot_pwm=32), "ADC2, which fails while Wi-Fi runs"),
        (changed(GOOD, pins_current_adc=[4, 5, 17]), "ADC2"),
        (changed(GOOD, pins_current_adc=[4, 5, 40]), "no analog input"),
        (changed(GOOD, pins_coil_enable=3), "strapping pin"),
        (changed(CLASSIC, pins_coil_heartbeat=15), "strapping pin"),
        (changed(GOOD, pins_led_red=21), "pin 21 is already led_red"),
        (changed(CLASSIC, pins_pilot_pwm=34, pins_current_adc=[32]), "an input only"),
        (changed(CLASSIC, pins_earth_ok=38), "no pull resistor"),
        (changed(CLASSIC, pins_button=17), "belongs to the PSRAM"),
        (changed(GOOD, pins_button=27), "does not exist"),
        (changed(GOOD, pins_button=49), "does not exist"),
        (changed(GOOD, pilot_uv_per_v=95_000), "outside 150–2450 mV"),
        (changed(GOOD, voltage_uv_per_v=3200), "voltage: ±390 V gives"),
        (changed(GOOD, current_uv_per_a=20_000), "current: ±91 A gives"),
        (changed(GOOD, tick_ms=25), "too near a half cycle"),
        (changed(GOOD, tick_ms=28), "21-27 ms"),
        (changed(GOOD, has_peak_detectors=False, cable_ma=63_000, current_uv_per_a=5000), "above 51 A"),
        (changed(GOOD, has_peak_detectors=False, adc_read_us=91), "need peak detectors"),
        (changed(GOOD, connector="socket"), "lock motor"),
        (changed(GOOD, connector="socket", has_lock_driver=True), "no lock driver yet"),
        (changed(GOOD, has_psram=False), "needs PSRAM"),
        (changed(GOOD, flash_mb=4), "history_days: 4 MB of flash have room for 60 days, not for 396"),
        (changed(GOOD, history_days=397), "history_days: 8 MB of flash have room for 396 days, not for 397"),
        (changed(GOOD, pins_current_adc=[4]), "3 phases need as many pins"),
        (changed(GOOD, pins_pilot_low_adc=1), "already pilot_high_adc"),
        (changed(GOOD, pins_temperature_adc=20, pins_led_red=10), "temperature_adc: pin 20"),
        (changed(GOOD, pins_temperature_adc=13, pins_peak_reset=10), "ADC2, which fails while Wi-Fi runs"),
        (changed(GOOD, pins_proximity_adc=38, pins_earth_ok=3), "proximity_adc: pin 38 is no analog input"),
        (changed(CLASSIC, pins_feedback=37), "feedback: pin 37 has no pull resistor"),
        (changed(CLASSIC, pins_live_n=38), "live_n: pin 38 has no pull resistor"),
        (changed(GOOD, pins_live_n=40), "pin 40 is already feedback"),
        (changed(GOOD, pins_live_l3=None), "live_l3: a weld of this pole would never be seen"),
        # the schema
        (changed(GOOD, chip="esp8266"), "chip: 'esp8266' is not one of"),
        (changed(GOOD, colour="red"), "'colour' was unexpected"),
        (changed(GOOD, cable_ma=True), "cable_ma: True is not of type 'integer'"),
        (changed(GOOD, phases=2), "phases: 2 is not one of"),
        (changed(GOOD, leakage_retry="iec"), "leakage_retry: 'iec' is not one of"),
        (changed(GOOD, pins_live_l1=None), "pins.live_l1: None is not of type 'integer'"),
        (changed(GOOD, pins_temperature_adc=None), "pins.temperature_adc: None is not of type 'integer'"),
        (changed(GOOD, pins_button="21"), "pins.button: '21' is not of type 'integer'"),
        ({name: value for name, value in GOOD.items() if name != "tick_ms"}, "'tick_ms' is a required property"),
        ([], "is not of type 'object'"),
    ),
)
def test_refused_in_words(board, words):
    found = boards.reasons(board)
    assert any(words in line for line in found), found


def test_what_a_board_may_lack():
    assert boards.reasons(changed(GOOD, pins_proximity_adc=None)) == []
    assert boards.reasons(changed(GOOD, leakage_retry="ul")) == []


def test_facts_that_the_firmware_reads():
    facts = board_facts.facts_of(
        changed(GOOD, leakage_retry="ul", contactor_operations=70_000, pins_proximity_adc=None)
    )
    assert (facts.leakage_retry, facts.contactor_operations) == ("ul", 70_000)
    assert (facts.pins.live_l1, facts.pins.live_n, facts.pins.feedback, facts.pins.proximity_adc) == (41, 48, 40, None)
    assert board_facts.facts_of(CLASSIC).pins.live_l2 is None


def test_a_broken_file_is_one_clear_error(tmp_path, monkeypatch):
    monkeypatch.setattr(boards, "FOLDER", tmp_path)
    (tmp_path / "schema.json").write_text((boards.bootstrap.ROOT / "hardware/boards/schema.json").read_text())
    (tmp_path / "cut.json").write_text(json.dumps(GOOD)[:200])
    (tmp_path / "other.json").write_text(json.dumps(GOOD))
    for name, words in (
        ("cut", "is not JSON"),
        ("nowhere", "there is no board"),
        ("../x", "there is no board"),
        ("other", "the file is called other"),
    ):
        with pytest.raises(boards.BadBoard, match=words):
            boards.loaded(name)
