"""Command `device test`: the unit tests and the cost of a tick on the board itself, virtual or real.

The slot holds the shrunk firmware, whose private names are gone: the plain one goes to /test, and away at the end.
"""

import argparse
import re
import sys

from host_tools import bootstrap, chip
from host_tools.device import asked, flash
from host_tools.device.esptool_call import Trouble
from host_tools.device.prompt import Prompt

UNIT = bootstrap.ROOT / "tests" / "unit"
FIRMWARE = ("firmware/__init__.py", "firmware/core/", "firmware/wire/", "firmware/services/__init__.py")
SERVICE = re.compile(r"^ *from firmware\.services(?:\.| import )([\w, ]+)", re.MULTILINE)
HELPER = re.compile(r"^(?:from|import) (\w+)", re.MULTILINE)  # beside the tests
WORDS = "firmware/words_en.txt"
FOLDER = "/test"
# What needs a tool of the PC, fills a flash, wants more heap than a small board has, or takes hours on one.
ON_A_PC = (
    "test_flight_record test_flight_ring test_factory_reset test_ledger test_log_store test_settings_store".split()
)
ON_A_PC += "test_announced_update test_history test_state_store test_state_record test_update".split()
ON_A_PC += "test_update_announcement test_update_events test_slot_archive test_journal test_ledger_journal".split()
ON_A_PC += "test_journal_torn test_state_changes test_image_writer test_update_trial test_real_world".split()
BLOCK = 4096
SPARE_BYTES = 64 * 1024  # for one test file at a time, and folders
ANSWER_S = 300
TICKS = 2000

# The watchdog of the firmware may still run: it is told to wait longer, and fed while the prompt waits. A soft reset
# ends the timer and not the watchdog.
DOG_CODE = """
import machine
dog = machine.WDT(timeout=60000)
machine.Timer(0).init(period=500, callback=lambda timer: dog.feed())
"""
START_CODE = """
import gc, sys
sys.path[:] = ["/test", "/test/tests/unit", "", "/lib", ".frozen"]
import run
"""
FILE_CODE = """
gc.collect()
try:
    counts = run.run("%s.py")
except Exception as error:
    print("FAILED %s")
    sys.print_exception(error)
    sys.modules.pop("%s", None)
    counts = (0, 1)
print("chip: %%d passed, %%d failed" %% counts)
"""
COST_CODE = """
import time, tick_cost
gc.collect()
start_us = time.ticks_us()
gc.collect()
collect_us = time.ticks_diff(time.ticks_us(), start_us)
found = tick_cost.times_us(tick_cost.Box(0), %d)
print("tick_mean: %%d us" %% (sum(found) // len(found)))
print("tick_p99_9: %%d us" %% found[len(found) * 999 // 1000])
print("gc_collect_ms: %%d.%%02d" %% (collect_us // 1000, collect_us // 10 %% 100))
print("heap_bytes: %%d" %% (gc.mem_free() + gc.mem_alloc()))
"""
REMOVE_CODE = """
import os
def removed(path):
    for name, kind, *_ in os.ilistdir(path):
        if kind == 0x4000:
            removed(path + "/" + name)
        else:
            os.remove(path + "/" + name)
    os.rmdir(path)
try:
    removed("/test")
except OSError as error:
    if error.errno != 2:
        raise
"""


def compiled(path, target):
    """(path on the board, bytes) of a file of the repository, compiled and not shrunk. Errors: Trouble."""
    try:
        code = chip.one_compiled(path.read_bytes(), target).read_bytes()
    except chip.NoChip as error:
        raise Trouble(str(error), code=2) from None
    return f"{FOLDER}/{target.removesuffix('.py')}.mpy", code


def for_boards():
    """{name: source} of the test files that run on a board."""
    found = {path.stem: path.read_text() for path in sorted(UNIT.glob("test_*.py"))}
    return {name: source for name, source in found.items() if name not in ON_A_PC}


def services():
    """Paths of the services that these tests name, and of those that these name; no other runs without a network."""
    names, sources = set(), list(for_boards().values())
    while sources:
        for found in SERVICE.findall(sources.pop()):
            fresh = {name.strip() for name in found.partition(" import ")[0].split(",")} - names
            names |= fresh
            sources += [(bootstrap.ROOT / f"firmware/services/{name}.py").read_text() for name in fresh]
    return tuple(f"firmware/services/{name}.py" for name in sorted(names))


