"""The same cuts on the interpreter's own VfsLfs2: a Life runs there, as chip_scripts/ledger_cuts.py."""

import os
import re
import subprocess

from host_tools import bootstrap, chip

HEAP, MOVING_HEAP = "2m", "16m"
SCRIPTS = bootstrap.ROOT / "host_tools" / "chip_scripts"


def work(job, bug=""):
    """Counts of one job (seed, cuts) on the interpreter; with a find its words are under "find". bug: one to plant."""
    return counted("ledger_cuts.py", HEAP, (*job, bug))


def moving_work(job, bug=""):
    """The same of a data partition that is divided."""
    return counted("moving_cuts.py", MOVING_HEAP, (*job, bug))


def counted(script, heap, arguments):
    """Counts in the last line of a script; with a find its words are under "find"."""
    seed = arguments[0]
    command = [*chip.interpreter(), "-X", f"heapsize={heap}", str(SCRIPTS / script), *map(str, arguments)]
    env = {**os.environ, "MICROPYPATH": f"{SCRIPTS}:{bootstrap.ROOT}:.frozen"}
    done = subprocess.run(command, capture_output=True, text=True, env=env)
    counts = {name: int(count) for name, count in re.findall(r"(\w+): (\d+)", (done.stdout.splitlines() or [""])[-1])}
    found = re.search(r"^find: (.*)", done.stdout, re.MULTILINE)
    if found:
        return {**counts, "find": found[1]}
    if done.returncode:
        return {"cuts": 0, "find": f"seed {seed}: {(done.stdout + done.stderr)[-300:]}"}
    return counts
