"""Every device command against a firmware that says how it stands: none stops one that charges, whatever is typed."""

import contextlib
import io
import os
import pty
import threading
import time
import tty
from pathlib import Path

import pytest
from chips import RunningChip, installed

from firmware.wire import update_header
from host_tools.device import asked, doctor, flash_task, task
from host_tools.device.esptool_call import Trouble
from host_tools.sim import world

# Each device command: what is typed behind its port and the option that goes on with a car plugged in ("" for none), or
# None where it never stops a firmware. A new command has its row here, and asks.
STOPS = {
    "build": None,
    "image": None,
    "image-update": None,
    "keys": None,
    "settings": None,
    "watch": None,
    "flash": (("--board", "reference", "--from", "{folder}"), "--force"),
    "update": (("{folder}/update",), "--force"),
    "divide": ((), "--force"),
    "provision": (("--show",), "--plugged"),
    "issuers": (("--none",), "--force"),
    "backup": (("--out", "{folder}/backup.json"), "--force"),
    "doctor": ((), "--force"),
    "prove": (("--out", "{folder}/proof"), ""),
    "calibrate": (
        ("--shown-ma", "16000", "--reference-ma", "16000", "--pilot-mv", "1", "--pilot-low-mv", "0"),
        "--force",
    ),
    "test": (("pilot",), "--force"),
}
NEEDS_ANSWER = ("update", "divide", "prove")
STOPPING = sorted(name for name, row in STOPS.items() if row)
GOES_ON = "it would stop the firmware now"


