"""Second thing after a reset: run the firmware for ever; an error restarts the chip, Ctrl-C leaves it at its prompt.

Whatever ends the firmware leaves its outputs at rest, before anything is said or loaded (docs/faults.md X1).
"""

import sys


def start():
    """The firmware, until it ends by an error or a person ends it."""
    import starter

    # What this box is. A PC names the file on the command line; on the chip it lies beside this one.
    config = starter.config_of(sys.argv[1] if len(sys.argv) > 1 else "/box.json")
    del starter, sys.modules["starter"]
    import firmware

    if "feed" in config and hasattr(firmware, "feeds"):  # the app is long to load: its watchdog is fed meanwhile
        firmware.feeds.append(config["feed"])
    if config.get("has_wifi"):
        # Before the app: MicroPython's heap grows into the memory that the radio needs.
        from firmware.drivers import radio

        radio.switch_on()
    from firmware import app

    app.run(config)


def rest():
    """Contactor open, no PWM; no second Ctrl-C may end this or what follows, and leave a watchdog that nobody feeds."""
    hear(-1)
    from machine import Pin

    for number in globals().get("COIL_PINS", ()):
        try:
            Pin(number, Pin.OUT, value=0)
        except ValueError:  # boot.py has said so
            pass
    board = getattr(sys.modules.get("firmware.drivers.board"), "Board", None)
    last = getattr(board, "last", None)
    if last is not None:
        last.rest()


def hear(byte):
    """What stops a program from the keyboard: 3 is Ctrl-C, -1 nothing."""
    try:
        import micropython

        micropython.kbd_intr(byte)
    except ImportError:  # a PC's Python
        pass


def run():
    """Run for ever; every way out goes through rest()."""
    try:
        try:
            start()
        finally:
            rest()
    except KeyboardInterrupt:
        rest()  # once more: a second Ctrl-C may have come between
        import starter

        starter.hold()
    except Exception as error:
        import starter

        starter.crashed(error)
    finally:
        hear(3)


# On the chip boot.py has run in these names; on a PC it was imported, and stands for itself.
if globals().get("MAY_START", True):
    run()
else:
    print("main: there is no firmware that may be started; the contactor is open.")
