"""`device flash` as a maker types it: a made-up stock image onto a stand-in ROM loader, the firmware onto a chip."""

import hashlib
import os
import random
import shutil
import signal
import struct
import subprocess
import sys
import threading

import pytest
from chips import RunningChip

from host_tools import bootstrap
from host_tools.device import boards, build, flash, flash_task, partitions, running_board, stock_image, task
from host_tools.device.esptool_call import Trouble
from host_tools.device.prompt import Prompt
from host_tools.sim.rom_loader import RomLoader

PATIENT = "[esptool]\ntimeout = 30\nsync_timeout = 5\nconnect_attempts = 1\n"
ARGUMENTS = [sys.executable, "-c", "import sys; from host_tools.device import task; sys.exit(task.run(sys.argv[1:]))"]
IDS = {"esp32": 0, "esp32s3": 9}
STARTS = {"esp32": 0x1000, "esp32s3": 0}
BANNER = b"MicroPython v1.24.1 on 2024-11-29; Generic ESP32S3 module with ESP32S3\0"


def image(chip_id, *segments, has_hash=True):
    """An image as Espressif's boot loaders take it."""
    head = struct.pack("<BBBBI", 0xE9, len(segments), 2, 0x2F, 0x40080000)
    made = head + struct.pack("<B3xHBHH4xB", 0xEE, chip_id, 0, 0, 0xFFFF, has_hash)
    checksum = 0xEF
    for number, segment in enumerate(segments):
        made += struct.pack("<II", 0x3C000020 + number * 0x1000000, len(segment)) + segment
        for byte in segment:
            checksum ^= byte
    made += bytes(-(len(made) + 1) % 16) + bytes((checksum,))
    return made + (hashlib.sha256(made).digest() if has_hash else b"")


def stock(chip, banner=BANNER, app_chip=None, app_bytes=40_000, has_hash=True):
    """A whole stock image: boot loader, the table of its makers, app."""
    loader = image(IDS[chip], b"loader" * 1000, bytes(8))
    code = banner + b"\x42" * (app_bytes - len(banner))
    app = image(IDS[app_chip or chip], code, b"code" * 500, has_hash=has_hash)
    start = STARTS[chip]
    table = partitions.partition_table((("factory", "app", "factory", 0x10000, 0x1F0000),))
    whole = loader.ljust(0x8000 - start, b"\xff") + table
    return whole.ljust(0x10000 - start, b"\xff") + app


def flash_it(*options):
    """Exit code of the command, run in this process."""
    return task.run(["flash", *map(str, options)])


class Bench:
    """A board in its loader on a link, a stock image, and the command up to the end of its first step."""

    def __init__(self, folder, capsys, name):
        self.board = boards.loaded(name)
        self.chip = self.board["chip"]
        self.link = folder / "tty"
        self.loader = RomLoader(self.chip, flash_bytes=self.board["flash_mb"] << 20, link=self.link)
        self.loader.flash[:] = b"\x5a" * len(self.loader.flash)
        self.path = folder / "stock.bin"
        self.path.write_bytes(stock(self.chip))
        self.state = folder / "state.json"
        self.capsys = capsys

    def step_1(self, *options):
        """(exit code, standard error)."""
        loader_options = ["--no-stub", "--state", self.state, "--micropython", self.path]
        if boards.EXPERIMENTAL in self.board:
            loader_options.append("--experimental")
        code = flash_it("--board", self.board["name"], "--port", self.link, *loader_options, *options)
        found = self.capsys.readouterr()
        print(found)
        if code:
            assert found.err.splitlines()[-1].startswith("ebb: ") and "Traceback" not in found.err
        return code, found.err

    def is_untouched(self):
        """Whether the board took nothing and erased nothing."""
        return self.loader.written == [] and self.loader.flash.count(0x5A) == len(self.loader.flash)


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """A build of the reference board, made once."""
    out = tmp_path_factory.mktemp("built") / "reference"
    assert task.run(["build", "--board", "reference", "--out", str(out)]) == 0
    return out


@pytest.fixture(autouse=True)
def patience(tmp_path, monkeypatch):
    """How long esptool waits, and that no build is made twice."""
    (tmp_path / "esptool.cfg").write_text(PATIENT)
    monkeypatch.setenv("ESPTOOL_CFGFILE", str(tmp_path / "esptool.cfg"))


