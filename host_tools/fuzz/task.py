"""Task `fuzz`: broken inputs for every parser that meets bytes from outside; each find is shown as short as it gets."""

import argparse
import random
import sys
import time
from collections import Counter

from host_tools import jobs
from host_tools.fuzz import campaign, targets

SHOWN = 12
SHOWN_B = 200


def report(count, seed, keep_going):
    """Print the figures of `count` inputs; True when nothing was found.

    keep_going: take what an earlier, broken-off run of the same sources and seed has left.
    """
    begun_s = time.monotonic()
    print(f"fuzz_seed: {seed} seed")
    parts = campaign.jobs_of(count, seed)
    results = jobs.Results(f"fuzz-{count}", seed, keep_going, jobs.FOLDER if len(parts) > 20 else None)
    made = jobs.done(parts, campaign.batch, results)
    found = []
    for name, share in targets.shares(count).items():
        counts = Counter()
        for part, result in made.items():
            if part.split(" ")[0] == name:
                counts.update(result["counts"])
                found += [(name, words, hexed) for words, hexed in result["found"]]
        print(f"fuzz_{name}: {sum(counts.values())} inputs, {len(counts)} kinds of outcome")
        if sum(counts.values()) != share:
            raise SystemExit(f"ebb: {name} tried {sum(counts.values())} of {share} inputs")
    seconds = time.monotonic() - begun_s
    print(f"fuzz_inputs: {count} inputs")
    print(f"fuzz_rate: {count / max(0.1, seconds):.0f} per s")
    print(f"fuzz_finds: {len(found)} inputs")
    told(found)
    jobs.logged("fuzz", seed, {"runs": count, "finds": len(found), "seconds": round(seconds)})
    return not found


def told(found):
    """Print each kind of find once, with the shortest input for it."""
    seen = set()
    for name, words, hexed in found:
        if (name, words) not in seen and len(seen) < SHOWN:
            seen.add((name, words))
            octets = campaign.shortest(name, bytes.fromhex(hexed))
            print(f"{name}: {words}\n  --show {name}:{octets.hex()}\n  {octets[:SHOWN_B]!r}")


def shown(text):
    """Try one input again, told as target:hex; whether nothing is wrong with it."""
    name, _, hexed = text.partition(":")
    octets = bytes.fromhex(hexed)
    tested = targets.target(name)
    words = campaign.words_of(tested, octets)
    print(f"{name}: {words or tested.tried(octets)}")
    return not words


def run(argv):
    """Run the task; exit 0 only when nothing was found."""
    parser = argparse.ArgumentParser(prog="python3 -m host_tools fuzz", description=__doc__)
    parser.add_argument("--count", type=int, default=1_000_000, help="inputs over all parsers")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 31))
    parser.add_argument("--continue", dest="keep_going", action="store_true", help="go on where a run was broken off")
    parser.add_argument("--show", metavar="TARGET:HEX", help="try one input again")
    parser.add_argument("--guided", type=int, metavar="SECONDS", help="of each parser, guided by coverage (atheris)")
    parser.add_argument("--only", choices=[row[0] for row in targets.TARGETS], help="with --guided: this parser alone")
    options = parser.parse_args(argv)
    if options.show:
        return 0 if shown(options.show) else 1
    sys.stdout.reconfigure(line_buffering=True)
    if options.guided:
        from host_tools.fuzz import guided

        names = [options.only] if options.only else [row[0] for row in targets.TARGETS]
        return 0 if guided.report(names, options.guided, options.seed) else 1
    return 0 if report(options.count, options.seed, options.keep_going) else 1
