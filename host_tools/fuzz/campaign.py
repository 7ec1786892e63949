"""Numbered jobs of a fuzz campaign: each mutates its own pool of inputs, which grows with every new kind of outcome."""

import random
from collections import Counter

from host_tools.fuzz import mutation, targets
from host_tools.fuzz.broken import Broken

BATCH = 100_000
MOST_FINDS = 5  # of one job; one parser with a bug has thousands
OWN = 0.4  # share of inputs that a target makes itself
FRESH = 0.2  # share of mutations that start from a seed again


def batch(job):
    """{counts: {label: times}, found: [[words, hex]]} of a job (target, seed, first, last)."""
    name, seed, first, last = job
    tested = targets.target(name)
    chance = random.Random(f"{seed}:{name}:{first}").random
    seeds = tested.seeds()
    pool = list(seeds)
    counts, found = Counter(), []
    inputs = iter(seeds if first == 0 else ())
    for _ in range(first, last):
        octets = next(inputs, None)
        if octets is None:
            octets = drawn(tested, chance, seeds if chance() < FRESH else pool)
        label = outcome(tested, octets)
        if label is None:
            counts["FOUND"] += 1
            if len(found) < MOST_FINDS:
                found.append([words_of(tested, octets), octets.hex()])
            continue
        if label not in counts and len(pool) < mutation.MOST_POOL:
            pool.append(octets)
        counts[label] += 1
    return {"counts": dict(counts), "found": found}


def drawn(tested, chance, pool):
    """One input: an old one changed, or one of the target's own making where it has such."""
    own = getattr(tested, "fresh", None)
    if own is not None and chance() < OWN:
        return own(chance)
    return tested.repaired(mutation.mutated(chance, pool, tested.TOKENS), chance)


def outcome(tested, octets):
    """Label of one input; None when something came out that should not."""
    try:
        return tested.tried(octets)
    except Exception:  # exactly this is looked for
        return None


def words_of(tested, octets):
    """What came out of one input, "" for nothing."""
    try:
        tested.tried(octets)
    except Broken as error:
        return str(error)
    except Exception as error:
        trace = error.__traceback__
        while trace.tb_next:
            trace = trace.tb_next
        return f"{type(error).__name__}: {error} (line {trace.tb_lineno} of {trace.tb_frame.f_code.co_filename[-40:]})"
    return ""


def shortest(name, octets):
    """The shortest input that ends in the same words."""
    tested = targets.target(name)
    words = words_of(tested, octets)
    return mutation.shrunk(octets, lambda less: words_of(tested, less) == words)


def jobs_of(count, seed):
    """[(name, job)] of a campaign."""
    made = []
    for name, share in targets.shares(count).items():
        for first in range(0, share, BATCH):
            made.append((f"{name} {first}", (name, seed, first, min(first + BATCH, share))))
    return made
