"""Task `power_cuts`: the supply fails at and inside flash operations of a real littlefs while the box stores."""

import argparse
import sys
import time

from host_tools import bootstrap, jobs
from host_tools.faults.task import seed_of_commit

CUTS_A_JOB = 1000
FOLDER = jobs.FOLDER / "power_cuts"
SUMS = ("cuts", "inside", "in_erase", "second", "writes", "operations")


def work(job):
    """Counts of one job (seed, cuts); with a find its words are under "find"."""
    from host_tools.power_cuts.life import Life

    return lived(Life, job)


def ring_work(job):
    """The same of a journal on a flash that tears honestly."""
    from host_tools.power_cuts.ring_life import RingLife

    return lived(RingLife, job)


def together_work(job):
    """The same of journal and files on one such flash."""
    from host_tools.power_cuts.together import TogetherLife

    return lived(TogetherLife, job)


def lived(kind, job):
    """work() of this kind of life."""
    from host_tools.power_cuts.life import Broken

    seed, cuts = job
    life = kind(seed)
    try:
        life.run(cuts)
    except Broken as error:
        return {**life.counts, "find": f"seed {seed}, after {life.counts['cuts']} cuts: {error}"}
    return life.counts


def planned(seed, count):
    """[(name, (seed of the job, cuts))] of a campaign of `count` cuts."""
    sizes = [min(CUTS_A_JOB, count - at) for at in range(0, count, CUTS_A_JOB)]
    return [(f"{number}-{cuts}", (seed * 1_000_003 + number, cuts)) for number, cuts in enumerate(sizes)]


def report(seed, found, seconds, name="power_cuts"):
    """Print the figures, one a line; returns whether nothing was found. name: of the campaign in the log."""
    sums = {column: sum(one.get(column, 0) for one in found) for column in SUMS}
    finds = [one["find"] for one in found if "find" in one]
    print(f"power_cuts_seed: {seed}")
    print(f"power_cuts: {sums['cuts']} cuts")
    print(f"power_cuts_inside: {sums['inside']} cuts that tore a program or an erase")
    print(f"power_cuts_in_erase: {sums['in_erase']} cuts at or inside an erase")
    print(f"power_cuts_second: {sums['second']} cuts before anything was stored after the cut before")
    print(f"power_cuts_writes: {sums['writes']} files or records stored")
    print(f"power_cuts_operations: {sums['operations']} programs and erases")
    print(f"power_cuts_rate: {sums['cuts'] / max(0.1, seconds):.0f} per s")
    print(f"power_cuts_finds: {len(finds)} (unmountable, mixed, lost or counted twice)")
    for words in finds[:12]:
        print("  " + words)
    jobs.logged(
        name,
        seed,
        {"runs": sums["cuts"], "ticks": sums["operations"], "finds": len(finds), "seconds": round(seconds)},
    )
    return not finds


def run(argv):
    """Run the task; exit 0 only when nothing was found."""
    parser = argparse.ArgumentParser(prog="python3 -m host_tools power_cuts", description=__doc__)
    parser.add_argument("--count", type=int, default=20_000, metavar="N", help="cuts (default: %(default)s)")
    parser.add_argument("--continue", dest="is_continued", action="store_true", help="go on with the same seed")
    parser.add_argument("--seed", type=int, help="default: the commit's")
    parser.add_argument("--wear", action="store_true", help="erases a year instead, and years at 100,000 cycles")
    parser.add_argument("--energy", type=int, metavar="N", help="N cuts against the plant's truth instead")
    parser.add_argument("--chip", action="store_true", help="on the interpreter's own VfsLfs2 instead")
    parser.add_argument("--ring", action="store_true", help="the journal on a flash that tears honestly instead")
    parser.add_argument("--together", action="store_true", help="journal and files on one such flash instead")
    parser.add_argument("--moving", action="store_true", help="an older flash being divided, on VfsLfs2, instead")
    parser.add_argument("--capacity", action="store_true", help="hours of charging that the journal takes instead")
    options = parser.parse_args(argv)
    sys.path.insert(0, str(bootstrap.ROOT))
    seed = options.seed if options.seed is not None else seed_of_commit()
    if options.wear:
        from host_tools.power_cuts import wear

        return 0 if wear.report() else 1
    begun_s = time.monotonic()
    if options.energy:
        from host_tools.sim import fake_machine

        sys.modules.setdefault("machine", fake_machine)
        from host_tools.power_cuts import energy as campaign
    else:
        campaign = sys.modules[__name__]
    if options.capacity:
        from host_tools.power_cuts import capacity

        return 0 if capacity.report() else 1
    if options.chip:
        from host_tools.power_cuts import on_chip

        return run_apart("chip_cuts", on_chip.work, seed, options)
    if options.moving:
        from host_tools.power_cuts import on_chip

        return run_apart("moving_cuts", on_chip.moving_work, seed, options)
    if options.ring:
        return run_apart("ring_cuts", ring_work, seed, options)
    if options.together:
        return run_apart("together_cuts", together_work, seed, options)
    name = "energy_cuts" if options.energy else "power_cuts"
    results = jobs.Results(name, seed, options.is_continued, FOLDER)
    found = jobs.done(campaign.planned(seed, options.energy or options.count), campaign.work, results)
    return 0 if campaign.report(seed, list(found.values()), time.monotonic() - begun_s) else 1


def run_apart(name, work, seed, options):
    """A campaign of its own name; exit 0 only when nothing was found."""
    begun_s = time.monotonic()
    results = jobs.Results(name, seed, options.is_continued, FOLDER)
    found = jobs.done(planned(seed, options.count), work, results)
    return 0 if report(seed, list(found.values()), time.monotonic() - begun_s, name) else 1