@pytest.fixture
def only_step_1(monkeypatch, tree):
    """The command ends before its second step, and begins with the build at hand."""
    monkeypatch.setattr(flash_task, "write_firmware", lambda *_: set())
    monkeypatch.setattr(flash_task.install, "files_of", lambda *_: {"boot.py": b"", "a/manifest.json": b"{}"})


@pytest.fixture(params=("reference", "compact", "wrover"))
def bench(request, tmp_path, capsys, only_step_1):
    made = Bench(tmp_path, capsys, request.param)
    made.loader.start()
    yield made
    made.loader.stop()


@pytest.fixture
def reference(tmp_path, capsys, only_step_1):
    made = Bench(tmp_path, capsys, "reference")
    made.loader.start()
    yield made
    made.loader.stop()


def table_rows(table):
    """{label: (type, subtype, offset, size)} of a table's bytes."""
    rows = {}
    for at in range(0, len(table), 32):
        mark, kind, subtype, offset, size, label, _ = struct.unpack("<2sBBII16sI", table[at : at + 32])
        if mark == b"\xaa\x50":
            rows[label.rstrip(b"\0").decode()] = (kind, subtype, offset, size)
    return rows


def test_image_and_our_table_on_the_flash(bench):
    code, _ = bench.step_1()
    assert code == 0
    start, whole = STARTS[bench.chip], bench.path.read_bytes()
    held = bytes(bench.loader.flash)
    app = whole[0x10000 - start :]
    assert held[0x10000 : 0x10000 + len(app)] == app
    vfs_mb, all_mb = (1, 4) if bench.board["name"] == "compact" else (2, 8)
    assert table_rows(held[0x8000:0x8C00]) == {
        "nvs": (1, 2, 0x9000, 0x6000),
        "phy_init": (1, 1, 0xF000, 0x1000),
        "factory": (0, 0, 0x10000, 0x1F0000),
        "vfs": (1, 0x81, 0x200000, vfs_mb << 20),
        "data": (1, 0x81, (2 + vfs_mb) << 20, (all_mb - 2 - vfs_mb) << 20),
    }
    assert held[0x9000:0x10000] == b"\x5a" * 0x7000, "nvs and the radio's own data stay"
    assert held[0x200000:0x202000] == b"\xff" * 0x2000, "a file system of others is blanked, so that one is made"
    assert held[0x202000:] == b"\x5a" * (len(held) - 0x202000)


def test_esptool_takes_the_boot_loader_for_good(bench, tmp_path):
    """The flash size in its header is the board's, and checksum and hash fit, as esptool itself reads it."""
    assert bench.step_1()[0] == 0
    start = STARTS[bench.chip]
    path = tmp_path / "loader.bin"
    path.write_bytes(bench.loader.flash[start:0x8000])
    command = [sys.executable, "-m", "esptool", "--chip", bench.chip, "image-info", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "NO_COLOR": "1"})
    print(done.stdout)
    assert f"{bench.board['flash_mb']}MB" in done.stdout
    assert "(valid)" in done.stdout and "invalid" not in done.stdout and done.stdout.count("(valid)") == 2


def test_a_file_system_of_ours_stays(reference):
    head = struct.pack("<8x8s4xIII", b"littlefs", 0x20001, 4096, 512)
    reference.loader.flash[0x201000 : 0x201000 + len(head)] = head
    before = bytes(reference.loader.flash[0x200000:])
    assert reference.step_1()[0] == 0
    assert reference.loader.flash[0x200000:] == before
    assert not stock_image.is_ours(head.ljust(0x1040, b"\0"), 6 << 20), "of another size is not ours"


@pytest.mark.parametrize(
    ("change", "words"),
    (
        (lambda whole: stock("esp32"), "holds a boot loader for the ESP32, but the board 'reference' has the ESP32-S3"),
        (lambda whole: stock("esp32s3", app_chip="esp32"), "holds an app for the ESP32"),
        (lambda whole: b"\x7fELF" + whole, "is no image for this chip: its boot loader begins with 0x7f"),
        (lambda whole: b"", "is cut off: it has no boot loader"),
        (lambda whole: whole[:3000], "is cut off inside its boot loader"),
        (lambda whole: whole[:0x10000], "is cut off: it has no app"),
        (lambda whole: whole[:-1], "is cut off inside its app"),
        (lambda whole: whole[:70_000] + b"!" + whole[70_001:], "is damaged: the app does not fit its checksum"),
        (lambda whole: whole[:-1] + b"!", "is damaged: the app"),
        (lambda whole: stock("esp32s3", has_hash=False).replace(b"codecode", b"codecoda", 1), "is damaged: the app"),
        (lambda whole: whole[0x10000:], "begins with no boot loader: take the file that ends in .bin, not .app-bin"),
        (
            lambda whole: stock("esp32s3", app_bytes=0x1F0000),
            "is too large: its app has 1987 KB, its partition 1984 KB",
        ),
        (lambda whole: stock("esp32s3", b"MicroPython v1.23.0 on"), "is MicroPython 1.23, and the firmware needs 1.24"),
        (lambda whole: stock("esp32s3", b"CircuitPython"), "holds no MicroPython"),
    ),
)
def test_a_wrong_image_is_refused_and_nothing_written(reference, change, words):
    reference.path.write_bytes(change(reference.path.read_bytes()))
    code, said = reference.step_1()
    assert code == 2 and words in said and "nothing was written." in said and said.count("\n") == 1
    assert reference.is_untouched()


