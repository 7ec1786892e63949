"""Task `budgets`: time and garbage of a tick and live heap on the real interpreter, measuring and simulation speed."""

import argparse
import os
import re
import subprocess
import tempfile
import time
from pathlib import Path

from host_tools import bootstrap, chip, figures_sensing
from host_tools.device import boards, chips
from host_tools.sim import idf_memory, world

TICK_MEAN_US, TICK_P999_US, GARBAGE_B, HEAP_B = 130, 400, 1024, 96 * 1024
SPEED_GOAL = 300
SAVE_US = 5000  # a save blocks the tick no longer, on the PC; what takes more is the PC's (docs/durability.md)
IDF_FREE_B, IDF_LARGEST_B, IDF_SOCKETS, IDF_SESSIONS, WHOLE_HEAP_B = 40_000, 20_000, 7, 100, 320 * 1024
RECORDER_HEAP_B, RECORDER_GARBAGE_B = 104 * 1024, 320  # a minute of 32 B a tick, and its code


# A box that forgets everything: what it costs less is what keeping costs.
KEEPS_NOTHING = {
    "firmware/services/ledger.py": """
HEADS = ()
MOST_NEWEST = 0


class Ledger:
    def __init__(self, folder, found, journal):
        self.wh = self.session_wall_s = 0
        self.quarters = self.sessions = None
        self.newest, self.is_ahead = (), False

    def unstored(self, files):
        return ()

    def save(self, now_ms, wall_s):
        pass

    async def run(self, app):
        pass
""",
    "firmware/services/ledger_start.py": """
def resumed(memory, found):
    return memory
""",
    "firmware/services/ledger_replay.py": """
class Found:
    words = ""


class Replay:
    found, newest, is_ahead = Found(), (), False
""",
    "firmware/services/last_start.py": """
from firmware.services import ledger_replay


def read(stores, place, journal, fed):
    chosen, code = stores[0].load()
    return chosen, code, ledger_replay.Replay()
""",
    "firmware/services/state_store.py": """
class StateStore:
    def __init__(self, directory, journal):
        self.seqs, self.is_ahead = (), False

    def restored(self, memory, is_power_return):
        return memory, ""

    async def run(self, app):
        pass

    async def keep(self, app):
        pass
""",
    "firmware/services/journal.py": """
class Journal:
    def __init__(self, area):
        self.trouble = ""

    def put(self, kind, octets):
        return False

    def places(self):
        return 0

    def is_stored(self):
        return True

    async def stored(self):
        return True

    def values(self):
        return iter(())

    def checkpoint(self):
        return True

    def is_nearly_full(self):
        return False

    async def run(self, may_erase):
        pass
""",
    "firmware/services/storage.py": """
class Storage:
    def __init__(self, app):
        pass

    async def run(self):
        pass
""",
}


def on_chip(script, heap="2m", instead=None, arguments=()):
    """Lines that a script of chip_scripts prints, run from compiled firmware; instead: as for chip.firmware_sources."""
    compiled = chip.compiled(chip.firmware_sources(instead), "budgets_without" if instead else "budgets")
    folder = bootstrap.ROOT / "host_tools"
    # The firmware's files have the short names that they have on a board, wherever this tree lies: a name takes heap.
    paths = f"{folder / 'sim' / 'chip'}:{folder / 'sim'}::.frozen"
    command = [*chip.interpreter(), "-X", f"heapsize={heap}", str(folder / "chip_scripts" / script), *arguments]
    environment = {**os.environ, "MICROPYPATH": paths}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=compiled)
    if done.returncode:
        raise SystemExit(f"budgets: {script} failed:\n{done.stdout}{done.stderr}")
    return done.stdout.splitlines()


def number_of(lines, name):
    """The number in the line of that name."""
    for line in lines:
        found = re.match(rf"{name}: ([\d.]+)", line)
        if found:
            return float(found[1])
    raise SystemExit(f"budgets: no line {name}")


def tick(lines):
    """Print the cost of a tick; True when within budget."""
    print("\n".join(lines))
    is_good = True
    for when in ("at_start", "after_13_days"):
        is_good = is_good and number_of(lines, f"tick_mean_{when}") <= TICK_MEAN_US
        is_good = is_good and number_of(lines, f"tick_p99_9_{when}") <= TICK_P999_US
        is_good = is_good and number_of(lines, f"tick_garbage_{when}") <= GARBAGE_B
    return is_good


def tick_and_chip():
    """The cost of a tick here, and what it would be at 160 MHz."""
    from host_tools.whole import CHIP_FACTOR

    lines = on_chip("tick_cost.py")
    is_good = tick(lines)
    mean_us = number_of(lines, "tick_mean_at_start")
    low, high = (mean_us * factor / 1000 for factor in CHIP_FACTOR)
    print(f"tick_mean_on_a_chip: {low:.1f}–{high:.1f} ms (estimate: {CHIP_FACTOR[0]}–{CHIP_FACTOR[1]} times the PC's)")
    return is_good


def control_part_b():
    """(bytes of the control part once it ticks, bytes of what keeps energy and state beside it), both live.

    The budget is that of core, interlock, contract, drivers, control loop and MQTT client (micropython.md, memory).
    """
    board = (str(boards.path_of("reference")),)
    whole = number_of(on_chip("heap_cost.py", "256k", None, board), "heap_control_part")
    alone = number_of(on_chip("heap_cost.py", "256k", KEEPS_NOTHING, board), "heap_control_part")
    return alone, whole - alone


