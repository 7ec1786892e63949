"""Task `grid`: the operator's side."""

import importlib
import sys

COMMANDS = (("keys", "host_tools.grid.keys", "keys of an issuer, and of one box, for signed commands"),)


def run(argv):
    """Run one command; exit 2 for one that there is not."""
    for name, module, _ in COMMANDS:
        if argv[:1] == [name]:
            return importlib.import_module(module).run(argv[1:])
    print("usage: python3 -m host_tools grid <command> [options]\n")
    for name, _, words in COMMANDS:
        print(f"  {name:<10} {words}")
    if argv and argv[0] not in ("-h", "--help"):
        print(f"ebb: there is no command '{argv[0]}'.", file=sys.stderr)
    return 0 if argv and argv[0] in ("-h", "--help") else 2
