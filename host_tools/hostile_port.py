"""Task `hostile`: random and adversarial waveforms at the port, judged by the wire alone; what fails is shrunk."""

import argparse
import functools
import random
import sys
import time
from collections import Counter

from firmware.core import claims, decide, interlock, settings
from firmware.core.records import Command, Outputs, Ref, Refusal
from firmware.services.control_loop import ControlLoop
from firmware.services.inbox import Inbox
from host_tools import jobs
from host_tools.hostile import shrunk, waveforms
from host_tools.hostile.port_board import HEALTHY, PortBoard
from host_tools.hostile.wire_judge import CORE_ALONE_MOST_MS, WIRING_MA, Unsafe, WireJudge

TICKS = (60, 300)
BATCH = 2000
# (layers that are at work, how often of 10): redundant layers hide each other's mistakes, so each is tried alone too.
LAYERS = (("both", 6), ("core", 2), ("interlock", 2))
STARTS = ("charging", "charging", "charging", "charging", "stopping", "offered", "offered asked", "idle")
MAD = (Outputs(True, "pwm", 266, "", False), Outputs(True, "high", 1000, "", False), Outputs(True, "low", 0, "", False))
MAD += (Outputs(True, "pwm", 50, "", False), Outputs(False, "pwm", 266, "", False))
STUBBORN = 0.03
MAD_ONE_IN = 40  # ticks between two changes of mind


class Facts:
    """What the loop asks of the facts."""

    tick_ms = 23


class Port:
    """The firmware's loop on a port; one tick for each row."""

    def __init__(self, board, memory, judge):
        chosen = settings.changed(settings.defaults(), {"wiring_limit_ma": WIRING_MA})
        if isinstance(chosen, Refusal):
            raise ValueError(chosen.words)
        self.board = board
        self.judge = judge
        self.inbox = Inbox()
        self.loop = ControlLoop(board, chosen, memory, self.inbox)
        self.loop.sink = self.told

    def told(self, events):
        """An exception in the tick is a find of its own (I8)."""
        for event in events:
            if event.code == "crash":
                raise Unsafe(f"I8: {event.args}")

    def tick(self, row):
        """One tick with this row on the wire. Errors: Unsafe."""
        board = self.board
        board.row = row
        mode = board.mode
        self.loop.tick()
        self.judge.watch(board, row, mode)

    def pause(self):
        """The grid pauses the box for 60 s."""
        now_ms = self.board.now
        self.inbox.put(Command("limit", "grid", 0, now_ms, now_ms + 60_000, Ref("g", "p", 0), "market", 0, None, ""))


def interlock_tick(port, row, outputs):
    """One tick of the interlock under a core that asks for anything. Errors: Unsafe."""
    board, loop = port.board, port.loop
    board.row = row
    mode = board.mode
    readings = board.sense()
    loop.guard = interlock.permit(loop.guard, readings, outputs, False)
    board.act(loop._permitted(outputs, False))
    port.judge.watch(board, row, mode)


