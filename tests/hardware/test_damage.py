"""What flash can do to a box: every used block garbled in turn, a board file that is no board, files that do not fit.

Each ends with the contactor open and either a firmware that ticks or words on the console. In tests/end_to_end:
half-written slots, missing files, noise, pulled cables and wrong rates (test_device_flash.py, test_flash.py); full and
garbled data, crashes and boot loops (test_boot.py, test_device_doctor.py).
"""

import json
import random

import pytest
from chips import box_chip, built

from host_tools.device import flash_task
from host_tools.device.prompt import Prompt

SECTOR = 4096
WORDS = ("contactor is open", "appears to be corrupted", ">>> ")


@pytest.fixture(scope="module")
def box(tmp_path_factory):
    """A chip with the firmware on its flash, at its prompt."""
    with box_chip(tmp_path_factory.mktemp("damage") / "chip", {}) as chip:
        yield chip


def is_ticking(chip):
    """Whether the firmware feeds the watchdog and drives the pilot."""
    return chip.link.fed_at_us is not None and chip.plant.pilot_mode == "high"


def outcome(chip):
    """ "ticks" or "words", as soon as one of them is there."""
    found = []

    def is_over():
        if is_ticking(chip):
            found.append("ticks")
        elif any(words in chip.said() for words in WORDS):
            found.append("words")
        return found

    chip.wait(is_over, "a tick, or words")
    return found[0]


def started_with(chip, image):
    """Power on with this content of the flash."""
    chip.now(chip.chip.cut())
    chip.chip.console.clear()
    (chip.chip.folder / "vfs.img").write_bytes(image)
    chip.now(chip.chip.power_on())


def test_every_used_block_garbled_in_turn(box):
    seed = random.SystemRandom().randrange(1 << 31)
    print("seed", seed)
    chance = random.Random(seed)
    whole = (box.chip.folder / "vfs.img").read_bytes()
    used = [at for at in range(0, len(whole), SECTOR) if whole[at : at + SECTOR].strip(b"\xff")]
    box.plant.car.plug(True)
    found = {"ticks": [], "words": []}
    for at in used:
        started_with(box, whole[:at] + chance.randbytes(SECTOR) + whole[at + SECTOR :])
        found[outcome(box)].append(at // SECTOR)
        assert not box.plant.is_coil_on, at
    assert not [edge for edge in box.plant.edges if edge[1:] == ("coil", True)]
    box.plant.car.plug(False)
    print({name: len(blocks) for name, blocks in found.items()})
    # A block of the firmware is missed; one that no file holds any more is not.
    assert len(found["words"]) > len(used) // 2
    started_with(box, whole)
    box.wait(lambda: is_ticking(box), "the whole firmware ticks")


def put_board(chip, content):
    """Put a board file into the slot whose manifest says that it belongs there, and restart."""
    with Prompt(chip.port) as prompt:
        prompt.put("/a/board.json", content)
        manifest = json.loads(prompt.read("/a/manifest.json"))
        for row in manifest["files"]:
            if row["path"] == "board.json":
                row["sha256"] = prompt.digests(["/a/board.json"])["/a/board.json"]
        prompt.put("/a/manifest.json", json.dumps(manifest).encode())
        chip.chip.console.clear()
        prompt.restart()


@pytest.mark.parametrize("harm", ("cut off", "no text", "empty", "a list", "a wrong kind"))
def test_a_board_file_that_is_none(box, harm):
    right = built().files["a/board.json"]
    wrong = {
        "cut off": right[: len(right) // 2],
        "no text": b"\xff\xfe\x00" * 40,
        "empty": b"",
        "a list": b"[1, 2]",
        "a wrong kind": json.dumps({**json.loads(right), "pins": 7}).encode(),
    }[harm]
    starts = len(box.chip.resets)
    put_board(box, wrong)
    box.wait_said("the firmware cannot run; the contactor is open", 30)
    assert box.chip.resets[starts:] == [2, 2, 2, 2], "three crashes, then it stays at the prompt"
    assert not box.plant.is_coil_on and not box.plant.is_coil_enabled
    put_board(box, right)
    box.power_cut()
    box.wait(lambda: is_ticking(box), "the whole firmware ticks")


FILL = """
import os
os.mkdir('/full')
def fill(size):
    name = '/full/%d' % len(os.listdir('/full'))
    try:
        with open(name, 'wb') as file:
            file.write(bytes(size))
    except OSError as error:
        os.remove(name)
        print(error)
"""


def test_files_that_do_not_fit(box, capsys):
    with Prompt(box.port) as prompt:
        prompt.remove("/a/firmware.bin")
        box.chip.console.clear()
        prompt.restart()
    box.wait_said("the contactor is open")  # no firmware, so no watchdog that wants to be fed
    with Prompt(box.port) as prompt:
        prompt.run(FILL)
        for size in (64, 16, 4):  # kB
            while prompt.run(f"fill({size} * 1024)") == "":
                pass
    assert flash_task.run(["--board", "reference", "--port", box.port]) != 0
    said = capsys.readouterr().err.splitlines()
    assert said[-1].startswith("ebb: ") and "KB of flash for the firmware, which needs" in said[-1], said[-3:]
    assert not box.plant.is_coil_on and not box.plant.is_coil_enabled
    with Prompt(box.port) as prompt:
        prompt.run("import os\nfor name in os.listdir('/full'): os.remove('/full/' + name)")
    assert flash_task.run(["--board", "reference", "--port", box.port]) == 0
    box.wait(lambda: is_ticking(box), "the whole firmware ticks")
