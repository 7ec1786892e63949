"""Random lives, guided: a car is plugged in and charges first, then anything happens; the oracle watches each tick."""

import json
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from firmware.core import charging, claims, conditions, energy, faults, interlock, pilot
from firmware.core.interlock import Guard
from firmware.core.records import Command
from firmware.wire import mqtt_topics, status
from host_tools.flight import lives
from host_tools.sim import world
from host_tools.sim.box import Box
from host_tools.sim.life import HOUSE, NETWORK
from host_tools.sim.oracle import Broken, Oracle

WIRING_MA = 16_000
CARS = "polite slow stubborn simplified pulsing overdraws leaves_charging phev_glitch one_phase ventilation".split()
FAULTS = (
    "diode_missing pilot_short_earth pilot_short_12v pilot_short_minus12 pilot_open adc_stuck adc_zero adc_full "
    "residual_trip"
).split()
MOVES = st.one_of(
    st.tuples(st.just("pause"), st.integers(1, 40)),
    st.tuples(st.just("limit"), st.integers(0, 20)),
    st.tuples(st.just("resume"), st.just(0)),
    st.tuples(st.just("charge_now"), st.just(0)),
    st.tuples(st.just("plug"), st.booleans()),
    st.tuples(st.just("want"), st.booleans()),
    st.tuples(st.just("network"), st.sampled_from(NETWORK)),
    st.tuples(st.just("house"), st.sampled_from(HOUSE)),
    st.tuples(st.just("clear_fault"), st.just(0)),
    st.tuples(st.sampled_from(FAULTS), st.booleans()),
    st.tuples(st.sampled_from(FAULTS), st.just(True)),
    st.tuples(st.sampled_from(FAULTS), st.just(True)),
)
LIVES = st.lists(st.tuples(MOVES, st.integers(20, 9000)), min_size=3, max_size=12)
reached = Counter()


def live(character, seed, moves, recorded=lambda box: box):
    """Play one life under the oracle; recorded(box) may attach a recorder. Errors: Broken."""
    box = recorded(Box(character, seed, wiring_limit_ma=WIRING_MA))
    oracle = Oracle(box.plant, WIRING_MA)
    box.watch = oracle.watch
    box.run_ms(3500)
    world.change(box.plant, {"car": {"is_plugged": True}})
    box.run_ms(6000)
    for (what, value), for_ms in moves:
        reached["coil on at a move"] += box.plant.is_coil_on
        act(box, oracle, what, value)
        box.run_ms(for_ms)
        oracle.tell(told(box)["energy_wh"])
    box.run_ms(7000)
    oracle.tell(told(box)["energy_wh"])
    assert not [event for event in box.events if event.code == "crash"], "I8: decide raised"
    reached["lives"] += 1
    reached["ticks with the coil on"] += oracle.ticks_on


def told(box):
    """The state that the box publishes."""
    loop = box.loop
    view = status.View("b", "", loop.memory, loop.readings, loop.settings, None, lambda c: (c, ""), "", None, 0)
    return status.status(view)


def network(box, payload):
    """Bytes from anybody on the box's own topic; a refusal leaves everything as it was (I8)."""
    before = box.loop.memory
    if box.grid(payload) is not None:
        assert box.loop.memory is before and box.inbox.take() == ()
        reached["refused"] += 1
    reached["network while charging"] += box.plant.is_coil_on


def act(box, oracle, what, value):
    """One move of the world or of a sender."""
    now_ms = box.now_ms()
    if what in ("pause", "limit"):
        limit_ma = 0 if what == "pause" else value * 1000
        for_s = value if what == "pause" else 20
        fields = {"id": f"c{box.sent}", "kind": what, "duration_s": for_s, "resume": "now"}
        fields.update({"limit_ma": limit_ma} if what == "limit" else {})
        assert box.grid(json.dumps(fields).encode()) is None
        if sum(now_ms < row[1] for row in oracle.sent.rows) < 8:
            oracle.sent.limit("grid", box.sent, (now_ms, now_ms + for_s * 1000), limit_ma)
        reached["pause while charging"] += box.plant.is_coil_on and limit_ma < 6000
    elif what in ("resume", "charge_now"):
        box.grid(b"resume") if what == "resume" else box.owner("charge_now")
        oracle.sent.resume("grid") if what == "resume" else oracle.sent.charge_now(now_ms)
    elif what == "network":
        network(box, value)
    elif what == "house":
        made = mqtt_topics.house_command(*value, (False, box.board.now_ms()))
        reached["refused"] += not isinstance(made, Command)
        if isinstance(made, Command):
            box.inbox.put(made)
    elif what == "clear_fault":
        box.owner("clear_fault")
    elif what in ("plug", "want"):
        world.change(box.plant, {"car": {"is_plugged" if what == "plug" else "wants_charge": value}})
    else:
        reached["fault while charging"] += box.plant.is_coil_on and value
        world.change(box.plant, {"faults": {what: value}})


