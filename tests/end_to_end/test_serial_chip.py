"""The virtual chip as the real mpremote sees it: prompt, files, interrupts, resets, watchdog and power."""

import os
import subprocess
import sys

import pytest
from chips import RunningChip

from host_tools.device.esptool_call import Trouble
from host_tools.device.prompt import Prompt
from host_tools.sim import serial_chip


def mpremote(port, *arguments):
    """(exit code, output) of the real mpremote."""
    command = [sys.executable, "-m", "mpremote", "connect", f"port:{port}", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def chip(tmp_path):
    with RunningChip(tmp_path / "chip") as running:
        yield running


def test_the_real_mpremote(chip, tmp_path):
    assert mpremote(chip.port, "exec", "print(6*7)") == (0, "42\n")
    assert chip.chip.resets == [1, 5]  # power-on, and the soft reset that mpremote begins with
    assert mpremote(chip.port, "resume", "exec", "import machine; print(machine.reset_cause())") == (0, "5\n")
    code, said = mpremote(chip.port, "exec", "1/0")
    assert code == 1 and "ZeroDivisionError" in said and str(tmp_path) not in said and "repl.py" not in said
    big = tmp_path / "big.bin"
    big.write_bytes(os.urandom(40_000))
    assert mpremote(chip.port, "resume", "fs", "mkdir", "/a", "+", "fs", "cp", str(big), ":/a/big.bin")[0] == 0
    back = tmp_path / "back.bin"
    assert mpremote(chip.port, "resume", "fs", "cp", ":/a/big.bin", str(back))[0] == 0
    assert back.read_bytes() == big.read_bytes()
    assert "2097152" in mpremote(chip.port, "resume", "df")[1]
    chip.power_cut()
    assert "40000 big.bin" in mpremote(chip.port, "resume", "fs", "ls", "/a")[1]
    assert chip.chip.resets[-1] == 1


def test_a_running_program_is_interrupted(chip):
    with Prompt(chip.port) as prompt:
        prompt.put("/main.py", b"import time\nwhile True:\n    print('busy')\n    time.sleep_ms(50)\n")
        prompt.restart()
    chip.wait_said("busy")
    with Prompt(chip.port) as prompt:
        assert prompt.run("print(1)") == "1\n"
        assert chip.said().count("KeyboardInterrupt") == 1
        assert chip.chip.resets == [1, 2]
        prompt.remove("/main.py")


def test_who_comes_right_after_a_restart_talks_to_the_new_start(chip, monkeypatch):
    monkeypatch.setattr(serial_chip, "WATCH_S", 1.5)  # a reset that takes its time
    with Prompt(chip.port) as prompt:
        prompt.put("/a.txt", b"kept")
    for _ in range(3):
        with Prompt(chip.port) as prompt:
            prompt.restart()
        with Prompt(chip.port) as prompt:
            assert prompt.read("/a.txt") == b"kept"
    assert chip.chip.resets == [1, 2, 2, 2]


def test_files_through_the_prompt(chip):
    content = bytes(range(256)) * 9
    with Prompt(chip.port) as prompt:
        prompt.put("/a/b/c.bin", content)
        assert prompt.read("/a/b/c.bin") == content
        assert prompt.read("/a/nothing") is None
        assert prompt.digests(["/a/b/c.bin", "/x"])["/x"] is None
        with pytest.raises(Trouble, match="ValueError: odd"):
            prompt.run("raise ValueError('odd')")
        assert prompt.run("print('on')") == "on\n"


def test_the_watchdog_bites_and_a_timer_keeps_it_quiet(chip):
    with Prompt(chip.port) as prompt:
        prompt.run("import machine\ndog = machine.WDT(timeout=500)")
        prompt.run("machine.Timer(0).init(period=100, callback=lambda t: dog.feed())")
        prompt.run("import time\ntime.sleep_ms(400)")
        assert prompt.run("print(machine.reset_cause())") == "1\n"
    chip.wait(lambda: len(chip.chip.resets) == 1, "timers run at the prompt", 1)
    with Prompt(chip.port) as prompt:
        prompt.run("import time\nmachine.Timer.running.clear()", 5)
    chip.wait(lambda: chip.chip.resets == [1, 3], "the watchdog bites", 5)


def test_nothing_to_open():
    with pytest.raises(Trouble, match="nothing can be opened") as refused:
        Prompt("/dev/ebb-no-such-port")
    assert refused.value.code == 2


def test_a_corrupt_file_system_loops_as_the_stock_image_does(chip):
    chip.wait_said(">>> ")
    chip.now(chip.chip.cut())
    image = chip.chip.folder / "vfs.img"
    image.write_bytes(b"\x55" * 65536 + image.read_bytes()[65536:])
    chip.now(chip.chip.power_on())
    chip.wait_said("appears to be corrupted")
