"""The contactor as a lease: an enable pin that opens at once, and an edge each tick that keeps the charge pump up."""

from machine import Pin


class Contactor:
    """The pump drops the coil 200–300 ms after the last edge, whatever Python does (architecture, one tick)."""

    def __init__(self, enable_pin, heartbeat_pin):
        self._enable = Pin(enable_pin, Pin.OUT, value=0)
        self._heartbeat = Pin(heartbeat_pin, Pin.OUT, value=0)
        self._level = 0

    def renew(self):
        """Keep the coil for one more lease."""
        self._enable.value(1)
        self._level ^= 1
        self._heartbeat.value(self._level)

    def open(self):
        """Drop the coil now."""
        self._enable.value(0)

    def is_enabled(self):
        """What the enable pin reads back."""
        return self._enable.value() == 1
