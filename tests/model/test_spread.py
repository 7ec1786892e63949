"""I7: after a power return and after a group event load comes back spread; Charge now starts at once."""

import json
import random

from firmware.core import decide
from host_tools.sim import world
from host_tools.sim.box import Box

BOXES = 24
SPREAD_S = 600
SEED = 7


def offered_at_ms(box, from_ms):
    """Moment of the first PWM on the wire after from_ms, or None."""
    for at_ms, name, value in box.plant.edges:
        if at_ms >= from_ms and name == "pilot_mode" and value == "pwm":
            return at_ms
    return None


def plugged(box):
    world.change(box.plant, {"car": {"is_plugged": True}})
    return box


def distance(starts_ms):
    """Kolmogorov's distance of the starts from an even spread over SPREAD_S."""
    ordered = sorted(start / 1000 / SPREAD_S for start in starts_ms)
    count = len(ordered)
    return max(max(abs(at - index / count), abs(at - (index + 1) / count)) for index, at in enumerate(ordered))


def assert_spread(starts_ms):
    """Evenly spread at the level of 0.1 % (Kolmogorov: 1.95 / sqrt(n))."""
    print("seed", SEED, "starts after s:", sorted(start // 1000 for start in starts_ms))
    assert distance(starts_ms) < 1.95 / BOXES**0.5
    assert max(starts_ms) <= (SPREAD_S + 10) * 1000


def test_the_measure_finds_bunches():
    for bunched in ([5000] * BOXES, [start * 10_000 for start in range(BOXES)]):
        assert distance(bunched) > 1.95 / BOXES**0.5


def after_power_return(seed, hold_ms):
    """A box whose power is back while its car is still plugged in."""
    box = Box("polite", seed)
    rows = box.loop.memory.claims.rows
    box.loop.memory = decide.first_memory(0, rows, (0, hold_ms))
    return plugged(box)


def test_power_return_is_spread():
    chance = random.Random(SEED)
    starts_ms = []
    for seed in range(BOXES):
        box = after_power_return(seed, chance.randrange(SPREAD_S + 1) * 1000)
        box.run_ms((SPREAD_S + 10) * 1000)
        starts_ms.append(offered_at_ms(box, 0))
    assert_spread(starts_ms)


def test_charge_now_does_not_wait():
    box = after_power_return(1, SPREAD_S * 1000)
    box.run_ms(20_000)
    assert offered_at_ms(box, 0) is None
    box.owner("charge_now")
    now_ms = box.now_ms()
    box.run_ms(200)
    assert offered_at_ms(box, now_ms) - now_ms < 100


def test_end_of_a_group_event_is_spread():
    starts_ms = []
    for seed in range(BOXES):
        box = Box("polite", SEED * 100 + seed)
        box.run_ms(1000)
        plugged(box).run_ms(8000)
        command = {"id": "peak", "kind": "pause", "duration_s": 30, "resume": "now"}
        assert box.grid(json.dumps(command).encode(), "group") is None
        box.run_ms(40_000)
        end_ms = 39_000
        box.run_ms((SPREAD_S + 10) * 1000)
        starts_ms.append(offered_at_ms(box, end_ms) - end_ms)
    assert_spread(starts_ms)
