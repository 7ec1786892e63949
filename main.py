"""Second thing after a reset: read what this box is, build the app and run it for ever."""

import json
import sys

# A PC names the file on the command line; on the chip it lies beside this one.
CONFIG_PATH = sys.argv[1] if len(sys.argv) > 1 else "config.json"

if __name__ == "__main__":
    from firmware import app

    with open(CONFIG_PATH) as file:
        config = json.load(file)
    app.run(config)
