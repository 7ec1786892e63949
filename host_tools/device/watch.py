"""Command `device watch`: what the running firmware says, line by line, without stopping it."""

import argparse
import contextlib
import sys
import time
from pathlib import Path

import serial

from host_tools import bootstrap
from host_tools.device import decoded, flash
from host_tools.device.esptool_call import Trouble

BAUD = 115200
WAIT_S = 0.5  # for bytes, and between two tries to open a port that is gone
MOST_LINE = 512  # bytes; a longer one is broken
UNENDED_S = 1  # a line without its end is shown after this long


def opened(port):
    """The open port. Errors: Trouble.

    DTR and RTS stay as opening leaves them, both set: one without the other would reset the board, and a chip with USB
    of its own says nothing before DTR is set.
    """
    try:
        return serial.Serial(port, BAUD, timeout=WAIT_S, exclusive=True)
    except (OSError, serial.SerialException, ValueError):
        words = f"nothing can be opened at {port}: is the board plugged in, or the port in use?"
        raise Trouble(words, code=2) from None


def close(line):
    """Close the port; RTS falls first, since DTR falling first would reset the board."""
    with contextlib.suppress(OSError, serial.SerialException):  # the cable may be gone
        line.rts = False
        line.dtr = False
    with contextlib.suppress(OSError, serial.SerialException):
        line.close()


def lines(line):
    """Lines as bytes from an open port, as they come. Errors: OSError, serial.SerialException when it goes."""
    kept, heard_s = b"", time.monotonic()
    while True:
        fresh = line.read(max(1, line.in_waiting))
        if fresh:
            heard_s = time.monotonic()
            *whole, kept = (kept + fresh).split(b"\n")
            yield from (one.rstrip(b"\r") for one in whole)
        while len(kept) > MOST_LINE or (kept and time.monotonic() - heard_s > UNENDED_S):
            yield kept[:MOST_LINE].rstrip(b"\r")
            kept = kept[MOST_LINE:]


def watch(wanted, decoder, told):
    """Tell each line, for ever; told: function (words). An unplugged board is waited for. Errors: Trouble at first."""
    port = flash.find_port(wanted)
    line = opened(port)
    told(f"watching {port}; Ctrl-C ends it, and the board goes on.")
    while True:
        try:
            for content in lines(line):
                told(decoder.line(decoded.harmless(content)))
        except (OSError, serial.SerialException):
            told(f"{port} is gone; waiting for the board.")
        finally:
            close(line)
        port, line = reopened(wanted)
        told(f"{port} is there again.")


def reopened(wanted):
    """(port, open port) once the board is back."""
    while True:
        time.sleep(WAIT_S)
        try:
            port = flash.find_port(wanted)
            return port, opened(port)
        except Trouble:
            continue


def stamped(words):
    """Print a line with the local time."""
    print(f"{time.strftime('%H:%M:%S')}  {words}", flush=True)


def names_beside(path):
    """Names of the build: of the given file, else of the build that lies in build/, else none. Errors: Trouble."""
    if path is not None:
        return decoded.names_of(path)
    beside = bootstrap.ROOT / "build" / "reference" / "names.json"
    return decoded.names_of(beside) if beside.exists() else {}


def run(argv):
    """Run the command until Ctrl-C; 2 when there is nothing to open."""
    parser = argparse.ArgumentParser(prog="python3 -m host_tools device watch", description=__doc__)
    parser.add_argument("--port", help="serial port (default: the only USB one)")
    parser.add_argument(
        "--names", type=Path, metavar="FILE", help="names.json of the build (default: build/reference/names.json)"
    )
    options = parser.parse_args(argv)
    try:
        watch(options.port, decoded.Decoder(names_beside(options.names)), stamped)
    except Trouble as trouble:
        print(f"ebb: {trouble}", file=sys.stderr)
        return trouble.code
    except (KeyboardInterrupt, BrokenPipeError):
        return 0
