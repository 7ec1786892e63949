"""Types of the fields of records.py, which namedtuple cannot tell a checker; tests/house_rules/test_stubs.py holds
the two equal, field by field."""

from typing import Any, Literal, NamedTuple, TypeAlias

Letter: TypeAlias = Literal["A", "B", "C", "D", "E", "F"]
PilotMode: TypeAlias = Literal["high", "pwm", "low"]
State: TypeAlias = Literal["idle", "testing", "waiting", "offered", "waking", "charging", "stopping", "faulted"]
SelfTest: TypeAlias = Literal["", "before", "trip", "clear", "passed", "failed"]
Reaction: TypeAlias = Literal["", "warn", "no_start", "stop", "open", "locked"]

class Readings(NamedTuple):
    now_ms: int
    pilot_high_mv: int | None
    pilot_low_mv: int | None
    currents_ma: tuple[int, int, int]
    voltages_mv: tuple[int, int, int]
    power_mw: int
    frequency_mhz: int | None
    temperature_tenths_c: int | None
    proximity_ohm: int | None
    output_live_poles: int
    is_feedback_closed: bool
    is_residual_tripped: bool
    is_earth_ok: bool
    is_lid_closed: bool
    is_button_pressed: bool
    is_relay_pin_high: bool
    pilot_age_ms: int
    currents_age_ms: int

class Outputs(NamedTuple):
    is_contactor_closed: bool
    pilot_mode: PilotMode
    duty_permille: int
    led_pattern: str
    wants_residual_test: bool

class Ref(NamedTuple):
    issuer: str
    id: str
    rev: int

class Command(NamedTuple):
    kind: str
    source: str
    limit_ma: int
    from_ms: int
    until_ms: int | None
    ref: Ref
    rank: str
    after_ms: int
    of: str | None
    note: str

class Refusal(NamedTuple):
    code: str
    field: str
    words: str
    ref: Ref | None

class Event(NamedTuple):
    code: str
    args: tuple[Any, ...]  # what it holds depends on code

class Claim(NamedTuple):
    source: str
    limit_ma: int
    from_ms: int
    until_ms: int | None
    ref: Ref
    rank: str
    after_ms: int
    stage: str
    ramp_ma: int

class Memory(NamedTuple):
    now_ms: int
    pilot: Pilot
    stage: Stage
    claims: Claims
    faults: Faults
    offer: Offer
    energy: Energy
    wear: Wear
    outputs: Outputs
    seen: tuple[Ref, ...]
    local: Local

class Pilot(NamedTuple):
    letter: Letter
    stable_at_ms: int
    judge_at_ms: int
    is_diode_seen: bool
    own_mv: int

class Stage(NamedTuple):
    state: State
    since_ms: int
    may_offer_at_ms: int
    may_close_at_ms: int
    quiet_at_ms: int
    low_until_ms: int
    test: SelfTest
    test_until_ms: int

class Situation(NamedTuple):
    now_ms: int
    pilot: Pilot
    stage: Stage
    limit_ma: int
    reaction: Reaction
    most_ma: int
    local: Local
    is_welded: bool

class Claims(NamedTuple):
    rows: tuple[Claim, ...]
    limit_ma: int
    holder: Claim | None
    next_ms: int

class Faults(NamedTuple):
    pending: tuple[tuple[int, int], ...]
    active: tuple[Active, ...]
    counts: tuple[tuple[int, int, int], ...]
    reaction: Reaction

class Active(NamedTuple):
    row: int
    is_latched: bool
    clear_at_ms: int

class Offer(NamedTuple):
    offered_ma: int
    raise_at_ms: int
    reference_ma: int
    reference_until_ms: int
    held_ma: int
    held_until_ms: int

class Energy(NamedTuple):
    wh: int
    mwh: int
    uj: int
    session_wh: int | None
    session_mwh: int
    session_at_ms: int

class Wear(NamedTuple):
    operations: int
    hot_openings: int

class Local(NamedTuple):
    button_at_ms: int | None
    pressed_at_ms: int | None
    heat: int
    moved_at_ms: int
    mains_at_ms: int | None
    b_at_ms: int | None
    has_flowed: bool
    has_lasted: bool
    blind: int
    may_wake: bool
    is_allowed: bool
    limits: tuple[int | None, int | None, int | None, int | None]
    hot_at_ms: tuple[int, ...]
    is_damped: bool
    closings: tuple[int, ...]
    chance: int
    kit: Kit
    plug: tuple[int | None, int | None, int | None, int | None]
    begun_ms: int
    asked: tuple[int, bool] | None
    over: int

class Kit(NamedTuple):
    rated_operations: int
    has_leakage_retry: bool
    chance: int

class Decision(NamedTuple):
    memory: Memory
    outputs: Outputs
    events: tuple[Event, ...]

GUARDED_SERVICES: tuple[str, ...]
