"""First thing after every reset: both coil pins low, before anything that could fail is read or imported."""

import sys

from machine import Pin

# The coil's pins of this board; `device build` writes those of the board it builds for.
COIL_PINS = (11, 12)
# Digest of starter.mpy, written by `device build`: code that flash has changed is never run. Empty on a PC.
STARTER_SHA256 = ""


def open_contactor(numbers):
    """Drive each pin low; a pin that does not exist on this board changes nothing."""
    for number in numbers:
        try:
            Pin(number, Pin.OUT, value=0)
        except ValueError:
            print("boot: no pin", number)


def is_starter_right():
    """Whether the starter is the one that was built with this file."""
    import hashlib

    with open("starter.mpy", "rb") as file:
        digest = hashlib.sha256(file.read(16384)).digest()
    return "".join("%02x" % byte for byte in digest) == STARTER_SHA256


open_contactor(COIL_PINS)

# main.py runs in the same names and starts nothing while this is False.
MAY_START = False
try:
    # A Ctrl-C in these few moments would leave half a start: it waits in line, and the starter looks for it.
    import micropython

    micropython.kbd_intr(-1)
except ImportError:  # a PC's Python
    micropython = None
try:
    if STARTER_SHA256 and not is_starter_right():
        raise OSError("starter.mpy is damaged; flash it again")
    import starter

    starter.prepare()
    # Needed again only after trouble: its memory is the firmware's.
    del starter, sys.modules["starter"]
    MAY_START = True
except Exception as error:  # a chip without its firmware still comes up, with the contactor open
    print("boot: nothing to start:", error)
if micropython is not None:
    micropython.kbd_intr(3)
del open_contactor, is_starter_right  # their memory is the firmware's
