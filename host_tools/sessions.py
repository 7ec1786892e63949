"""Task `sessions`: the whole firmware on a timed flash through charging sessions, by the chip file, in simulated time.

boot.py, main.py and the built firmware run on the 32-bit interpreter from littlefs; each flash command, each
collection, each import, each answer takes its time inside the clock of the tick, and the lease of the plant lapses
when that is too long. A broker, two viewers and polite cars are at work.
"""

import argparse
import json
import os
import random
import re
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from host_tools import bootstrap, chip, jobs
from host_tools.device import boards, build, chips, stock_image
from host_tools.mosquitto import free_port

BOARD = "reference"
HEAP = "1500k"
A_JOB = 20  # sessions on one box from its start on
SESSIONS = 1000
SIM = bootstrap.ROOT / "host_tools" / "sim"
PATHS = [str(SIM / "serial"), str(SIM), str(bootstrap.ROOT)]
SETTINGS = {"wiring_limit_ma": 16000, "phases": 3, "restart_spread_s": 0}
BOX = {
    "box": "garage",
    "owner_token": "soak",
    "owner_password": "right",
    "has_wifi": False,
    "has_outside_time": True,
    "tells_log": True,
    "web_host": "127.0.0.1",
    "mqtt_host": "127.0.0.1",
}
NEW_S = 300  # a new box has erased its journal by then
WARM_S = 70  # before the first car: a start writes nothing for a minute (faults.md P2)
CPU = ("cpu.tick_us", "cpu.adc_read_us", "cpu.gc_us", "cpu.gc_us_per_live_kb", "cpu.import_us_per_kb")
SERVED = ("cpu.request_us", "cpu.page_us_per_kb", "cpu.file_us_per_kb", "cpu.mqtt_message_us")
HEAP_OF_CHIP = ("memory.initial_heap_b", "memory.heap_fill_percent")
P99_MS, LATE_MS, TURN_US = 20, 100, 5000  # goals
SUMS = (
    *("sessions", "closings", "pauses", "resumed", "views", "messages", "never_closed", "lapses", "hot_openings"),
    *("starved", "busy_turns", "reads_on", "programs_on", "erases_on", "simulated_ms"),
)
MOSTS = ("turn_us_on", "turn_us_off", "between_us", "first_tick_ms", "start_commands", "heap_b")


class Broken(Exception):
    """The firmware ended; the text says how."""


def described(which, board=BOARD):
    """What the script must know of board and chip; which: "typical" or "worst"."""
    facts = boards.loaded(board)
    own = chips.loaded(facts["chip"])
    rows = [row for row in stock_image.rows(facts) if row[0] in ("vfs", "data")]
    return {
        "facts": facts,
        "flash": chips.flash_times(own, which),
        "cpu": {name.split(".")[1]: chips.number(own, name, which) for name in (*CPU, *SERVED, *HEAP_OF_CHIP)},
        "start_us": chips.number(own, "start.rom_and_image_us", which),
        "partitions": [(row[0], row[4]) for row in rows],
    }


def prepared(folder, board=BOARD, files=None):
    """Set a box up once, under a folder, and leave there what each run begins with. Errors: Broken.

    A life of NEW_S divides its data partition and erases its journal, once in a box's life.
    Gives what its files took of flash: (reads, programs, erases, bytes read), each read back once.
    files: {path: bytes} of a tree of before, None for a new build.
    """
    inside = {}
    if files is None:
        made = build.made(board)
        files, inside = made.files, made.inside
    tree, flash = Path(folder) / "tree", Path(folder) / "flash"
    for path, data in files.items():
        (tree / path).parent.mkdir(parents=True, exist_ok=True)
        (tree / path).write_bytes(data)
    flash.mkdir()
    sizes = {module_of(path): len(code) for path, code in {**files, **inside}.items() if path.endswith(".mpy")}
    order = sorted(files, key=lambda path: (path.count("/") == 0, path))
    config = {"is_set_up": True, "files": order, "tree": str(tree), "settings": SETTINGS, "folder": str(flash)}
    lines = run_script({**described("typical", board), **config, "box": BOX, "seed": 1, "sizes": {}}, folder)
    (Path(folder) / "sizes.json").write_text(json.dumps(sizes))
    life(folder, flash, "typical", {"sessions": 0, "seed": 1, "planted": 0, "warm_s": NEW_S})
    return next(tuple(map(int, line.split()[1:])) for line in lines if line.startswith("installed "))


