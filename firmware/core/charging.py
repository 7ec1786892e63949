"""The state machine of a charging session: which state follows which, on what guard, by which clause."""

from firmware.core import self_test, states, units
from firmware.core.records import Situation, Stage

FOREVER_MS = 1 << 50  # later than any uptime


def must_open(s: "Situation") -> bool:
    """An open or locked fault."""
    return s.reaction == "open" or s.reaction == "locked"


def is_healed(s: "Situation") -> bool:
    """No fault that forbids a start, and an F that began has lasted (requirements §1, state F)."""
    return not must_open(s) and s.now_ms >= s.stage.low_until_ms


def is_unplugged(s: "Situation") -> bool:
    """Letter A."""
    return s.pilot.letter == "A"


def is_plugged(s: "Situation") -> bool:
    """A car shows B or C."""
    return s.pilot.letter == "B" or s.pilot.letter == "C"


def is_tested(s: "Situation") -> bool:
    """The residual-current sensor tripped when asked and cleared again."""
    return s.stage.test == "passed"


def may_offer(s: "Situation") -> bool:
    """6 A allowed, no fault against a start, x1 and restart holds over, car still there."""
    return (
        s.limit_ma >= units.MIN_OFFER_MA
        and (s.reaction == "" or s.reaction == "warn")
        and s.now_ms >= s.stage.may_offer_at_ms
        and is_plugged(s)
    )


def may_wake(s: "Situation") -> bool:
    """30 s of unbroken B while power was offered: the car may sleep (requirements §1)."""
    here = s.local
    return (
        here.may_wake
        and here.b_at_ms is not None
        and s.now_ms - max(here.b_at_ms, s.stage.since_ms) >= units.WAKE_AFTER_MS
        and s.now_ms - here.moved_at_ms >= units.WAKE_REST_MS
    )


def is_woken(s: "Situation") -> bool:
    """The wake-up pulse is over."""
    return s.now_ms - s.stage.since_ms >= units.WAKE_MS


def must_withdraw(s: "Situation") -> bool:
    """Less than 6 A allowed, or a fault that stops gently; one against a start only while none runs."""
    if s.limit_ma < units.MIN_OFFER_MA or s.reaction == "stop":
        return True
    return s.reaction == "no_start" and s.stage.state != "charging"


def may_close(s: "Situation") -> bool:
    """500 ms of stable C, the diode seen since plug-in, the self-test passed, the last opening 5 s ago."""
    return (
        s.pilot.letter == "C"
        and s.now_ms >= s.pilot.stable_at_ms
        and s.pilot.is_diode_seen
        and s.stage.test == "passed"
        and s.now_ms >= s.stage.may_close_at_ms
    )


def is_not_c(s: "Situation") -> bool:
    """The car left letter C."""
    return s.pilot.letter != "C"


def is_not_c_withdrawn(s: "Situation") -> bool:
    """The car left letter C in the same tick in which the offer must go: no PWM for even one tick (faults.md I2)."""
    return s.pilot.letter != "C" and must_withdraw(s)


def has_let_go(s: "Situation") -> "bool | int":
    """The car opened its switch or draws under 1 A on all phases for 200 ms."""
    return s.pilot.letter != "C" or (s.stage.quiet_at_ms and s.now_ms >= s.stage.quiet_at_ms)


def is_stubborn(s: "Situation") -> bool:
    """6.0 s after the x1 edge."""
    return s.now_ms - s.stage.since_ms >= units.STOP_LIMIT_MS


# from-states, guard, to-state, clause. First match wins. There is no row from stopping to charging.
TRANSITIONS: "tuple[Transition, ...]" = (
    ("idle testing waiting offered waking charging stopping", must_open, "faulted", "faults.md I3"),
    ("faulted", is_healed, "idle", "faults.md, classes"),
    ("testing waiting offered waking charging stopping", is_unplugged, "idle", "faults.md S1, S4"),
    ("idle", is_plugged, "testing", "requirements §2, self-test"),
    ("testing", is_tested, "waiting", "requirements §2, self-test"),
    ("waiting", may_offer, "offered", "requirements §1, x1 before PWM, restart hold"),
    ("charging", is_not_c_withdrawn, "waiting", "faults.md I2"),
    ("charging", is_not_c, "offered", "faults.md S1"),
    ("charging", must_withdraw, "stopping", "faults.md I2"),
    ("offered", must_withdraw, "waiting", "faults.md I2"),
    ("waking", must_withdraw, "waiting", "faults.md I2"),
    ("waking", is_woken, "offered", "requirements §1, wake a sleeping car"),
    ("offered", may_close, "charging", "requirements §1, B to C"),
    ("offered", may_wake, "waking", "requirements §1, wake a sleeping car"),
    ("stopping", has_let_go, "waiting", "architecture, life of a pause"),
    ("stopping", is_stubborn, "waiting", "faults.md N6"),
)


