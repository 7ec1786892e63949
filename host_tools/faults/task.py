"""Task `faults`: every fault in every state, in pairs and at random, under the oracle; and no trip in healthy hours."""

import argparse
import random
import sys
from pathlib import Path

from host_tools import bootstrap, jobs

SHRUNK_MOST = 12


def seed_of_commit():
    """The seed that CI uses: the commit id as a number; 0 outside a repository."""
    made = jobs.commit().rstrip("+")
    return 0 if made == "none" else int(made, 16)


def logged(plan, counts, seconds):
    """Add one line to docs/campaigns.csv."""
    columns = {"runs": counts["runs"], "ticks": counts["ticks"], "on_at_first_fault_permille": on_permille(counts)}
    columns |= {"of_10_min": counts["long"], "finds": counts["finds"], "seconds": round(seconds)}
    jobs.logged(plan.kind, plan.seed, columns)


def on_permille(counts):
    """Share of sequences whose coil was on at their first fault."""
    return round(1000 * counts["on_at_first_fault"] / max(1, counts["with_fault"]))


def report(plan, progress):
    """Print the figures, one a line; write and print the shortest stories. Returns whether nothing was found."""
    from host_tools.faults import campaign, story

    counts, seconds = progress.counts, progress.spent_s()
    print(f"faults_{plan.kind}_seed: {plan.seed}")
    print(f"faults_{plan.kind}_runs: {counts['runs']} sequences")
    print(f"faults_{plan.kind}_ticks: {counts['ticks']} ticks")
    print(f"faults_{plan.kind}_on_at_first_fault: {on_permille(counts)} permille")
    print(f"faults_{plan.kind}_of_10_min: {counts['long']} sequences")
    print(f"faults_{plan.kind}_rate: {counts['runs'] / max(0.1, seconds):.0f} per s")
    print(f"faults_{plan.kind}_finds: {counts['finds']} sequences")
    for number, find in enumerate(progress.finds()[:SHRUNK_MOST]):
        short = story.shrunk(find.story, find.words)
        text = story.told(short, story.played(short) or find.words)
        path = campaign.FOLDER / f"find_{plan.kind}_{number}.scenario"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        print(f"\n{find.times} times, {path.relative_to(bootstrap.ROOT)}:\n{text}", end="", flush=True)
    return not counts["finds"]


def ran(kind, seed, runs, is_continued):
    """Run one campaign; returns whether nothing was found."""
    from host_tools.faults import campaign, states

    broken = []
    made = states.stored(broken)
    print(f"faults_states: {len(made)} states, {sum(state.is_on for state in made)} with the coil on")
    for name, words in broken:
        print(f"no state '{name}': {words}")
    plan = campaign.plan_of(kind, seed, made, runs)
    progress = campaign.Progress(plan, campaign.FOLDER / f"{kind}.json")
    if is_continued:
        progress.resumed()
    campaign.run(plan, made, progress)
    is_good = report(plan, progress)
    logged(plan, progress.counts, progress.spent_s())
    return is_good and not broken


def told(path):
    """Play a story file under the oracle; returns whether nothing breaks."""
    from host_tools.faults import story

    words = story.played(story.read(path.read_text()))
    print(f"{path}: {words or 'nothing breaks'}")
    return not words


def run(argv):
    """Run the task; exit 0 only when nothing was found."""
    parser = argparse.ArgumentParser(prog="python3 -m host_tools faults", description=__doc__)
    parser.add_argument("--single", action="store_true", help="every fault in every stored state")
    parser.add_argument("--pairs", action="store_true", help="all ordered pairs of faults in a few states")
    parser.add_argument("--random", type=int, default=0, metavar="N", help="N random sequences")
    parser.add_argument("--healthy", type=float, default=0, metavar="HOURS", help="nothing may trip in so many hours")
    parser.add_argument("--story", type=Path, metavar="FILE", help="play a story that a campaign wrote")
    parser.add_argument("--continue", dest="is_continued", action="store_true", help="go on with the same seed")
    parser.add_argument("--seed", type=int, help="default: drawn, and printed; with --continue: that of the file")
    options = parser.parse_args(argv)
    sys.path.insert(0, str(bootstrap.ROOT))
    results = []
    if options.story:
        results.append(told(options.story))
    for kind, is_wanted in (("single", options.single), ("pairs", options.pairs), ("random", options.random)):
        if is_wanted:
            seed = options.seed if options.seed is not None else drawn_seed(kind, options.is_continued)
            results.append(ran(kind, seed, options.random, options.is_continued))
    if options.healthy:
        from host_tools.faults import healthy

        results.append(healthy.report(options.healthy, options.seed or drawn_seed("healthy", False)))
    if not results:
        parser.print_help()
        return 2
    return 0 if all(results) else 1


def drawn_seed(kind, is_continued):
    """A seed of chance, or that of the campaign that is to go on."""
    import json

    from host_tools.faults import campaign

    path = campaign.FOLDER / f"{kind}.json"
    if is_continued and path.exists():
        return json.loads(path.read_text())["plan"][1]
    return random.SystemRandom().randrange(1 << 31)
