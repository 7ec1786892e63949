"""The console as bytes: nothing waits, and Ctrl-C is the prompt's again after close()."""

import os
import sys
import types

import pytest


@pytest.fixture
def line(monkeypatch):
    """(Console, function that types bytes, levels given to kbd_intr) over a pipe."""
    levels = []
    fake = types.SimpleNamespace(kbd_intr=levels.append)
    monkeypatch.setitem(sys.modules, "micropython", fake)
    reading, writing = os.pipe()
    with open(reading, "rb", buffering=0) as raw:
        monkeypatch.setattr(sys, "stdin", types.SimpleNamespace(buffer=raw, fileno=raw.fileno))
        from firmware.drivers import console

        monkeypatch.setattr(console, "micropython", fake)
        yield console.Console(), lambda typed: os.write(writing, typed), levels
    os.close(writing)


def test_reads_what_is_there(line):
    console, typed, levels = line
    typed(b"IMPROV\x01\x03\x02\x02\x00\xe5" + bytes(100))
    assert console.read() == b"" and levels == []
    console.open()
    console.open()
    assert levels == [-1]
    assert console.read()[:12] == b"IMPROV\x01\x03\x02\x02\x00\xe5"
    assert len(console.read()) == 112 - 64 and console.read() == b""
    console.close()
    console.close()
    assert levels == [-1, 3]


def test_what_follows_the_ctrl_c_of_a_tool_is_left_to_the_prompt(line):
    console, typed, _ = line
    console.open()
    typed(b"\r\x03\r\x01")
    assert console.read() == b"\r\x03"
    assert os.read(sys.stdin.fileno(), 9) == b"\r\x01"
    typed(b"IMPROV\x01\x03\x02\r\x03")
    assert console.read() == b"IMPROV\x01\x03\x02\r\x03", "bytes of a frame"


def test_bytes_while_the_line_is_the_prompts(line):
    console, typed, levels = line
    assert console.heard() == b""
    for text in (b"\x02?\r", b"", b"abc\r", b"\x02?\r" * 9):
        typed(text)
        assert console.heard() == text
    assert console.heard() == b"" and levels == [], "Ctrl-C stays the prompt's"
    typed(b"?" * 100)
    assert (len(console.heard()), len(console.heard()), len(console.heard())) == (64, 36, 0)


def test_writes_a_frame_whole(line, monkeypatch):
    console, _, _ = line
    told = []
    monkeypatch.setattr(sys, "stdout", types.SimpleNamespace(buffer=types.SimpleNamespace(write=told.append)))
    console.write(b"IMPROV\n")
    assert told == [b"IMPROV\n"]
