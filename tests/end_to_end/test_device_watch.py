"""The running firmware is watched: in words, in its own time, and without being stopped or reset."""

import json
import os
import pty
import re
import signal
import subprocess
import sys
import threading
import time
import tty
from pathlib import Path

import pytest
from chips import box_chip, built

from host_tools.device import decoded, task, watch
from host_tools.device.esptool_call import Trouble
from host_tools.device.prompt import Prompt

ROOT = Path(__file__).resolve().parent.parent.parent
COMMAND = [sys.executable, "-c", "import sys; from host_tools.device import task; sys.exit(task.run(sys.argv[1:]))"]


class Watching:
    """`device watch` as a process; `text` is what it has said."""

    def __init__(self, *arguments):
        self.process = subprocess.Popen(
            [*COMMAND, "watch", *map(str, arguments)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.text = ""
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self):
        for line in self.process.stdout:
            self.text += line

    def wait(self, pattern, for_s=60):
        """Until a line says so."""
        end = time.monotonic() + for_s
        while not re.search(pattern, self.text):
            assert time.monotonic() < end, f"{pattern} is not in:\n{self.text}"
            time.sleep(0.05)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(10)
        self._thread.join(5)
        self.process.stdout.close()

    def stopped(self):
        """Exit code after Ctrl-C."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(10)


def names_file(tmp_path):
    """The names.json of the build on the chip."""
    path = tmp_path / "names.json"
    path.write_text(json.dumps(built().names))
    return path


def started(chip, box):
    """Write /box.json and start the firmware."""
    with Prompt(chip.port) as prompt:
        prompt.put("/box.json", json.dumps(box).encode())
        prompt.restart()


def test_a_charge_in_words_and_nothing_is_stopped(tmp_path):
    with box_chip(tmp_path / "chip") as chip:
        started(chip, {"box": "ebb-1"})
        with Watching("--port", chip.port) as watching:
            watching.wait("watching ")
            chip.wait(lambda: chip.plant.is_coil_enabled or chip.plant.pilot_mode == "high", "the firmware runs")
            resets, stops = list(chip.chip.resets), chip.said().count("stopped by a person")
            chip.plant.car.plug(True)
            watching.wait(r"\n\d\d:\d\d:\d\d  \d+\.\d{3} s  The pilot goes from A to B\.\n")
            watching.wait(r" s  Checking the leakage protection \(before: No car is plugged in\)\.\n")
            watching.wait(r" s  Charging \(before: ", 30)
            chip.plant.faults["pilot_short_earth"] = True
            chip.plant.wire_changed()
            watching.wait(r"Fault S3: The pilot wire is shorted\. Unplug the cable and look for damage or water\.")
            assert watching.stopped() == 0 and "Traceback" not in watching.text
        assert chip.chip.resets == resets and chip.said().count("stopped by a person") == stops


def test_a_box_may_keep_its_log_to_itself(tmp_path):
    with box_chip(tmp_path / "chip") as chip:
        before = len(chip.said())  # a new box, as it was until now, tells its log
        started(chip, {"box": "ebb-1", "tells_log": False})
        chip.wait(lambda: chip.plant.pilot_mode == "high", "the firmware runs")
        chip.plant.car.plug(True)
        chip.wait(lambda: chip.plant.pilot_mode == "pwm", "the car is offered power", 30)
        said = chip.said()[before:].partition("boot: ")[2]
        assert said and "log: " not in said


def test_a_traceback_has_its_long_names(tmp_path):
    with box_chip(tmp_path / "chip") as chip:
        started(chip, {"box": "ebb-1", "mqtt_host": "127.0.0.1", "mqtt_ca_path": "/none"})
        with Watching("--port", chip.port, "--names", names_file(tmp_path)) as watching:
            watching.wait(r'File "firmware/connections.py", line \d+, in _mqtt_config\n')
            watching.wait("the firmware cannot run", 30)
        names = built().names["firmware/app.py"]
        short = {long.partition("|")[0]: name for name, long in names.items()}["firmware/connections.py:_mqtt_config"]
        assert re.search(rf'"firmware\.app", line \d+, in {short}\r?\n', chip.said()), (
            "the chip itself says the short one"
        )


class Cable:
    """A port whose cable can be pulled: a link to one pseudo-terminal after another."""

    def __init__(self, path):
        self.path = path
        self.master = None

    def plug(self):
        """A new terminal behind the same name."""
        self.master, slave = pty.openpty()
        tty.setraw(slave)
        os.symlink(os.ttyname(slave), self.path)
        self.slave = slave

    def pull(self):
        """Gone, with whatever was on its way."""
        os.unlink(self.path)
        os.close(self.slave)
        os.close(self.master)


def test_a_pulled_cable_and_marks_that_steer(tmp_path):
    cable = Cable(tmp_path / "tty")
    cable.plug()
    with Watching("--port", cable.path) as watching:
        watching.wait("watching ")
        os.write(cable.master, b"boot: \x1b[2J\x07red\x9b31m\rX\xff\xc2\x9b0m\r\nhalf")
        watching.wait(re.escape(r"boot: \x1b[2J\x07red\x9b31m\x0dX\xff\x9b0m" + "\n"))
        watching.wait("  half\n")
        os.write(cable.master, b"y" * 700 + b"\n")
        watching.wait("y" * 512 + "\n")
        cable.pull()
        watching.wait("is gone; waiting")
        cable.plug()
        watching.wait("is there again")
        os.write(cable.master, b"ebb: mqtt OSError: mqtt.denied\n")
        watching.wait("mqtt: OSError: The broker closed the connection after this message")
        assert watching.stopped() == 0
        assert "\x1b" not in watching.text and "\r" not in watching.text and "Traceback" not in watching.text
    cable.pull()


NAMES = {
    "firmware/app.py": {"aB": "_long", "c": "_other", "d": "_own|asked|else"},
    "firmware/x.py": {"aB": "_else"},
    "firmware/all.py": {"idle": "core/one.py:_so|core/one.py:idle", "run": "core/one.py:run|core/two.py:run|went"},
}


@pytest.mark.parametrize(
    "said, words",
    (
        ("log: 1500 fault S2", "1.500 s  Fault S2: The car's safety diode is missing. Unplug the car and try another "),
        ("log: 1500 fault_gone S4", "1.500 s  Fault gone: S4: Pilot wire open."),
        (
            "log: 1500 refused owner not_allowed",
            "1.500 s  Refused what you asked for: This is not allowed in the box's mode",
        ),
        ("log: 1500 refused newcomer odd", "1.500 s  Refused what newcomer asked for: odd."),
        ("log: 1500 grid grid applied", "1.500 s  Command of the grid: applied."),
        ("log: 1500 charge_now", "1.500 s  Charging now, as asked for."),
        ("log: 1500 unlock", "1.500 s  This car may charge, as asked for."),
        ("log: 1500 unheard of it", "1.500 s  unheard of it"),
        ("log: 1500 state idle", "1.500 s  state idle"),
        ("log: x state", "log: x state"),
        ('log: 9 crash E: x File "firmware/app.py", line 7, in aB', 'E: x File "firmware/app.py", line 7, in _long'),
        ('  File "firmware/x.py", line 7, in aB', '  File "firmware/x.py", line 7, in _else'),
        ('  File "/b/firmware/app.py", line 7, in c', "in _other"),
        ('  File "firmware/app.py", line 7, in d', "in _own"),
        ('  File "firmware.app", line 7, in c', '  File "firmware/app.py", line 7, in _other'),
        ('log: 9 crash E: x File "firmware.x", line 7, in aB', 'E: x File "firmware/x.py", line 7, in _else'),
        ('  File "firmware.all", line 7, in idle', '  File "core/one.py", line 7, in _so'),
        (
            '  File "firmware.all", line 7, in run',
            'File "firmware/all.py", line 7, in run of core/one.py or core/two.py',
        ),
        ('  File "<stdin>", line 1, in <module>', '  File "<stdin>", line 1, in <module>'),
        ('  File "asyncio/core.py", line 1, in c', '  File "asyncio/core.py", line 1, in c'),
        ('log: 9 crash E: x File "firmware/app.py", line 7, in d', 'E: x File "firmware/app.py", line 7, in _own'),
        ('  File "main.py", line 7, in <module>', '  File "main.py", line 7, in <module>'),
        ("settings: anything", "settings: anything"),
    ),
)
def test_each_line(said, words):
    assert words in decoded.Decoder(NAMES).line(said)


def test_an_error_names_the_attribute():
    decoder = decoded.Decoder(NAMES)
    error = "AttributeError: 'App' object has no attribute 'aB'"
    assert decoder.line(error) == error
    decoder.line('  File "firmware/app.py", line 7, in c')
    assert decoder.line(error).endswith("'_long'")
    decoder.line('  File "firmware/app.py", line 7, in c')
    assert decoder.line(error.replace("aB", "d")).endswith("'_own|asked|else'"), "it may be any of them"
    assert decoder.line(error) == error


def test_every_event_of_a_tick_has_a_sentence():
    """Only they are on the line as "log: …"; what services and the page tell is there in words, or in the log alone."""
    told = {"duplicate", "replayed"}  # named by a variable
    for path in (*(ROOT / "firmware" / "core").glob("*.py"), ROOT / "firmware" / "services" / "control_loop.py"):
        told |= set(re.findall(r'Event\("([a-z_]+)"', path.read_text()))
    assert told == set(decoded.EVENTS)


@pytest.mark.parametrize("content", (b"", b"[]", b'{"a": 1}', b'{"a": {"b": 1}}', b"\xff"))
def test_names_that_are_none(tmp_path, content):
    path = tmp_path / "names.json"
    path.write_bytes(content)
    with pytest.raises(Trouble, match="holds no names"):
        watch.names_beside(path)


def test_nothing_to_open(capsys):
    assert task.run(["watch", "--port", "/dev/ebb-no-such-port"]) == 2
    said = capsys.readouterr().err
    assert "nothing can be opened" in said and said.count("\n") == 1
