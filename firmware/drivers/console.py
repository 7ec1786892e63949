"""The serial console as bytes, while a set-up over it is allowed."""

import select
import sys

import micropython

MOST_AT_ONCE = 64
CTRL_C = 3
STOP = b"\r\x03"


class Console:
    """read() and write() between open() and close(); only then is Ctrl-C a byte like others, as frames need it."""

    def __init__(self):
        self._poller = self._ear = None

    def open(self):
        """Take the bytes from the prompt."""
        if self._poller is None:
            self._poller = select.poll()
            self._poller.register(sys.stdin, select.POLLIN)
            micropython.kbd_intr(-1)

    def close(self):
        """Give them back."""
        if self._poller is not None:
            self._poller = None
            micropython.kbd_intr(CTRL_C)

    def read(self):
        """What is there now, at most 64 bytes, without waiting."""
        made = b""
        while self._poller is not None and len(made) < MOST_AT_ONCE and self._poller.poll(0):
            byte = sys.stdin.buffer.read(1)
            if not byte:
                break
            made += byte
            if made == STOP:
                break  # mpremote writes on at once, and what follows is the prompt's
        return made

    def heard(self):
        """As read(), while the line is the prompt's, which waits for it: a Ctrl-C among the bytes ends the firmware."""
        if self._ear is None:
            self._ear = select.poll()
            self._ear.register(sys.stdin, select.POLLIN)
        made = b""
        while len(made) < MOST_AT_ONCE and self._ear.poll(0):
            byte = sys.stdin.buffer.read(1)
            if not byte:
                break
            made += byte
        return made

    def write(self, payload):
        """One whole frame."""
        sys.stdout.buffer.write(payload)
