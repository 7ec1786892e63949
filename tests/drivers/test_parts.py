"""Parts as data: what cannot be believed is refused by name, and any parts of a board make a box that charges."""

import copy
import json
import random

import pytest
from test_spikes import Charging

from host_tools.sim import part_files

SEED = random.SystemRandom().randrange(1 << 31)
VARIANTS = 24  # of whole boxes; the sweep of 200 is by the number of their ticks
FILES = sorted(part_files.FILES)


def test_the_files_are_good():
    for file in FILES:
        assert part_files.loaded(file)


def broken(file, change):
    """The words about a file whose first part was changed."""
    rows = json.loads((part_files.FOLDER / file).read_text())
    name = sorted(rows)[0]
    row = copy.deepcopy(rows[name])
    key = sorted(part_files.FILES[file])[0]
    change(row, key)
    with pytest.raises(part_files.BadPart) as caught:
        part_files.checked(f"{file}, {name}", row, part_files.FILES[file])
    assert str(caught.value).startswith(f"{file}, {name}")
    return str(caught.value)


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize(
    ("change", "words"),
    (
        (lambda row, key: row.update(colour=1), "nobody knows 'colour'"),
        (lambda row, key: row[key].update(colour=1), "nobody knows 'colour'"),
        (lambda row, key: row.pop(key), "lacks"),
        (lambda row, key: row[key].pop("source"), "lacks 'source'"),
        (lambda row, key: row[key].update(source="  "), "says no source"),
        (lambda row, key: row[key].update(is_confirmed=None), "is_confirmed"),
        (lambda row, key: row[key].update(typical=row[key]["range"][1] + 1), "outside of its own range"),
        (lambda row, key: row[key].update(typical=row[key]["range"][0] - 1), "outside of its own range"),
        (lambda row, key: row[key].update(range=[1, 0]), "outside of its own range"),
        (lambda row, key: row[key].update(range=[0.5, 1]), "two whole numbers"),
        (lambda row, key: row.update({key: 5}), "is no object"),
    ),
)
def test_what_cannot_be_believed_is_refused_by_name(file, change, words):
    assert words in broken(file, change)


def test_a_file_that_is_no_json(tmp_path):
    (tmp_path / "adc.json").write_text("{")
    with pytest.raises(part_files.BadPart, match=r"adc\.json is not JSON"):
        part_files.loaded("adc.json", tmp_path)


def test_what_is_drawn_lies_in_its_range():
    chance = random.Random(SEED)
    for file in FILES:
        for part in part_files.loaded(file).values():
            for _ in range(200):
                for key, value in part_files.drawn(part, chance).items():
                    assert part[key][0] <= value <= part[key][2], (file, key)


def test_any_parts_make_a_box_that_charges(monkeypatch):
    chance = random.Random(SEED)
    real = Charging.run
    for _ in range(VARIANTS):
        board, chip = chance.choice((("reference", "esp32s3"), ("wrover", "esp32"), ("burst", "esp32s3")))
        made = []

        def run(box, ticks, made=made, chip=chip):
            if not made:
                made.append(part_files.fitted(box.seam.world, chip, chance))
            real(box, ticks)

        monkeypatch.setattr(Charging, "run", run)
        box = Charging(board, chance.getrandbits(30))  # which asserts that it charges
        box.run(100)
        assert box.plant.is_coil_on and [one.code for one in box.told] == [], (SEED, board, made)
        ma = box.plant.currents_ma[0]
        assert all(abs(one - ma) <= ma * 8 // 100 for one in box.loop.readings.currents_ma[: box.seam.facts.phases])
