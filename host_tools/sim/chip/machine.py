"""`machine` of the virtual chip: the fake pins, and whatever the interpreter itself has."""

from fake_machine import ADC, PWM, Pin, freq, reset_cause, unique_id  # noqa: F401 - this module is the look-alike
