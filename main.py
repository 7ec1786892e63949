"""Second thing after a reset: run the firmware for ever; an error restarts the chip, Ctrl-C leaves it at its prompt."""

import sys


def config():
    """What this box is. A PC names the file on the command line; on the chip it lies beside this one."""
    import starter

    made = starter.config_of(sys.argv[1] if len(sys.argv) > 1 else "/box.json")
    del sys.modules["starter"]
    return made


def run():
    """The firmware, until it ends by an error or a person ends it."""
    try:
        found = config()
        del globals()["config"]  # its memory is the firmware's
        from firmware import app

        app.run(found)
    except KeyboardInterrupt:
        import starter

        starter.hold()
    except Exception as error:
        import starter

        starter.crashed(error)


# On the chip boot.py has run in these names; on a PC it was imported, and stands for itself.
if globals().get("MAY_START", True):
    run()
else:
    print("main: there is no firmware that may be started; the contactor is open.")
