"""Task `updates`: tampered updates by the hundred thousand, none of which may be taken; one cut at every byte, one with
an app image cut inside every step."""

import argparse
import random
import time
from collections import Counter

from host_tools import jobs
from host_tools.updates import cuts, image_cuts, tampered

BATCH = 2500


def report(count, seed, keep_going):
    """Print the figures of `count` tampered updates; True when none was taken.

    keep_going: take what an earlier, broken-off run of the same sources and seed has left.
    """
    begun_s = time.monotonic()
    print(f"tampered_seed: {seed} seed")
    results = jobs.Results(f"tampered-{count}", seed, keep_going, jobs.FOLDER if count > BATCH * 2 else None)
    tampered.made(seed)  # the keys are made before the workers begin
    parts = [(str(first), (seed, first, min(first + BATCH, count))) for first in range(0, count, BATCH)]
    kinds, codes, found = Counter(), Counter(), []
    for result in jobs.done(parts, tampered.batch, results).values():
        kinds.update(result["kinds"])
        codes.update(result["codes"])
        found += result["found"]
    for name, value in (
        *sorted(kinds.items()),
        *((f"refused {code}", number) for code, number in sorted(codes.items())),
    ):
        print(f"tampered_{name.replace(' ', '_')}: {value} updates")
    for number, words in found[:20]:
        print(f"tampered_find: number {number} of seed {seed}: {words}")
    print(f"tampered_updates: {sum(kinds.values())} updates")
    print(f"tampered_accepted: {len(found)} updates")
    seconds = round(time.monotonic() - begun_s)
    jobs.logged("tampered", seed, {"runs": sum(kinds.values()), "finds": len(found), "seconds": seconds})
    return not found


def run(argv):
    """Run the task; exit 0 only when nothing was taken that should not be."""
    parser = argparse.ArgumentParser(prog="python3 -m host_tools updates", description=__doc__)
    parser.add_argument("--count", type=int, default=100_000, help="tampered updates")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 31))
    parser.add_argument("--continue", dest="keep_going", action="store_true", help="go on where a run was broken off")
    parser.add_argument("--cuts", action="store_true", help="instead: cut an update of 64 KiB at every byte")
    parser.add_argument(
        "--image-cuts", action="store_true", help="instead: cut one with an app image inside every step"
    )
    parser.add_argument("--step", type=int, default=1, help="with cuts: look at every so many flash operations")
    options = parser.parse_args(argv)
    if options.image_cuts:
        return 0 if image_cuts.report(options.seed, options.step) else 1
    if options.cuts:
        return 0 if cuts.report(options.seed, options.step) else 1
    return 0 if report(options.count, options.seed, options.keep_going) else 1
