"""An older box without room for it is divided over the cable: every file is there again, wherever it was broken off."""

import hashlib
import json
import random
import re
import shutil
import stat

import pytest
from chips import RunningChip, flash_with_firmware

from firmware.wire import sealed_text
from host_tools import bootstrap
from host_tools.device import box_file, data_file, divide, task
from host_tools.device.esptool_call import Trouble
from host_tools.device.prompt import Prompt

SEED = 20261201
BOX = {"box": "cellar", "owner_password": "abcde-fghjk-mnpqr", "web_port": 0}
SECRET = "a broker's word"
SETTINGS = json.dumps({"wiring_limit_ma": 16000, "mqtt_password": SECRET}).encode()
OLDER = json.dumps({"wiring_limit_ma": 13000}).encode()
NAME = "data-of-cellar-before-dividing.json"
LOCKED = "The settings were damaged"
# As a firmware before the division left it: a file system on the whole partition, and the one of the slots is full.
OLD_CODE = """
import os, vfs
from esp32 import Partition
part = Partition.find(Partition.TYPE_DATA, label="data")[0]
vfs.umount("/data")
vfs.VfsLfs2.mkfs(part)
vfs.mount(vfs.VfsLfs2(part), "/data")
"""
FULL_CODE = """
room = os.statvfs("/")
with open("/filler", "ab") as file:
    for _ in range(min(20, room[3] - %d)):
        file.write(bytes(4064))
print(room[3])
"""
MANY_CODE = """
with open("/data/%s", "ab") as file:
    for _ in range(4):
        file.write(bytes([%d]) * 4000)
"""


def state(seq, latches):
    """A state file with these latches."""
    rows = f'"wall_s": 0, "at_ms": 90000, "claims": [], "latches": {json.dumps(latches)}, "counts": [], '
    return sealed_text.sealed(rows + '"wear": [10, 0, 0], "hot_for_ms": [], "seen": [], "seqs": []', 1, seq)


def some_files():
    """{path behind /data: bytes} of a box, from the seed; names that the firmware does not write to."""
    chance = random.Random(SEED)
    print("seed", SEED)
    made = {f"/kept-{number}.bin": chance.randbytes(chance.randrange(7000)) for number in range(4)}
    return {**made, "/more/long.bin": chance.randbytes(40_000), "/empty": b"", "/settings.old": OLDER}


def made_old(chip, files, rows=(), left=9):
    """Give a box the flash of an older firmware with these files, and no room to divide it; it starts."""
    with Prompt(chip.port) as prompt:
        prompt.put("/box.json", json.dumps(BOX).encode())
        prompt.run(OLD_CODE)
        for path, octets in files.items():
            prompt.put("/data" + path, octets)
        for name, count, pieces in rows:
            for number in [number + 1 for number in range(count) for _ in range(pieces)]:
                prompt.run(MANY_CODE % (f"{name}{number}.bin", number))
        while int(prompt.run(FULL_CODE % left)) > left:
            pass  # a little at a time: nobody feeds the watchdog meanwhile
        prompt.restart()
    chip.wait_runs()
    chip.wait_said("divided as by an older firmware")


def files_of(chip):
    """({path behind /data: SHA-256}, whether its flash is divided) of a box, which starts again."""
    with box_file.stopped(chip.port) as prompt:
        prompt.run("import json\n" + divide.SCRIPT.read_text("utf-8"))
        paths = [row.partition(" ")[2] for row in prompt.run("tell_files()").splitlines()]
        found = prompt.digests(["/data" + path for path in paths])
        blocks, mounted, _, mark = json.loads(prompt.run("print(json.dumps(state()))"))
    assert not mark
    return {path.removeprefix("/data"): digest for path, digest in found.items()}, mounted != blocks


def sha256_of(files):
    """{path: SHA-256}."""
    return {path: hashlib.sha256(octets).hexdigest() for path, octets in files.items()}


@pytest.fixture
def chip(tmp_path, monkeypatch):
    """A box with its firmware; the files of the PC lie in a folder of this test."""
    (tmp_path / "pc").mkdir()
    monkeypatch.chdir(tmp_path / "pc")
    shutil.copytree(flash_with_firmware(), tmp_path / "chip")
    with RunningChip(tmp_path / "chip") as running:
        running.wait_said("opens no access point", 40)
        yield running