def test_a_wrong_board_is_refused_and_nothing_written(tmp_path, capsys, only_step_1):
    bench = Bench(tmp_path, capsys, "reference")
    for chip, flash_bytes, words in (
        ("esp32", 8 << 20, "is an ESP32, but this firmware is for the ESP32-S3"),
        ("esp32s3", 4 << 20, "the flash has 4096 KB, the board 'reference' needs 8192 KB"),
    ):
        bench.loader = RomLoader(chip, flash_bytes=flash_bytes, link=bench.link)
        bench.loader.flash[:] = b"\x5a" * flash_bytes
        bench.loader.start()
        code, said = bench.step_1()
        bench.loader.stop()
        assert code == 2 and words in said and bench.is_untouched()


def test_a_pulled_cable_in_step_1(reference):
    (reference.path).write_bytes(stock("esp32s3", app_bytes=200_000))
    reference.loader.faults.pulled_after_bytes = 120_000
    code, said = reference.step_1()
    assert code == 1 and "the cable was pulled: run the same command again, it goes on at" in said
    reference.loader.faults.pulled_after_bytes = None
    reference.loader.start()
    code, said = reference.step_1()
    assert code == 0 and "going on at" in said
    whole = reference.path.read_bytes()
    assert reference.loader.flash[0x10000 : len(whole)] == whole[0x10000:]


def test_no_image_no_port_busy_port(tmp_path, capsys, only_step_1):
    assert flash_it("--board", "reference", "--port", tmp_path / "none") == 2
    assert "there is no board on" in capsys.readouterr().err
    assert flash_it("--board", "none", "--port", tmp_path) == 2
    assert "there is no board 'none'" in capsys.readouterr().err
    assert flash_it("--board", "compact", "--port", tmp_path) == 2
    assert "the board 'compact' is experimental: MicroPython's heap grows" in capsys.readouterr().err
    (tmp_path / "tty").write_text("")
    assert flash_it("--board", "reference", "--port", tmp_path / "tty", "--micropython", tmp_path / "x") == 2
    assert "tty is no serial port." in capsys.readouterr().err
    assert flash_it("--board", "reference", "--port", os.devnull, "--micropython", tmp_path / "x") == 2
    assert "x cannot be read (No such file or directory): nothing was written." in capsys.readouterr().err


# Step 2, on the virtual chip.


@pytest.fixture
def chip(tmp_path):
    with RunningChip(tmp_path / "chip") as running:
        yield running


@pytest.fixture
def put(chip, tree, capsys):
    """The command on the chip's port: (exit code, standard output, standard error)."""

    def act(*options, board="reference"):
        code = flash_it("--board", board, "--port", chip.port, "--from", tree, *options)
        found = capsys.readouterr()
        print(found.err[-2000:])
        if code:
            assert found.err.splitlines()[-1].startswith("ebb: ") and found.err.splitlines()[-1].endswith(".")
        assert "Traceback" not in found.err
        return code, found.out, found.err

    return act


def held(chip, tree):
    """Whether every file on the chip is that of the tree, asked without the command; the chip is restarted."""
    paths = [path for path in (tree / build.TREE).rglob("*") if path.is_file()]
    with Prompt(chip.port) as prompt:
        found = prompt.digests(["/" + str(path.relative_to(tree / build.TREE)) for path in paths])
        prompt.run("import starter")
        is_whole = prompt.run("print(starter.security_of('a') >= 0)") == "True\n"
        prompt.restart()
    wanted = {"/" + str(p.relative_to(tree / build.TREE)): hashlib.sha256(p.read_bytes()).hexdigest() for p in paths}
    return is_whole and found == wanted


