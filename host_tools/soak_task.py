"""Task `soak`: hours in simulated time: a whole life, a dead network, the whole firmware on its interpreter."""

import argparse
import random

from host_tools import dead_network, whole_soak


def run(argv):
    """Run the task; exit 0 only when nothing happened that must not."""
    parser = argparse.ArgumentParser(prog="python3 -m host_tools soak", description=__doc__)
    parser.add_argument(
        "--hours", type=float, default=None, help="calendar hours: 10,000, 24 of a dead network, 100 of --whole"
    )
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 31))
    parser.add_argument("--dead-network", action="store_true", help="names, broker and TLS fail in turn")
    parser.add_argument("--whole", action="store_true", help="the whole firmware on the 32-bit interpreter: its heap")
    parser.add_argument("--tick-ms", type=int, default=whole_soak.TICK_MS, help="of --whole (default: %(default)s)")
    parser.add_argument("--real", action="store_true", help="with --whole: real sockets, TLS, viewers, and real time")
    parser.add_argument("--minutes", type=float, default=30, help="of --whole --real (default: %(default)s)")
    parser.add_argument("--continue", dest="keep_going", action="store_true", help="go on where a run was broken off")
    options = parser.parse_args(argv)
    if options.dead_network:
        return 0 if dead_network.report(24.0 if options.hours is None else options.hours, options.seed) else 1
    if options.whole and options.real:
        from host_tools import whole

        return 0 if whole.report(options.minutes) else 1
    if options.whole:
        hours = 100 if options.hours is None else int(options.hours)
        return 0 if whole_soak.report(hours, options.seed, options.tick_ms) else 1
    from host_tools.soak import report

    hours = 10_000.0 if options.hours is None else options.hours
    return 0 if report.report(hours, options.seed, options.keep_going) else 1