def ran(chip, capsys, *options):
    """(exit code, what was said, errors) of the command."""
    code = task.run(["divide", "--port", chip.port, *options])
    said = capsys.readouterr()
    return code, said.out, said.err.strip().splitlines()[-1:]


def test_every_file_comes_back_and_the_flash_is_divided(chip, tmp_path, capsys, monkeypatch):
    files = {**some_files(), "/settings.json": SETTINGS}
    made_old(chip, files)
    kept, right = [], data_file.write

    def written(one, path):
        right(one, path)
        kept.append((one, path, stat.S_IMODE(path.stat().st_mode), path.read_text()))

    monkeypatch.setattr(data_file, "write", written)
    code, said, _ = ran(chip, capsys)
    assert code == 0 and "is divided, and holds all of its" in said, said
    ((one, path, mode, text),) = kept
    assert path.name == NAME and mode == 0o600 and not path.exists() and not list(tmp_path.glob("pc/*"))
    assert SECRET not in text + said and one["files"]["/settings.json"] == SETTINGS
    assert {name: one["files"][name] for name in files} == files
    assert not chip.plant.is_coil_on and not chip.plant.is_coil_enabled
    before = len(chip.said())
    chip.wait_runs()
    found, is_divided = files_of(chip)
    assert is_divided and {name: found.get(name) for name in files} == sha256_of(files)
    assert LOCKED not in chip.said() and "divided as by an older" not in chip.said()[before:]
    (tmp_path / "pc" / NAME).write_text("an earlier one")
    code, said, _ = ran(chip, capsys)
    assert code == 0 and "needs no dividing: its flash is divided already" in said and "holds secrets" in said
    assert files_of(chip)[0]["/settings.json"] == sha256_of(files)["/settings.json"]


class Broken(Exception):
    """The end of a run that is broken off."""


def at_reading(patch, cut):
    right = divide.Line.content
    patch.setattr(divide.Line, "content", lambda line, path, b: cut() if "long" in path else right(line, path, b))


def at_kept(patch, cut):
    right = data_file.write
    patch.setattr(data_file, "write", lambda kept, path: (right(kept, path), cut()))


def at_rename(patch, cut):
    """All is gone from the box's own store of files once it starts, and nothing of that was done yet."""
    patch.setattr(divide, "SCRIPT", ShortScript())
    patch.setattr(divide, "brought_back", lambda line, kept: cut())


class ShortScript:
    """The script, which does not divide at once."""

    right = divide.SCRIPT

    def read_text(self, coding):
        """As Path."""
        return self.right.read_text(coding).replace("    data_layout.shown()\n", "")


def at_divided(patch, cut):
    patch.setattr(divide, "brought_back", lambda line, kept: cut())


def at_long_file(patch, cut):
    right, count = Prompt.run, [0]

    def run(prompt, code, *more):
        count[0] += code.startswith("f.write")
        return cut() if count[0] == 38 else right(prompt, code, *more)

    patch.setattr(Prompt, "run", run)


def at_settings(patch, cut):
    patch.setattr(box_file, "replace", lambda prompt, files: cut())


def between_settings(patch, cut):
    right = box_file.replace
    patch.setattr(
        box_file, "replace", lambda prompt, files: cut() if "/data/settings.json" in files else right(prompt, files)
    )


def at_mark(patch, cut):
    right = Prompt.remove
    patch.setattr(
        Prompt, "remove", lambda prompt, path: cut() if path.endswith("/divide.json") else right(prompt, path)
    )


def at_end(patch, cut):
    right = Prompt.remove
    patch.setattr(Prompt, "remove", lambda prompt, path: (right(prompt, path), path.endswith("/divide.json") and cut()))


OLD, LOST, OLDER_ONES, BACK = (
    "divided as by an older firmware",
    LOCKED,
    "the ones before are in force",
    "opens no access point",
)