def ticks(chip):
    """Wait until the firmware drives the pilot and sees a car; the coil stays off."""
    chip.wait(lambda: chip.plant.pilot_mode == "high", "the pilot is up")
    assert not chip.plant.is_coil_on
    chip.plant.car.plug(True)
    chip.wait(lambda: chip.plant.led != "off", "the firmware sees a car")
    assert not chip.plant.is_coil_on
    chip.plant.car.plug(False)


def is_safe(chip):
    """Whether nothing drives coil or pilot."""
    return not chip.plant.is_coil_on and not chip.plant.is_coil_enabled and chip.plant.pilot_mode != "pwm"


def test_an_empty_chip_becomes_a_ticking_box(chip, put, tree):
    code, said, _ = put()
    count = len([path for path in (tree / build.TREE).rglob("*") if path.is_file()])
    assert code == 0 and f"files_written: {count} of {count}\n" in said and "build_sha256: " in said
    ticks(chip)
    assert held(chip, tree)
    code, said, _ = put()
    assert code == 0 and f"files_written: 0 of {count}\n" in said
    ticks(chip)


def test_both_steps_in_one_command(tmp_path, capsys, tree, monkeypatch):
    """The real esptool against the loader; then the chip stands on the same link, as after the reset."""
    link = tmp_path / "tty"
    loader = RomLoader("esp32s3", link=link)
    (tmp_path / "stock.bin").write_bytes(stock("esp32s3"))
    plain = flash.flash

    with RunningChip(tmp_path / "chip") as chip:

        def flashed(*arguments):
            done = plain(*arguments)
            loader.stop()
            threading.Timer(1.0, os.symlink, (chip.port, link)).start()  # USB comes back after a while
            return done

        monkeypatch.setattr(flash, "flash", flashed)
        loader.start()
        options = ["--micropython", tmp_path / "stock.bin", "--no-stub", "--state", tmp_path / "state.json"]
        assert flash_it("--board", "reference", "--port", link, "--from", tree, *options) == 0
        said = capsys.readouterr()
        assert "MicroPython written and verified" in said.out and "files_written: " in said.out
        ticks(chip)


def test_the_command_is_killed_in_the_middle(chip, put, tree):
    command = [*ARGUMENTS, "flash", "--board", "reference", "--port", chip.port, "--from", str(tree)]
    with subprocess.Popen(command, cwd=bootstrap.ROOT, stderr=subprocess.PIPE, text=True) as running:
        for line in running.stderr:
            if line.startswith("ebb: 3 of"):
                os.kill(running.pid, signal.SIGKILL)
                break
    chip.power_cut()
    code, said, _ = put()
    written, of = map(int, said.split("files_written: ")[1].split("\n")[0].split(" of "))
    assert code == 0 and of - 4 <= written <= of - 1
    ticks(chip)
    assert held(chip, tree)


def test_a_long_file_goes_on_where_the_cable_was_pulled(chip, monkeypatch):
    content = bytes(range(256)) * 400  # 100 kB: three pieces of 32 and a rest
    plain, written, cuts = Prompt.run, [], []

    def run(self, code, *options):
        if "f.write" in code:
            written.append(code)
            if len(written) == 70 and not cuts:
                cuts.append(chip.power_cut())
                raise Trouble("the cable is pulled")
        return plain(self, code, *options)

    with monkeypatch.context() as patched:
        patched.setattr(Prompt, "run", run)
        with Prompt(chip.port) as prompt, pytest.raises(Trouble):
            prompt.put("/long", content)
        written.clear()
        with Prompt(chip.port) as prompt:
            prompt.put("/long", content)
            assert prompt.read("/long") == content and len(written) == 100 - 64, "two pieces are not sent again"
            prompt.put("/long", content[: 40 * 1024])
            written.clear()
            prompt.put("/long", content[::-1])
            assert prompt.read("/long") == content[::-1] and len(written) == 100, "what was there is another file"
            prompt.remove("/long")


