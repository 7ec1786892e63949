"""Images through the real esptool against a stand-in ROM loader: written right, or said in one clear line."""

import os
import random
import types

import pytest

from host_tools.device import esptool_call, flash, flash_task
from host_tools.sim.rom_loader import RomLoader

OFFSET = 0x10000
PIECE_BYTES = 0x10000
IMAGE_BYTES = 300_000
OTHER_MAC = bytes.fromhex("240ac4ebb002")
PATIENT = "[esptool]\ntimeout = 30\nsync_timeout = 5\nconnect_attempts = 1\n"  # a busy machine fails nothing
SHORT = "[esptool]\ntimeout = 1\nsync_timeout = 0.5\nconnect_attempts = 2\n"  # where answers are lost on purpose
SILENT = "[esptool]\nsync_timeout = 0.05\nconnect_attempts = 1\n"  # where no answer can come


class Desk:
    """A board on a cable, an image, a state file, and the command as a person types it."""

    def __init__(self, folder, capsys, chip="esp32s3"):
        self.folder = folder
        self.capsys = capsys
        self.state = folder / "state.json"
        self.board = RomLoader(chip, link=folder / "tty")
        self.board.flash[:] = b"\x5a" * len(self.board.flash)
        self.image = self.images("image.bin", IMAGE_BYTES, 20261)

    def images(self, name, size_bytes, seed):
        """Path of random bytes; the seed is printed."""
        print(f"{name}: {size_bytes} bytes of seed {seed}")
        (self.folder / name).write_bytes(random.Random(seed).randbytes(size_bytes))
        return self.folder / name

    def flash(self, image=None, offset=OFFSET, chip=None, baud=460800, more=()):
        """(exit code, standard error) of one run on the board's port; a failure must end in one clear line."""
        line = esptool_call.Line(str(self.folder / "tty"), baud, False)
        images = [*more, (offset, image or self.image)]
        before = self.capsys.readouterr().out
        code = flash_task.guarded(lambda: flash.flash(line, chip or self.board.chip, images, self.state))
        said = self.capsys.readouterr()
        print(before + said.err)
        assert "Traceback" not in said.err and "http" not in said.err
        if code:
            assert said.err.splitlines()[-1].startswith("ebb: ") and said.err.endswith(".\n")
        return code, said.err

    def is_untouched(self):
        """Whether the board took nothing and erased nothing."""
        return self.board.written == [] and self.board.flash.count(0x5A) == len(self.board.flash)

    def holds(self, image=None, offset=OFFSET):
        """Whether the flash holds the image byte for byte, and nothing beside its sectors changed."""
        content = (image or self.image).read_bytes()
        end = offset + len(content) + -len(content) % 0x1000
        beside = self.board.flash[:offset] + self.board.flash[end:]
        return self.board.flash[offset : offset + len(content)] == content and beside.count(0x5A) == len(beside)


@pytest.fixture(autouse=True)
def patience(tmp_path, monkeypatch):
    """How long esptool waits."""
    (tmp_path / "esptool.cfg").write_text(PATIENT)
    monkeypatch.setenv("ESPTOOL_CFGFILE", str(tmp_path / "esptool.cfg"))


@pytest.fixture
def desk(tmp_path, capsys):
    """A desk with the reference board's chip, plugged in."""
    made = Desk(tmp_path, capsys)
    made.board.start()
    yield made
    made.board.stop()


@pytest.fixture
def pulled(desk):
    """The desk after the cable was pulled in the third piece, and plugged in again."""
    desk.board.faults.pulled_after_bytes = 150_000
    code, said = desk.flash()
    assert code == 1 and "the cable was pulled: run the same command again, it goes on at 43 %." in said
    assert not desk.holds()
    desk.board.faults.pulled_after_bytes = None
    desk.board.start()
    return desk


