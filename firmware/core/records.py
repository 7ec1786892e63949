"""The plain records that flow through one tick of the wallbox: readings in, decision out."""

from collections import namedtuple

# The types of the fields: records.pyi, which a test holds equal to this file.
# pyright: reportUntypedNamedTuple=false

# What the board measured in one tick. Voltages at the pilot pin; None means "this half was not seen" (requirements §3).
# frequency_mhz: None while not known; temperature_tenths_c: None when the sensor is bad; proximity_ohm: None when the
# board has no such input; output_live_poles: bits L1=1 L2=2 L3=4 N=8 of poles with voltage behind the contactor;
# is_feedback_closed: the mirror contact says that the contactor is pulled in. A current of SATURATED_MA or more is no
# number: the sensor was at its rail.
Readings = namedtuple(
    "Readings",
    (
        "now_ms",
        "pilot_high_mv",
        "pilot_low_mv",
        "currents_ma",
        "voltages_mv",
        "power_mw",
        "frequency_mhz",
        "temperature_tenths_c",
        "proximity_ohm",
        "output_live_poles",
        "is_feedback_closed",
        "is_residual_tripped",
        "is_earth_ok",
        "is_lid_closed",
        "is_button_pressed",
        "is_relay_pin_high",
        "pilot_age_ms",
        "currents_age_ms",
    ),
)

# What the board is told to do until the next tick. pilot_mode: "high" (x1), "pwm" or "low" (state F).
Outputs = namedtuple(
    "Outputs", ("is_contactor_closed", "pilot_mode", "duty_permille", "led_pattern", "wants_residual_test")
)

# Who says so, in the words of the grid contract: (issuer, id, rev) names one revision of one command.
Ref = namedtuple("Ref", ("issuer", "id", "rev"))

# Every way in becomes one of these; times are now_ms times, until_ms None means "until replaced".
Command = namedtuple(
    "Command",
    ("kind", "source", "limit_ma", "from_ms", "until_ms", "ref", "rank", "after_ms", "of", "note"),
)

# The one form of "no": a code for machines, the field at fault, words for people ("": those of the
# code, firmware/words_en.txt), and whose command it was (or None).
Refusal = namedtuple("Refusal", ("code", "field", "words", "ref"))

Event = namedtuple("Event", ("code", "args"))

# Someone limits the current from a moment to a moment. ramp_ma: the limit rises by this much every 5 s.
# after_ms: hold that follows the end before load returns. stage: "new" or "applied" (acknowledged as applied).
Claim = namedtuple(
    "Claim", ("source", "limit_ma", "from_ms", "until_ms", "ref", "rank", "after_ms", "stage", "ramp_ma")
)

# Everything the core remembers; each part is the same object as before when nothing in it changed.
Memory = namedtuple(
    "Memory", ("now_ms", "pilot", "stage", "claims", "faults", "offer", "energy", "wear", "outputs", "seen", "local")
)

# Pilot as seen: stable_at_ms is when an unchanged letter counts as stable; judge_at_ms when the low half may be judged;
# own_mv: what this board measures of its own +12 V, learnt while no car is there.
Pilot = namedtuple("Pilot", ("letter", "stable_at_ms", "judge_at_ms", "is_diode_seen", "own_mv"))

# Where the session stands. test, of the residual-current sensor: "" not yet, "before", "trip", "clear", "passed" or
# "failed".
Stage = namedtuple(
    "Stage",
    (
        "state",
        "since_ms",
        "may_offer_at_ms",
        "may_close_at_ms",
        "quiet_at_ms",
        "low_until_ms",
        "test",
        "test_until_ms",
    ),
)

# Everything a guard may look at. reaction: strongest active fault ("" none); most_ma: current of the largest phase.
Situation = namedtuple(
    "Situation", ("now_ms", "pilot", "stage", "limit_ma", "reaction", "most_ma", "local", "is_welded")
)

# All claims, and what follows from them until next_ms: the lowest live limit and the claim that sets it.
Claims = namedtuple("Claims", ("rows", "limit_ma", "holder", "next_ms"))

# pending: (row, confirm_at_ms) not yet confirmed; active: Active faults; counts: (row, times, last_ms).
Faults = namedtuple("Faults", ("pending", "active", "counts", "reaction"))
Active = namedtuple("Active", ("row", "is_latched", "clear_at_ms"))

# What the pilot signals: offered_ma now, no raise before raise_at_ms; for over-current the value that counted before
# the first lowering, and, in x1, the one before the withdrawal, each until its end.
Offer = namedtuple(
    "Offer", ("offered_ma", "raise_at_ms", "reference_ma", "reference_until_ms", "held_ma", "held_until_ms")
)

# Lifetime energy as wh + mwh/1000 + uj/3.6e9, and where the session began on that counter (None: no session).
Energy = namedtuple("Energy", ("wh", "mwh", "uj", "session_wh", "session_mwh", "session_at_ms"))

# Contact wear: closings and, apart, openings with more than 1 A flowing.
Wear = namedtuple("Wear", ("operations", "hot_openings"))

# What the box remembers of its place. button_at_ms: since when the button is down; pressed_at_ms: last short press;
# heat: level; moved_at_ms: last change of the contactor; mains_at_ms: since when the mains are good for a start (None:
# they are not); b_at_ms: since when letter B stands; has_flowed, has_lasted, blind: current seen in this session, a
# minute closed in it, sessions before without any; may_wake: one wake-up pulse is left; is_allowed: the owner lets this
# car charge; limits: what the box itself claims; hot_at_ms: the last hot openings; is_damped, closings: damping.py;
# plug: what the cable's resistor told (local.py, plug_after); begun_ms: power-on; asked: (when the box last asked the
# leakage sensor to trip, whether it did), None once it has cleared; over: offer.py, heated.
Local = namedtuple(
    "Local",
    (
        "button_at_ms",
        "pressed_at_ms",
        "heat",
        "moved_at_ms",
        "mains_at_ms",
        "b_at_ms",
        "has_flowed",
        "has_lasted",
        "blind",
        "may_wake",
        "is_allowed",
        "limits",
        "hot_at_ms",
        "is_damped",
        "closings",
        "chance",
        "kit",
        "plug",
        "begun_ms",
        "asked",
        "over",
    ),
)

# What the core must know of the board; chance: a random number of this start.
Kit = namedtuple("Kit", ("rated_operations", "has_leakage_retry", "chance"))

Decision = namedtuple("Decision", ("memory", "outputs", "events"))

GUARDED_SERVICES = ("installation", "safe_mode", "board")  # what these tell is security, as a login is
