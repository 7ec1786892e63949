"""Frozen modules: the image is made here, starts the slot that belongs to it and no other, and takes little memory."""

import csv
import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from host_tools import bootstrap, chip, frozen_chip, frozen_task
from host_tools.device import boards, build

ROOT = bootstrap.ROOT
STARTED = ROOT / "tests" / "hardware" / "started.py"
SLACK = 1.05
pytestmark = pytest.mark.needs_chip


@pytest.fixture(scope="module")
def trees(tmp_path_factory):
    """Function (board, is_frozen) -> folder with its built tree."""
    made = {}

    def tree(name, is_frozen):
        if (name, is_frozen) not in made:
            made[name, is_frozen] = tmp_path_factory.mktemp(name) / "out"
            build.write(build.made(name, is_frozen=is_frozen), made[name, is_frozen])
        return made[name, is_frozen] / "tree"

    return tree


def started(tree, interpreter, name="reference"):
    """What a start of boot.py and a hundred ticks say, or how they failed."""
    command = [*interpreter, "-X", "heapsize=512k", str(STARTED), str(tree), str(boards.loaded(name)["has_page"])]
    env = {**os.environ, "MICROPYPATH": f"{ROOT / 'host_tools' / 'sim'}:.frozen"}
    done = subprocess.run(command, capture_output=True, text=True, cwd=tree, env=env)
    return done.stdout + done.stderr


def test_a_slot_without_modules_runs_from_the_image(trees):
    tree = trees("reference", True)
    assert not list((tree / "a").rglob("*.mpy"))
    said = started(tree, frozen_chip.of_board("reference"))
    assert "slot: .frozen" in said, said
    # A sentence, whichever: on a busy PC a fault of the silent pins is told. Without its words it would be a code.
    assert re.search(r"started: firmware/app.py reference \w+ \w+ \w+", said), said


def test_the_other_image_and_a_stock_one_do_not_start_it(trees):
    for interpreter in (frozen_chip.of_board("compact"), chip.interpreter()):
        said = started(trees("reference", True), interpreter)
        assert "slot a is for another image of MicroPython" in said and "started:" not in said, said
        assert "no slot holds a whole firmware" in said


def test_a_slot_with_modules_stands_before_those_of_the_image(trees):
    said = started(trees("reference", False), frozen_chip.of_board("reference"))
    assert "slot: /a" in said and "started: /ebb/firmware/app." in said, said


def test_where_its_modules_have_no_room_it_is_not_started(trees):
    said = started(trees("compact", False), frozen_chip.of_board("compact"), "compact")
    assert "slot a is for another image of MicroPython" in said and "started:" not in said, said
    assert "started: firmware/app.py compact" in started(
        trees("compact", True), frozen_chip.of_board("compact"), "compact"
    )


def test_the_image_tells_which_firmware_it_holds(trees):
    manifest = json.loads((trees("reference", True) / "a" / "manifest.json").read_text())
    code = "import frozen_firmware as f; print(f.SHA256, f.MAY_LOAD)"
    done = subprocess.run([*frozen_chip.of_board("reference"), "-c", code], capture_output=True, text=True)
    assert done.stdout.split() == [manifest["frozen"], "True"]
    # A box looks for it in an image that it has written (firmware/image_writer.py).
    assert Path(frozen_chip.of_board("reference")[-1]).read_bytes().count(manifest["frozen"].encode()) == 1


def test_memory_within_the_table():
    table = {row["name"]: row for row in csv.DictReader((ROOT / "docs" / "budgets.csv").open())}
    for name, found in (
        ("frozen_import_everything", frozen_task.imported_b()),
        ("frozen_control_part", frozen_task.control_part_b()),
    ):
        print(f"{name}: {found} B (table {table[name]['value']}, goal {table[name]['goal']})")
        assert found <= float(table[name]["value"]) * SLACK and found <= float(table[name]["goal"])


def test_without_tools_it_says_so(monkeypatch, tmp_path):
    monkeypatch.setattr(frozen_chip, "NEEDS", ("no-such-program",))
    with pytest.raises(chip.NoChip, match="cannot be made here: there is no no-such-program"):
        frozen_chip.source()
    monkeypatch.setattr(frozen_chip, "NEEDS", ())
    monkeypatch.setattr(frozen_chip, "SOURCE", tmp_path / "none")
    monkeypatch.setenv("PATH", "")
    with pytest.raises(chip.NoChip, match="come from Debian"):
        frozen_chip.source()


def test_a_source_that_does_not_compile_ends_in_words(tmp_path, monkeypatch):
    monkeypatch.setattr(frozen_chip, "HOME", tmp_path)
    monkeypatch.setattr(frozen_chip, "make", lambda *_: frozen_chip.one_run(["false"], Path(tmp_path)))
    with pytest.raises(chip.NoChip, match="cannot be made here: false ended with 1"):
        frozen_chip.interpreter({"x.py": b"x = 1"}, "broken")
