"""The contactor as a lease: an enable pin that opens at once, an edge each tick that keeps the charge pump up; and what
its mirror contact and the detectors behind its poles say.
"""

import time

from machine import Pin

LEASE_MS = 200  # the pump holds 200–300 ms (architecture, one tick): after this long nobody knows
BRIDGE_EDGE_US = 10_000
BRIDGE_EDGES = (
    150  # 1.5 s at the most (micropython.md, the chip); a finite train on the chip is to be proved on a board
)


class Contactor:
    """The pump drops the coil 200–300 ms after the last edge, whatever Python does (architecture, one tick)."""

    def __init__(self, pins):
        self._enable = Pin(pins.coil_enable, Pin.OUT, value=0)
        self._heartbeat = Pin(pins.coil_heartbeat, Pin.OUT, value=0)
        self._feedback = Pin(pins.feedback, Pin.IN, Pin.PULL_UP)
        # A broken wire reads as dead: the next closing finds a pole that does not come (faults.md K2).
        self._poles = [
            (1 << bit, Pin(pin, Pin.IN, Pin.PULL_DOWN))
            for bit, pin in enumerate((pins.live_l1, pins.live_l2, pins.live_l3, pins.live_n))
            if pin is not None
        ]
        self._is_asked = False
        self._level = 0
        self._number = pins.coil_heartbeat
        self._edge_ms = time.ticks_ms()  # of the last edge, also of one that a train will make
        self._train = None

    def renew(self):
        """Keep the coil for one more lease."""
        self._is_asked = True
        if self._train is not None and not self._is_over(self._train):
            self._enable.value(1)  # a lease until the end of the train, and no longer
            return
        self._enable.value(1)
        self._level ^= 1
        self._heartbeat.value(self._level)
        self._edge_ms = time.ticks_ms()

    def bridge(self):
        """Pulses that the chip sends without Python and that end by themselves, before a stall that is known of."""
        from esp32 import RMT

        self._train = RMT(0, pin=Pin(self._number), clock_div=80)  # 1 us a step
        self._train.write_pulses([BRIDGE_EDGE_US] * BRIDGE_EDGES, 1)
        self._edge_ms = time.ticks_add(time.ticks_ms(), BRIDGE_EDGE_US // 1000 * BRIDGE_EDGES)

    def _is_over(self, train):
        """Whether the train has ended; then the pin is the tick's again."""
        if not train.wait_done(timeout=0):
            return False
        train.deinit()
        self._train = None
        self._heartbeat = Pin(self._number, Pin.OUT, value=self._level)
        return True

    def open(self):
        """Drop the coil now."""
        self._is_asked = False
        self._enable.value(0)

    def rest(self):
        """Drop the coil, and leave nothing that could move its pins without the program."""
        self.open()
        if self._train is not None:
            self._train.deinit()
            self._train = None
        self._level = 0
        self._heartbeat = Pin(self._number, Pin.OUT, value=0)

    def is_enabled(self):
        """What the enable pin reads back. After a stall longer than the lease it is let go: nothing closes unasked."""
        if self._is_asked and time.ticks_diff(time.ticks_ms(), self._edge_ms) > LEASE_MS:
            self.open()
        return self._enable.value() == 1

    def is_pulled_in(self):
        """The mirror contact pulls its input low while the contactor is open; a broken wire reads as pulled in."""
        return self._feedback.value() == 1

    def live_poles(self):
        """Bits L1=1 L2=2 L3=4 N=8 of poles with voltage behind the contactor."""
        mask = 0
        for bit, pin in self._poles:
            if pin.value():
                mask |= bit
        return mask
