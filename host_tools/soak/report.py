"""Runs the two lives of a soak, one in each process, and prints what they lived through."""

import time
from collections import Counter

from host_tools import jobs
from host_tools.sim.oracle import Broken
from host_tools.soak.life import HOUR_MS, SESSION_S, Life

LIVES = ("unbroken", "with_cuts")
SAVED_EVERY_S = 10
TOLD_EVERY_S = 30
MOST_BYTES = 40_000  # of Memory as pickled; a leak of one record a day would pass it long before the end
LEAST_POWERED = 0.9


def lived(job):
    """Counts of one life: {counts, most, broken}. job: (name, seed, hours, session_s, folder or None)."""
    name, seed, hours, session_s, folder = job
    life = Life(seed, hours, name == "with_cuts", session_s)
    path = None
    if folder is not None:
        path = jobs.FOLDER / f"soak-{seed}-{hours}-{name}-{jobs.source_mark()}.pickle"
        if path.exists():
            life.resume(path.read_bytes())
    broken = ""
    saved_s = told_s = time.monotonic()
    try:
        while life.now_ms() < life.outside.end_ms:
            life.live(min(life.outside.end_ms, life.now_ms() + 100 * HOUR_MS))
            now_s = time.monotonic()
            if path is not None and now_s - saved_s > SAVED_EVERY_S:
                saved_s = now_s
                path.write_bytes(life.saved())
            if now_s - told_s > TOLD_EVERY_S:
                told_s = now_s
                jobs.tell(f"{name}: {life.now_ms() / HOUR_MS:.0f} of {hours} h")
    except Broken as error:
        broken = f"{error} (plant {life.now_ms()} ms, world {life.outside.world_s(life.now_ms())})"
    if path is not None:
        path.unlink(missing_ok=True)
    return {"counts": dict(life.counts), "most": dict(life.most), "broken": broken, **ended(life)}


def ended(life):
    """What a life ends with: hours, wraps, energy told and true, ticks with the coil on."""
    life.plant.settle_energy()
    return {
        "hours": life.now_ms() / HOUR_MS,
        "wraps": sum(at_ms <= life.now_ms() for at_ms in life.outside.wraps_ms),
        "told_wh": life.box.loop.memory.energy.wh,
        "true_wh": life.plant.energy_uj / 3.6e9,
        "ticks_on": life.oracle.ticks_on,
        "hot_openings": life.plant.hot_openings,
    }


def is_good(made):
    """No invariant broken, energy within 1 %, Memory bounded, and the box still charges its cars."""
    counts = made["counts"]
    is_exact = abs(made["told_wh"] - made["true_wh"]) <= made["true_wh"] / 100 + 5
    # A pause that outlives its car meets the next one: in a short life that may be a third of them.
    due = counts["sessions"] - counts.get("sessions in a pause", 0)
    is_useful = counts["sessions with power"] >= LEAST_POWERED * due
    return not made["broken"] and is_exact and is_useful and made["most"]["bytes pickled"] <= MOST_BYTES


def report(hours, seed, keep_going, session_s=SESSION_S):
    """Print the figures of both lives; True when nothing happened that must not.

    keep_going: take what an earlier, broken-off run of the same sources and seed has left.
    """
    begun_s = time.monotonic()
    print(f"soak_seed: {seed} seed")
    is_long = hours >= 500
    if is_long and not keep_going:
        for path in jobs.FOLDER.glob(f"soak-{seed}-{hours}-*.pickle"):
            path.unlink()
    results = jobs.Results(f"soak-{hours}", seed, keep_going, jobs.FOLDER if is_long else None)
    parts = [(name, (name, seed, hours, session_s, "kept" if is_long else None)) for name in LIVES]
    made = jobs.done(parts, lived, results)
    for name, one in made.items():
        told(name, one)
    total = Counter()
    for one in made.values():
        total.update(one["counts"])
    broken = sum(bool(one["broken"]) for one in made.values())
    print(f"soak_invariants_broken: {broken} lives")
    columns = {"runs": total["sessions"], "ticks": total["ticked ms"] // 23, "finds": broken}
    jobs.logged(f"soak {hours:.0f} h", seed, {**columns, "seconds": round(time.monotonic() - begun_s)})
    return all(is_good(one) for one in made.values())


def told(name, made):
    """Print one life."""
    counts, most = made["counts"], made["most"]
    print(f"soak_{name}_calendar: {made['hours']:.0f} h")
    print(f"soak_{name}_ticked: {counts['ticked ms'] / HOUR_MS:.1f} h")
    print(f"soak_{name}_tick_wraps: {made['wraps']} wraps")
    for key in sorted(set(counts) - {"ticked ms"}):
        print(f"soak_{name}_{key.replace(' ', '_')}: {counts[key]} times")
    print(f"soak_{name}_coil_on: {made['ticks_on']} ticks")
    print(f"soak_{name}_hot_openings: {made['hot_openings']} openings")
    print(f"soak_{name}_energy: {made['told_wh']} Wh")
    print(f"soak_{name}_energy_true: {made['true_wh']:.1f} Wh")
    for key in sorted(most):
        print(f"soak_{name}_memory_{key.replace(' ', '_')}_most: {most[key]} {'B' if 'bytes' in key else 'rows'}")
    print(f"soak_{name}_broken: {made['broken'] or 'nothing'}")
