"""The board folders of an own image: partitions, settings, frozen sources; what ESP-IDF makes of them is unproved."""

import hashlib
import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from host_tools import bootstrap
from host_tools.device import boards, build, bundle, flash_task, image, partitions, slot, task
from host_tools.updates import trial_keys

HOME = bootstrap.ROOT / "hardware" / "micropython"
NAMES = ("compact", "reference")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """{board: its board folder}."""
    return {name: image.laid_out(name, tmp_path_factory.mktemp(name) / "out") for name in NAMES}


@pytest.mark.parametrize("flash_mb", (4, 8, 16))
def test_two_images_of_one_size_and_both_file_systems(flash_mb):
    rows = {row[0]: row for row in image.rows(flash_mb)}
    table = partitions.partition_table(image.rows(flash_mb), flash_mb << 20)
    assert len(table) == partitions.TABLE_BYTES
    assert rows["ota_0"][4] == rows["ota_1"][4] >= 0x180000 and rows["ota_0"][3] == 0x10000
    assert [rows[name][2] for name in ("otadata", "ota_0", "ota_1", "vfs", "data")] == "ota ota_0 ota_1 fat fat".split()
    assert max(row[3] + row[4] for row in rows.values()) == min(flash_mb, 8) << 20


@pytest.mark.parametrize("name", NAMES)
def test_the_folder_freezes_what_a_build_runs(made, name):
    board = boards.loaded(name)
    sources, sha256 = slot.frozen_sources(board, slot.wheels(board))
    frozen = made[name] / "frozen"
    assert {str(path.relative_to(frozen)): path.read_bytes() for path in frozen.rglob("*.py")} == sources
    found = []
    text = (made[name] / "modules.py").read_text()
    exec(text, {"include": lambda path: None, "freeze": lambda path, opt: found.append((path, opt))})
    assert found == [("$(BOARD_DIR)/frozen", 3)]
    assert json.loads((made[name].parent / "tree" / "a" / "manifest.json").read_text())["frozen"] == sha256
    assert made[name].name == {"esp32": "EBB_ESP32", "esp32s3": "EBB_ESP32S3"}[board["chip"]]


@pytest.mark.parametrize("name", NAMES)
def test_every_file_that_the_folder_names_is_there(made, name):
    text = (made[name] / "mpconfigboard.cmake").read_text()
    named = re.findall(r"\$\{MICROPY_BOARD_DIR\}/([\w.]+)", text)
    assert "sdkconfig.ebb" in named and "facts.cmake" in named and "manifest.py" in named
    assert [file for file in named if not (made[name] / file).is_file()] == []
    table = re.search(r'FILENAME="(.*)"', (made[name] / "sdkconfig.flash").read_text())
    rows = [line.split(",")[0] for line in Path(table[1]).read_text().splitlines() if not line.startswith("#")]
    assert rows == ["nvs", "otadata", "phy_init", "ota_0", "ota_1", "vfs", "data"]
    board = boards.loaded(name)
    assert f"FLASHSIZE_{board['flash_mb']}MB=y" in (made[name] / "sdkconfig.flash").read_text()
    assert f"EBB_HAS_PSRAM {int(board['has_psram'])}" in (made[name] / "facts.cmake").read_text()


def values(path):
    """{name: value} of a piece of ESP-IDF's configuration."""
    return dict(line.split("=", 1) for line in path.read_text().splitlines() if line.startswith("CONFIG_"))


def test_images_are_signed_and_go_back():
    found = values(HOME / "common" / "sdkconfig.ebb")
    for name in (
        *("SECURE_SIGNED_APPS_NO_SECURE_BOOT", "SECURE_SIGNED_APPS_RSA_SCHEME", "BOOTLOADER_APP_ROLLBACK_ENABLE"),
        "SECURE_SIGNED_ON_UPDATE_NO_SECURE_BOOT",
    ):
        assert found[f"CONFIG_{name}"] == "y"
    assert found["CONFIG_BT_ENABLED"] == "n" and found["CONFIG_SECURE_BOOT_BUILD_SIGNED_BINARIES"] == "n"
    assert values(HOME / "boards" / "EBB_ESP32" / "sdkconfig.board") == {"CONFIG_ESP32_REV_MIN_3": "y"}