@pytest.mark.parametrize(("chip", "name"), (("esp32", "ESP32"), ("esp32s3", "ESP32-S3")))
def test_chip_is_named_and_an_image_written(tmp_path, capsys, chip, name):
    desk = Desk(tmp_path, capsys, chip)
    desk.board.start()
    board = flash.name_board(esptool_call.Line(desk.board.port, 115200, False))
    assert board == (name, "24:0a:c4:eb:b0:01", 8 << 20)
    code, said = desk.flash()
    assert code == 0 and desk.holds(), said
    assert "43 % of 293 KB verified" in said and "100 % of 293 KB verified" in said
    assert not desk.state.exists()
    # Compressed, as the stub would send it: what remains of the stand-in's protocol.
    line = esptool_call.Line(desk.board.port, 115200, False)
    zeros = tmp_path / "zeros.bin"
    zeros.write_bytes(bytes(50_000))
    said = esptool_call.call(line, ["write-flash", "--compress", "0x100000", str(zeros)])
    assert int(next(flash.WROTE.finditer(said))[1], 16) == 0x100000 and flash.WRITING.search(said)
    assert desk.board.flash[0x100000 : 0x100000 + 50_000] == bytes(50_000)
    desk.board.stop()


@pytest.mark.parametrize(("chip", "wanted"), (("esp32", "esp32s3"), ("esp32s3", "esp32")))
def test_wrong_chip_is_refused_and_nothing_written(tmp_path, capsys, chip, wanted):
    desk = Desk(tmp_path, capsys, chip)
    desk.board.start()
    code, said = desk.flash(chip=wanted)
    desk.board.stop()
    names = esptool_call.CHIPS
    assert code == 2
    assert f"is an {names[chip]}, but this firmware is for the {names[wanted]}: nothing was written." in said
    assert desk.is_untouched()


def test_second_run_goes_on_behind_the_verified_pieces(pulled):
    assert pulled.state.exists()
    code, said = pulled.flash()
    assert code == 0 and pulled.holds(), said
    assert "going on at 43 %" in said
    rest = IMAGE_BYTES - 2 * PIECE_BYTES
    assert pulled.board.data_bytes == rest + -rest % 1024
    assert min(pulled.board.written)[0] == OFFSET + 2 * PIECE_BYTES
    assert not pulled.state.exists()


def test_changed_image_starts_anew(pulled):
    changed = pulled.image.read_bytes()[:-1] + b"!"
    (pulled.folder / "changed.bin").write_bytes(changed)
    code, said = pulled.flash(image=pulled.folder / "changed.bin")
    assert code == 0 and "going on" not in said
    assert pulled.board.data_bytes >= IMAGE_BYTES and pulled.holds(pulled.folder / "changed.bin")


def test_another_board_of_the_same_kind_starts_anew(pulled):
    pulled.board.stop()
    pulled.board = RomLoader("esp32s3", link=pulled.folder / "tty", mac=OTHER_MAC)
    pulled.board.flash[:] = b"\x5a" * len(pulled.board.flash)
    pulled.board.start()
    code, said = pulled.flash()
    pulled.board.stop()
    assert code == 0 and "going on" not in said and pulled.holds()


def test_torn_state_file_starts_anew(pulled):
    pulled.state.write_text(pulled.state.read_text()[:100])
    code, said = pulled.flash()
    assert code == 0 and "going on" not in said and pulled.holds()


def test_a_verified_piece_that_changed_since_is_found(pulled):
    pulled.board.flash[OFFSET + 77] ^= 4
    code, said = pulled.flash()
    assert code == 1 and "run the same command again, it begins anew." in said
    code, said = pulled.flash()
    assert code == 0 and pulled.holds() and pulled.board.data_bytes >= IMAGE_BYTES


@pytest.mark.parametrize(
    ("noise_permille", "flip_permille", "seed"), ((6, 0, 1), (6, 0, 2), (0, 15, 1), (20, 10, 1), (20, 10, 2))
)
def test_noise_never_makes_a_wrong_flash_good(desk, noise_permille, flip_permille, seed):
    (desk.folder / "esptool.cfg").write_text(SHORT)
    faults = desk.board.faults
    faults.random.seed(seed)
    faults.noise_permille, faults.flip_permille = noise_permille, flip_permille
    code, said = desk.flash()
    print(f"seed {seed}: {faults.happened} faults, exit code {code}")
    assert faults.happened
    content = desk.image.read_bytes()
    if code == 0:
        assert desk.board.flash[OFFSET : OFFSET + len(content)] == content
    faults.noise_permille = faults.flip_permille = 0
    if code:
        code, said = desk.flash()
        if code:  # the noise had changed a piece behind its verification, and the journal was dropped
            assert "begins anew" in said
            code, said = desk.flash()
    assert code == 0 and desk.board.flash[OFFSET : OFFSET + len(content)] == content


