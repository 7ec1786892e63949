"""The virtual chip as the real mpremote sees it: prompt, files, interrupts, resets, watchdog and power."""

import asyncio
import os
import signal
import subprocess
import sys
import time

import pytest
from chips import RunningChip

from host_tools.device.esptool_call import Trouble
from host_tools.device.prompt import Prompt
from host_tools.sim import link_server, serial_chip


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


def test_a_ctrl_c_in_a_collection_leaves_the_heap_as_it_was(chip):
    """The interpreter of a PC would keep it locked for good: the firmware crashes then, and starts anew unasked."""
    code = "import gc, machine\npin = machine.Pin(4, machine.Pin.IN)\nkept = [bytearray(64) for _ in range(4000)]\n"
    with Prompt(chip.port) as prompt:
        prompt.run(code)
        for number in range(6):
            line = prompt._transport
            line.exec_raw_no_follow("while True:\n    gc.collect()\n    pin.value()")
            time.sleep(0.1 + number / 37)
            line.serial.write(b"\x03")
            said, wrong = line.follow(20)
            assert not said and b"KeyboardInterrupt" in wrong
            assert prompt.run("print(len(bytearray(3000)))") == "3000\n"
    assert chip.chip.resets == [1] and "its interpreter ended" not in chip.said()


def test_a_ctrl_c_to_a_program_that_asks_for_nothing(chip):
    with Prompt(chip.port) as prompt:
        line = prompt._transport
        line.exec_raw_no_follow("while True: pass")
        line.serial.write(b"\x03")
        assert b"KeyboardInterrupt" in line.follow(20)[1]
        assert prompt.run("print(1)") == "1\n"
    assert chip.chip.resets == [1]


def test_a_ctrl_c_just_as_a_line_of_the_prompt_begins_ends_that_alone(chip):
    right, count = chip.link._chip, [0]

    async def told(kind, reader, writer):
        if kind != link_server.STATE or count[0]:
            return await right(kind, reader, writer)
        count[0] += 1
        chip.link.is_busy = (await reader.readexactly(1)) == b"\x01"
        chip.link.states += 1
        os.kill(chip.chip._process.pid, signal.SIGINT)
        await asyncio.sleep(0.3)
        writer.write(b"\x01")

    with Prompt(chip.port) as prompt:
        chip.link._chip = told
        with pytest.raises(Trouble, match="KeyboardInterrupt"):
            prompt.run("print(1)")
        assert prompt.run("print(2)") == "2\n" and count[0] == 1
    assert chip.chip.resets == [1] and "its interpreter ended" not in chip.said()


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


def test_two_threads_of_the_chip_ask_the_plant_at_once(chip):
    """A scan for networks has a thread of its own, and asks whether the air is dead while the tick reads its pins."""
    code = "import _thread, time\nfrom chip_clock import world\nfound = []\n"
    code += "def heard():\n    found.append([world.is_air_dead() for _ in range(2000)])\n"
    code += "_thread.start_new_thread(heard, ())\ntold = [world.wall_s() for _ in range(2000)]\n"
    code += "while not found:\n    time.sleep_ms(10)\n"
    code += "print(max(told) - min(told) < 600, found[0].count(False))"
    with Prompt(chip.port) as prompt:
        assert prompt.run(code, 60) == "True 2000\n"
