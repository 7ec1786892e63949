"""Long campaigns as numbered jobs: two processes, each result kept in a file at once, so that a break costs one job."""

import hashlib
import json
import multiprocessing
import subprocess
import sys
import time
from pathlib import Path

from host_tools import bootstrap, fast

FOLDER = bootstrap.ROOT / "build" / "campaigns"
LOG = bootstrap.ROOT / "docs" / "campaigns.csv"
HEADER = "date,commit,campaign,seed,runs,ticks,on_at_first_fault_permille,of_10_min,finds,seconds,python"
SOURCES = ("firmware", "host_tools", "hardware/boards", "hardware/chips")  # all that a campaign's result depends on
PROCESSES = 2
JOBS_A_PROCESS = 50  # then a fresh one: PyPy gives memory back late, and a campaign has thousands
TOLD_EVERY_S = 15


def commit():
    """Short id of the commit that is checked out, with + when SOURCES differ from it; "none" without git."""
    told = []
    for command in (["rev-parse", "--short", "HEAD"], ["status", "--porcelain", "-uno", "--", *SOURCES]):
        done = subprocess.run(["git", *command], cwd=bootstrap.ROOT, capture_output=True, text=True)
        told.append(done.stdout.strip())
    return told[0] + ("+" if told[1] else "") or "none"


def today():
    """Date as 2026-11-21."""
    return time.strftime("%Y-%m-%d")


def logged(campaign, seed, counts):
    """Append one line to docs/campaigns.csv; counts: dict of the columns after seed, those it lacks stay empty."""
    if not LOG.exists():
        LOG.write_text(HEADER + "\n")
    columns = LOG.read_text().split("\n", 1)[0].split(",")
    values = {"date": today(), "commit": commit(), "campaign": campaign, "seed": seed, **counts, "python": fast.name()}
    with LOG.open("a") as file:
        file.write(",".join(str(values.get(column, "")) for column in columns) + "\n")


def source_mark():
    """Hash of all that a campaign's result depends on: results of other sources are not gone on with."""
    mark = hashlib.sha256()
    for folder in SOURCES:
        for path in sorted((bootstrap.ROOT / folder).rglob("*")):
            if path.suffix in (".py", ".json"):
                mark.update(path.read_bytes())
    return mark.hexdigest()[:12]


class Results:
    """The results of one campaign by job name, in a file of one line each; kept until the campaign is whole."""

    def __init__(self, campaign, seed, goes_on, folder=None):
        """goes_on: take what an earlier run of the same sources and seed has left; folder None: nothing is kept."""
        self.by_name = {}
        self.path = None if folder is None else Path(folder) / f"{campaign}-{seed}-{source_mark()}.jsonl"
        if self.path is None:
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        if goes_on and self.path.exists():
            # A line that a break cut in the middle is no result.
            for line in self.path.read_text().splitlines():
                try:
                    name, result = json.loads(line)
                except ValueError:
                    continue
                self.by_name[name] = result
        else:
            self.path.write_text("")

    def add(self, name, result):
        """One more; it is in the file when this returns."""
        self.by_name[name] = result
        if self.path is not None:
            with self.path.open("a") as file:
                file.write(json.dumps([name, result]) + "\n")


def done(jobs, work, results, has_processes=True):
    """{name: result of work(job)} for jobs [(name, job)]; work and jobs must be fit for pickling, results for JSON."""
    left = [pair for pair in jobs if pair[0] not in results.by_name]
    if len(left) < len(jobs):
        tell(f"{len(jobs) - len(left)} of {len(jobs)} jobs were done before")
    begun_s = told_s = time.monotonic()
    has_pool = has_processes and len(left) > 1
    pool = multiprocessing.get_context("fork").Pool(PROCESSES, maxtasksperchild=JOBS_A_PROCESS) if has_pool else None
    try:
        pairs = [(work, name, job) for name, job in left]
        for count, (name, result) in enumerate(pool.imap_unordered(one, pairs) if pool else map(one, pairs), 1):
            results.add(name, result)
            if time.monotonic() - told_s > TOLD_EVERY_S:
                told_s = time.monotonic()
                tell(f"{count} of {len(left)} jobs, about {(told_s - begun_s) * (len(left) / count - 1):.0f} s left")
    finally:
        if pool:
            pool.terminate()
            pool.join()
    return {name: results.by_name[name] for name, _ in jobs}


def one(pair):
    """(name, result) of one job, in a worker."""
    work, name, job = pair
    return name, work(job)


def tell(words):
    """One line of progress on standard error."""
    print("ebb: " + words, file=sys.stderr, flush=True)