def test_broken_off_at_each_step_it_goes_on(chip, tmp_path, capsys):
    files = {**some_files(), "/settings.json": SETTINGS}
    made_old(chip, files)
    assert "16000" in files["/settings.json"].decode()

    def pulled():
        chip.power_cut()
        raise Trouble("the cable was pulled.")

    def typed():
        raise KeyboardInterrupt()

    for step, cut, stands in (
        (at_reading, pulled, OLD),
        (at_reading, typed, OLD),
        (at_kept, pulled, OLD),
        (at_rename, pulled, LOST),
        (at_long_file, pulled, LOST),
        (at_divided, typed, None),
        (at_long_file, typed, None),
        (at_settings, pulled, LOST),
        (between_settings, pulled, OLDER_ONES),
        (at_mark, pulled, BACK),
        (at_end, pulled, BACK),
    ):
        chip.chip.console.clear()
        with pytest.MonkeyPatch.context() as patch:
            step(patch, cut)
            code, said, errors = ran(chip, capsys)
        assert code == 1 and "is divided" not in said, (step.__name__, code, said)
        path = tmp_path / "pc" / NAME
        assert step is at_reading or stat.S_IMODE(path.stat().st_mode) == 0o600
        assert ("rests with its contactor open" in errors[0]) == (stands != OLD), errors
        if stands:
            chip.wait_said(stands, 40)
            chip.wait_said(BACK, 40)  # it runs
        told = [words for words in (OLD, LOST, OLDER_ONES) if words in chip.said()]
        assert told == [words for words in (stands,) if words not in (None, BACK)], (step.__name__, told)
        assert not chip.plant.is_coil_on and not chip.plant.is_coil_enabled
    code, said, _ = ran(chip, capsys)
    assert code == 0 and "needs no dividing" in said and NAME in said, "only the removal of the file was left"
    found, is_divided = files_of(chip)
    assert is_divided and {name: found.get(name) for name in files} == sha256_of(files)


