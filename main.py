"""Second thing after a reset: read what this box is, build the app and run it for ever."""

import json
import sys

from firmware import app

# A PC names the file on the command line; on the chip it lies beside this one.
with open(sys.argv[1] if len(sys.argv) > 1 else "config.json") as file:
    app.run(json.load(file))
