"""Task `soak`: hours in simulated time, of a whole life or of a dead network."""

import argparse
import random

from host_tools import dead_network


def run(argv):
    """Run the task; exit 0 only when nothing happened that must not."""
    parser = argparse.ArgumentParser(prog="python3 -m host_tools soak", description=__doc__)
    parser.add_argument("--hours", type=float, default=None, help="calendar hours: 10,000, or 24 of a dead network")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 31))
    parser.add_argument("--dead-network", action="store_true", help="names, broker and TLS fail in turn")
    parser.add_argument("--continue", dest="keep_going", action="store_true", help="go on where a run was broken off")
    options = parser.parse_args(argv)
    if options.dead_network:
        return 0 if dead_network.report(24.0 if options.hours is None else options.hours, options.seed) else 1
    from host_tools.soak import report

    hours = 10_000.0 if options.hours is None else options.hours
    return 0 if report.report(hours, options.seed, options.keep_going) else 1