def test_what_the_box_stores_meanwhile_is_kept_too(chip, tmp_path, capsys, monkeypatch):
    files = {**some_files(), "/settings.json": SETTINGS, "/state.0": state(40, []), "/state.1": state(41, [])}
    made_old(chip, files)

    def pulled(line, kept):
        chip.power_cut()
        raise Trouble("the cable was pulled.")

    with monkeypatch.context() as patch:
        patch.setattr(divide, "brought_back", pulled)
        assert ran(chip, capsys)[0] == 1
    chip.wait_runs()
    with box_file.stopped(chip.port) as prompt:
        prompt.put("/data/settings.json", OLDER)
        prompt.put("/data/own.bin", b"since then")
        prompt.put("/data/state.0", state(1, [["S14", True, 0]]))
    chip.wait_runs()
    kept = tmp_path / "pc" / NAME
    whole = kept.read_bytes()
    assert ran(chip, capsys, "--file", "elsewhere.json")[0] == 2
    for damaged, words in (
        (whole.replace(b'"files"', b'"filed"'), "checksum differs"),
        (whole[: len(whole) // 2], "is damaged"),
        (b"[]", "is damaged"),
        (b"", "is damaged"),
    ):
        kept.write_bytes(damaged)
        code, _, errors = ran(chip, capsys)
        assert code == 2 and words in errors[0], errors
    foreign = data_file.made("0a0b0c0d0e0f", {"/x": b""})
    data_file.write(foreign, kept)
    code, _, errors = ran(chip, capsys)
    assert code == 2 and "is not what was kept of this box" in errors[0]
    kept.write_bytes(whole)
    right, written = box_file.replace, {}
    monkeypatch.setattr(box_file, "replace", lambda prompt, files: (written.update(files), right(prompt, files)))
    code, said, errors = ran(chip, capsys)
    assert code == 0 and "since-0/settings.json" in said and "it stays" in said and "own.bin" not in said, (
        said,
        errors,
    )
    since = data_file.read(kept)["since"]
    assert b"since then" in since.values() and OLDER in since.values()
    chip.wait_runs()
    found, is_divided = files_of(chip)
    alike = {name for name in files if "state" not in name and "settings" not in name}
    assert is_divided and {name: found.get(name) for name in alike} == sha256_of({name: files[name] for name in alike})
    assert found["/own.bin"] == hashlib.sha256(b"since then").hexdigest()
    chosen = [json.loads(written["/data/settings." + end]) for end in ("json", "old")]
    assert {(one["wiring_limit_ma"], one["mqtt_password"]) for one in chosen} == {(13000, SECRET)}
    states = [json.loads(written["/data/state." + end]) for end in "01"]  # with no car the box lets go of it soon
    assert all(["S14", True] in [row[:2] for row in one["latches"]] and one["seq"] > 41 for one in states), states


def test_what_has_no_room_is_named_before_anything_is_written(chip, tmp_path, capsys):
    files = {"/settings.json": SETTINGS}
    made_old(chip, files, rows=(("flight-", 3, 3), ("log-", 4, 5), ("quarters-", 3, 5)))
    code, _, errors = ran(chip, capsys)
    assert code == 2 and "flight-1.bin, flight-2.bin" in errors[0] and "--drop-oldest" in errors[0], errors
    assert not (tmp_path / "pc" / NAME).exists()
    chip.wait_said("divided as by an older firmware")
    code, said, errors = ran(chip, capsys, "--drop-oldest")
    kept = data_file.read(tmp_path / "pc" / NAME)
    assert code == 0 and "flight-1.bin" in said and NAME in said, errors
    assert kept["left_out"] and kept["files"]["/flight-1.bin"] == b"\x01" * 48_000
    found, is_divided = files_of(chip)
    assert is_divided and "/flight-1.bin" not in found and found["/settings.json"] == sha256_of(files)["/settings.json"]
    assert {"/log-4.bin", "/log-3.bin", "/quarters-3.bin", "/quarters-1.bin"} <= set(found)


def test_a_car_and_a_foreign_file_refuse(chip, tmp_path, capsys):
    made_old(chip, {"/settings.json": SETTINGS})
    starts = len(chip.chip.resets)
    chip.live(1)  # a car that is there in the first half second waits for the power return's random time
    chip.plant.car.is_plugged = True
    chip.plant.wire_changed()
    chip.wait(lambda: chip.plant.is_coil_on, "the car is charged", 60)
    for options in ((), ("--force",)):
        code, _, errors = ran(chip, capsys, *options)
        assert code == 2 and "A car is charging" in errors[0] and chip.plant.is_coil_on
    chip.plant.car.want(False)
    chip.plant.wire_changed()
    chip.wait(lambda: not chip.plant.is_coil_on, "the car has had enough", 60)
    chip.wait(lambda: ran(chip, capsys)[2][0].startswith("ebb: A car is plugged in"), "refused", 60)
    assert len(chip.chip.resets) == starts, "nothing was stopped"
    chip.plant.car.is_plugged = False
    chip.plant.wire_changed()
    data_file.write(data_file.made("0a0b0c0d0e0f", {}), tmp_path / "pc" / NAME)
    chip.wait(lambda: "of another box" in ran(chip, capsys)[2][0], "the file is another box's", 60)
    (tmp_path / "pc" / NAME).write_text("no such file")
    assert "does not hold the files of a box" in ran(chip, capsys)[2][0]
    assert files_of(chip)[1] is False


@pytest.mark.parametrize("name", ("x", "", "/", "/a/../b", "//a", "/a/", 7))
def test_a_path_stays_inside(name):
    assert not data_file.is_path(name) and data_file.is_path("/a/b.bin")


def test_small_partitions_and_what_must_stay():
    text = (bootstrap.ROOT / "firmware" / "drivers" / "data_layout.py").read_text("utf-8")
    rows = [row.partition(" = ") for row in text.splitlines() if re.match("[A-Z_, ]+ = ", row)]
    names = {name: value for row in rows for name, value in zip(row[0].split(", "), row[2].split(", "), strict=False)}
    assert [int(names[name]) for name in ("BLOCK", "LID_BLOCKS", "SPARE_BLOCKS")] == [4096, 2, 16]
    assert (divide.BLOCK, divide.LID_BLOCKS, divide.SPARE_BLOCKS) == (4096, 2, 16)
    assert divide.room_of(1024) == (1024 - 212 - 2) * 9 // 10 and divide.room_of(256) == 178
    with pytest.raises(Trouble, match="too small"):
        divide.room_of(255)
    files = {"/sessions-1.bin": bytes(4032 * 200), "/flight-1.bin": bytes(9000), "/log-1.bin": b"x"}
    with pytest.raises(Trouble, match="what must stay takes"):
        divide.left_out(files, 100)
    assert divide.left_out(files, 10_000) == []
    assert divide.oldest_first({f"/{name}-{n}.bin": b"" for name in ("log", "flight") for n in (10, 9, 8)}) == [
        "/flight-8.bin",
        "/flight-9.bin",
        "/flight-10.bin",
        "/log-8.bin",
    ]
