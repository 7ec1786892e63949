"""The table of stimuli: what goes wrong, which edge answers it, and how late that may be (faults.md, the table)."""

from collections import namedtuple

from firmware.core.records import Command, Ref

# deadline_ms from `since` (None: the stimulus) to `edge`; least_ms: not before. begin brings the box there, act is the
# stimulus. most_ms: how long to wait for the edge. never: an edge that must not come. share: one in so many trials.
Row = namedtuple("Row", "name deadline_ms edge act begin since least_ms most_ms character settings never share")
OFF, X1, F, DISABLED = ("coil", False), ("pilot_mode", "high"), ("pilot_mode", "low"), ("enable", False)


def charging(trial):
    """A car draws its full current."""
    trial.charge()


def idle(trial):
    """Nobody is plugged in."""
    trial.run(50)


def fault(*names):
    """The stimulus that these faults begin."""
    return lambda trial: trial.change({"faults": dict.fromkeys(names, True)})


def change(**wanted):
    """The stimulus that this part of the world changes."""
    return lambda trial: trial.change(wanted)


def with_fault(begin, *names):
    """A beginning, and these faults on before the stimulus."""

    def begun(trial):
        begin(trial)
        trial.change({"faults": dict.fromkeys(names, True)})
        trial.run(200)

    return begun


def draw(limit_ma, high_ma):
    """The stimulus that the car draws a random current from a little over the limit to high_ma."""

    def act(trial):
        # What is over the limit by less than the sensor may err (requirements §3) may be judged either way.
        low_ma = limit_ma * (106 if trial.clock else 102) // 100
        trial.plant.car._draw(trial.chance.randint(low_ma, high_ma))

    return act


def plug(trial):
    """The car is plugged in."""
    trial.change({"car": {"is_plugged": True}})


def unplug(trial):
    """The car is pulled out under load."""
    trial.change({"car": {"is_plugged": False}})


def let_go(trial):
    """The car opens S2 under load."""
    trial.plant.car.is_s2_closed = False
    trial.plant.car.wants_charge = False
    trial.plant.wire_changed()


def ventilate(trial):
    """The car asks for ventilation in the middle of charging."""
    trial.plant.car.character = "ventilation"
    trial.plant.wire_changed()


def pause(trial):
    """The grid pauses the box for a minute."""
    now_ms = trial.loop.memory.now_ms
    trial.inbox.put(Command("limit", "grid", 0, now_ms, now_ms + 60_000, Ref("g", "a", 0), "market", 0, None, ""))


def blind_sessions(trial):
    """Two sessions of over 60 s whose current no sensor sees, and an empty plug."""
    trial.change({"faults": {"current_sensor_unplugged": True}})
    for _ in range(2):
        trial.charge()
        trial.run(65_000)
        unplug(trial)
        trial.run(7000)


def at_most(permille):
    """The edge of a duty that signals at most this."""
    return "duty_permille", lambda value: 0 < value <= permille


def row(name, deadline_ms, act, **others):
    """A Row; what is not said is as in most rows: a charging polite car, and the coil must go off."""
    wanted = {"edge": OFF, "begin": charging, "since": None, "least_ms": 0, "most_ms": deadline_ms * 2 + 1000}
    wanted.update({"character": "polite", "settings": {}, "never": None, "share": 1}, **others)
    return Row(name, deadline_ms, act=act, **wanted)


def blocked(name, deadline_ms, *faults):
    """A Row of what is found in the self-test: told in time, and the contactor is never closed."""
    edge = ("fault", lambda value: value == name.split()[0])
    begin = with_fault(idle, *faults)
    return row(name, deadline_ms, plug, begin=begin, edge=edge, never=("coil", True), most_ms=12_000)


def welded(*faults):
    """A Row of a pole that stays live: F within 1.5 s of the opening."""
    name = "K1 " + " ".join(one.replace("contactor_welded", "welded") for one in faults)
    return row(name, 1500, unplug, begin=with_fault(charging, *faults), edge=F, since=OFF, most_ms=4000)


