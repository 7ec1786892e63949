"""Ctrl-C at any moment of a start, and while the line belongs to a set-up: whoever types it comes to the prompt."""

import os
import subprocess
import sys
import time

import pytest
from chips import box_chip

RAW = "raw REPL; CTRL-B to exit"
STOPPED = "stopped by a person"
TOO_EARLY = "main: there is no firmware that may be started"  # it hit boot.py before that holds Ctrl-C back


@pytest.fixture(scope="module")
def factory(tmp_path_factory):
    """A box that nobody has set up: the line is that of the set-up."""
    with box_chip(tmp_path_factory.mktemp("factory") / "chip", {}) as chip:
        yield chip


def mpremote(port, *arguments):
    """(exit code, output) of the real mpremote, which waits for ever where nobody answers."""
    command = [sys.executable, "-m", "mpremote", "connect", f"port:{port}", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30)
    return done.returncode, done.stdout + done.stderr


def type_at_start(chip, typed, after_ms):
    """Pull the plug, put it back, and type after so many ms."""
    chip.power_cut()
    chip.chip.console.clear()
    line = os.open(chip.port, os.O_WRONLY | os.O_NOCTTY)
    try:
        time.sleep(after_ms / 1000)
        os.write(line, typed)
    finally:
        os.close(line)


@pytest.mark.parametrize("after_ms", (0, 5, 10, 20, 30, 40, 60, 90, 200))
def test_at_any_moment_of_a_start(factory, after_ms):
    type_at_start(factory, b"\r\x03\r\x01", after_ms)
    factory.wait_said(RAW, 10)
    assert not factory.plant.is_coil_on
    assert factory.chip.resets[-1] == 1, "power-on, and no reset after it"


def test_the_slot_is_on_the_path_of_a_start_that_was_stopped(factory):
    for after_ms in (0, 20, 40, 80):
        type_at_start(factory, b"\r\x03\r\x01", after_ms)
        factory.wait_said(RAW, 10)
        if TOO_EARLY not in factory.said():
            break
    else:
        raise AssertionError(factory.said())
    assert mpremote(factory.port, "resume", "exec", "import sys; print(sys.path[0])") == (0, "/a\n")


def test_a_frame_of_a_set_up_does_not_stop_a_start(factory):
    """Every command of Improv holds the byte of Ctrl-C; one that comes while boot.py runs is left alone."""
    for frame in (b"IMPROV\x01\x03\x02\x03\x00\xe6\n", b"\x01\x03\x02\x02\x00\xe5\n"):
        type_at_start(factory, frame, 0)
        factory.wait_runs()
        assert STOPPED not in factory.said()


def test_mpremote_stops_a_box_in_set_up(factory):
    factory.power_cut()
    factory.wait_runs()
    factory.chip.console.clear()
    code, said = mpremote(factory.port, "resume", "fs", "ls", "/a")
    assert code == 0 and "manifest.json" in said, said
    assert STOPPED in factory.said() and not factory.plant.is_coil_on
    assert factory.chip.resets[-1] == 1
    assert mpremote(factory.port, "exec", "print(6*7)") == (0, "42\n"), "with the soft reset that mpremote begins with"
