"""First thing after every reset: both coil pins low, before anything that could fail is read or imported."""

import sys

from machine import Pin

# The coil's pins of this board; `device build` writes those of the board it builds for.
COIL_PINS = (11, 12)


def open_contactor(numbers):
    """Drive each pin low; a pin that does not exist on this board changes nothing."""
    for number in numbers:
        try:
            Pin(number, Pin.OUT, value=0)
        except ValueError:
            print("boot: no pin", number)


open_contactor(COIL_PINS)

try:
    import starter

    starter.prepare()
    # Needed again only after trouble: its memory is the firmware's.
    del starter, sys.modules["starter"]
except Exception as error:  # a chip without its firmware still starts, with the contactor open
    print("boot: nothing to start:", error)
