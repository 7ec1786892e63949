"""A board's MicroPython prompt over the serial line: run code and move files, through mpremote's own transport."""

import binascii
import contextlib
import hashlib
import io
import time
from pathlib import PurePosixPath

import serial
from mpremote.transport import TransportError, TransportExecError
from mpremote.transport_serial import SerialTransport

from host_tools.device import chips
from host_tools.device.esptool_call import NO_BOARD, SILENT, Trouble

READ_S = 5  # for one byte that must come
ANSWER_S = 20  # for the answer to a piece of code
INTERRUPTS = 4  # tries until a running firmware has let go
QUIET_S = 0.1  # nothing more comes
BANNER = b"raw REPL; CTRL-B to exit\r\n"
CHUNK = 1024
PIECE = 32 * 1024  # of a long file; it is closed after each

RESTART_CODE = """
import machine
try:
    import esp32
    store = esp32.NVS("ebb")
    store.set_i32("planned", 1)
    store.commit()
except Exception as error:
    print(error)
print("ebb-restarts")
machine.reset()
"""
RESTARTS = b"ebb-restarts"

HASH_CODE = """
import hashlib
def digest(path):
    made = hashlib.sha256()
    buffer = bytearray(1024)
    with open(path, "rb") as file:
        while True:
            count = file.readinto(buffer)
            if not count:
                return "".join("%02x" % byte for byte in made.digest())
            made.update(memoryview(buffer)[:count])
"""


def back_s():
    """How long a board may take from a reset to its prompt, whichever chip it has (hardware/chips)."""
    return max(chips.number(chips.loaded(name), "start.prompt_us", "worst") for name in chips.names()) / 1_000_000


class Line(SerialTransport):
    """mpremote's transport, whose whole deadline also holds against a board that never stops talking."""

    def read_until(self, min_num_bytes, ending, timeout=10, data_consumer=None, timeout_overall=None):
        """What comes until the ending, or until time is up."""
        if timeout_overall is None:
            return super().read_until(min_num_bytes, ending, timeout, data_consumer)
        end = time.monotonic() + timeout_overall
        made = b""
        while not made.endswith(ending) and time.monotonic() < end:
            made += self.serial.read(1)
        return made


def statement(piece):
    """Code that writes a piece of a file: base64, for most bytes of a build would take four characters each."""
    return f"f.write(a2b_base64({binascii.b2a_base64(piece, newline=False)!r}))"


