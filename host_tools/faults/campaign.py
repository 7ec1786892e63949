"""Campaigns over stored states: every single fault, all ordered pairs, random sequences; two workers, resumable."""

import json
import multiprocessing
import random
import time
from collections import Counter, namedtuple

from host_tools import bootstrap
from host_tools.faults import moves, story
from host_tools.faults.sequence import LEAST_MS, LONG_MS, Sequence, played

WORKERS = 2
CHUNK = 100
SHIFTS_MS = (0, 8, 16)  # where in the tick a single fault begins
DISTANCES_MS = (35, 1400)  # between the two faults of a pair: within the first one's deadline, and after it
PAIR_STATES = (
    "charging, polite (1)",
    "charging, slow (2)",
    "charging, stubborn (3)",
    "charging, simplified (1)",
    "soft start (2)",
    "closed just now (1)",
    "stopping, stubborn (2)",
    "stopping, slow (1)",
    "offered, asking (3)",
    "derated by heat (1)",
)
LONG_ONE_IN = 1000
ON_GOAL_PERMILLE = 800
ON_SHARE = 0.92  # of random sequences begin with the coil on
FOLDER = bootstrap.ROOT / ".cache" / "faults"

# kind: "single" | "pairs" | "random"; runs: how many in all
Plan = namedtuple("Plan", ("kind", "seed", "runs"))
Find = namedtuple("Find", ("words", "story", "times"))
_worker = {}


def plan_of(kind, seed, made, runs=0):
    """The Plan of a campaign over the stored states `made`."""
    if kind == "single":
        runs = len(made) * len(moves.SINGLES)
    elif kind == "pairs":
        runs = len(pair_states(made)) * len(moves.SINGLES) * (len(moves.SINGLES) - 1) * len(DISTANCES_MS)
    return Plan(kind, seed, runs)


def pair_states(made):
    """The stored states of PAIR_STATES."""
    return [state for state in made if state.name in PAIR_STATES]


def sequence_of(plan, made, index):
    """Sequence number `index` of a plan; the same one whatever ran before it."""
    if plan.kind == "single":
        state = made[index // len(moves.SINGLES)]
        shift_ms = SHIFTS_MS[index // len(moves.SINGLES) % len(SHIFTS_MS)]
        return Sequence(state, ((shift_ms, moves.SINGLES[index % len(moves.SINGLES)]),), LEAST_MS)
    if plan.kind == "pairs":
        few = pair_states(made)
        index, number = divmod(index, len(few))
        index, distance = divmod(index, len(DISTANCES_MS))
        first, second = divmod(index, len(moves.SINGLES) - 1)
        second += second >= first
        pair = ((0, moves.SINGLES[first]), (DISTANCES_MS[distance], moves.SINGLES[second]))
        return Sequence(few[number], pair, LEAST_MS)
    chance = random.Random(f"{plan.seed}:{index}")
    is_on = chance.random() < ON_SHARE
    state = chance.choice(_worker["on"] if is_on else _worker["off"])
    least_ms = LONG_MS if index % LONG_ONE_IN == 0 else LEAST_MS
    return Sequence(state, moves.drawn_sequence(chance), least_ms)


def set_up(plan, made):
    """What every worker keeps."""
    _worker.update(plan=plan, made=made)
    _worker["on"] = [state for state in made if state.is_on]
    _worker["off"] = [state for state in made if not state.is_on]


def chunk(span):
    """(Counter, [(words, Story)]) of the sequences span[0] … span[1] − 1."""
    counts, finds, kinds = Counter(), [], set()
    for index in range(*span):
        made = sequence_of(_worker["plan"], _worker["made"], index)
        outcome = played(made.state.frozen, made)
        counts["runs"] += 1
        counts["ticks"] += outcome.ticks
        counts["long"] += made.least_ms == LONG_MS
        if outcome.is_on is not None:
            counts["with_fault"] += 1
            counts["on_at_first_fault"] += outcome.is_on
        for _, line in made.moves:
            counts["move: " + line] += 1
        if outcome.words:
            counts["finds"] += 1
            kind = story.kind_of(outcome.words)
            counts["kind: " + kind] += 1
            if kind not in kinds:
                kinds.add(kind)
                finds.append((outcome.words, story.story_of(outcome.life)))
    return counts, finds


def run(plan, made, progress, workers=WORKERS):
    """(Counter, [Find]) of all that is left of a plan; progress: Progress, told after every chunk."""
    spans = [(at, min(at + CHUNK, plan.runs)) for at in range(progress.done, plan.runs, CHUNK)]
    if workers == 1:
        set_up(plan, made)
        for span in spans:
            progress.tell(span[1], *chunk(span))
    else:
        with multiprocessing.get_context("fork").Pool(workers, set_up, (plan, made)) as pool:
            for span, told in zip(spans, pool.imap(chunk, spans), strict=True):
                progress.tell(span[1], *told)
    return progress.counts, progress.finds()


class Progress:
    """How far a campaign is; kept in a file so that it can go on after an interruption."""

    def __init__(self, plan, path=None, is_quiet=False):
        self.plan = plan
        self.path = path
        self.is_quiet = is_quiet
        self.done = 0
        self.counts = Counter()
        self.stories = {}
        self.begun_s = self.told_s = time.monotonic()
        self.seconds = 0.0

    def resumed(self):
        """This progress, going on from its file where that tells of the same plan."""
        if self.path is not None and self.path.exists():
            kept = json.loads(self.path.read_text())
            if kept["plan"] == list(self.plan):
                self.done, self.counts, self.seconds = kept["done"], Counter(kept["counts"]), kept["seconds"]
                self.stories = {kind: (words, story.read(text)) for kind, (words, text) in kept["stories"].items()}
        return self

    def tell(self, done, counts, finds):
        """One chunk is done."""
        self.done = done
        self.counts.update(counts)
        for words, found in finds:
            self.stories.setdefault(story.kind_of(words), (words, found))
        now_s = time.monotonic()
        if now_s - self.told_s > 10 or done == self.plan.runs:
            self.told_s = now_s
            self.keep()
            if not self.is_quiet:
                rate = self.counts["runs"] / max(0.1, self.spent_s())
                print(f"  {done} of {self.plan.runs}, {rate:.0f}/s, finds {self.counts['finds']}", flush=True)

    def spent_s(self):
        """Seconds of this and earlier runs."""
        return self.seconds + time.monotonic() - self.begun_s

    def keep(self):
        """Write the file."""
        if self.path is None:
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        texts = {kind: (words, story.told(found, words)) for kind, (words, found) in self.stories.items()}
        kept = {"plan": self.plan, "done": self.done, "counts": self.counts, "seconds": self.spent_s()}
        part = self.path.with_suffix(".part")
        part.write_text(json.dumps({**kept, "stories": texts}))
        part.replace(self.path)

    def finds(self):
        """[Find], the most frequent first."""
        made = [Find(words, found, self.counts["kind: " + kind]) for kind, (words, found) in self.stories.items()]
        return sorted(made, key=lambda find: -find.times)
