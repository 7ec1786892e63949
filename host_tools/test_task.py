"""Task `test`: everything that must pass, installing what it needs."""

import argparse
import os
import re
import shutil
import subprocess
import sys
import time

from host_tools import bootstrap, check_task, chip

# program it is known by, Debian package
PROGRAMS = (("mosquitto", "mosquitto"), ("mosquitto_pub", "mosquitto-clients"), ("chromium", "chromium"))
HEAP = "8m"  # for the tests' own sources; the firmware's budgets are measured apart
STATIC = check_task.STEPS[:4]
MUTANTS = "60"


def install_programs():
    """Install missing Debian programs when root; SystemExit with one clear line else."""
    os.environ["PATH"] += os.pathsep + "/usr/sbin"  # Debian puts mosquitto there, outside a user's path
    missing = [package for program, package in PROGRAMS if not shutil.which(program)]
    if not missing:
        return
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise SystemExit(
            f"ebb: the tests need {' and '.join(missing)}: run 'apt-get install {' '.join(missing)}' as root."
        )
    bootstrap.apt_install(missing)


def unit_tests_on_chip():
    """(passed, failed) of the unit tests on the real interpreter. Errors: chip.NoChip."""
    root = bootstrap.ROOT
    files = sorted(str(path) for path in (root / "tests" / "unit").glob("test_*.py"))
    paths = f"{root / 'tests' / 'chip'}:{root / 'tests' / 'unit'}:{root}:.frozen"
    interpreter = chip.interpreter()
    print("chip: " + chip.described(interpreter), flush=True)
    done = subprocess.run(
        [*interpreter, "-X", f"heapsize={HEAP}", str(root / "tests" / "chip" / "run.py"), *files],
        capture_output=True,
        text=True,
        env={**os.environ, "MICROPYPATH": paths},
    )
    found = re.search(r"chip: (\d+) passed, (\d+) failed", done.stdout)
    if not found or done.returncode:
        print((done.stdout + done.stderr)[-4000:])
    return (int(found[1]), int(found[2])) if found else (0, 1)


def pytest_run(extra):
    """(passed, failed) of every layer on CPython, with every line of core and wire run."""
    command = [sys.executable, "-m", "pytest", "-q", "tests", "--durations=8"]
    command += ["--cov=firmware/core", "--cov=firmware/wire", "--cov-report=term:skip-covered", *extra]
    done = subprocess.Popen(command, cwd=bootstrap.ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    text = []
    for line in done.stdout or ():
        print(line, end="", flush=True)
        text.append(line)
    code = done.wait()
    whole = "".join(text)
    passed = sum(int(count) for count in re.findall(r"(\d+) passed", whole[-400:]))
    failed = sum(int(count) for count in re.findall(r"(\d+) (?:failed|error)", whole[-400:]))
    return passed, failed or (1 if code else 0)


def lines_missed():
    """Number of lines of core and wire that no unit test ran."""
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "coverage",
            "report",
            "--include=firmware/core/*,firmware/wire/*",
            "--format=total",
            "--precision=2",
        ],
        cwd=bootstrap.ROOT,
        capture_output=True,
        text=True,
    )
    command = [sys.executable, "-m", "coverage", "json", "-q", "-o", "-", "--include=firmware/core/*,firmware/wire/*"]
    listed = subprocess.run(command, cwd=bootstrap.ROOT, capture_output=True, text=True)
    import json

    missed = json.loads(listed.stdout)["totals"]["missing_lines"]
    print(f"core_and_wire_missed_lines: {missed} lines (with branches {done.stdout.strip()} %)")
    return missed


def run(argv):
    """Run the task; its last line counts what passed and failed."""
    parser = argparse.ArgumentParser(prog="python3 -m host_tools test", description=__doc__)
    parser.add_argument("--without-chip", action="store_true", help="pass without the real MicroPython")
    options, extra = parser.parse_known_args(argv)
    begun_s = time.monotonic()
    install_programs()
    failed = len(check_task.run_steps(STATIC))
    passed = len(STATIC) - failed
    try:
        on_chip = unit_tests_on_chip()
    except chip.NoChip as missing:
        print(f"ebb: {missing}" + (" Going on without." if options.without_chip else ""))
        on_chip = (0, 0 if options.without_chip else 1)
        os.environ["EBB_WITHOUT_CHIP"] = "1"
    on_host = pytest_run(extra)
    failed += lines_missed() > 0
    mutants = check_task.run_steps((("mutation sample", ["host_tools", "mutate", "--sample", MUTANTS]),))
    passed += on_chip[0] + on_host[0] + (0 if mutants else 1)
    failed += on_chip[1] + on_host[1] + len(mutants)
    print(f"whole_test_run: {time.monotonic() - begun_s:.0f} s")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0
