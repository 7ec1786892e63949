"""Builders of plain records for the unit tests."""

from firmware.core import claims, conditions, decide, faults, local, settings
from firmware.core.records import Claim, Command, Memory, Offer, Outputs, Pilot, Readings, Ref, Stage, Wear
from firmware.services.phrase_book import PhraseBook

WORDS_PATH = __file__.rpartition("tests")[0] + "firmware/words_en.txt"
phrase = PhraseBook(WORDS_PATH).phrase
TICK_MS = 23
REF = Ref("dso1", "peak", 0)

is_whole = False  # tests/model/test_real_world_whole.py plays sweeps whole
SOME = 3


def some(values):
    """The first, the last and a few between of a sweep; all of it where it is played whole."""
    values = list(values)
    if is_whole or len(values) <= SOME:
        return values
    return [values[(len(values) - 1) * place // (SOME - 1)] for place in range(SOME)]


def reading(now_ms, high_mv=12000, **more):
    """Readings of a healthy box at rest; `more` names what differs."""
    values = {
        "low_mv": None,
        "most_ma": 0,
        "power_mw": 0,
        "is_tripped": False,
        "pilot_age_ms": 0,
        "currents_age_ms": 0,
        "currents_ma": None,
        "is_relay_pin_high": True,
        "frequency_mhz": 50_000,
        "temperature_tenths_c": 250,
        "proximity_ohm": None,
        "live_poles": 0,
        "is_feedback_closed": False,
        "is_earth_ok": True,
        "is_lid_closed": True,
        "is_button_pressed": False,
        "voltages_mv": (230000, 230000, 230000),
    }
    values.update(more)
    most_ma = values["most_ma"]
    currents = values["currents_ma"] or (most_ma, most_ma, most_ma)
    return Readings(
        now_ms,
        high_mv,
        values["low_mv"],
        currents,
        values["voltages_mv"],
        values["power_mw"],
        values["frequency_mhz"],
        values["temperature_tenths_c"],
        values["proximity_ohm"],
        values["live_poles"],
        values["is_feedback_closed"],
        values["is_tripped"],
        values["is_earth_ok"],
        values["is_lid_closed"],
        values["is_button_pressed"],
        values["is_relay_pin_high"],
        values["pilot_age_ms"],
        values["currents_age_ms"],
    )


def chosen(**changes):
    """Settings of a box wired for 16 A."""
    values = {"wiring_limit_ma": 16000}
    values.update(changes)
    return settings.changed(settings.defaults(), values)


def claim(**more):
    """A live grid pause from 1 s to 11 s."""
    values = {
        "source": "grid",
        "limit_ma": 0,
        "from_ms": 1000,
        "until_ms": 11000,
        "ref": REF,
        "rank": "market",
        "after_ms": 0,
        "stage": "new",
        "ramp_ma": 0,
    }
    values.update(more)
    return Claim(
        values["source"],
        values["limit_ma"],
        values["from_ms"],
        values["until_ms"],
        values["ref"],
        values["rank"],
        values["after_ms"],
        values["stage"],
        values["ramp_ma"],
    )


def command(**more):
    """A grid pause from 1 s to 11 s."""
    values = {
        "kind": "limit",
        "source": "grid",
        "limit_ma": 0,
        "from_ms": 1000,
        "until_ms": 11000,
        "ref": REF,
        "rank": "market",
        "after_ms": 0,
        "of": None,
        "note": "",
    }
    values.update(more)
    return Command(
        values["kind"],
        values["source"],
        values["limit_ma"],
        values["from_ms"],
        values["until_ms"],
        values["ref"],
        values["rank"],
        values["after_ms"],
        values["of"],
        values["note"],
    )


NOMINAL = local.first_local(-60_000, False, decide.STANDARD_KIT)  # a box that has been at rest for a minute
PWM = Outputs(True, "pwm", 266, "green", False)
OPEN = Outputs(False, "high", 1000, "blue", False)
LOW = Outputs(False, "low", 0, "red", False)


def here(**changes):
    """Local of a box at rest for a minute, with some of its fields changed, by the names of records.Local."""
    names = (
        "button_at_ms pressed_at_ms heat moved_at_ms mains_at_ms b_at_ms has_flowed has_lasted blind may_wake "
        "is_allowed limits hot_at_ms is_damped closings chance kit plug begun_ms asked over"
    ).split()
    made = NOMINAL
    for name in changes:
        made = local.with_part(made, names.index(name), changes[name])
    return made


def known(letter="C", state="charging", outputs=PWM, **more):
    """Memory of one moment; `more`: test, offer, place, claims, wear, active, stable_at_ms, judge_at_ms, since_ms."""
    stage = Stage(state, more.get("since_ms", 0), 0, 0, 0, 0, more.get("test", "passed"), 0)
    offered = more.get("offer", Offer(16000, 0, 16000, 0, 0, 0))
    return Memory(
        0,
        Pilot(letter, more.get("stable_at_ms", 0), more.get("judge_at_ms", 0), True, 12_000),
        stage,
        more.get("claims"),
        faults.Faults((), more.get("active", ()), (), ""),
        offered,
        None,
        more.get("wear", Wear(0, 0)),
        outputs,
        (),
        more.get("place", NOMINAL),
    )


def wrong(memory, high_mv=6000, now_ms=1000, **more):
    """Ids of the rows of the fault table that one reading fulfils; contactor and pin are where they were told to be.

    more: fields of reading(), and `settings`: a dict of changes.
    """
    is_closed = memory.outputs.is_contactor_closed
    values = {"is_relay_pin_high": is_closed, "is_feedback_closed": is_closed, "live_poles": 15 if is_closed else 0}
    values["low_mv"] = -12000 if memory.outputs.pilot_mode == "pwm" else None
    values.update(more)
    changes = values.pop("settings", {})
    mask = conditions.conditions(memory, reading(now_ms, high_mv, **values), chosen(**changes))
    return [faults.FAULTS[index][0] for index in range(len(faults.FAULTS)) if mask >> index & 1]


class Box:
    """decide() tick after tick, with a car that is only a voltage; the self-test answers as a good sensor does.

    more: readings that differ from those of a healthy box, until taken out again; tick_ms: length of a tick.
    """

    def __init__(self, start_ms=0, rows=None, hold_ms=0, **changes):
        kit = changes.pop("kit", decide.STANDARD_KIT)
        self.settings = chosen(**changes)
        rows = (claims.standing("cable", 32000, Ref("board", "cable", 0)),) if rows is None else rows
        self.memory = decide.first_memory(start_ms, rows, (100, hold_ms), kit)
        self.more = {}
        self.tick_ms = TICK_MS
        self.high_mv = 12000
        self.low_mv = -12000
        self.most_ma = 0
        self.events = []
        self.has_sensor = True

    def tick(self, asked=(), **more):
        """One tick; returns the Outputs."""
        outputs = self.memory.outputs
        values = {
            "low_mv": self.low_mv if outputs.pilot_mode == "pwm" else None,
            "most_ma": self.most_ma if outputs.is_contactor_closed else 0,
            "power_mw": self.most_ma * 690 if outputs.is_contactor_closed else 0,
            "is_tripped": outputs.wants_residual_test and self.has_sensor,
            "live_poles": 15 if outputs.is_contactor_closed else 0,
            "is_feedback_closed": outputs.is_contactor_closed,
            "is_relay_pin_high": outputs.is_contactor_closed,
        }
        values.update(self.more)
        values.update(more)
        readings = reading(self.memory.now_ms + self.tick_ms, self.high_mv, **values)
        made = decide.decide(self.memory, readings, asked, self.settings)
        self.memory = made.memory
        self.events += list(made.events)
        return made.outputs

    def run(self, for_ms):
        """Tick for at least for_ms."""
        end_ms = self.memory.now_ms + for_ms
        while self.memory.now_ms < end_ms:
            self.tick()
        return self

    def run_until(self, state, most_ms):
        """Tick until a state is reached; milliseconds it took. Errors: AssertionError after most_ms."""
        begun_ms = self.memory.now_ms
        while self.state() != state:
            assert self.memory.now_ms - begun_ms <= most_ms, "still %s after %d ms" % (self.state(), most_ms)
            self.tick()
        return self.memory.now_ms - begun_ms

    def slowly(self, for_ms, tick_ms=500):
        """Run with longer ticks, for what takes minutes and is not counted in ticks."""
        self.tick_ms = tick_ms
        self.run(for_ms)
        self.tick_ms = TICK_MS
        return self

    def faults(self):
        """Ids of the active faults."""
        return [faults.FAULTS[fault.row][0] for fault in self.memory.faults.active]

    def holders(self):
        """Sources of all claims, standing ones too."""
        return [claim.source for claim in self.memory.claims.rows]

    def state(self):
        """Name of the state."""
        return self.memory.stage.state

    def charge(self, most_ma=15000):
        """Plug a car in and let it charge."""
        self.run(4000)
        self.high_mv = 9000
        self.run(1000)
        self.high_mv = 6000
        self.run(700)
        self.most_ma = most_ma
        self.run(1000)
        return self

    def codes(self):
        """Codes of all events so far."""
        return [event.code for event in self.events]
