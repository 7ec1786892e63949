"""Task `soak`: hours in simulated time."""

import argparse
import random

from host_tools import dead_network


def run(argv):
    """Run the task; exit 0 only when nothing happened that must not."""
    parser = argparse.ArgumentParser(prog="python3 -m host_tools soak", description=__doc__)
    parser.add_argument("--hours", type=float, default=24)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 31))
    options = parser.parse_args(argv)
    return 0 if dead_network.report(options.hours, options.seed) else 1
