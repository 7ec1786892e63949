"""Chip files: those of the project are whole, and each way to be wrong is told in words before anything is written."""

import copy
import json
import shutil

import pytest

from host_tools.device import boards, build, chips

CLASSIC = chips.loaded("esp32")


def test_each_board_has_its_chips_file():
    assert {boards.loaded(name)["chip"] for name in boards.names()} <= set(chips.names())


@pytest.mark.parametrize("name", chips.names())
def test_chips_of_the_project_say_where_each_number_comes_from(name):
    chip = chips.loaded(name)
    rows = [row for section in chips.NEEDED for row in chip[section].values()]
    assert len(rows) > 30 and all(row["kind"] and row["source"] for row in rows)
    # Nothing that was only measured on another chip passes for this one's own.
    assert name != "esp32s3" or not any(row["kind"] == "measured_emulated" for row in rows)


@pytest.mark.parametrize(
    ("section", "row"), [(section, row) for section in chips.NEEDED for row in chips.NEEDED[section]]
)
def test_a_value_that_a_budget_needs_is_missed_by_name(section, row):
    chip = copy.deepcopy(CLASSIC)
    del chip[section][row]
    assert chips.reasons(chip) == [f"{section}.{row} is missing, and a budget reckons with it."]


def changed(section, row, **values):
    """A copy of the classic chip with another value; None takes a key away."""
    chip = copy.deepcopy(CLASSIC)
    chip[section][row].update(values)
    chip[section][row] = {key: value for key, value in chip[section][row].items() if value is not None}
    return chip


@pytest.mark.parametrize(
    ("chip", "words"),
    (
        (
            changed("flash", "erase_sector_us", worst=40_000),
            "erase_sector_us: the worst value 40000 is below the typical",
        ),
        (changed("flash", "erase_sector_us", worst=None), "is not valid under any of the given schemas"),
        (changed("flash", "erase_sector_us", kind=None), "'kind' is a required property"),
        (changed("flash", "erase_sector_us", source=None), "'source' is a required property"),
        (changed("flash", "erase_sector_us", kind="guess"), "'guess' is not one of"),
        (changed("flash", "erase_sector_us", typical="45 ms"), "'45 ms' is not of type 'integer'"),
        (
            changed("flash", "erase_sector_us", worst=10**15),
            "flash.erase_sector_us: worst is 1000000000000000, and no chip",
        ),
        (
            changed("memory", "radio_rx_buffers", value=10**9),
            "memory.radio_rx_buffers: value is 1000000000, and no chip",
        ),
        (
            changed("memory", "region_totals_b", value=[1, 10**12]),
            "memory.region_totals_b: value is 1000000000000, and",
        ),
        (
            {**CLASSIC, "flash": {**CLASSIC["flash"], "erase_sektor_us": CLASSIC["flash"]["erase_sector_us"]}},
            "flash.erase_sektor_us is no value of a chip file; is erase_sector_us meant?",
        ),
        ({**CLASSIC, "flash": None}, "None is not of type 'object'"),
    ),
)
def test_a_bad_chip_file_is_refused_in_words(chip, words):
    assert any(words in reason for reason in chips.reasons(chip)), chips.reasons(chip)


@pytest.mark.parametrize(("section", "row"), [(one, row) for one in chips.NEEDED for row in chips.NEEDED[one]])
def test_no_number_is_without_a_bound(section, row):
    chip = copy.deepcopy(CLASSIC)
    for which in ("value", *chips.WHICH):
        if type(chip[section][row].get(which)) is int:
            chip[section][row][which] = 10**12
    found = chips.reasons(chip)
    is_number = type(CLASSIC[section][row].get("value", 0)) is int
    assert bool(found) == is_number and all(f"{section}.{row}: " in words for words in found), found


def test_a_number_is_asked_by_name_and_its_lack_is_told():
    assert chips.number(CLASSIC, "flash.erase_sector_us", "typical") == 45_000
    assert chips.number(CLASSIC, "flash.erase_sector_us") == 400_000
    assert chips.number(CLASSIC, "flash.page_b", "typical") == 256
    with pytest.raises(chips.BadChip, match=r"has no flash\.glow_us in hardware/chips/esp32\.json"):
        chips.number(CLASSIC, "flash.glow_us")
    with pytest.raises(chips.BadChip, match="typical or worst, not 'best'"):
        chips.number(CLASSIC, "flash.erase_sector_us", "best")


@pytest.fixture
def broken(tmp_path, monkeypatch):
    """Function (text of esp32s3.json): every chip file lies in a folder of its own, and that one says this."""
    for path in chips.FOLDER.glob("*.json"):
        shutil.copy(path, tmp_path)
    monkeypatch.setattr(chips, "FOLDER", tmp_path)
    return (tmp_path / "esp32s3.json").write_text


def test_nothing_is_built_for_a_board_whose_chip_file_lacks_a_value(broken):
    chip = chips.loaded("esp32s3")
    del chip["flash"]["erase_sector_us"]
    broken(json.dumps(chip))
    with pytest.raises(boards.BadBoard, match=r"esp32s3\.json is refused:\n  flash\.erase_sector_us is missing"):
        build.made("reference")


def test_a_chip_file_that_is_none_is_told(broken):
    broken("{")
    with pytest.raises(chips.BadChip, match=r"esp32s3\.json is not JSON"):
        chips.loaded("esp32s3")
    broken(json.dumps(CLASSIC))
    with pytest.raises(chips.BadChip, match="is called esp32s3 and the chip esp32"):
        chips.loaded("esp32s3")
    with pytest.raises(chips.BadChip, match="there is no chip 'z80'; there are esp32, esp32s3"):
        chips.loaded("z80")
