"""Second thing after a reset: run the firmware for ever; an error restarts the chip, Ctrl-C leaves it at its prompt."""

import sys


def config():
    """What this box is. A PC names the file on the command line; on the chip it lies beside this one."""
    import starter

    made = starter.config_of(sys.argv[1] if len(sys.argv) > 1 else "/box.json")
    del sys.modules["starter"]
    return made


try:
    CONFIG = config()
    from firmware import app

    app.run(CONFIG)
except KeyboardInterrupt:
    import starter

    starter.hold()
except Exception as error:
    import starter

    starter.crashed(error)