@pytest.mark.parametrize("at", (2, 63))
def test_power_is_cut_in_the_middle(chip, put, tree, at, monkeypatch):
    assert put()[0] == 0
    ticks(chip)
    with Prompt(chip.port) as prompt:
        for path in [path for path in (tree / build.TREE / "a").rglob("*") if path.suffix in (".mpy", ".bin")]:
            name, size = path.relative_to(tree / build.TREE), path.stat().st_size
            prompt.run(f"f = open('/{name}', 'wb'); f.write(bytes({size})); f.close()")  # only the hash differs
        prompt.run("open('/boot.py', 'a').close(); open('/main.py', 'a').write('# old'); open('/gone', 'w').close()")
    plain = flash_task.install.told

    def told(path, number, of):
        plain(path, number, of)
        if number == min(at, of - 1):
            chip.now(chip.chip.cut())

    with monkeypatch.context() as patched:
        patched.setattr(flash_task.install, "told", told)
        patched.setattr("host_tools.device.prompt.READ_S", 0.5)
        patched.setattr(Prompt.run, "__defaults__", (2,))
        code, _, said = put()
    assert code == 1 and "run the same command again, it goes on with the files that are not there yet." in said
    chip.now(chip.chip.power_on())
    chip.wait(lambda: chip.chip.resets[-1] == 1, "it starts")
    chip.live(1)
    assert is_safe(chip)
    if at == 2:
        chip.wait_said("boot: no slot holds a whole firmware; flash it again")
    assert put()[0] == 0
    ticks(chip)
    assert held(chip, tree)


def test_a_byte_that_turned_on_the_way_is_found_and_sent_again(chip, put, tree, monkeypatch):
    plain, turned = Prompt.run, []

    def run(prompt, code, *rest):
        if "b'TQY" in code and len(turned) < 2:  # the first byte of a module, M and 6 in base64
            turned.append(code)
            code = code.replace("TQY", "TgY", 1)
        return plain(prompt, code, *rest)

    monkeypatch.setattr(Prompt, "run", run)
    code, _, said = put()
    assert code == 0 and said.count("does not read back as it was written; going on") == 2
    ticks(chip)
    assert held(chip, tree)


@pytest.mark.parametrize("seed", range(4))
def test_noise_during_the_copy(chip, put, tree, seed, monkeypatch):
    noise, is_over = random.Random(seed), threading.Event()

    def make_noise():
        fd = os.open(chip.port, os.O_WRONLY | os.O_NOCTTY)
        while not is_over.wait(noise.uniform(0.02, 0.6)):
            os.write(fd, noise.randbytes(noise.randrange(1, 5)))
        os.close(fd)

    thread = threading.Thread(target=make_noise)
    with monkeypatch.context() as patched:
        patched.setattr("host_tools.device.prompt.READ_S", 0.5)
        patched.setattr(Prompt.run, "__defaults__", (2,))
        thread.start()
        code, out, _ = put()
        is_over.set()
        thread.join()
    print(f"seed {seed}: exit code {code}")
    assert (code == 0) == ("files_written" in out)
    if code == 0:
        assert held(chip, tree)
    else:
        chip.power_cut()
        assert put()[0] == 0 and held(chip, tree)
    ticks(chip)


@pytest.mark.parametrize("harm", ("os.remove('/a/firmware.bin')", "open('/a/firmware.bin', 'wb').close()"))
def test_a_slot_that_is_not_whole_ends_safe_and_is_mended(chip, put, tree, harm):
    assert put()[0] == 0
    ticks(chip)
    with Prompt(chip.port) as prompt:
        prompt.run(f"import os\n{harm}")
        prompt.restart()
    chip.wait_said("boot: no slot holds a whole firmware; flash it again")
    chip.wait_said("boot: the firmware cannot run; the contactor is open")
    assert is_safe(chip)
    code, said, _ = put()
    assert code == 0 and "files_written: 2 of" in said, "the file, and the manifest that went first"
    ticks(chip)
    assert held(chip, tree)


def test_the_slot_just_written_is_started(chip, put):
    with Prompt(chip.port) as prompt:
        prompt.run("import esp32\nstore = esp32.NVS('ebb')\nstore.set_i32('slot', 1)\nstore.commit()")
    assert put()[0] == 0
    with Prompt(chip.port) as prompt:
        assert prompt.run("import esp32\nprint(esp32.NVS('ebb').get_i32('slot'))") == "0\n"


