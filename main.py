"""Second thing after a reset: run the firmware for ever; an error restarts the chip, Ctrl-C leaves it at its prompt."""

import sys


def run():
    """The firmware, until it ends by an error or a person ends it."""
    try:
        import starter

        # What this box is. A PC names the file on the command line; on the chip it lies beside this one.
        config = starter.config_of(sys.argv[1] if len(sys.argv) > 1 else "/box.json")
        del starter, sys.modules["starter"]
        from firmware import app

        app.run(config)
    except KeyboardInterrupt:
        import micropython

        micropython.kbd_intr(-1)  # a second Ctrl-C in here would leave a watchdog that nobody feeds
        import starter

        starter.hold()
        micropython.kbd_intr(3)
    except Exception as error:
        import starter

        starter.crashed(error)


# On the chip boot.py has run in these names; on a PC it was imported, and stands for itself.
if globals().get("MAY_START", True):
    run()
else:
    print("main: there is no firmware that may be started; the contactor is open.")