def files_of(tree):
    """{path: bytes} of a tree that `device build` of any version has written. Errors: OSError, ValueError, KeyError."""
    root = Path(tree) / build.TREE if (Path(tree) / build.TREE).is_dir() else Path(tree)
    json.loads((root / "a" / "manifest.json").read_text())["files"]
    return {str(path.relative_to(root)): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}


def module_of(path):
    """Name of the module in a file of a tree or of its archive."""
    return path.removeprefix("a/").removesuffix(".mpy").removesuffix("/__init__").replace("/", ".")


def run_script(config, folder):
    """Lines that the script prints. Errors: Broken."""
    told = Path(folder) / "config.json"
    told.write_text(json.dumps({**config, "paths": PATHS}))
    scripts = bootstrap.ROOT / "host_tools" / "chip_scripts"
    command = [*chip.interpreter(), "-X", f"heapsize={HEAP}", str(scripts / "sessions.py"), str(told)]
    env = {name: value for name, value in os.environ.items() if name != "MICROPYPATH"}
    done = subprocess.run(command, capture_output=True, text=True, env=env, stdin=subprocess.DEVNULL)
    lines = done.stdout.splitlines()
    if done.returncode or not (config["is_set_up"] or any(line.startswith("counts ") for line in lines)):
        raise Broken("\n".join([*lines[-15:], done.stderr[-1000:]]))
    return lines


def lived(source, sessions, seed, which, planted=0):
    """Dict of what happened in so many sessions of a box. Errors: Broken.

    source: folder of prepared(); which: "typical" or "worst"; planted: files read in one turn 8 s after each closing.
    """
    return read(played(source, which, {"sessions": sessions, "seed": seed, "planted": planted}))


def started(source, which):
    """Lines of one start and no session (chip_scripts/start_marks.py). Errors: Broken. As lived()."""
    return played(source, which, {"sessions": 0, "seed": 1, "planted": 0, "is_start": True, "warm_s": 0})


def played(source, which, how):
    """Lines of one life of a copy of a box; how: what else the script must know. Errors: Broken. As lived()."""
    with tempfile.TemporaryDirectory(prefix="ebb-sessions-") as folder:
        flash = Path(folder) / "flash"
        shutil.copytree(Path(source) / "flash", flash)
        return life(source, flash, which, how)


def life(source, flash, which, how):
    """Lines of one life of the box whose flash lies in that folder. Errors: Broken. As played()."""
    sizes = json.loads((Path(source) / "sizes.json").read_text())
    box = {**BOX, "web_port": free_port(), "mqtt_port": free_port()}
    config = {"is_set_up": False, "is_start": False, "folder": str(flash), "warm_s": WARM_S, "sizes": sizes, **how}
    config["seed"] &= 0x3FFFFFFF
    return run_script({**described(which), **config, "box": box}, flash.parent)


def read(lines):
    """Dict of the counts; "late_on" and "late_off" as {ms: ticks}."""
    found: dict = {"x3": 0}
    for line in lines:
        word, _, rest = line.partition(" ")
        if word == "counts":
            found |= json.loads(rest)
        elif word in ("late_on", "late_off"):
            found[word] = {int(ms): int(count) for ms, count in re.findall(r"(\d+):(\d+)", rest)}
        elif word == "worst_turn":
            found[word] = rest
        elif re.match(r"log: \d+ fault X3\b", line):
            found["x3"] += 1
    found["said"] = [line for line in lines if line.startswith("ebb:")]
    return found


def job(pair):
    """One job, for host_tools/jobs.py: (folder of prepared(), sessions, seed, which)."""
    return lived(*pair)


