"""The firmware's end of the wire to a plant in another process; runs on MicroPython and CPython.

Reads are fetched a tick at a time: the sequence of reads of the last tick is asked for at once, so that a tick costs
one exchange and not one for each of its hundred ADC reads.
"""

import _thread
import socket
import struct
import time

import chip_clock

try:
    from utime import sleep_ms
except ImportError:  # CPython

    def sleep_ms(ms):
        """Wait so long in this process."""
        time.sleep(ms / 1000)


SEND_PIN, SEND_PWM, READ, TIME = 1, 2, 3, 4
WATCHDOG, FEED, STATE, RESET, RESYNC, PULSES, AIR = 5, 6, 7, 8, 9, 10, 11
SOFT, HARD = 1, 2
MARK = b"\x00again\xff\x01"
INTERRUPT = b"\x03"
ANALOG, DIGITAL = 0x80, 0x00
MOST_READS = 400
LOOP, LOOK_UP, FLASH = 1, 2, 3


def stall(kind):
    """What a program may do that never gives way; the bench asks for it (sim/link_server.py, STALLS)."""
    if kind == LOOP:
        begun = time.ticks_ms()
        while time.ticks_diff(time.ticks_ms(), begun) < 3000:
            pass
    elif kind == LOOK_UP:
        sleep_ms(3000)  # the process waits for a server that gives no answer
    elif kind == FLASH:
        sleep_ms(400)  # as sim/serial/flash_time.py lets flash commands take their time


class LinkWorld:
    """What fake_machine.world must offer, over one blocking socket on loopback."""

    def __init__(self, port):
        self._socket = socket.socket()
        self._socket.connect(socket.getaddrinfo("127.0.0.1", port)[0][-1])
        self._socket.setsockopt(6, 1, 1)  # TCP_NODELAY: an edge leaves at once
        self._lock = _thread.allocate_lock()  # a scan for networks asks from a thread of its own (drivers/wifi.py)
        self._quiet_pins = ()
        self._known = bytearray()
        self._asked = bytearray()
        self._answer = b""
        self._at = 0
        self.ahead_us = 0
        self._fetch(b"")  # from here on the chip's clock follows the plant's

    def keep_reading_through(self, pins):
        """Pins whose writes do not end a tick's reads (the reset of the peak detectors)."""
        self._quiet_pins = pins

    def _exact(self, count):
        """Exactly `count` bytes. Errors: OSError when the plant is gone."""
        made = b""
        while len(made) < count:
            part = self._socket.recv(count - len(made))
            if not part:
                raise OSError("the plant is gone")
            made += part
        return made

    def _asked_for(self, message, count):
        """The `count` bytes that answer a message. A Ctrl-C in between leaves the wire in order."""
        with self._lock:
            try:
                self._socket.send(message)
                return self._exact(count)
            except KeyboardInterrupt:
                self._socket.send(bytes((RESYNC,)))
                seen = b""
                while seen != MARK:
                    seen = (seen + self._socket.recv(1))[-len(MARK) :]
                self._answer = b""
                self._at = 0
                raise

    def _fetch(self, names):
        """Ask for reads, in order."""
        answer = self._asked_for(struct.pack("<BH", READ, len(names)) + bytes(names), 8 + 4 * len(names))
        now_us, now_ms = struct.unpack_from("<II", answer, 0)
        chip_clock.synced(now_us % chip_clock.PERIOD, now_ms % chip_clock.PERIOD)
        if answer[3] & 0x80:
            self._answer = b""
            self._at = 0
            raise KeyboardInterrupt()
        self._answer = answer
        self._at = 8
        stall(now_ms >> 30)

    def _read(self, name):
        """(value, cost_us) of one read, from what was fetched ahead where it fits."""
        asked = self._asked
        index = len(asked)
        if self._at < len(self._answer) and index < len(self._known) and self._known[index] == name:
            pass
        elif not asked and len(self._known) and self._known[0] == name:
            self._fetch(self._known)
        else:
            self._fetch(bytes((name,)))
        if index < MOST_READS:
            asked.append(name)
        at = self._at
        self._at = at + 4
        word = struct.unpack_from("<I", self._answer, at)[0]
        return word & 0xFFFFFF, word >> 24

    def read_uv(self, pin):
        """One ADC read."""
        value, cost_us = self._read(ANALOG | pin)
        self.ahead_us += cost_us
        return value

    def read_pin(self, pin):
        """One digital input."""
        return self._read(DIGITAL | pin)[0]

    def set_pin(self, pin, level):
        """Drive an output; sent at once, not answered."""
        self._socket.send(bytes((SEND_PIN, pin, level)))
        if pin not in self._quiet_pins:
            self._end_of_tick()

    def set_pwm(self, pin, duty_u16):
        """Drive the pilot; sent at once, not answered."""
        self._socket.send(bytes((SEND_PWM, pin, duty_u16 & 255, duty_u16 >> 8)))
        self._end_of_tick()

    def _end_of_tick(self):
        """What was read since the last write is what the next tick will read."""
        if self._asked:
            self._known, self._asked = self._asked, bytearray()
            self._answer = b""
            self._at = 0
            self.ahead_us = 0

    def wall_s(self):
        """The outside world's time, or None when nobody tells it."""
        return struct.unpack("<I", self._asked_for(bytes((TIME,)), 4))[0] or None

    # the chip beside its pins: only where the bench starts it anew

    def set_watchdog(self, timeout_ms):
        """From now on feed() must come within timeout_ms."""
        self._socket.send(struct.pack("<BH", WATCHDOG, timeout_ms))

    def feed(self):
        """One more timeout."""
        self._socket.send(bytes((FEED,)))

    def pulses(self, pin, count, each_us):
        """A train that needs no program; count 0 ends one."""
        self._socket.send(struct.pack("<BBHI", PULSES, pin, count, each_us))

    def is_air_dead(self):
        """Whether no access point answers."""
        return self._asked_for(bytes((AIR,)), 1) == b"\x01"

    def tell_state(self, is_busy):
        """Whether a program runs, which a Ctrl-C would end; answered, so that none comes late. KeyboardInterrupt: one
        that came before, as on the chip."""
        if self._asked_for(bytes((STATE, 1 if is_busy else 0)), 1) == INTERRUPT:
            raise KeyboardInterrupt()

    def soft_reset(self):
        """The interpreter starts anew; does not return."""
        self._socket.send(bytes((RESET, SOFT)))
        while True:
            time.sleep_ms(1000)

    def hard_reset(self):
        """The chip starts anew; does not return."""
        self._socket.send(bytes((RESET, HARD)))
        while True:
            time.sleep_ms(1000)