def helpers():
    """Names of the files beside the tests that these import."""
    named = set(HELPER.findall("".join(for_boards().values())))
    return sorted(path.name for path in UNIT.glob("*.py") if path.stem in named)


def ground_files():
    """{path on the board: bytes} of what every test file needs. Errors: Trouble."""
    root = bootstrap.ROOT
    pairs = [(root / path, path) for path in chip.plain_sources() if path.startswith(FIRMWARE + services())]
    pairs += [(root / "tests" / "chip" / name, name) for name in ("run.py", "unittest.py")]
    pairs += [(UNIT / name, "tests/unit/" + name) for name in helpers()]
    pairs += [(root / "host_tools" / "chip_scripts" / "tick_cost.py", "tick_cost.py")]
    files = dict(compiled(*pair) for pair in pairs)
    files[f"{FOLDER}/{WORDS}"] = (root / WORDS).read_bytes()
    return files


def chosen(names):
    """Names of the test files, all of them when none is named. Errors: Trouble."""
    there = list(for_boards())
    wanted = [name if name.startswith("test_") else "test_" + name for name in names]
    for name in wanted:
        if name not in there:
            raise Trouble(f"there is no unit test '{name}'; there are {', '.join(there)}.", code=2)
    return wanted or there


def check_room(prompt, files):
    """Refuse a flash that is too short. Errors: Trouble."""
    need = sum(-(-len(data) // BLOCK) * BLOCK for data in files.values()) + SPARE_BYTES
    free = int(prompt.run("import os\nrow = os.statvfs('/')\nprint(row[0] * row[3])"))
    if free < need:
        raise Trouble(f"the flash has {free // 1024} KiB free and the tests need {need // 1024} KiB.")


def run_file(prompt, name):
    """(passed, failed) of one test file, which is on the board only for so long. Errors: Trouble."""
    path, code = compiled(UNIT / f"{name}.py", f"tests/unit/{name}.py")
    prompt.put(path, code)
    said = prompt.run(FILE_CODE % (name, name, name), ANSWER_S)
    prompt.remove(path)
    found = re.search(r"chip: (\d+) passed, (\d+) failed", said)
    counts = (int(found[1]), int(found[2])) if found else (0, 1)
    if counts[1]:
        print(said.strip())
    print(f"{name}: {counts[0]} passed, {counts[1]} failed", flush=True)
    return counts


def run_all(prompt, names):
    """Whether every test of the named files passes. Errors: Trouble."""
    prompt.run(DOG_CODE)
    prompt.soft_reset()
    prompt.run(DOG_CODE)
    prompt.run(REMOVE_CODE)
    files = ground_files()
    check_room(prompt, files)
    bootstrap.say(f"copying {len(files)} files, {sum(map(len, files.values())) // 1024} KiB")
    for path, data in files.items():
        prompt.put(path, data)
    prompt.run(START_CODE)
    counts = [run_file(prompt, name) for name in names]
    print(prompt.run(COST_CODE % TICKS, ANSWER_S).strip())
    passed, failed = (sum(row[index] for row in counts) for index in (0, 1))
    print(f"{passed} passed, {failed} failed")
    return not failed


def clean(prompt):
    """Stop what runs, remove /test, start the board anew. Errors: Trouble."""
    prompt.interrupt()
    prompt.run(REMOVE_CODE)
    prompt.restart()


def run(argv):
    """Run the command; 0 when all pass, 1 when one fails or the board breaks off, 2 when nothing was begun."""
    parser = argparse.ArgumentParser(prog="python3 -m host_tools device test", description=__doc__.split("\n")[0])
    parser.add_argument("--port", help="serial port (default: the only USB one)")
    parser.add_argument("names", nargs="*", metavar="NAME", help="test files such as pilot (default: all)")
    parser.add_argument("--force", action="store_true", help=asked.HELP)
    options = parser.parse_args(argv)
    try:
        names = chosen(options.names)
        with Prompt(flash.find_port(options.port), asked.guard(options.force)) as prompt:
            try:
                is_good = run_all(prompt, names)
            finally:
                clean(prompt)
    except Trouble as error:
        print(f"ebb: {error}", file=sys.stderr)
        return error.code
    except KeyboardInterrupt:
        print("ebb: stopped; the tests are off the board again.", file=sys.stderr)
        return 1
    return 0 if is_good else 1