class Prompt:
    """One connection. Entering it stops the firmware (the contactor opens) and does not reset the board."""

    def __init__(self, port, before=None):
        """before: function (open serial port) called while the firmware still runs; it may refuse. Errors: Trouble."""
        self.port = port
        self.before = None  # what it gave
        try:
            self._transport = Line(port, timeout=READ_S)
        except (TransportError, OSError, serial.SerialException):
            raise Trouble(
                f"nothing can be opened at {port}: is the board plugged in, or the port in use?", NO_BOARD, 2
            ) from None
        try:
            if before is not None:
                self.before = before(self._transport.serial)
            self._enter()
        except BaseException:
            self._transport.close()
            raise

    def _enter(self):
        """Ctrl-C until the prompt is there. Errors: Trouble."""
        for attempt in range(INTERRUPTS):
            self._transport.serial.write(b"\r\x03")
            time.sleep(0.1 + attempt * 0.5)
            try:
                with contextlib.redirect_stdout(io.StringIO()):  # mpremote prints what it did not understand
                    self._transport.enter_raw_repl(soft_reset=False, timeout_overall=READ_S)
                    self._settle()
                return
            except (Trouble, TransportError, OSError, serial.SerialException):
                continue
        raise Trouble(
            f"no MicroPython prompt at {self.port}: another program may hold the port, the baud rate may be wrong, or "
            "the board has no MicroPython yet (device flash).",
            SILENT,
            2,
        )

    def _settle(self):
        """What a busy board still answers to an earlier try is read away, and a word goes there and back. Errors:
        Trouble, TransportError.
        """
        line = self._transport.serial
        end = time.monotonic() + READ_S
        while time.monotonic() < end:
            time.sleep(QUIET_S)
            if not line.in_waiting:
                break
            line.read(line.in_waiting)
        line.write(b"\x01")  # the banner and the prompt anew
        if not self._transport.read_until(1, BANNER, timeout_overall=READ_S).endswith(BANNER):
            raise TransportError("no banner")
        word = f"ebb-{time.monotonic_ns()}"
        if self.run(f"print({word!r})", READ_S).strip() != word:
            raise TransportError("another answer")

    def interrupt(self):
        """Stop what runs, and be at the prompt again. Errors: Trouble."""
        self._enter()

    def soft_reset(self):
        """A fresh interpreter at the prompt: boot.py runs and main.py does not. Errors: Trouble."""
        wait_s = back_s()
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                self._transport.enter_raw_repl(soft_reset=True, timeout_overall=wait_s)
        except (TransportError, OSError, serial.SerialException):
            raise Trouble(
                f"the board at {self.port} does not come back from a soft reset within {wait_s:.0f} s."
            ) from None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """Leave the prompt; the board stays as it is."""
        try:
            if self._transport.in_raw_repl:
                self._transport.exit_raw_repl()
            self._transport.close()
        except (OSError, serial.SerialException):
            return  # the cable is gone already

    def run(self, code, answer_s=ANSWER_S):
        """What `code` prints, as text. Errors: Trouble with the board's last line when the code fails there."""
        try:
            self._transport.exec_raw_no_follow(code)
            said, wrong = self._transport.follow(answer_s)
        except (TransportError, OSError, serial.SerialException) as error:
            raise Trouble(f"the board at {self.port} fell silent ({error}).") from None
        if wrong:
            raise Trouble("the board says: " + wrong.decode(errors="replace").strip().splitlines()[-1])
        return said.decode(errors="replace").replace("\r\n", "\n")

    def put(self, path, content):
        """Write a file, its folders made as needed, and check its hash. Errors: Trouble."""
        folders = list(PurePosixPath(path).parents)[-2::-1]
        made = "import os\n" + "".join(f"try: os.mkdir({str(folder)!r})\nexcept OSError: pass\n" for folder in folders)
        # A file that an earlier run left open would be written over this one when its memory is collected. There may be
        # none (NameError), or another thing of that name; one that cannot be closed is damaged anyhow.
        self.run(
            made
            + "from binascii import a2b_base64\ntry: f.close()\nexcept (NameError, AttributeError, OSError): pass\n"
        )
        # Piece by piece: what was closed is on the flash, and a run after a pulled cable goes on behind it.
        for begin in range(self._there_b(path, content), max(1, len(content)), PIECE):
            self.run(f"f = open({path!r}, {'ab' if begin else 'wb'!r})")
            for start in range(begin, min(begin + PIECE, len(content)), CHUNK):
                self.run(statement(content[start : min(start + CHUNK, begin + PIECE)]))
            self.run("f.close()")
        if self.digests([path])[path] != hashlib.sha256(content).hexdigest():
            raise Trouble(f"{path} does not read back as it was written.")

    def _there_b(self, path, content):
        """How many bytes of a long content an earlier run has left there."""
        if len(content) <= PIECE:
            return 0
        size_b = int(self.run(f"try: print(os.stat({path!r})[6])\nexcept OSError: print(0)"))
        if not 0 < size_b < len(content):
            return 0
        return size_b if self.digests([path])[path] == hashlib.sha256(content[:size_b]).hexdigest() else 0

    def digests(self, paths):
        """{path: SHA-256 or None where there is no such file}."""
        found = {}
        self.run(HASH_CODE)
        for path in paths:
            said = self.run(f"try: print(digest({path!r}))\nexcept OSError: print('-')").strip()
            found[path] = None if said == "-" else said
        return found

    def read(self, path):
        """Content of a file as bytes, None where there is none. Errors: Trouble."""
        try:
            return self._transport.fs_readfile(path)
        except (TransportExecError, OSError) as error:
            if "ENOENT" in str(error) or isinstance(error, FileNotFoundError):
                return None
            raise Trouble(f"{path} cannot be read: {error}") from None
        except (TransportError, serial.SerialException) as error:
            raise Trouble(f"the board at {self.port} fell silent ({error}).") from None

    def remove(self, path):
        """Remove a file if it is there."""
        self.run(f"import os\ntry: os.remove({path!r})\nexcept OSError: pass")

    def restart(self):
        """Hard reset, which the firmware does not count as a crash; the connection is over.

        It waits for the first byte of the new start: who opened the port before that would talk to the old one.
        """
        try:
            self._transport.exec_raw_no_follow(RESTART_CODE)
            for ending in (RESTARTS, b"\n"):
                self._transport.read_until(1, ending, timeout_overall=READ_S)
            self._transport.serial.read(1)
        except (TransportError, OSError, serial.SerialException):
            pass  # the board may be gone before it has said so
        self._transport.in_raw_repl = False
        self.close()

    def lines(self, for_s):
        """Lines that the running program prints, as they come, for at most for_s seconds (None: for ever)."""
        end = None if for_s is None else time.monotonic() + for_s
        line = b""
        while end is None or time.monotonic() < end:
            line += self._transport.serial.read(1)
            if line.endswith(b"\n"):
                yield line.decode(errors="replace").rstrip()
                line = b""
