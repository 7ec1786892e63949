"""Command `device issuers`: who may sign commands for one box, put on it over its cable; or nobody any more."""

import argparse
import sys

from firmware.connections import ISSUERS
from host_tools.device import asked, backup, box_file, flash
from host_tools.device.esptool_call import Trouble
from host_tools.grid import keys

PATH = "/data/" + ISSUERS
REMOVE_CODE = f"import os\ntry: os.remove({PATH!r})\nexcept OSError: pass\nprint({ISSUERS!r} in os.listdir('/data'))"


def taught(port, folder, is_forced=False):
    """Put the keys of a folder on the board, or with None take all away; the box's id. Errors: Trouble."""
    with box_file.stopped(port, asked.guard(is_forced)) as prompt:
        backup.about(prompt)  # a board without its data is told so
        box = box_file.parsed(prompt.read(box_file.BOX), box_file.BOX).get("box")
        if not box_file.is_box_id(box):
            raise Trouble("the board is no box yet: device provision gives it an id.", code=2)
        if folder is None:
            if prompt.run(REMOVE_CODE).strip() != "False":
                raise Trouble(f"{PATH} cannot be taken away.")
            return box
        try:
            content = keys.box_file_of(folder, box)
        except (keys.BadKeys, OSError) as error:
            raise Trouble(f"{error} Nothing was changed.", code=2) from None
        box_file.replace(prompt, {PATH: content})
    return box


def run(argv):
    """Run the command; 0 when the board knows the keys, 2 when nothing was begun."""
    parser = argparse.ArgumentParser(prog="python3 -m host_tools device issuers", description=__doc__)
    parser.add_argument("--port", help="serial port (default: the only USB one)")
    chosen = parser.add_mutually_exclusive_group(required=True)
    chosen.add_argument("--keys", metavar="DIR", help="a folder of `grid keys`: its public keys, and the box's own")
    chosen.add_argument("--none", action="store_true", help="back to plain mode: the broker says who may command")
    parser.add_argument("--force", action="store_true", help=asked.HELP)
    options = parser.parse_args(argv)
    try:
        box = taught(flash.find_port(options.port), None if options.none else options.keys, options.force)
    except Trouble as trouble:
        print(f"ebb: {trouble}", file=sys.stderr)
        return trouble.code
    print(f"{box}: " + ("plain mode again." if options.none else "only commands signed by one of these keys count."))
    return 0
