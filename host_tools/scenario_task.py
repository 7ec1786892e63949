"""Task `scenario`: run scenario text in simulated time."""

import argparse
import sys
from pathlib import Path

from host_tools import bootstrap


def run(argv):
    """Run the task; exit 1 when an expectation fails or a file cannot be understood."""
    parser = argparse.ArgumentParser(prog="python3 -m host_tools scenario", description=__doc__)
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
    parser.add_argument("--trace", type=Path, metavar="OUT", help="write what happened, one edge a line")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(argv)
    sys.path.insert(0, str(bootstrap.ROOT))
    from host_tools.sim.scenario import BadScenario, Scenario

    traces = []
    for file in options.files:
        try:
            traces.append(Scenario(str(file), file.read_text(), options.seed).run().trace())
            print(f"{file}: as expected")
        except (BadScenario, OSError, UnicodeDecodeError) as error:
            print(f"ebb: {error}", file=sys.stderr)
            return 1
    if options.trace:
        options.trace.write_text("".join(traces))
    return 0