@pytest.mark.parametrize(("chip", "psram", "heap"), (("ESP32", 0, 96), ("ESP32", 1, 1024), ("ESP32S3", 1, 1024)))
def test_the_heap_has_one_size_whatever_the_port_says(tmp_path, chip, psram, heap):
    """The port's header sets the growing heap without asking, behind the board's own."""
    if not shutil.which("gcc"):
        pytest.fail("the tests need gcc (host_tools/test_task.py installs it)")
    port = '#include "mpconfigboard.h"\n#define MICROPY_GC_SPLIT_HEAP (1)\n#define MICROPY_GC_SPLIT_HEAP_AUTO (1)\n'
    (tmp_path / "mpconfigport.h").write_text(port)
    told = "MICROPY_GC_SPLIT_HEAP_AUTO MICROPY_GC_SPLIT_HEAP MICROPY_GC_INITIAL_HEAP_SIZE MICROPY_PY_BLUETOOTH"
    (tmp_path / "asked.c").write_text(f'#include "ebb_port.h"\n{told}\n')
    command = ["gcc", "-E", "-P", f"-DEBB_HAS_PSRAM={psram}", f"-I{tmp_path}", f"-I{HOME / 'common'}"]
    command += [f"-I{HOME / 'boards' / f'EBB_{chip}'}", str(tmp_path / "asked.c")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.split() == f"(0) (0) ({heap} * 1024) (0)".split()


def source(folder, minor):
    """A folder that looks like MicroPython's source."""
    (folder / "py").mkdir(parents=True)
    lines = f"#define MICROPY_VERSION_MAJOR 1\n#define MICROPY_VERSION_MINOR {minor}\n"
    (folder / "py" / "mpconfig.h").write_text(lines)
    (folder / "ports" / "esp32").mkdir(parents=True)
    steps = ("mkdir -p $(BUILD)", "test -f $(BOARD_DIR)/mpconfigboard.cmake", "echo made > $(BUILD)/micropython.bin")
    (folder / "ports" / "esp32" / "Makefile").write_text("all:\n\t" + "\n\t".join(steps) + "\n")
    return folder


def asked(capsys, *options):
    """(exit code, what it said) of the command for the small board."""
    code = task.run(["image", "--board", "compact", *options])
    said = capsys.readouterr()
    return code, said.out + said.err


def test_the_one_command_runs_the_ports_own_build(made, tmp_path, capsys, monkeypatch):
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "idf.py").write_text("#!/bin/sh\n")
    (tools / "idf.py").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}:/usr/bin:/bin")
    monkeypatch.setenv("IDF_PATH", str(tools))
    monkeypatch.setattr(image, "laid_out", lambda *_: made["compact"])  # it takes seconds, and was made above
    root = source(tmp_path / "micropython", 27)
    code, said = asked(capsys, "--micropython-source", str(root))
    assert code == 0 and "image, to be signed: " in said, said
    assert Path(said.split("to be signed: ")[1].strip()).read_text() == "made\n"
    (root / "ports" / "esp32" / "Makefile").write_text("all:\n\tfalse\n")
    shutil.rmtree(made["compact"].parent / "esp32-build")
    code, said = asked(capsys, "--micropython-source", str(root))
    assert code == 2 and "the build of MicroPython ended with 2" in said


