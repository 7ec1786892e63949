"""Stored states: a box in the middle of its life, made once per run from guided lives and copied for every sequence."""

from collections import namedtuple

from host_tools.sim.life import Life
from host_tools.sim.oracle import Broken

# lines: the story that led here; frozen: the life as bytes; is_on: its coil was on.
State = namedtuple("State", ("name", "frozen", "is_on", "lines"))

PLUGGED = (("plug in", 3500),)
STEADY_MS = 8500  # from plug-in to the full current, for most cars
PAUSE = "grid pauses for 20 s, resume now"

# name: car, settings, ((line, ms until the next), …) after 3.5 s at rest
CHARGED = (("plug in", STEADY_MS),)
LIVES = (
    ("idle", "polite", {}, ()),
    ("testing", "polite", {}, (("plug in", 60),)),
    ("held by the owner", "polite", {}, (("owner pauses", 100), ("plug in", 5000))),
    ("offered, full", "polite", {}, (("the car is full", 100), ("plug in", 5000))),
    ("offered, asking", "polite", {}, (("plug in", 1700),)),
    ("offered, sleepy", "sleepy", {}, (("plug in", 9000),)),
    ("closed just now", "polite", {}, (("plug in", 2300),)),
    ("soft start", "polite", {}, (("plug in", 3300),)),
    ("soft start, slow", "slow", {}, (("plug in", 3500),)),
    ("charging, polite", "polite", {}, CHARGED),
    ("charging, polite, late", "polite", {}, (("plug in", 25_000),)),
    ("charging, slow", "slow", {}, CHARGED),
    ("charging, stubborn", "stubborn", {}, CHARGED),
    ("charging, sleepy", "sleepy", {}, (("plug in", 60_000),)),
    ("charging, simplified", "simplified", {}, CHARGED),
    ("charging, pulsing", "pulsing", {}, CHARGED),
    ("charging, pulsing, between", "pulsing", {}, (("plug in", 11_500),)),
    ("charging, leaves soon", "leaves_charging", {}, CHARGED),
    ("charging, phev_glitch", "phev_glitch", {}, CHARGED),
    ("charging, one_phase", "one_phase", {}, CHARGED),
    ("overdraws, soft start", "overdraws", {}, (("plug in", 4600),)),
    ("refused, ventilation", "ventilation", {}, (("plug in", 4600),)),
    ("charging, ventilated", "ventilation", {"is_ventilated": True}, CHARGED),
    ("charging, one phase wired", "polite", {"phases": 1}, CHARGED),
    ("charging, 32 A", "polite", {"wiring_limit_ma": 32_000}, CHARGED),
    ("charging, 6 A", "polite", {"wiring_limit_ma": 6000}, CHARGED),
    ("charging, stubborn, 32 A", "stubborn", {"wiring_limit_ma": 32_000}, CHARGED),
    ("charging, slow, 10 A", "slow", {"wiring_limit_ma": 10_000}, CHARGED),
    ("stopping, polite", "polite", {}, (*CHARGED, (PAUSE, 200))),
    ("stopping, slow", "slow", {}, (*CHARGED, (PAUSE, 1500))),
    ("stopping, slow, early", "slow", {}, (*CHARGED, (PAUSE, 50))),
    ("stopping, stubborn", "stubborn", {}, (*CHARGED, (PAUSE, 1000))),
    ("stopping, stubborn, late", "stubborn", {}, (*CHARGED, (PAUSE, 5200))),
    ("stopping, stubborn, 32 A", "stubborn", {"wiring_limit_ma": 32_000}, (*CHARGED, (PAUSE, 2500))),
    ("stopping, simplified", "simplified", {}, (*CHARGED, (PAUSE, 300))),
    ("stopping, one_phase", "one_phase", {}, (*CHARGED, (PAUSE, 300))),
    ("stopping, by the owner", "slow", {}, (*CHARGED, ("owner pauses", 1200))),
    ("paused by the grid", "polite", {}, (*CHARGED, (PAUSE, 6000))),
    ("after a pause, held", "polite", {}, (*CHARGED, ("grid pauses for 5 s, resume now", 12_000))),
    ("after a pause, charging", "polite", {}, (*CHARGED, ("grid pauses for 5 s, resume now", 85_000))),
    ("after a pause, slow", "slow", {}, (*CHARGED, ("grid pauses for 5 s, resume now", 85_000))),
    ("paused by the owner", "polite", {}, (*CHARGED, ("owner pauses", 6000))),
    ("resumed by the owner", "polite", {}, (*CHARGED, ("owner pauses", 6000), ("owner resumes", 9000))),
    ("limited by the grid", "polite", {}, (*CHARGED, ("grid limits to 8 A for 600 s, resume now", 6000))),
    ("limited just now", "slow", {}, (*CHARGED, ("grid limits to 8 A for 600 s, resume now", 1500))),
    ("limited, stubborn", "stubborn", {}, (*CHARGED, ("grid limits to 10 A for 600 s, resume now", 6000))),
    ("derated by heat", "polite", {}, (*CHARGED, ("temperature 67 C", 8000))),
    ("stopping by heat", "stubborn", {}, (*CHARGED, ("temperature 72 C", 2000))),
    ("near the heat limit", "polite", {}, (*CHARGED, ("temperature 64 C", 4000))),
    ("full", "polite", {}, (*CHARGED, ("the car is full", 4000))),
    ("hungry again", "polite", {}, (*CHARGED, ("the car is full", 9000), ("the car wants to charge", 8000))),
    ("car gone", "polite", {}, (*CHARGED, ("plug out", 1500))),
    ("second car", "polite", {}, (*CHARGED, ("plug out", 6000), ("plug in", STEADY_MS))),
    (
        "faulted, soft",
        "polite",
        {},
        (*CHARGED, ("fault pilot_short_earth on", 400), ("fault pilot_short_earth off", 3000)),
    ),
    ("healed", "polite", {}, (*CHARGED, ("fault pilot_short_earth on", 400), ("fault pilot_short_earth off", 45_000))),
    ("faulted, hard", "polite", {}, (*CHARGED, ("fault residual_trip on", 400), ("fault residual_trip off", 3000))),
    ("mains back", "polite", {}, (*CHARGED, ("mains 170 170 170 V", 5000), ("mains 230 230 230 V", 4000))),
    ("noisy", "polite", {}, (("fault adc_noise on", 100), *CHARGED)),
)
# Further moments against the phases of mains, pilot and tick, for the states with the coil on.
SHIFTS = ((1, 0), (2, 7), (3, 15))


def life_of(row, seed, shift_ms):
    """The Life of one row of LIVES, up to its stored moment. Errors: Broken."""
    _, character, changes, lines = row
    life = Life(character, seed, **changes)
    life.go(3500)
    for line, for_ms in lines:
        life.do(line)
        life.go(for_ms)
    life.go(shift_ms)
    return life


def stored(finds=None, names=None):
    """List of States, of all rows or of those named (set); a life that breaks an invariant on its way is told to
    `finds` (list) and left out.
    """
    made = []
    for row in LIVES:
        if names is not None and row[0] not in names:
            continue
        for seed, shift_ms in SHIFTS:
            try:
                life = life_of(row, seed, shift_ms)
            except Broken as broken:
                if finds is None:
                    raise
                finds.append((row[0], str(broken)))
                continue
            is_on = life.box.plant.is_coil_on
            made.append(State(f"{row[0]} ({seed})", life.frozen(), is_on, tuple(life.lines)))
    return made