@example("polite", 0, [(("pause", 1), 20), (("adc_stuck", True), 20), (("pilot_short_earth", True), 20)])
@example("polite", 0, [(("resume", 0), 20), (("adc_stuck", True), 20), (("plug", False), 20)])
@settings(max_examples=400, deadline=None, print_blob=True, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(CARS), st.integers(0, 2**31), LIVES)
def test_no_life_breaks_an_invariant(pytestconfig, character, seed, moves):
    played = {"character": character, "seed": seed, "moves": moves}
    with lives.kept("random_life", played, Path(pytestconfig.getoption("lives"))) as life:
        live(character, seed, moves, life.recorded)


@pytest.mark.parametrize(("name", "played"), lives.stored(Path(__file__).parent / "lives"))
def test_a_life_that_once_went_wrong(name, played):
    live(played["character"], played["seed"], played["moves"])


def test_interesting_situations_were_reached():
    print(dict(reached))
    assert reached["lives"] >= 300
    assert reached["pause while charging"] >= 50
    assert reached["fault while charging"] >= 25
    assert reached["refused"] >= 50
    assert reached["network while charging"] >= 10
    assert reached["ticks with the coil on"] >= 5000


ALWAYS = Guard("pwm", 0, True, 0, 2, None, True)
STORY = [(("pause", 20), 9000), (("resume", 0), 9000), (("plug", False), 3000)]
LEAK = [(("residual_trip", True), 1000), (("residual_trip", False), 1000)] + [(("clear_fault", 0), 9000)] * 5
STUCK = [(("adc_stuck", True), 3000)]
LONG = [(("want", True), 9000)] * 3
DIODE = [(("diode_missing", True), 3000), (("plug", False), 500), (("plug", True), 9000)]


@pytest.mark.parametrize(
    ("name", "target", "planted", "character", "moves"),
    (
        ("a cut-off of 60 s", (charging.units, "STOP_LIMIT_MS"), 60_000, "stubborn", [(("pause", 40), 9000)] * 2),
        ("a lost claim", (claims, "is_live"), None, "polite", STORY),
        (
            "swapped bands",
            (pilot, "BANDS"),
            (("A", 10200, 99999), ("C", 7200, 10800), ("B", 4200, 7800), *pilot.BANDS[3:]),
            "polite",
            [],
        ),
        ("x1 skipped", (charging, "must_withdraw"), lambda s: False, "polite", STORY),
        ("over-current ignored", (conditions, "currents"), lambda memory, r, s: 0, "overdraws", LONG),
        ("stuck reading ignored", (conditions, "measured"), lambda m, r, mode: 0, "polite", STUCK),
        ("energy not counted", (energy, "counted"), lambda meter, power_mw, for_ms: meter, "polite", LONG),
        ("a page clears a leakage", (faults, "cleared"), lambda now, is_at_box: (faults.NO_FAULTS, ()), "polite", LEAK),
        ("no diode check", (pilot, "is_diode_good"), lambda readings, mode: True, "polite", DIODE),
    ),
)
def test_planted_bugs_are_found(monkeypatch, name, target, planted, character, moves):
    module, field = target
    if name == "a lost claim":
        module, field, planted = claims, "limit_of", lambda claim, now_ms: 80_000
    if name == "no diode check":
        # S9 would open in its place: a low half without a diode is far off.
        monkeypatch.setattr(conditions, "LOW_HALF_MV", (-99_999, 99_999))
    monkeypatch.setattr(module, field, planted)
    # The interlock would hide each of these bugs: the layers are tested alone.
    monkeypatch.setattr(interlock, "permit", lambda guard, readings, outputs, is_ventilated: ALWAYS)
    rows = tuple(
        (state, tuple((getattr(charging, guard.__name__), to) for guard, to in guards))
        for state, guards in charging.ROWS
    )
    monkeypatch.setattr(charging, "ROWS", rows)
    with pytest.raises(Broken):
        live(character, 1, moves)


def test_the_oracle_wants_a_self_test():
    plant = Box("polite", 1).plant
    oracle = Oracle(plant, WIRING_MA)
    world.change(plant, {"car": {"is_plugged": True}})
    plant.set_pilot("pwm", 266)
    plant.advance_to(2_000_000)
    oracle.watch()
    plant.advance_to(2_600_000)
    plant.set_coil_enable(True)
    plant.heartbeat()
    with pytest.raises(Broken, match="self-test"):
        oracle.watch()