ROWS = (
    row("S1 unplug", 50, unplug),
    row("S1 C to B", 50, let_go),
    row("S2 diode missing", 500, fault("diode_missing")),
    row("S3 short to earth", 100, fault("pilot_short_earth")),
    row("S3 short to +12 V", 100, fault("pilot_short_12v")),
    row("S3 short to -12 V", 100, fault("pilot_short_minus12")),
    row("S4 pilot wire open", 100, fault("pilot_open")),
    row(
        "S5 B to C closes",
        3000,
        plug,
        begin=idle,
        since=("letter", "C"),
        edge=("coil", True),
        least_ms=500,
        most_ms=40_000,
    ),
    row("S6 letter D", 100, ventilate),
    row("S7 proximity open", 100, fault("proximity_open")),
    row("S7 proximity short", 100, fault("proximity_short")),
    row(
        "S7 proximity between", 100, fault("proximity_between"), edge=at_most(333), settings={"wiring_limit_ma": 32_000}
    ),
    row("S8 ADC stuck", 500, fault("adc_stuck")),
    row("S8 ADC all 0", 500, fault("adc_zero")),
    row("S8 ADC all full", 500, fault("adc_full")),
    row("S9 ADC offset", 1000, fault("adc_offset")),
    row("S10 sensor reversed", 60_000, fault("current_sensor_reversed"), edge=at_most(166), most_ms=70_000, share=10),
    row("S10 sensor unplugged", 60_000, plug, begin=blind_sessions, edge=at_most(166), most_ms=70_000, share=50),
    row("S11 sensor saturated", 1300, fault("current_sensor_saturated")),
    row("S12a 1.2 x", 13_100, draw(18_100, 19_900), character="stubborn"),
    row("S12b 1.5 to 1.9 x", 1300, draw(21_800, 31_000)),
    row("S12c over 2 x", 400, draw(32_000, 60_000)),
    row("S12d over the wiring", 5300, draw(20_000, 21_700)),
    row("S13 hot: half", 5000, change(temperature_tenths_c=665), edge=at_most(133)),
    row("S13 hotter: quarter", 5000, change(temperature_tenths_c=695), edge=at_most(100)),
    row("S13 too hot: stop", 5000, change(temperature_tenths_c=725), edge=X1),
    row("S13 sensor dead: 6 A", 5000, fault("temperature_sensor_dead"), edge=at_most(100)),
    row("S13 sensor dead: stop", 65_000, fault("temperature_sensor_dead"), edge=X1, most_ms=80_000, share=20),
    row("S14 leakage: coil", 100, fault("residual_trip")),
    row("S14 leakage: enable pin", 100, fault("residual_trip"), edge=DISABLED),
    blocked("S15 test dead", 5000, "residual_test_dead"),
    blocked("S15 test always good", 5000, "residual_test_always_good"),
    row("S16 earth lost", 500, fault("earth_lost")),
    row("S17 voltage low", 3200, fault("voltage_low")),
    row("S17 voltage high", 3200, fault("voltage_high")),
    row("S17 frequency off", 3200, fault("frequency_off")),
    row("S18 lid open", 100, fault("lid_open")),
    welded("contactor_welded"),
    welded("contactor_welded_l1"),
    welded("contactor_welded_l2"),
    welded("contactor_welded_l3"),
    welded("contactor_welded_n"),
    row(
        "K2 does not close",
        1000,
        plug,
        begin=with_fault(idle, "contactor_stuck_open"),
        since=("coil", True),
        edge=DISABLED,
        most_ms=20_000,
    ),
    row("K2 drops out", 1000, fault("contactor_stuck_open"), edge=DISABLED),
    row("K2 coil broken", 1000, fault("coil_broken"), edge=DISABLED),
    blocked("K3 feedback broken", 5000, "feedback_broken"),
    row("K4 relay pin stuck", 100, unplug, begin=with_fault(charging, "relay_pin_stuck"), since=DISABLED, most_ms=3000),
    row("N6 car ignores the pause", 6100, pause, character="stubborn", since=X1, least_ms=6000),
)


def chosen(names):
    """Rows with one of these ids, or whose names begin so; all of them without names. Errors: ValueError."""
    ids = {one.name.split()[0] for one in ROWS}
    begins = tuple(name + " " if name in ids else name for name in names)
    found = tuple(one for one in ROWS if not names or one.name.startswith(begins))
    if not found:
        raise ValueError("no deadline is called " + " or ".join(names))
    return found