def test_one_noise_does_not_end_a_run(desk):
    desk.board.faults.noise_after_bytes = 100_000
    code, said = desk.flash()
    assert code == 0 and desk.holds()
    assert "noise on the line; going on at 21 %" in said
    assert IMAGE_BYTES < desk.board.data_bytes < IMAGE_BYTES + PIECE_BYTES


def test_stopped_by_a_person_goes_on_later(desk, monkeypatch):
    def show(journal, at=None):
        if journal.done_bytes() > PIECE_BYTES:
            raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(flash, "show", show)
        code, said = desk.flash()
    assert code == 1 and said.endswith("ebb: stopped: run the same command again, it goes on where this ended.\n")
    code, said = desk.flash()
    assert code == 0 and "going on at 43 %" in said and desk.holds()


def test_noise_is_borne_thrice():
    answers = [esptool_call.Trouble("x", esptool_call.NOISE), esptool_call.Trouble("x", esptool_call.NOISE), None]

    def act():
        if answers[0]:
            raise answers.pop(0)
        return "done"

    assert flash.patiently(act) == "done"
    answers[:] = [esptool_call.Trouble("x", esptool_call.NOISE)] * 4
    with pytest.raises(esptool_call.Trouble):
        flash.patiently(act)
    assert len(answers) == 1


def test_weak_flash_is_never_good(desk):
    desk.board.faults.weak_at = OFFSET + PIECE_BYTES + 5
    code, said = desk.flash()
    assert code == 1 and "MD5" in said and "it goes on at 21 %." in said


def test_rate_too_high_is_said_and_the_safe_one_works(desk):
    desk.board.faults.highest_baud = 115200
    code, said = desk.flash(baud=921600)
    assert code == 1 and "too fast at 921600 baud" in said and "try --baud 115200." in said
    assert desk.is_untouched()
    code, said = desk.flash(baud=115200)
    assert code == 0 and desk.holds()


def test_garbage_is_said(desk):
    desk.board.faults.is_garbled = True
    code, said = desk.flash()
    assert code == 2 and "gives only garbage" in said and desk.is_untouched()


def test_silence_is_said(desk):
    (desk.folder / "esptool.cfg").write_text(SILENT)
    desk.board.stop()
    master, slave = os.openpty()
    os.symlink(os.ttyname(slave), desk.folder / "tty")
    code, said = desk.flash()
    os.close(master)
    os.close(slave)
    assert code == 2 and "does not answer: hold BOOT" in said


def test_no_port(desk, monkeypatch, capsys):
    desk.board.stop()
    code, said = desk.flash()
    assert code == 2 and "there is no board on" in said
    ports = []
    monkeypatch.setattr(flash.list_ports, "comports", lambda: ports)
    arguments = ["--board", "reference"]
    ports.append(types.SimpleNamespace(device="/dev/ttyS0", vid=None))
    assert flash_task.run(arguments) == 2
    assert capsys.readouterr().err.startswith("ebb: there is no board: no USB serial port")
    ports.extend(types.SimpleNamespace(device=f"/dev/ttyUSB{number}", vid=0x10C4) for number in (1, 0))
    assert flash_task.run(arguments) == 2
    said = capsys.readouterr().err
    assert said == "ebb: there are several serial ports: choose one with --port: /dev/ttyUSB0, /dev/ttyUSB1.\n"


def test_the_only_usb_port_is_found(desk, monkeypatch):
    ports = [types.SimpleNamespace(device="/dev/ttyS0", vid=None), types.SimpleNamespace(device="x", vid=1)]
    monkeypatch.setattr(flash.list_ports, "comports", lambda: ports)
    assert flash.find_port() == "x"
    assert flash.find_port("y") == "y"


def test_what_the_flash_cannot_take_is_refused(desk):
    (desk.folder / "empty.bin").write_bytes(b"")
    for options, words in (
        ({"offset": 0x10010}, "the offset must be a multiple of 0x1000"),
        ({"image": desk.folder / "none.bin"}, "cannot be read: No such file"),
        ({"image": desk.folder / "empty.bin"}, "is empty"),
        ({"offset": (8 << 20) - 0x1000}, "the flash has 8192 KB"),
    ):
        code, said = desk.flash(**options)
        assert code == 2 and words in said
    code, said = desk.flash(more=[(0x50000, desk.image)])
    assert code == 2 and "ends at 0x593e0, over" in said
    assert desk.is_untouched()
