"""Task `device`: the table of what is done for a real board: name, module, one line of help."""

import importlib
import sys

COMMANDS = (
    ("build", "host_tools.device.build", "the tree as it lies on the chip, the same to the byte each time"),
    (
        "image",
        "host_tools.device.image",
        "a maker's own MicroPython image with the modules frozen: its folder, its build",
    ),
    (
        "image-update",
        "host_tools.device.image_bundle",
        "such an image and its slot, signed, as an update over the network",
    ),
    ("keys", "host_tools.device.keys", "the maker's pair of keys for updates: one to sign with, one to build in"),
    ("flash", "host_tools.device.flash_task", "an empty chip becomes a ticking box: MicroPython, partitions, firmware"),
    ("update", "host_tools.device.update", "a signed update into the other slot, and a start on trial"),
    ("divide", "host_tools.device.divide", "an older box without room for it gets its flash divided, over this PC"),
    ("provision", "host_tools.device.provision", "an id and secrets for one box, and its label"),
    ("issuers", "host_tools.device.issuers", "who may sign the commands of the grid for one box"),
    ("settings", "host_tools.device.settings", "read and change any setting of a running box over the cable"),
    ("watch", "host_tools.device.watch", "what the running firmware says, in words, without stopping it"),
    ("backup", "host_tools.device.backup", "settings and facts of one box into a file, and back"),
    ("doctor", "host_tools.device.doctor", "what is wrong with a board, in plain words"),
    ("prove", "host_tools.device.prove", "what only a board can answer, as a report that may be sent to anybody"),
    ("calibrate", "host_tools.device.calibrate", "the board's own scales of pilot and current, against a meter"),
    ("test", "host_tools.device.unit_tests", "the unit tests and the cost of a tick, on the board itself"),
)


def run(argv):
    """Run one command; returns its exit code (0 only on success)."""
    if not argv or argv[0] in ("-h", "--help"):
        print("usage: python3 -m host_tools device <command> [options]\n")
        for name, _, words in COMMANDS:
            print(f"  {name:<12} {words}")
        print("\n--help after a command tells its options.")
        return 0 if argv else 2
    for name, module, _ in COMMANDS:
        if name == argv[0]:
            return importlib.import_module(module).run(argv[1:])
    print(
        f"ebb: there is no device command '{argv[0]}'; 'python3 -m host_tools device --help' lists them.",
        file=sys.stderr,
    )
    return 2
