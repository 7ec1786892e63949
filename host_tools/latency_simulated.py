"""Opening and closing times in simulated time, through the real drivers, swept over every phase."""

import random

from host_tools.sim import plant as plants
from host_tools.sim import true_board, world

TICK_US = 23_000
# name, lowest and highest allowed in ms
GOALS = (
    ("c_to_b_coil_off", 0, 50),
    ("unplug_coil_off", 0, 50),
    ("b_to_c_closed", 500, 3000),
    ("stubborn_coil_off_after_x1", 6000, 6100),
)


def wallbox(seed, character, board, changes=None):
    """(plant, tick function, inbox, loop) on the true seam; changes: settings beside a wiring limit of 16 A."""
    from firmware.core import claims, decide, settings
    from firmware.core.records import Ref
    from firmware.drivers import board_facts
    from firmware.services.control_loop import ControlLoop
    from firmware.services.inbox import Inbox

    chance = random.Random(seed)
    plant = plants.Plant(seed, character=character)
    plant.frequency_mhz = chance.choice((50_000, 60_000))
    plant.advance_to(chance.randrange(1_000_000))
    facts = board_facts.loaded(f"hardware/boards/{board}.json")
    seam = true_board.TrueBoard(plant, facts)
    wanted = {"wiring_limit_ma": 16000, "nominal_hz": plant.frequency_mhz // 1000, **(changes or {})}
    chosen = settings.changed(settings.defaults(), wanted)
    inbox = Inbox()
    rows = (claims.standing("cable", facts.cable_ma, Ref("board", "cable", 0)),)
    loop = ControlLoop(seam, chosen, decide.first_memory(seam.now_ms(), rows, (0, 0)), inbox)

    def run(for_ms):
        """Tick for that long; whole ticks."""
        end_us = plant.now_us + for_ms * 1000
        while plant.now_us < end_us:
            begun_us = plant.now_us
            loop.tick()
            plant.advance_to(max(plant.now_us, begun_us + TICK_US))

    return plant, run, inbox, loop


def first_edge(plant, since_ms, name, value):
    """Moment in ms of the first edge of that name and value, or None."""
    for at_ms, edge, found in plant.edges:
        if at_ms >= since_ms and edge == name and found == value:
            return at_ms
    return None


def charged(seed, character, board):
    """A box that charges, and how long its contactor took from the last C, in ms."""
    plant, run, inbox, loop = wallbox(seed, character, board)
    run(3200)
    world.change(plant, {"car": {"is_plugged": True}})
    run(5200)
    c_ms = first_edge(plant, 0, "letter", "C")
    coil_ms = first_edge(plant, 0, "coil", True)
    if c_ms is None or coil_ms is None:
        raise SystemExit(f"latency: seed {seed}: the {character} car did not charge: {list(plant.edges)}")
    return plant, run, inbox, loop, coil_ms - c_ms


def opening(seed, change, board):
    """(B→C closing time, opening time) in ms: `change` of the world at a random instant between two ticks."""
    plant, run, _, loop, closed_ms = charged(seed, "polite", board)
    # The change comes at an instant that no tick knows of: half of the time inside a tick's own reads.
    after_us = random.Random(seed ^ 0x5EED).randrange(TICK_US)
    seen = {}

    def act():
        seen["at_us"] = plant.now_us
        world.change(plant, change)
        if "wants_charge" in change["car"]:
            plant.car.is_s2_closed = False
            plant.wire_changed()

    plant.later(after_us, act)
    run(300)
    off_ms = first_edge(plant, seen["at_us"] // 1000, "coil", False)
    if off_ms is None:
        raise SystemExit(f"latency: seed {seed}: the coil stayed on")
    return closed_ms, off_ms - seen["at_us"] / 1000


def pause(seed, character, board):
    """(ms from the x1 edge to coil off, mA that flowed when the contacts opened)."""
    from firmware.core.records import Command, Ref

    plant, run, inbox, loop, _ = charged(seed, character, board)
    run(1000)
    now_ms = loop.memory.now_ms
    inbox.put(Command("limit", "grid", 0, now_ms, now_ms + 60_000, Ref("g", "a", 0), "market", 0, None, ""))
    since_ms = plant.now_us // 1000
    run(7000)
    x1_ms = first_edge(plant, since_ms, "pilot_mode", "high")
    off_ms = first_edge(plant, since_ms, "coil", False)
    if x1_ms is None or off_ms is None:
        raise SystemExit(f"latency: seed {seed}: no x1 or no opening")
    return off_ms - x1_ms, plant.opened_with_ma[-1]


def report(seed, offsets):
    """Print the figures of `offsets` phases on both boards; True when every goal is met."""
    import sys

    from host_tools.sim import fake_machine

    sys.modules["machine"] = fake_machine
    chance = random.Random(seed)
    found = {name: [] for name, _, _ in GOALS}
    most_ma = 0
    for number in range(offsets):
        board = ("reference", "burst")[number % 2]
        one = chance.getrandbits(32)
        closed_ms, off_ms = opening(one, {"car": {"wants_charge": False}}, board)
        found["b_to_c_closed"].append(closed_ms)
        found["c_to_b_coil_off"].append(off_ms)
        found["unplug_coil_off"].append(opening(one, {"car": {"is_plugged": False}}, board)[1])
        if number % 20 == 0:
            found["stubborn_coil_off_after_x1"].append(pause(one, "stubborn", board)[0])
            for character in ("polite", "slow"):
                most_ma = max(most_ma, pause(one, character, board)[1])
    print(f"simulated_seed: {seed} seed")
    is_met = most_ma < 1000
    for name, low_ms, high_ms in GOALS:
        times = sorted(found[name])
        print(f"{name}_count: {len(times)} trials")
        print(f"{name}_min: {times[0]:.1f} ms")
        print(f"{name}_max: {times[-1]:.1f} ms")
        is_met = is_met and low_ms <= times[0] and times[-1] <= high_ms
    print(f"polite_and_slow_opened_with_max: {most_ma} mA")
    return is_met
