"""The clock of the virtual chip: what machine.RTC, time.time() and the certificates' dates all see.

A preloaded library (host_tools/chip.py, with_own_clock) adds the seconds in a file to the C library's time, which the
interpreter's `tls` asks. The file is the clock: it outlives the process, as the chip's clock outlives every reset but
a loss of the supply. The PC's 32-bit library ends in 2038, the chip's does not: a later date is one of the last century
here.
"""

import utime

ERA_S = 1 << 32


class Rtc:
    """Counts on at the chip's speed."""

    def __init__(self, path, is_felt, speed):
        """path: file of the offset (sim/rtc_file.py), opened now and kept; is_felt: the library is preloaded."""
        self._file = open(path, "r+b")  # noqa: SIM115 - as long as the chip runs
        self._offset_s = float(self._file.read())
        self._is_felt = is_felt
        self._speed = speed
        self._from_s = self._true_s()  # of the PC's clock
        self._at_s = self._from_s + self._offset_s  # of the chip's clock, then

    def _true_s(self):
        """The PC's clock."""
        return (utime.time() - (self._offset_s if self._is_felt else 0)) % ERA_S

    def now_s(self):
        """UTC seconds since 1970 with their fraction, as the chip believes."""
        true_s = self._true_s()
        now_s = self._at_s + (true_s - self._from_s) * self._speed
        if self._speed != 1:
            self._felt_from_now(now_s - true_s)  # the library knows no speed: certificates see the last look
        return now_s

    def set_s(self, wall_s):
        """Set it."""
        self._from_s = self._true_s()
        self._at_s = wall_s
        self._felt_from_now(wall_s - self._from_s)

    def _felt_from_now(self, offset_s):
        """Tell the library, in one write of one length: it may read at any instant."""
        text = "%+020.3f\n" % offset_s
        self._file.seek(0)
        self._file.write(text.encode())
        self._file.flush()
        self._offset_s = float(text)
