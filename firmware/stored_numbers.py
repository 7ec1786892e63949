"""The numbers that the chip keeps in its own store (NVS), such as the slot; written with the coil off alone.

Errors of each: ImportError on a PC, which has no such store; OSError, EBUSY while the coil is on (flash_gate.py).
"""

from firmware.services.flash_gate import gate


def set_number(key, number):
    """Store a number where it is another than before."""
    import starter

    gate.ask()
    starter.set_number(starter.memory(), key, number)


def number_of(key):
    """A stored number, 0 where there is none."""
    import starter

    gate.ask()
    return starter.number_of(starter.memory(), key)