@pytest.mark.parametrize(
    ("name", "value", "words"),
    (
        ("machine", "Generic ESP32 module with ESP32", "it is an ESP32, but this firmware is for the ESP32-S3"),
        ("machine", "PYBv1.1 with STM32F405RG", "it is an PYBv1.1 with STM32F405RG, but"),
        ("version", (1, 23, 0), "it runs micropython 1.23, and the firmware needs MicroPython 1.24 or newer"),
        ("partitions", (("vfs", 128 * 1024), ("data", 65536)), "KB of flash for the firmware, which needs"),
    ),
)
def test_a_board_that_cannot_have_it_is_refused(chip, put, name, value, words):
    chip.now(chip.chip.cut())
    shutil.rmtree(chip.chip.folder)
    chip.chip.folder.mkdir()
    chip.chip.config[name] = value
    chip.now(chip.chip.power_on())
    for options in ((), ("--force",)):
        code, _, said = put(*options)
        assert code == 2 and words in said and "Nothing was written" in said and " of 7: " not in said


def test_another_board_is_refused_unless_forced(chip, put):
    with Prompt(chip.port) as prompt:
        prompt.put("/a/board.json", b'{"name":"burst"}')
    code, _, said = put()
    assert code == 2 and "it is the board 'burst', not 'reference'. Nothing was written; --force goes on." in said
    with Prompt(chip.port) as prompt:
        assert prompt.read("/a/board.json") == b'{"name":"burst"}' and prompt.read("/main.py") is None
    assert put("--force")[0] == 0
    ticks(chip)


def test_memory_that_is_not_seen_is_a_doubt():
    running = running_board.Running("micropython", (1, 24), "x with ESP32S3", None, 1 << 20, 0, True, 200_000)
    reference, compact = boards.loaded("reference"), boards.loaded("compact")
    assert "sees no PSRAM" in next(running_board.doubts(running, reference))
    assert not list(running_board.doubts(running, compact))


def test_a_board_without_micropython_is_told_where_it_is(tmp_path, capsys, tree, monkeypatch):
    monkeypatch.setattr("host_tools.device.prompt.READ_S", 0.2)
    master, slave = os.openpty()
    port = os.ttyname(slave)
    assert flash_it("--board", "reference", "--port", port, "--from", tree) == 2
    said = capsys.readouterr().err
    os.close(master)
    os.close(slave)
    assert "https://micropython.org/download/ESP32_GENERIC_S3/" in said and said.count("\n") == 1
    assert f"'python3 -m host_tools device flash --board reference --port {port} --micropython FILE'" in said
    assert "ESP32_GENERIC/, variant SPIRAM" in stock_image.where(boards.loaded("wrover"))
    assert "ESP32_GENERIC/, version" in stock_image.where(boards.loaded("compact"))


def test_a_busy_port_is_told(chip, put):
    with Prompt(chip.port):
        code, _, said = put()
    assert code == 2 and "cannot be opened: another program holds it, or you are not in the group" in said


@pytest.mark.parametrize(
    ("path", "change", "words"),
    (
        ("a/firmware.bin", lambda data: data[:-1] + b"!", "a/firmware.bin is not what its manifest says"),
        ("a/firmware.bin", None, "holds no whole build"),
        ("starter.mpy", None, "holds no whole build"),
        ("a/manifest.json", lambda data: data[:100], "holds no whole build"),
        ("boot.py", lambda data: data.replace(b"COIL_PINS = (", b"COIL_PINS = (2, "), "does not open the contactor"),
        ("boot.py", lambda data: data + b"# more", "boot.py is not what the build's own list says (SHA256SUMS)"),
        ("main.py", lambda data: data + b"# more", "main.py is not what the build's own list says"),
        ("starter.mpy", lambda data: data + b"!", "starter.mpy is not what the build's own list says"),
        ("../SHA256SUMS", lambda data: data.replace(b"tree/main.py", b"tree/moon.py"), "main.py is not what the build"),
        ("../SHA256SUMS", None, "holds no whole build"),
        ("a/manifest.json", lambda data: data.replace(b'"reference"', b'"burst"'), "was built for the board 'burst'"),
    ),
)
def test_a_tampered_tree_is_refused(tmp_path, tree, capsys, path, change, words):
    copy = tmp_path / "copy"
    shutil.copytree(tree, copy)
    changed = copy / build.TREE / path
    if change is None:
        changed.unlink()
    else:
        before = changed.read_bytes()
        changed.write_bytes(change(before))
        assert changed.read_bytes() != before
    assert flash_it("--board", "reference", "--port", "/dev/null", "--from", copy) == 2
    said = capsys.readouterr().err
    assert words in said and said.count("\n") == 1


def test_install_is_no_command_of_its_own():
    names = [name for name, _, _ in task.COMMANDS]
    assert "flash" in names and "install" not in names