def heap():
    """Print the live heap of the control part once imported; True when within budget."""
    alone, keeping = control_part_b()
    print(f"heap_control_part: {alone:.0f} B")
    print(f"heap_keeping: {keeping:.0f} B")
    return alone <= HEAP_B


def recorder():
    """Print what the flight recorder costs a tick and the heap; True when within budget."""
    lines = on_chip("flight_cost.py")
    print("\n".join(lines))
    return (
        number_of(lines, "recorder_heap") <= RECORDER_HEAP_B
        and number_of(lines, "recorder_garbage") <= RECORDER_GARBAGE_B
    )


def ledger():
    """Print how long the ledger blocks while it writes; True when 99 of 100 writes are within the budget."""
    lines = on_chip("ledger_cost.py")
    print("\n".join(lines))
    return number_of(lines, "ledger_write_p99") <= SAVE_US


def history():
    """Print how long a step of the owner's history blocks, and its heap; True when within the budget."""
    lines = on_chip("history_cost.py")
    print("\n".join(lines))
    return all(number_of(lines, f"history_step_{name}_p99") <= SAVE_US for name in ("quarters", "minutes", "none"))


def update_lines():
    """What an update of the reference board costs, line by line: signed with a key of its own."""
    from host_tools.device import build, bundle
    from host_tools.updates import trial_keys

    private = trial_keys.key(1)
    with tempfile.TemporaryDirectory(prefix="ebb-update-") as name:
        folder = Path(name)
        (folder / "update").write_bytes(bundle.packed(build.made("reference").files, private))
        (folder / "modulus").write_bytes(trial_keys.modulus(private))
        arguments = (str(folder / "update"), str(folder / "modulus"), "reference", str(folder / "slot"))
        return on_chip("update_cost.py", arguments=arguments)


def update():
    """Print how long a step of an update blocks, and its heap; True when it was taken, in steps within the budget."""
    lines = update_lines()
    print("\n".join(lines))
    return "update_outcome: stored" in lines and number_of(lines, "update_step_p99") <= SAVE_US


def flash(seed):
    """Print what flash costs by the chip file; True when a turn and `device flash` are within goals."""
    from host_tools import flash_cost

    return flash_cost.report(seed)


def idf_least(kind):
    """(least free, least largest block) in bytes of a module with PSRAM through 100 TLS reconnects, by the chip file.

    Set-up is open, with as many sockets as a box has at once: four of the page, its listener, MQTT and NTP. A session
    ends before the next begins (services/mqtt_client closes and waits).
    """
    facts = chips.memory(chips.loaded(kind))
    pool = idf_memory.Pool(facts, True)
    heap, users = idf_memory.Heap(pool), idf_memory.Users(pool, True, print)
    users.radio_made()
    users.switched(False, True)
    users.switched(True, True)
    heap.lives(WHOLE_HEAP_B)
    if not users.may_join() or not users.sockets(IDF_SOCKETS):
        return 0, 0
    ended, found = [], []
    for number in range(IDF_SESSIONS):
        users.handshake(lambda number=number: number in ended, lambda number=number: number in ended)
        rows = pool.told(idf_memory.CAP_8BIT | idf_memory.CAP_INTERNAL)
        found.append((sum(row[1] for row in rows), max(row[2] for row in rows)))
        ended.append(number)
        users.looked()
    return min(row[0] for row in found), min(row[1] for row in found)


def idf():
    """Print what the chip's own system has left on the boards with PSRAM; True when within budget."""
    is_good = True
    for name in ("wrover", "reference"):
        free_b, largest_b = idf_least(boards.loaded(name)["chip"])
        print(f"idf_free_{name}: {free_b} B (by the chip file)")
        print(f"idf_largest_{name}: {largest_b} B (by the chip file)")
        is_good = is_good and free_b >= IDF_FREE_B and largest_b >= IDF_LARGEST_B
    return is_good


def speed(seconds):
    """Print how much faster than real time plant and whole core run on CPython with a charging car."""
    from host_tools.sim.box import Box

    box = Box("polite", 1)
    box.run_ms(4000)
    world.change(box.plant, {"car": {"is_plugged": True}})
    box.run_ms(20_000)
    if not box.plant.is_coil_on:
        raise SystemExit("budgets: the simulated car does not charge")
    begun_s = time.perf_counter()
    box.run_ms(seconds * 1000)
    found = seconds / (time.perf_counter() - begun_s)
    print(f"simulated_speed: {found:.0f} x real time (plant + whole core, charging, {seconds} s)")
    return found >= SPEED_GOAL


def run(argv):
    """Run the task; exit 0 only when every budget holds."""
    parser = argparse.ArgumentParser(prog="python3 -m host_tools budgets", description=__doc__)
    parser.add_argument("--bursts", type=int, default=100_000, help="pilot bursts to judge (full figure: 1000000)")
    parser.add_argument("--energy-s", type=int, default=60, help="simulated seconds per mains frequency")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--whole-minutes", type=float, default=3, help="real minutes of the whole firmware under use (0: none)"
    )
    options = parser.parse_args(argv)
    results = [
        tick_and_chip(),
        heap(),
        recorder(),
        ledger(),
        history(),
        update(),
        flash(options.seed),
        idf(),
        speed(1800),
        figures_sensing.report(options.seed, options.bursts, options.energy_s),
    ]
    if options.whole_minutes:
        from host_tools import whole

        results.append(whole.report(options.whole_minutes))
    print(f"budgets_met: {sum(results)} of {len(results)}")
    return 0 if all(results) else 1
