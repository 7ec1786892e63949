"""Cars, sources and ADCs anywhere in their tolerance: who asks is charged, and who has let go is let go at once."""

import random

import pytest

from firmware.core import interlock, pilot, units
from host_tools.sim import world
from host_tools.sim.life import Life
from host_tools.sim.oracle import Broken

SEED = random.SystemRandom().randrange(1 << 31)
VARIANTS = 240
# What a car may show, in ohm, with its diode; the ends of C are those of its band of 5.48 to 6.54 V (unconfirmed).
B_OHM, C_OHM = (1870, 4610), (735, 1069)
SOURCE_MV = (11_550, 12_450)  # 12 V ± 5 %, less what gain and offset add to it
GAIN, OFFSET_MV = 0.005, 35
OPEN_MS = 50  # S1
# 7.75 V, read as 7.71: before, C went up to 7.8 V, and the box charged on after this car had let go.
FOUND = {"source_mv": 11_520, "offset_mv": -35, "b_ohm": 1870, "c_ohm": 882}


def parts(chance):
    """One box and one car, often at the ends of what is allowed."""

    def one(ends):
        return chance.choice((*ends, chance.uniform(*ends)))

    return {
        "source_mv": one(SOURCE_MV),
        "sink_mv": one(SOURCE_MV),
        "gain": 1 + one((-GAIN, GAIN)),
        "offset_mv": one((-OFFSET_MV, OFFSET_MV)),
        "b_ohm": one(B_OHM),
        "c_ohm": one(C_OHM),
    }


def built(seed, made):
    """A Life of such a box and car."""
    life = Life("polite", seed)
    plant = life.box.plant
    plant.source_mv, plant.sink_mv = made["source_mv"], made.get("sink_mv", made["source_mv"])
    plant.pilot_gain, plant.pilot_offset_mv = made.get("gain", 1), made["offset_mv"]
    plant.loads_ohm.update({"B": made["b_ohm"], "C": made["c_ohm"]})
    plant.wire_changed()
    return life


def let_go_after_ms(life):
    """How long the coil stays on when the car opens S2 under load."""
    plant, begun_us = life.box.plant, life.box.plant.now_us
    life.oracle.noticed()
    plant.car.is_s2_closed = plant.car.wants_charge = False
    plant.wire_changed()
    life.oracle.noticed()
    life.go(2000)
    assert not plant.is_coil_on, "charges a car that does not ask"
    return (plant.coil_at_us - begun_us) / 1000


def charged(life):
    """Plug in and charge for a while."""
    life.go(3500)
    assert not any(event.code == "fault" for event in life.box.events), "an empty plug is no fault"
    world.change(life.box.plant, {"car": {"is_plugged": True}})
    life.go(14_000 + life.seed % 23)
    assert life.box.plant.is_coil_on, [event.code for event in life.box.events]


def test_anywhere_in_the_tolerance():
    chance = random.Random(SEED)
    worst_ms = 0
    for number in range(VARIANTS):
        made = parts(chance)
        life = built(chance.getrandbits(30), made)
        try:
            charged(life)
            worst_ms = max(worst_ms, let_go_after_ms(life))
            world.change(life.box.plant, {"car": {"is_plugged": False}})
            life.go(1000)
            assert life.box.loop.memory.pilot.letter == "A" and not any(e.code == "fault" for e in life.box.events)
        except (AssertionError, Broken) as error:
            raise AssertionError(f"seed {SEED}, {number}: {error} {made}") from error
    print(f"let_go_worst: {worst_ms:.1f} ms of {OPEN_MS} in {VARIANTS} variants (seed {SEED})")
    assert worst_ms <= OPEN_MS


def test_the_car_that_was_found():
    life = built(1, FOUND)
    charged(life)
    assert let_go_after_ms(life) <= OPEN_MS


def untaught(pilot, readings):
    """pilot.learnt_mv that leaves everything to the calibration."""
    return pilot.own_mv


BEFORE = (("A", 10200, 99999), ("B", 7200, 10800), ("C", 4200, 7800), *pilot.BANDS[3:])
# A source at its lower end behind a divider that is off by 5 %, and a car a little beyond: 7.61 V are read as 7.23 V.
DRIFTED = {**FOUND, "source_mv": 11_400, "sink_mv": 12_000, "gain": 0.95, "offset_mv": 0, "b_ohm": 1820}


@pytest.mark.parametrize(
    ("made", "planted"),
    (
        (FOUND, {"BANDS": BEFORE, "learnt_mv": untaught}),
        (DRIFTED, {"learnt_mv": untaught}),
        (DRIFTED, {"BANDS": (*pilot.BANDS[:2], ("C", 4430, 8300), *pilot.BANDS[3:])}),
    ),
)
def test_a_planted_bug_is_found(monkeypatch, made, planted):
    monkeypatch.setattr(units, "OWN_MV", (10_000, 13_000))  # S9 would not let such a box start
    # Each layer is tested alone: the interlock knows no level of the box's own.
    monkeypatch.setattr(interlock, "C_HIGH_MV", 9000)
    monkeypatch.setattr(interlock, "NO_CAR_MV", 10_500)
    healthy = built(1, made)
    charged(healthy)
    assert let_go_after_ms(healthy) <= OPEN_MS
    for field, value in planted.items():
        monkeypatch.setattr(pilot, field, value)
    life = built(1, made)
    with pytest.raises((Broken, AssertionError), match=r"I1: coil on without letter C|does not ask"):
        charged(life)
        let_go_after_ms(life)


@pytest.mark.parametrize(("own_mv", "is_fault"), ((11_300, True), (11_450, False), (12_550, False), (12_700, True)))
def test_a_level_of_its_own_that_is_none_is_s9_and_not_used(own_mv, is_fault):
    life = built(1, {**FOUND, "source_mv": own_mv, "offset_mv": 0})
    life.go(4000)
    found = [event.args for event in life.box.events if event.code == "fault"]
    assert found == ([("S9",)] if is_fault else [])
    learnt_mv = life.box.loop.memory.pilot.own_mv
    assert learnt_mv == units.NOMINAL_MV if is_fault else abs(learnt_mv - own_mv) <= 40
