"""First thing after every reset: both coil pins low, before anything that could fail is read or imported."""

from machine import Pin

# The reference board's coil pins (hardware/boards/reference.json). A board file may name others: they are driven low
# as well, but these two never wait for a file to be readable.
COIL_PINS = (11, 12)


def open_contactor(numbers):
    """Drive each pin low; a pin that does not exist on this board changes nothing."""
    for number in numbers:
        try:
            Pin(number, Pin.OUT, value=0)
        except ValueError:
            print("boot: no pin", number)


open_contactor(COIL_PINS)
