"""The residual-current sensor: one input that says tripped, one output that asks it to trip itself."""

from machine import Pin


class ResidualCurrent:
    """Tripped is high: a broken wire reads as no trip, which the self-test before each session finds."""

    def __init__(self, tripped_pin, test_pin):
        self._tripped = Pin(tripped_pin, Pin.IN, Pin.PULL_DOWN)
        self._test = Pin(test_pin, Pin.OUT, value=0)

    def is_tripped(self):
        """Whether the sensor reports leakage now."""
        return self._tripped.value() == 1

    def test(self, is_asked):
        """Ask the sensor to trip itself, or stop asking."""
        self._test.value(1 if is_asked else 0)