@functools.cache
def starts():
    """{name: (board, memory, guard, judge)} of a healthy car at a healthy port."""
    rows = (claims.standing("cable", 32_000, Ref("board", "cable", 0)),)
    port = Port(PortBoard(Facts), decide.first_memory(0, rows, (0, 0)), WireJudge())
    port.judge.is_tested = True  # judged from the first healthy plug-in on
    found = {}

    def run(high_mv, for_ms, name):
        for _ in range(for_ms // HEALTHY[0]):
            port.tick((HEALTHY[0], high_mv, *HEALTHY[2:]))
        found[name] = (port.board.copy(), port.loop.memory, port.loop.guard, port.judge.copy())

    run(12_000, 3500, "idle")
    run(9000, 4200, "offered")
    run(6000, 280, "offered asked")
    run(6000, 6000, "charging")
    if not port.board.is_on:
        raise Unsafe("start: a healthy car is not charged")
    port.pause()
    run(6000, 1000, "stopping")
    return found


def started(name, layers):
    """A Port at one of the starts with some of its layers at work."""
    board, memory, guard, judge = starts()[name]
    port = Port(board.copy(), memory, judge.copy())
    port.loop.guard = guard
    port.judge.is_interlock_alone = layers == "interlock"
    if layers == "core":
        port.loop._permitted = lambda outputs, is_stuck: outputs
        port.judge.letter_most_ms = CORE_ALONE_MOST_MS
    return port


def played(case):
    """The Port after a case (start, layers, pause_at tick, minds, rows). Errors: Unsafe, with .tick."""
    start, layers, pause_at, minds, rows = case
    port = started(start, layers)
    at = 0
    try:
        for at, row in enumerate(rows):
            if layers == "interlock":
                interlock_tick(port, row, MAD[minds[min(at // MAD_ONE_IN, len(minds) - 1)]])
            else:
                if at == pause_at:
                    port.pause()
                port.tick(row)
    except Unsafe as unsafe:
        unsafe.tick = at
        raise
    return port


def case_of(seed, number):
    """(case, names of the waveforms in it) by number."""
    chance = random.Random(f"{seed}:{number}")
    layers = chance.choices([name for name, _ in LAYERS], [weight for _, weight in LAYERS])[0]
    if chance.random() < STUBBORN:
        rows, names = waveforms.stubborn_of(chance, TICKS[1])
        return ("charging", layers, chance.randrange(20), [1], rows), names
    ticks = chance.randint(*TICKS)
    pause_at = chance.randrange(ticks) if chance.random() < 0.2 else -1
    minds = [0] + [chance.choice((0, 0, 1, 1, 2, 3, 4)) for _ in range(TICKS[1] // MAD_ONE_IN + 1)]
    rows, names = waveforms.table_of(chance, ticks)
    return (chance.choice(STARTS), layers, pause_at, minds, rows), names


def batch(job):
    """{counts, found: [[number, words]]} of the waveforms of one job (seed, first, last)."""
    seed, first, last = job
    counts, found = Counter(), []
    for number in range(first, last):
        case, names = case_of(seed, number)
        layers = "interlock alone" if case[1] == "interlock" else "core"
        counts["coil on at the start"] += case[0] in ("charging", "stopping")
        counts.update(names)
        try:
            judge = played(case).judge
            counts[f"{layers} ticks with the coil on"] += judge.ticks_on
            counts[f"{layers} closings"] += judge.closings
            counts[f"{layers} openings"] += judge.openings
        except Unsafe as unsafe:
            found.append([number, str(unsafe)])
        counts["ticks"] += len(case[4])
    return {"counts": dict(counts), "found": found}


def report(count, seed, keep_going):
    """Print the figures of `count` waveforms; True when the coil was never on against the wire.

    keep_going: take what an earlier, broken-off run of the same sources and seed has left.
    """
    begun_s = time.monotonic()
    print(f"hostile_seed: {seed} seed")
    folder = jobs.FOLDER if count > BATCH * 10 else None
    results = jobs.Results(f"hostile-{count}", seed, keep_going, folder)
    parts = [(str(first), (seed, first, min(first + BATCH, count))) for first in range(0, count, BATCH)]
    counts, found = Counter(), []
    for result in jobs.done(parts, batch, results).values():
        counts.update(result["counts"])
        found += result["found"]
    print(f"hostile_waveforms: {count} waveforms")
    for name, value in sorted(counts.items()):
        print(f"hostile_{name.replace(' ', '_')}: {value} times")
    print(f"hostile_unsafe: {len(found)} waveforms")
    for words, times in Counter(words.split(":")[0] for _, words in found).most_common():
        print(f"hostile_unsafe_{words.replace(' ', '_')}: {times} waveforms")
    shrunk.told(seed, found)
    on_permille = 1000 * counts["coil on at the start"] // count
    columns = {"runs": count, "ticks": counts["ticks"], "on_at_first_fault_permille": on_permille}
    jobs.logged("hostile", seed, {**columns, "finds": len(found), "seconds": round(time.monotonic() - begun_s)})
    return not found


def run(argv):
    """Run the task; exit 0 only when nothing unsafe was found."""
    parser = argparse.ArgumentParser(prog="python3 -m host_tools hostile", description=__doc__)
    parser.add_argument("--count", type=int, default=1_000_000, help="waveforms of 60–300 ticks each")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 31))
    parser.add_argument("--continue", dest="keep_going", action="store_true", help="go on where a run was broken off")
    parser.add_argument("--show", type=int, help="play one waveform by its number and print it as a table")
    options = parser.parse_args(argv)
    if options.show is not None:
        sys.stdout.write(shrunk.table(case_of(options.seed, options.show)[0]))
        return 0
    return 0 if report(options.count, options.seed, options.keep_going) else 1
