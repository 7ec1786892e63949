"""Builders of plain records for the unit tests."""

from firmware.core import claims, decide, settings
from firmware.core.records import Claim, Command, Readings, Ref
from firmware.services.phrase_book import PhraseBook

WORDS_PATH = __file__.rpartition("tests")[0] + "firmware/words_en.txt"
phrase = PhraseBook(WORDS_PATH).phrase
TICK_MS = 23
REF = Ref("dso1", "peak", 0)


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


class Box:
    """decide() tick after tick, with a car that is only a voltage; the self-test answers as a good sensor does."""

    def __init__(self, start_ms=0, rows=None, hold_ms=0, **changes):
        self.settings = chosen(**changes)
        rows = (claims.standing("cable", 32000, Ref("board", "cable", 0)),) if rows is None else rows
        self.memory = decide.first_memory(start_ms, rows, (100, hold_ms))
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
        values.update(more)
        readings = reading(self.memory.now_ms + TICK_MS, self.high_mv, **values)
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
