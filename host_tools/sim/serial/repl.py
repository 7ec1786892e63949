"""MicroPython's prompt on the virtual chip: friendly, raw and raw-paste, as docs.micropython.org describes them."""

import io
import select
import struct
import sys

import machine

HERE = "serial/repl.py"
WINDOW = 1024
POLL_MS = 20
RAW_BANNER = b"raw REPL; CTRL-B to exit\r\n"
BANNER = b"\r\nMicroPython virtual ebb chip; type help() for nothing more\r\n"


class SoftReset(Exception):
    """Ctrl-D at an empty prompt, or sys.exit()."""


def traceback_of(error):
    """What the chip would print: without the frames of this harness."""
    text = io.StringIO()
    sys.print_exception(error, text)
    return "".join(line + "\n" for line in text.getvalue().splitlines() if HERE not in line)


class Prompt:
    """Reads the serial line byte by byte; timers run while it waits."""

    def __init__(self, names, told):
        """names: globals of what is run; told: function (is_busy)."""
        self._names = names
        self._told = told
        self._poll = select.poll()
        self._poll.register(sys.stdin, select.POLLIN)
        self._lines = []

    def _byte(self):
        """The next byte; a Ctrl-C that came too late for the program is one too."""
        while True:
            try:
                machine.run_timers()  # also while bytes come without a pause
                if self._poll.poll(POLL_MS):
                    byte = sys.stdin.buffer.read(1)
                    if not byte:
                        sys.exit(0)
                    return byte
            except KeyboardInterrupt:
                return b"\x03"

    def _run(self, source, mode, is_raw):
        """Run source, text or bytes; in raw mode errors follow a Ctrl-D."""
        error = None
        try:
            self._told(True)  # a Ctrl-C is for this program from here on, also where that comes before its first line
            if is_raw:
                source = source.decode()
            exec(compile(source, "<stdin>", mode), self._names)
        except SystemExit:
            error = SoftReset()
        except BaseException as found:  # whatever a person typed
            error = found
        try:
            self._told(False)
        except KeyboardInterrupt as late:  # it came just before
            error = error or late
            self._told(False)
        if is_raw:
            sys.stdout.buffer.write(b"\x04")
        if isinstance(error, SoftReset):
            raise error
        if error is not None:
            sys.stdout.write(traceback_of(error))
        if is_raw:
            sys.stdout.buffer.write(b"\x04")

    def raw(self):
        """Raw mode until Ctrl-B. Errors: SoftReset."""
        out = sys.stdout.buffer
        out.write(RAW_BANNER)
        while True:
            out.write(b">")
            source = bytearray()
            while True:
                byte = self._byte()
                if byte == b"\x01":
                    source = bytearray()
                    out.write(RAW_BANNER + b">")
                elif byte == b"\x02":
                    out.write(b"\r\n")
                    return
                elif byte == b"\x03":
                    source = bytearray()
                elif byte == b"\x04":
                    break
                elif byte == b"\x05" and not source:
                    if self._pasted():
                        break
                else:
                    source += byte
            if byte == b"\x04":
                out.write(b"OK")
                if not source:
                    out.write(b"\r\n")
                    raise SoftReset()
                self._run(source, "exec", True)

    def _pasted(self):
        """Raw-paste mode: A 1 is answered with a window; what follows is run. False when another thing was asked."""
        out = sys.stdout.buffer
        if self._byte() != b"A" or self._byte() != b"\x01":
            out.write(b"R\x00")
            return False
        out.write(b"R\x01" + struct.pack("<H", WINDOW) + b"\x01")
        source = bytearray()
        while True:
            byte = self._byte()
            if byte == b"\x04":
                break
            if byte == b"\x03":
                out.write(b"\x04")
                return True
            source += byte
            if len(source) % WINDOW == 0:
                out.write(b"\x01")
        out.write(b"\x04")
        self._run(source, "exec", True)
        return True

    def friendly(self):
        """Lines with an echo until Ctrl-A. Errors: SoftReset."""
        out = sys.stdout.buffer
        out.write(BANNER)
        block = ""
        while True:
            out.write(b"... " if block else b">>> ")
            line = self._line()
            if line is None:
                self.raw()
                out.write(BANNER)
                block = ""
                continue
            block += line
            if block.rstrip().endswith(":") or (block.count("\n") and line.strip()):
                block += "\n"
                continue
            if block.strip():
                self._run(block, "single" if "\n" not in block else "exec", False)
            block = ""

    def _line(self):
        """One line, or None for Ctrl-A. Errors: SoftReset."""
        out = sys.stdout.buffer
        line = bytearray()
        while True:
            byte = self._byte()
            if byte == b"\x01":
                return None
            if byte == b"\x04" and not line:
                out.write(b"\r\n")
                raise SoftReset()
            if byte in b"\x02\x03":
                line = bytearray()
                out.write(b"\r\n>>> ")
            elif byte in b"\r\n":
                out.write(b"\r\n")
                return line.decode()
            elif byte in b"\x08\x7f":
                if line:
                    line = line[:-1]
                    out.write(b"\x08 \x08")
            elif byte >= b" " or byte == b"\t":
                line += byte
                out.write(byte)