class Box:
    """A port whose firmware answers how it stands and knows nothing else; `heard` is all that came to it."""

    def __init__(self, said):
        """said: the answer as bytes, b"" for a silent one."""
        self.said, self.heard = said, b""
        self._master, slave = pty.openpty()
        tty.setraw(slave)
        os.set_blocking(self._master, False)
        self._slave, self.port = slave, os.ttyname(slave)
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self):
        while not self._is_over.wait(0.01):
            with contextlib.suppress(BlockingIOError):
                fresh = os.read(self._master, 1024)
                self.heard += fresh
                if b"?\r" in fresh and self.said:
                    os.write(self._master, self.said)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._is_over.set()
        self._thread.join()
        os.close(self._master)
        os.close(self._slave)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Where the commands find and leave their files; what would stop a firmware ends them instead."""

    def stops(*_):
        raise Trouble(GOES_ON, code=3)

    (tmp_path / "update").write_bytes(bytes(update_header.HEAD_B))
    monkeypatch.setattr("host_tools.device.prompt.Prompt._enter", stops)
    monkeypatch.setattr(flash_task, "write_chip", stops)
    monkeypatch.setattr(flash_task.install, "files_of", lambda *_: {"boot.py": b"", "a/manifest.json": b"{}"})
    monkeypatch.setattr(asked, "ANSWER_S", 0.6)
    monkeypatch.setattr(asked, "FEW_S", 0.3)
    return tmp_path


def tried(name, said, folder, capsys, *more):
    """(exit code, what it says on standard error) of a command on a box that answers so."""
    options = [word.format(folder=folder) for word in STOPS[name][0]]
    with Box(said) as box:
        code = task.run([name, "--port", box.port, *options, *more])
        assert b"\x03" not in box.heard and b"\x01" not in box.heard and b"\xc0" not in box.heard, box.heard
    return code, capsys.readouterr().err


def test_every_command_is_in_the_list():
    assert {name for name, _, _ in task.COMMANDS} == set(STOPS)


@pytest.mark.parametrize("name", STOPPING)
@pytest.mark.parametrize("said", (b"charging C closed", b"stopping B open", b"idle A closed"))
def test_a_car_that_charges_is_left_alone_without_exception(name, said, folder, capsys):
    option = STOPS[name][1]
    for more in ((), (option,) if option else ()):
        code, words = tried(name, b"ebb: stands " + said + b"\r\n", folder, capsys, *more)
        assert (code, words) == (2, f"ebb: {asked.CHARGING}\n")
    assert sorted(path.name for path in folder.iterdir()) == ["update"]


def test_an_image_over_a_charging_car_neither(folder, capsys):
    more = ("--micropython", "image.bin", "--force")
    assert tried("flash", b"ebb: stands charging C closed\r\n", folder, capsys, *more) == (
        2,
        f"ebb: {asked.CHARGING}\n",
    )


def test_a_board_that_came_back_in_the_middle_of_a_copy_is_asked_again(folder, capsys, monkeypatch):
    """Its firmware may run again, and a car may be there by now."""

    def broke_off(prompt):
        box.said = b"ebb: stands charging C closed\r\n"
        raise Trouble("the line broke off")

    with Box(b"ebb: stands idle A open\r\n") as box:
        monkeypatch.setattr("host_tools.device.prompt.Prompt._enter", broke_off)
        options = ["--board", "reference", "--from", str(folder), "--force"]
        assert task.run(["flash", "--port", box.port, *options]) == 2
    assert capsys.readouterr().err.endswith(f"ebb: {asked.CHARGING}\n")


@pytest.mark.parametrize("name", STOPPING)
def test_a_plugged_car_is_left_alone_unless_that_is_wanted(name, folder, capsys):
    option, said = STOPS[name][1], b"ebb: stands offered B open\r\n"
    code, words = tried(name, said, folder, capsys)
    assert code == 2 and words.startswith(f"ebb: {asked.PLUGGED} ") and words.endswith(f"{asked.NOTHING}\n")
    assert (f"{option} goes on" in words) if option else ("--" not in words)
    if option:
        code, words = tried(name, said, folder, capsys, option)
        assert code != 0 and GOES_ON in words


@pytest.mark.parametrize("name", STOPPING)
def test_a_silent_board_can_be_worked_on(name, folder, capsys):
    begun_s = time.monotonic()
    code, words = tried(name, b"", folder, capsys)
    assert time.monotonic() - begun_s < 30
    if name in NEEDS_ANSWER:
        option = STOPS[name][1]
        assert code == 2 and asked.SILENT in words and (f"{option} goes on" in words if option else "--" not in words)
    else:
        assert GOES_ON in words
    begun_s = time.monotonic()
    assert GOES_ON in tried(name, b"\r\n>>> ", folder, capsys)[1], "at the prompt no firmware runs"
    assert time.monotonic() - begun_s < 15


def test_silence_takes_a_few_seconds():
    assert asked.FEW_S <= 5


@pytest.mark.parametrize("name", STOPPING)
def test_a_pilot_out_of_order_is_no_car(name, folder, capsys):
    """A board on the table has no pilot: it reads as letter E or F, and must get its firmware and its id."""
    code, words = tried(name, b"ebb: stands faulted E open\r\n", folder, capsys)
    assert (code == 2 and "letter E" in words) if name in NEEDS_ANSWER else GOES_ON in words


def test_the_current_of_a_charging_car_is_read_first_and_its_unplugging_awaited(folder, capsys, monkeypatch):
    with Box(b"ebb: stands charging C closed\r\n") as box:

        class Person(io.StringIO):
            answers = iter(["16000\n", "16100\n", "\n", "\n"])
            asked_for = 0

            def readline(self, *_):
                Person.asked_for += 1
                if Person.asked_for == 4:
                    box.said = b"ebb: stands idle A open\r\n"
                return next(self.answers)

        monkeypatch.setattr("sys.stdin", Person())
        code = task.run(["calibrate", "--port", box.port])
        assert b"\x03" not in box.heard
    said = capsys.readouterr()
    assert code == 3 and said.err.count(asked.CHARGING) == 2 and said.out.count("unplug the car") == 2
    assert GOES_ON in said.err


def test_calibrate_gives_up_when_nobody_is_there(folder, capsys, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("16000\n16100\n"))
    with Box(b"ebb: stands charging C closed\r\n") as box:
        assert task.run(["calibrate", "--port", box.port]) == 2
    assert asked.CHARGING in capsys.readouterr().err


@pytest.fixture(scope="module")
def chip(tmp_path_factory):
    with RunningChip(tmp_path_factory.mktemp("asked") / "chip") as running:
        installed(running)
        yield running


def car(chip, is_plugged):
    """Plug the car in, or out."""

    async def change():
        world.change(chip.plant, {"car": {"is_plugged": is_plugged}})

    chip.now(change())


def test_a_real_charge_goes_on_and_the_pilot_is_not_played_with(chip, capsys, monkeypatch):
    chip.wait_runs()
    car(chip, True)
    chip.wait(lambda: chip.plant.is_coil_on, "the car charges", 60)
    resets, halves = len(chip.chip.resets), []
    for name, options in (
        ("doctor", ["--force"]),
        ("test", ["pilot", "--force"]),
        ("backup", ["--out", "x", "--force"]),
    ):
        assert task.run([name, "--port", chip.port, *options]) == 2
        assert asked.CHARGING in capsys.readouterr().err
    assert chip.plant.is_coil_on and len(chip.chip.resets) == resets
    car(chip, False)
    chip.wait(lambda: not chip.plant.is_coil_on and chip.plant.pilot_mode == "high", "the car is gone", 60)
    # A car that the firmware did not see: the examination itself keeps the pilot still.
    car(chip, True)
    monkeypatch.setattr(asked, "stands", lambda *_: None)
    monkeypatch.setattr(
        "host_tools.device.examined_pins.Bench.ask",
        lambda bench, call, plain=doctor.examined_pins.Bench.ask: halves.append(call) or plain(bench, call),
    )
    assert doctor.run(["--port", chip.port]) == 1
    assert "as if a car were plugged in" in capsys.readouterr().out
    assert "rest()" in halves and "pwm()" not in halves and "low()" not in halves
    car(chip, False)


def test_where_it_is_asked_cannot_be_forgotten():
    """A Prompt of a device command has something to ask before it."""
    for path in sorted(Path(task.__file__).parent.glob("*.py")):
        if path.name in ("box_file.py", "prompt.py"):
            continue
        for line in path.read_text("utf-8").splitlines():
            if "Prompt(" in line or "box_file.stopped(" in line:
                assert "asked.guard(" in line or line.startswith("class "), (path.name, line)
