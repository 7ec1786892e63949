"""Bugs planted into the core at run time: each is found by the rule of the oracle that is there for it."""

import re

import pytest

from firmware.core import (
    charging,
    claims,
    conditions,
    damping,
    decide,
    energy,
    faults,
    interlock,
    local,
    offer,
    outcome,
    pilot,
    self_test,
    units,
)
from host_tools.faults import sequence, states
from host_tools.sim.fast_board import FastBoard

SWAPPED = (("A", 10200, 99999), ("C", 7200, 10800), ("B", 4200, 7800), *pilot.BANDS[3:])
HYSTERESIS = ((650, 649), (680, 679), (710, 709))
EARTH = (("fault earth_lost on", 900),)
PAUSE = (("grid pauses for 30 s, resume now", 9000),)
LEAK = (("fault residual_trip on", 900), ("fault residual_trip off", 900))
CYCLE = (("grid pauses for 2 s, resume now", 30_000),)
real_contactor, real_measured, real_tested = conditions.contactor, conditions.measured, self_test.tested


def agreed(*_):
    """The interlock's Guard that always agrees: the layers are tested alone, it would hide most of these bugs."""
    return interlock.Guard("pwm", 0, True, 0, interlock.PASSED, None, True)


def fault_row(name, column, value):
    """(faults, "FAULTS", the table with one field of one row changed)."""
    table = list(faults.FAULTS)
    row = list(table[faults.row_of(name)])
    row[column] = value
    table[faults.row_of(name)] = tuple(row)
    return faults, "FAULTS", tuple(table)


def contactor_without(bit):
    """conditions.contactor that never sees one row."""
    return lambda memory, readings, settings: real_contactor(memory, readings, settings) & ~(1 << bit)


def guarded(names, guard):
    """(charging, "ROWS", the transitions with another guard in place of those of these names)."""
    rows = tuple(
        (state, tuple((guard if old.__name__ in names else old, to) for old, to in guards))
        for state, guards in charging.ROWS
    )
    return charging, "ROWS", rows


def deaf(before, stage, signals, now_ms):
    """outcome.outputs_of that asks for nothing when the relay pin does not fall."""
    return real_outputs(before, stage, (signals[0], False), now_ms)


def unleased(board, outputs):
    """FastBoard.act whose lease is never given back once it was taken."""
    real_act(board, outputs._replace(is_contactor_closed=outputs.is_contactor_closed or board.plant.is_coil_enabled))


def forgiving(stage, now_ms, is_tripped):
    """self_test.tested that takes a leakage sensor which does not trip for one that did."""
    made = real_tested(stage, now_ms, is_tripped)
    return self_test.with_test(made, "passed", now_ms + units.TEST_EVERY_MS) if made.test == "failed" else made


real_act, real_outputs = FastBoard.act, outcome.outputs_of
INTERLOCK = (interlock, "permit", agreed)
TESTED_AT_ONCE = lambda stage, now_ms, is_tripped: self_test.with_test(stage, "passed", now_ms + 10**9)  # noqa: E731