def added(results):
    """One dict of all results."""
    total: dict = {name: sum(one[name] for one in results) for name in (*SUMS, "x3")}
    total |= {name: max(one[name] for one in results) for name in MOSTS}
    total["worst_turn"] = max(results, key=lambda one: one["turn_us_on"])["worst_turn"]
    for name in ("late_on", "late_off"):
        total[name] = {}
        for one in results:
            for ms, count in one[name].items():
                total[name][int(ms)] = total[name].get(int(ms), 0) + count
    return total


def share(late, permille):
    """ms by which so many of 1000 ticks were late at the most. late: {ms: ticks}."""
    left = sum(late.values()) * permille / 1000
    for ms in sorted(late):
        left -= late[ms]
        if left <= 0:
            return ms
    return 0


def goals(total):
    """[(words, whether it is reached)]; without a tick nothing is reached."""
    late = total["late_on"]
    return [
        ("no lease lapses and no X3", not total["lapses"] and not total["x3"]),
        ("no hot opening with polite cars", not total["hot_openings"]),
        ("each session closed the contactor", not total["never_closed"]),
        (f"p99 of a tick's lateness with the coil on at most {P99_MS} ms", late and share(late, 990) <= P99_MS),
        (f"no tick with the coil on more than {LATE_MS} ms late", late and max(late) <= LATE_MS),
        (f"flash in one turn with the coil on at most {TURN_US // 1000} ms", total["turn_us_on"] <= TURN_US),
    ]


def tell(total):
    """Print every figure; True when all goals are reached."""
    for name in ("x3", *SUMS, *MOSTS):
        print(f"sessions_{name}: {total[name]}")
    print(f"sessions_worst_turn: {total['worst_turn']}")
    for name in ("late_on", "late_off"):
        late = total[name]
        row = f"p50 {share(late, 500)} ms, p99 {share(late, 990)} ms, max {max(late, default=0)} ms"
        print(f"sessions_{name}: {row}, {sum(late.values())} ticks")
    reached = goals(total)
    for words, is_reached in reached:
        print(f"{'reached' if is_reached else 'MISSED'}: {words}")
    return all(is_reached for _, is_reached in reached)


def run(argv):
    """Run the task; exit 0 only when every goal is reached."""
    parser = argparse.ArgumentParser(prog="python3 -m host_tools sessions", description=__doc__.split("\n")[0])
    parser.add_argument("--sessions", type=int, default=SESSIONS, help="how many (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 30))
    parser.add_argument("--typical", action="store_true", help="by the chip file's typical values, not its worst")
    parser.add_argument(
        "--from", dest="source", metavar="DIR", help="a tree of `device build` of before, not a new one"
    )
    parser.add_argument("--continue", dest="keep_going", action="store_true", help="go on where a run was broken off")
    options = parser.parse_args(argv)
    which = "typical" if options.typical else "worst"
    begun_s = time.monotonic()
    print(f"sessions_seed: {options.seed}, {which} values", flush=True)
    spans = [min(A_JOB, options.sessions - begun) for begun in range(0, options.sessions, A_JOB)]
    results = jobs.Results(f"sessions-{which}-{options.sessions}", options.seed, options.keep_going, jobs.FOLDER)
    with tempfile.TemporaryDirectory(prefix="ebb-box-") as folder:
        prepared(folder, files=files_of(options.source) if options.source else None)
        pairs = [(f"{at}", (folder, span, options.seed + at, which)) for at, span in enumerate(spans)]
        total = added(list(jobs.done(pairs, job, results).values()))
    is_good = tell(total)
    finds = total["x3"] + total["lapses"] + total["hot_openings"] + total["never_closed"]
    seconds = int(time.monotonic() - begun_s)
    ticks = sum(total["late_on"].values()) + sum(total["late_off"].values())
    counts = {"runs": total["sessions"], "ticks": ticks, "finds": finds, "seconds": seconds}
    if options.source:
        return 0 if is_good else 1  # no figure of this commit
    jobs.logged("sessions" if which == "worst" else "sessions typical", options.seed, counts)
    return 0 if is_good else 1
