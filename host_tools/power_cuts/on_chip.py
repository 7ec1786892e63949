"""The same cuts on the interpreter's own VfsLfs2: a Life runs there, as chip_scripts/ledger_cuts.py."""

import os
import re
import subprocess

from host_tools import bootstrap, chip

HEAP = "2m"


def work(job, bug=""):
    """Counts of one job (seed, cuts) on the interpreter; with a find its words are under "find". bug: one to plant."""
    seed, cuts = job
    scripts = bootstrap.ROOT / "host_tools" / "chip_scripts"
    command = [*chip.interpreter(), "-X", f"heapsize={HEAP}", str(scripts / "ledger_cuts.py"), str(seed), str(cuts)]
    env = {**os.environ, "MICROPYPATH": f"{scripts}:{bootstrap.ROOT}:.frozen"}
    done = subprocess.run([*command, bug], capture_output=True, text=True, env=env)
    counts = {name: int(count) for name, count in re.findall(r"(\w+): (\d+)", (done.stdout.splitlines() or [""])[-1])}
    found = re.search(r"^find: (.*)", done.stdout, re.MULTILINE)
    if found:
        return {**counts, "find": found[1]}
    if done.returncode:
        return {"cuts": 0, "find": f"seed {seed}: {(done.stdout + done.stderr)[-300:]}"}
    return counts