def test_what_is_missing_is_said_in_words(made, tmp_path, capsys, monkeypatch):
    monkeypatch.delenv("IDF_PATH", raising=False)
    with monkeypatch.context() as there:
        there.setattr(image, "laid_out", lambda *_: made["compact"])
        code, said = asked(capsys)
        assert code == 0 and "No image was made" in said
        for folder, words in (
            (tmp_path, "holds no source of MicroPython"),
            (source(tmp_path / "old", 24), "is MicroPython 1.24; the board folders are for 1.27 or 1.28"),
            (source(tmp_path / "new", 28), "ESP-IDF is missing"),
        ):
            code, said = asked(capsys, "--micropython-source", str(folder))
            assert code == 2 and words in said, said
        assert f"BOARD_DIR={made['compact']}" in said
    (tmp_path / "EBB_ESP32").mkdir()
    code, said = asked(capsys, "--out", str(tmp_path))
    assert code == 2 and "is no folder that this command made" in said
    code, said = asked(capsys, "--board", "nonsense")
    assert code == 2 and "there is no board" in said


ESPSECURE = str(Path(shutil.which("python3", path=str(bootstrap.VENV / "bin"))).parent / "espsecure")


def private_file(path, number):
    """The file of a trial key."""
    from cryptography.hazmat.primitives import serialization

    plain = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(trial_keys.key(number).private_bytes(*plain))
    return path


def signed_by(key, app):
    """A file as espsecure signs it, beside it."""
    signed = app.with_suffix(f".{key.stem}")
    command = [ESPSECURE, "sign-data", "--version", "2", "--keyfile", str(key), "--output", str(signed), str(app)]
    subprocess.run(command, check=True, capture_output=True)
    return signed


def test_the_makers_key_signs_an_image(tmp_path):
    """espsecure takes the key of `device keys`, and finds another byte; the chip's own check is unproved."""
    key, app = private_file(tmp_path / "key.pem", 1), tmp_path / "app.bin"
    app.write_bytes(bytes(range(256)) * 300)
    signed = signed_by(key, app)
    proof = [ESPSECURE, "verify-signature", "--version", "2", "--keyfile", str(key), str(signed)]
    assert subprocess.run(proof, capture_output=True).returncode == 0
    other = bytearray(signed.read_bytes())
    other[100] ^= 1
    signed.write_bytes(other)
    assert subprocess.run(proof, capture_output=True).returncode != 0


def app_of(frozen, chip_id):
    """Bytes that look like an app image with these modules; `device image-update` looks at no more of it."""
    head = bytes((0xE9, 1, 2, 0x20)) + bytes(8) + chip_id.to_bytes(2, "little") + bytes(9) + b"\x01"
    return head + bytes(range(256)) * 200 + frozen.encode() + bytes(1000)


def bundled(capsys, out, key, app):
    """(exit code, what it said) of the command for the small board."""
    options = ("--board", "compact", "--app", str(app), "--sign", str(key), "--out", str(out))
    code = task.run(["image-update", *options])
    said = capsys.readouterr()
    return code, said.out + said.err


def test_image_and_slot_become_one_update(tmp_path, capsys):
    board = boards.loaded("compact")
    frozen = slot.frozen_sources(board, slot.wheels(board))[1]
    key, app = private_file(tmp_path / "key.pem", 1), tmp_path / "app.bin"
    app.write_bytes(app_of(frozen, 0))
    signed = signed_by(key, app)
    code, said = bundled(capsys, tmp_path / "out", key, signed)
    assert code == 0 and "update: " in said, said
    octets = (tmp_path / "out" / f"compact-{slot.version()}-image.ebbupdate").read_bytes()
    modulus, asked = trial_keys.modulus(trial_keys.key(1)), []
    least = (tuple(int(part) for part in slot.version().split(".")), slot.SECURITY_VERSION)
    files, manifest, code = bundle.outcome(
        octets, modulus, "compact", least, None, lambda *told: asked.append(told) or ""
    )
    assert code == "whole" and asked == [(frozen, signed.stat().st_size)]
    assert files.pop("") == signed.read_bytes()
    assert json.loads(manifest)["frozen"] == frozen and files[slot.UPDATE_KEY] == modulus
    found = {f"a/{path}": data for path, data in files.items()}
    made = build.made("compact", modulus, is_frozen=True).files
    assert found == {path: data for path, data in made.items() if path in found} and len(found) == 3


