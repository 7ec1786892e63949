"""Task `check`: format, lint, types, house rules and unit tests, in under 30 s."""

import argparse
import subprocess
import sys
import time

from host_tools import bootstrap

STEPS = (
    ("format", ["ruff", "format", "--check", "-q", "."]),
    ("lint", ["ruff", "check", "-q", "."]),
    ("types", ["pyright"]),
    ("references", ["host_tools", "docs", "--check"]),
    ("house rules and unit tests", ["pytest", "-q", "tests/house_rules", "tests/unit"]),
)


def run_steps(steps):
    """Run each (name, module and arguments); returns the names of those that failed. Output of failures is shown."""
    failed = []
    for name, command in steps:
        begun_s = time.monotonic()
        done = subprocess.run([sys.executable, "-m", *command], cwd=bootstrap.ROOT, capture_output=True, text=True)
        word = "ok" if done.returncode == 0 else "FAILED"
        print(f"{name}: {word} ({time.monotonic() - begun_s:.1f} s)", flush=True)
        if done.returncode:
            print((done.stdout + done.stderr)[-6000:], flush=True)
            failed.append(name)
    return failed


def run(argv):
    """Run the task."""
    argparse.ArgumentParser(prog="python3 -m host_tools check", description=__doc__).parse_args(argv)
    failed = run_steps(STEPS)
    return 1 if failed else 0
