"""Task `test`: everything that must pass, installing what it needs."""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import time

from host_tools import bootstrap, check_task, chip, fast

# program it is known by, Debian package
PROGRAMS = (
    ("mosquitto", "mosquitto"),
    ("mosquitto_pub", "mosquitto-clients"),
    ("chromium", "chromium"),
    ("gcc", "gcc"),
    ("make", "make"),
    ("patch", "patch"),
    ("xz", "xz-utils"),
    (fast.PROGRAM, fast.PACKAGE),
)
HEAP = "8m"  # for the tests' own sources; the firmware's budgets are measured apart
STATIC = check_task.STEPS[:4]
MUTANTS = "60"
KEPT = ".cache/pytest"
SECOND_TRIES_MOST = 3  # in each real-time half; more is no accident
NOTHING_CHOSEN = 5  # exit code of pytest when no test of these folders was asked for
COVERING = ("tests/unit", "tests/drivers")  # they alone must run every line: to watch lines makes a simulation slow
COMPUTING = ("tests/house_rules", "tests/model", "tests/scenarios", "tests/hardware")


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


def begun(name, folders, extra, niceness=0):
    """A pytest over some folders of tests, as a started process; it remembers what failed under its name."""
    command = [sys.executable, "-m", "pytest", "-q", *folders, "--durations=8", "-o", f"cache_dir={KEPT}/{name}"]
    if niceness:
        command = ["nice", "-n", str(niceness), *command]
    command += extra
    return subprocess.Popen(command, cwd=bootstrap.ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def ended(process):
    """(passed, failed) of a pytest, its output passed on."""
    text = []
    for line in process.stdout or ():
        print(line, end="", flush=True)
        text.append(line)
    return counts_of("".join(text), process.wait())


def counts_of(text, code):
    """(passed, failed) as the last line of a pytest says."""
    last = "".join(re.findall(r"^.* in [\d.]+s\b.*$", text, re.MULTILINE)[-1:])
    passed = sum(int(count) for count in re.findall(r"(\d+) passed", last))
    failed = sum(int(count) for count in re.findall(r"(\d+) (?:failed|error)", last))
    return passed, failed or (1 if code not in (0, NOTHING_CHOSEN) else 0)


def ended_beside(processes):
    """[(passed, failed), …] of pytests that run side by side: the first one's output as it comes, then the others'."""
    first, *others = processes
    kept = [[] for _ in others]
    readers = [
        threading.Thread(target=text.extend, args=(process.stdout,)) for process, text in zip(others, kept, strict=True)
    ]
    for reader in readers:
        reader.start()
    counts = [ended(first)]
    for process, text, reader in zip(others, kept, readers, strict=True):
        reader.join()
        print("".join(text), end="", flush=True)
        counts.append(counts_of("".join(text), process.wait()))
    return counts


def second_try(name, counts, extra):
    """(passed, failed) of a real-time half once what failed was played again alone, and told (docs/decisions/0005)."""
    passed, failed = counts
    if not 1 <= failed <= SECOND_TRIES_MOST:
        return counts
    print(f"second try of {failed} in {name}, alone:", flush=True)
    again = ended(begun(name, ["tests/end_to_end"], ["--last-failed", "-vv", *extra]))
    print(f"passed_at_the_second_try: {again[0]} tests")
    return passed + again[0], max(again[1], failed - again[0])


def pytest_run(extra):
    """(passed, failed) of every layer on CPython, with every line of core and wire run.

    What runs in real time waits more than it works: two halves of it run beside each other, and what computes gives
    way to them.
    """
    coverage = ["--cov=firmware/core", "--cov=firmware/wire", "--cov-report=term:skip-covered"]
    counts = [ended(begun("covering", COVERING, [*coverage, *extra]))]
    files = sorted(map(str, (bootstrap.ROOT / "tests" / "end_to_end").glob("test_*.py")))
    halves = [begun(f"real_time_{part}", files[part::2], extra) for part in (0, 1)]
    *played, computed = ended_beside([*halves, begun("computing", COMPUTING, extra, 19)])
    counts.append(computed)
    counts += [second_try(f"real_time_{part}", played[part], extra) for part in (0, 1)]
    return sum(passed for passed, _ in counts), sum(failed for _, failed in counts)


def lines_missed():
    """Number of lines and branches of core and wire that no unit test ran."""
    command = [sys.executable, "-m", "coverage", "json", "-q", "-o", "-", "--include=firmware/core/*,firmware/wire/*"]
    listed = subprocess.run(command, cwd=bootstrap.ROOT, capture_output=True, text=True)
    totals = json.loads(listed.stdout)["totals"]
    print(f"core_and_wire_missed_lines: {totals['missing_lines']} lines")
    print(f"core_and_wire_missed_branches: {totals['missing_branches']} branches")
    return totals["missing_lines"] + totals["missing_branches"]


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