def rows_by_state() -> "GuardRows":
    """TRANSITIONS split by from-state: (state, ((guard, to), …)), so that a tick reads only its own rows."""
    split = ()
    for row in states.STATES:
        guards: tuple[GuardRow, ...] = tuple(
            (guard, to) for froms, guard, to, _ in TRANSITIONS if row[0] in froms.split()
        )
        split += ((row[0], guards),)
    return split


ROWS = rows_by_state()


def first_stage(now_ms: int) -> "Stage":
    """Stage at power-on."""
    return Stage("idle", now_ms, now_ms + units.X1_HOLD_MS, now_ms, 0, 0, "", now_ms + units.TEST_EVERY_MS)


def next_state(s: "Situation") -> "State":
    """The state that follows in this situation; the same one when no guard holds."""
    state = s.stage.state
    for name, guards in ROWS:
        if name == state:
            for guard, to in guards:
                if guard(s):
                    return to
    return state


def stepped(s: "Situation", readings: "Readings") -> "Stage":
    """Stage after this tick: the transition taken, else the timers inside the state."""
    to = next_state(s)
    if to != s.stage.state:
        return entered(s, to)
    if s.pilot.letter >= "E" and is_just_opened(s):
        return held(s.stage, s.now_ms + units.ERROR_HOLD_MS)
    if to == "testing" or to == "idle":
        return self_test.tested(s.stage, s.now_ms, readings.is_residual_tripped)
    if to == "faulted" and s.is_welded and s.stage.low_until_ms < FOREVER_MS:
        return lowered(s.stage)
    if to == "stopping":
        return quietened(s)
    return s.stage


def entered(s: "Situation", to: "State") -> "Stage":
    """Stage at the start of state `to`, with the holds that leaving the old state begins."""
    now_ms = s.now_ms
    before = s.stage
    was_closed = states.is_closed(before.state)
    may_offer_at_ms = before.may_offer_at_ms
    if to == "waiting" and before.state == "stopping":
        may_offer_at_ms = max(may_offer_at_ms, now_ms + units.RESTART_HOLD_MS)
    elif to == "faulted":
        may_offer_at_ms = max(may_offer_at_ms, now_ms + units.ERROR_HOLD_MS)
    elif states.row_of(before.state)[2] != "high" and states.row_of(to)[2] == "high":
        may_offer_at_ms = max(may_offer_at_ms, now_ms + units.X1_HOLD_MS)
    may_close_at_ms = before.may_close_at_ms
    if was_closed and not states.is_closed(to):
        # An opening by E or F is an error however short (requirements §1): it waits as after one.
        is_error = s.pilot.letter >= "E"
        may_close_at_ms = now_ms + (units.ERROR_HOLD_MS if is_error else units.CLOSE_HOLD_MS)
    low_until_ms = 0
    if to == "faulted":
        low_until_ms = FOREVER_MS if s.is_welded else now_ms + units.STATE_F_MS if was_closed else 0
    elif to == "waking":
        low_until_ms = now_ms + units.WAKE_LOW_MS
    test, test_until_ms = before.test, before.test_until_ms
    if to == "idle":
        test, test_until_ms = "", now_ms + units.TEST_EVERY_MS
    elif to == "testing":
        test, test_until_ms = self_test.STEPS[0], now_ms + self_test.STEP_MS
    return Stage(to, now_ms, may_offer_at_ms, may_close_at_ms, 0, low_until_ms, test, test_until_ms)


def is_just_opened(s: "Situation") -> bool:
    """Whether the contactor opened so recently that E or F may be why: the fall to it passes through other letters."""
    stage = s.stage
    is_open = not states.is_closed(stage.state) and stage.low_until_ms == 0
    return is_open and s.now_ms - s.local.moved_at_ms <= units.ERROR_SEEN_MS and stage.may_close_at_ms > s.now_ms


def held(stage: "Stage", until_ms: int) -> "Stage":
    """Stage that closes no sooner."""
    return Stage(
        stage.state,
        stage.since_ms,
        stage.may_offer_at_ms,
        until_ms,
        stage.quiet_at_ms,
        stage.low_until_ms,
        stage.test,
        stage.test_until_ms,
    )


def lowered(stage: "Stage") -> "Stage":
    """Stage that shows F for good: a welded contactor is told to every car (faults.md K1)."""
    return Stage(
        stage.state,
        stage.since_ms,
        stage.may_offer_at_ms,
        stage.may_close_at_ms,
        stage.quiet_at_ms,
        FOREVER_MS,
        stage.test,
        stage.test_until_ms,
    )


def quietened(s: "Situation") -> "Stage":
    """Stage with the moment at which 200 ms under 1 A on all phases will be complete; 0 while more flows."""
    stage = s.stage
    if s.most_ma >= units.HOT_MA:
        quiet_at_ms = 0
    elif stage.quiet_at_ms:
        return stage
    else:
        quiet_at_ms = s.now_ms + units.QUIET_MS
    if quiet_at_ms == stage.quiet_at_ms:
        return stage
    return Stage(
        stage.state,
        stage.since_ms,
        stage.may_offer_at_ms,
        stage.may_close_at_ms,
        quiet_at_ms,
        stage.low_until_ms,
        stage.test,
        stage.test_until_ms,
    )
