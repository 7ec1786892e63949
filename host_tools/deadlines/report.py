"""Sweeps the deadlines: trials in two processes, one line a row, and docs/deadlines.csv for pages to read."""

import time

from host_tools import bootstrap, jobs
from host_tools.deadlines import rows
from host_tools.deadlines.trial import NoStart, Trial

CSV = bootstrap.ROOT / "docs" / "deadlines.csv"
HEADER = "row,deadline_ms,p50,p99,max,trials,seam,date,seed"
SEAMS = ("fast", "true")
TRUE_ONE_IN = 20  # 500 through the real drivers for 10,000 on the fast seam
BATCH = {"fast": 200, "true": 10}
KEPT_FROM = 500  # trials: less is soon done again, and no figure for a page


def measured(job):
    """Results of trials `first` to `last` of a row: microseconds, None (never), or the words of why it never began."""
    name, seam, seed, first, last = job
    row = next(one for one in rows.ROWS if one.name == name)
    found = []
    for number in range(first, last):
        try:
            found.append(Trial(row, seam, f"{seed}:{name}:{seam}:{number}").measured())
        except NoStart as error:
            found.append(str(error))
    return found


def parts_of(row, seam, trials, seed):
    """[(job name, job)] of one row on one seam."""
    count = max(1, trials // row.share // (TRUE_ONE_IN if seam == "true" else 1))
    step = BATCH[seam]
    return [
        (f"{row.name}/{seam}/{first}", (row.name, seam, seed, first, min(first + step, count)))
        for first in range(0, count, step)
    ]


def percentile(ordered, permille):
    """Nearest-rank percentile of sorted values."""
    return ordered[min(len(ordered) - 1, -(-len(ordered) * permille // 1000) - 1)]


class Found:
    """What one row's trials gave on one seam; times in ms."""

    def __init__(self, row, seam, results):
        self.row, self.seam = row, seam
        self.count = len(results)
        self.not_begun = [one for one in results if isinstance(one, str)]
        self.never = sum(one is None for one in results)
        self.ms = sorted(one / 1000 for one in results if isinstance(one, int))

    def is_held(self):
        """Every trial began, reacted, and was in time."""
        if self.not_begun or self.never or not self.ms:
            return False
        return self.row.least_ms <= self.ms[0] and self.ms[-1] <= self.row.deadline_ms

    def figures(self):
        """(p50, p99, max) as text."""
        if not self.ms:
            return "none", "none", "never"
        most = "never" if self.never else f"{self.ms[-1]:.1f}"
        return f"{percentile(self.ms, 500):.1f}", f"{percentile(self.ms, 990):.1f}", most

    def line(self):
        """One line of figures."""
        p50, p99, most = self.figures()
        words = "held" if self.is_held() else "NOT HELD"
        if self.never:
            words += f", {self.never} never"
        if self.not_begun:
            words += f", {len(self.not_begun)} not begun ({self.not_begun[0]})"
        if self.row.least_ms and self.ms:
            words += f", min {self.ms[0]:.1f} of at least {self.row.least_ms}"
        return (
            f"{self.row.name} ({self.seam}): {most} ms max, p50 {p50}, p99 {p99}, "
            f"deadline {self.row.deadline_ms}, {self.count} trials, {words}"
        )


def written(found, seed, path):
    """Put the rows into the CSV; rows that were not measured now stay as they were."""
    kept = {}
    if path.exists():
        for line in path.read_text().splitlines()[1:]:
            parts = line.split(",")
            kept[parts[0], parts[6]] = line
    for one in found:
        p50, p99, most = one.figures()
        parts = (one.row.name, one.row.deadline_ms, p50, p99, most, one.count, one.seam, jobs.today(), seed)
        kept[one.row.name, one.seam] = ",".join(str(part) for part in parts)
    known = [(row.name, seam) for row in rows.ROWS for seam in SEAMS]
    path.write_text("\n".join([HEADER, *(kept[key] for key in known if key in kept), ""]))


def report(options, path=CSV):
    """Print one line a row and write the CSV; True when every deadline was held in every trial.

    options: trials (on the fast seam), seed, rows (beginnings of names), keep_going, has_processes.
    """
    begun_s = time.monotonic()
    print(f"deadlines_seed: {options.seed} seed")
    wanted = [(row, seam) for seam in SEAMS for row in rows.chosen(options.rows)]
    folder = jobs.FOLDER if options.trials >= KEPT_FROM else None
    results = jobs.Results(f"deadlines-{options.trials}", options.seed, options.keep_going, folder)
    parts = [part for row, seam in wanted for part in parts_of(row, seam, options.trials, options.seed)]
    made = jobs.done(parts, measured, results, options.has_processes)
    found = []
    for row, seam in wanted:
        names = [name for name, _ in parts_of(row, seam, options.trials, options.seed)]
        found.append(Found(row, seam, [one for name in names for one in made[name]]))
        print(found[-1].line(), flush=True)
    if path != CSV or options.trials >= KEPT_FROM:
        written(found, options.seed, path)
    missed = [one for one in found if not one.is_held()]
    trials = sum(one.count for one in found)
    print(f"deadlines_trials: {trials} trials")
    print(f"deadlines_held: {len(found) - len(missed)} of {len(found)} rows")
    if options.trials >= KEPT_FROM:
        columns = {"runs": trials, "finds": len(missed), "seconds": round(time.monotonic() - begun_s)}
        jobs.logged("deadlines", options.seed, columns)
    return not missed