# what is planted: what is patched, stored state, ((line, ms until the next), …), the rule that finds it
BUGS = {
    "a cut-off of 60 s": (
        [(units, "STOP_LIMIT_MS", 60_000), INTERLOCK],
        "charging, stubborn (1)",
        PAUSE,
        r"I1: coil on for \d+ ms of x1",
    ),
    "a swapped hysteresis of heat": (
        [(local, "HEAT_TENTHS_C", HYSTERESIS)],
        "charging, polite (1)",
        (("temperature 66 C", 8000), ("temperature 64 C", 8000)),
        "I4",
    ),
    "a lost lease": (
        [(FastBoard, "act", unleased)],
        "charging, polite (2)",
        (("plug out", 900),),
        "I1|K2",
    ),
    "a welded contactor ignored": (
        [(conditions, "contactor", contactor_without(faults.K1))],
        "charging, polite (3)",
        (("fault contactor_welded_l2 on", 100), ("plug out", 4000)),
        "K1",
    ),
    "a weld of N ignored": (
        [(conditions, "contactor", contactor_without(faults.K1))],
        "idle (1)",
        (("fault contactor_welded_n on", 4000),),
        "K1",
    ),
    "a leakage sensor that did not trip forgiven": (
        [(self_test, "tested", forgiving), (self_test, "STEP_MS", 3500), INTERLOCK],
        "idle (1)",
        (("fault residual_test_dead on", 100), ("plug in", 12_000)),
        "S15",
    ),
    "x1 skipped": (
        [guarded("must_withdraw is_not_c_withdrawn".split(), lambda s: False), INTERLOCK],
        "charging, polite (1)",
        PAUSE,
        "I2|I4",
    ),
    "a claim lost": ([(claims, "limit_of", lambda claim, now_ms: 80_000)], "charging, polite (1)", PAUSE, "I2"),
    "letters swapped": ([(pilot, "BANDS", SWAPPED), INTERLOCK], "idle (1)", (("plug in", 9000),), "closed|I1"),
    "over-current ignored": (
        [(conditions, "currents", lambda memory, readings, settings: 0)],
        "overdraws, soft start (1)",
        (("the car wants to charge", 20_000),),
        "S12",
    ),
    "a stuck reading ignored": (
        [(conditions, "measured", lambda memory, readings, mode: 0), INTERLOCK],
        "charging, polite (2)",
        (("fault adc_stuck on", 3000),),
        r"I3: .* S8",
    ),
    "no diode check": (
        # S9 sees a missing diode as a low half far off: it would open in place of S2.
        [
            (pilot, "is_diode_good", lambda readings, mode: True),
            (conditions, "LOW_HALF_MV", (-99_999, 99_999)),
            INTERLOCK,
        ],
        "charging, polite (1)",
        (("fault diode_missing on", 3000),),
        r"I3: .* S2",
    ),
    "energy not counted": (
        [(energy, "counted", lambda meter, power_mw, for_ms: meter)],
        "charging, polite (1)",
        (("the car wants to charge", 20_000),),
        "I5",
    ),
    "a page clears a leakage": (
        [(faults, "cleared", lambda now, is_at_box: (faults.NO_FAULTS, ()))],
        "charging, polite (2)",
        (*LEAK, ("owner clears the fault", 45_000)),
        r"I6: .* S14",
    ),
    "a leakage that clears itself": (
        [fault_row("S14", 4, "soft")],
        "charging, polite (3)",
        (*LEAK, ("the car wants to charge", 70_000)),
        r"I6: .* S14",
    ),
    "heat ignored": (
        [(local, "heat_after", lambda level, tenths_c: 0)],
        "charging, slow (1)",
        (("temperature 72 C", 7000),),
        "I2",
    ),
    "earth not watched": (
        [fault_row("S16", 2, "warn"), INTERLOCK],
        "charging, polite (1)",
        EARTH,
        r"I3: .* S16",
    ),
    "the lid only warned of": (
        [fault_row("S18", 2, "warn")],
        "charging, polite (2)",
        (("fault lid_open on", 500),),
        "S18",
    ),
    "mains borne for half a minute": (
        [fault_row("S17", 1, 30_000)],
        "charging, stubborn (1)",
        (("mains 150 230 230 V", 5000),),
        r"I3: .* S17",
    ),
    "mains not proved before a start": (
        [(conditions, "START_HELD_MS", 0)],
        "car gone (1)",
        (("mains 150 150 150 V", 1000), ("mains 230 230 230 V", 500), ("plug in", 9000)),
        "S17: closed",
    ),
    "a toggling grid not damped": ([(damping, "LEAST_MS", 0)], "charging, polite (1)", CYCLE, "N7"),
    "soft faults end at once": (
        [(faults, "SOFT_CLEAR_MS", 500), (units, "ERROR_HOLD_MS", 5000)],
        "charging, polite (1)",
        (*EARTH, ("fault earth_lost off", 30_000)),
        "too early after S16",
    ),
    "closing without 500 ms of C": (
        [(units, "LETTER_STABLE_MS", 0)],
        "offered, sleepy (1)",
        (("plug out", 1000), ("plug in", 40_000)),
        "closed",
    ),
    "raised at once": (
        [(units, "RAISE_HOLD_MS", 0)],
        "charging, polite (1)",
        (("temperature 66 C", 900), ("temperature 60 C", 2000)),
        "I4: raised",
    ),
    "a contactor that does not close": (
        [(conditions, "contactor", contactor_without(faults.K2))],
        "offered, asking (1)",
        (("fault contactor_stuck_open on", 5000),),
        "K2",
    ),
    "a stuck pin only noted": (
        [(outcome, "outputs_of", deaf)],
        "charging, polite (1)",
        (("fault relay_pin_stuck on", 100), ("the car is full", 5000)),
        "K4",
    ),
    "a broken feedback wire ignored": (
        [(conditions, "contactor", contactor_without(faults.K3))],
        "idle (1)",
        (("fault feedback_broken on", 2000), ("plug in", 9000)),
        "K3",
    ),
    "no self-test": (
        [(self_test, "tested", TESTED_AT_ONCE), INTERLOCK],
        "idle (1)",
        (("fault residual_test_dead on", 100), ("plug in", 9000)),
        "self-test",
    ),
    "a shorted plug taken": (
        [(local, "PLUG_LEAST_OHM", 0)],
        "charging, polite (1)",
        (("fault proximity_short on", 500),),
        r"I3: .* S7",
    ),
    "a simplified car at full current": (
        [(decide, "SIMPLIFIED_CAR_MA", 16_000)],
        "charging, simplified (1)",
        (("plug out", 1000), ("plug in", 9000)),
        "I4",
    ),
    "no F after lost earth": ([(units, "STATE_F_MS", 0)], "charging, polite (1)", EARTH, "no F"),
    "PWM back too soon": (
        [(units, "X1_HOLD_MS", 0), (units, "RESTART_HOLD_MS", 0), (damping, "LEAST_MS", 0)],
        "charging, polite (1)",
        (("owner pauses", 1500), ("owner resumes", 3000)),
        "PWM after",
    ),
    "a slow car cut for over-current in x1": (
        [(offer, "WITHDRAWN_MS", 0)],
        "charging, slow (1)",
        PAUSE,
        "N6",
    ),
    "a tight band for the low half": (
        [(conditions, "LOW_HALF_MV", (-13_000, -4000)), fault_row("S2", 0, "S2")],
        "charging, polite (1)",
        (("fault adc_offset on", 3000),),
        r"I3: .* S9",
    ),
}


@pytest.fixture(scope="module")
def stored():
    wanted = {bug[1].partition(" (")[0] for bug in BUGS.values()}
    return {state.name: state for state in states.stored(names=wanted)}


def found(stored, name):
    """What the guided campaign of one bug finds."""
    _, state, lines, _ = BUGS[name]
    moves, wait_ms = [], 0
    for line, for_ms in lines:
        moves.append((wait_ms, line))
        wait_ms = for_ms
    least_ms = sum(for_ms for _, for_ms in lines)
    frozen = stored[state].frozen
    return sequence.played(frozen, sequence.Sequence(None, tuple(moves), least_ms)).words


def planted(monkeypatch, name):
    """Plant one bug; the transitions take up what was patched by name."""
    for target, field, value in BUGS[name][0]:
        monkeypatch.setattr(target, field, value)


@pytest.mark.parametrize("name", BUGS)
def test_planted_bug_is_found_by_its_rule(monkeypatch, stored, name):
    assert found(stored, name) == ""
    planted(monkeypatch, name)
    words = found(stored, name)
    assert re.search(BUGS[name][3], words), words or "nothing was found"


def test_enough_bugs():
    assert len(BUGS) >= 20