def test_an_app_that_no_box_could_run_is_refused(tmp_path, capsys, monkeypatch):
    board = boards.loaded("compact")
    frozen = slot.frozen_sources(board, slot.wheels(board))[1]
    key, other = private_file(tmp_path / "key.pem", 1), private_file(tmp_path / "other.pem", 2)
    good, stranger, foreign = (tmp_path / name for name in ("good.bin", "stranger.bin", "foreign.bin"))
    good.write_bytes(app_of(frozen, 0))
    stranger.write_bytes(app_of(hashlib.sha256(b"other modules").hexdigest(), 0))
    foreign.write_bytes(app_of(frozen, 9))
    long, changed, text = (tmp_path / name for name in ("long.bin", "changed.bin", "text.bin"))
    long.write_bytes(app_of(frozen, 0) + bytes(0x180000))
    octets = bytearray(signed_by(key, good).read_bytes())
    octets[5000] ^= 1
    changed.write_bytes(octets)
    text.write_bytes(b"hello" * 1000)
    for app, words in (
        (good, "is not signed"),
        (signed_by(other, good), "signed with another key"),
        (signed_by(key, stranger), "other modules than these sources"),
        (signed_by(key, foreign), "for another chip than the esp32 of compact"),
        (signed_by(key, long), "and its partition 1572864 B"),
        (changed, "was changed after it was signed"),
        (text, "no image of ESP-IDF"),
        (tmp_path / "none.bin", "no update was made"),
    ):
        code, said = bundled(capsys, tmp_path / "out", key, app)
        assert code == 2 and words in said, said
    assert not (tmp_path / "out").exists()


def test_the_slot_of_an_own_image_is_flashed_though_its_board_is_experimental(made, tmp_path, capsys, monkeypatch):
    """As docs/own-image.md ends; a plain build of the same board still wants its word."""
    monkeypatch.setattr(flash_task.asked, "at_port", lambda *_: None)
    monkeypatch.setattr(flash_task, "write_firmware", lambda *_: set())
    command = ["flash", "--board", "compact", "--port", os.devnull, "--from"]
    assert task.run([*command, str(made["compact"].parent)]) == 0, capsys.readouterr().err
    build.write(build.made("compact"), tmp_path)
    assert task.run([*command, str(tmp_path)]) == 2
    assert "--experimental" in capsys.readouterr().err
    assert task.run([*command, str(tmp_path), "--experimental"]) == 0


def test_what_the_page_tells_to_run_is_there(made, capsys):
    """Each program and option of docs/own-image.md, and the paths that `device image` gives."""
    text = (bootstrap.ROOT / "docs" / "own-image.md").read_text("utf-8")
    lines = [line for block in text.split("```")[1::2] for line in block.strip().splitlines()]
    assert len(lines) == 6
    built = image.command(Path("micropython"), bootstrap.ROOT / "build" / "compact-image" / "EBB_ESP32")[-1]
    built = str(Path(built.removeprefix("BUILD=")).relative_to(bootstrap.ROOT))
    made_there = [word for line in lines for word in line.split() if word.endswith(".bin")]
    for word in made_there:
        assert word.startswith((built + "/", "build/compact-image/signed.bin")), word
    for line in lines:
        program, *words = line.split()
        if program.startswith(".venv/"):
            done = subprocess.run([program, words[0], "--help"], cwd=bootstrap.ROOT, capture_output=True, text=True)
            options = [word for word in words if word.startswith("--")]
            assert done.returncode == 0 and not [one for one in options if one not in done.stdout], line
        else:
            assert [program, *words[:3]] == ["python3", "-m", "host_tools", "device"], line
            with pytest.raises(SystemExit):
                task.run([words[3], "--help"])
            said = capsys.readouterr().out
            assert not [one for one in words if one.startswith("--") and one not in said], line
