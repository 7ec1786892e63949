"""What goes with a passage from one state to another, or back from a fault: wear, damping, waits, a car's leave."""

from firmware.core import claims, conditions, damping, states, units
from firmware.core import local as place
from firmware.core.records import Claim, Ref, Wear

POWER_REF = Ref("board", "power", 0)
R37_RAMP_MA = 83  # a step of 5 s: 1 A a minute (requirements §2, mains)


def after_clicks(here: "Local", events: "Events") -> "Local":
    """Local after the owner's commands of this tick: a car that may charge, and no damping of what was clicked."""
    for event in events:
        if event.code == "unlock":
            here = place.with_part(here, place.ALLOWED, True)
        elif event.code == "charge_now":
            here = place.with_part(here, place.DAMPED, False)
    return here


def mains_returned(
    here: "Local", memory_claims: "Claims", settings: "SettingsRecord", now_ms: int
) -> "tuple[Local, Claims]":
    """(Local, Claims) after the mains came back: a random wait (faults.md S17), under R37 a slow ramp behind it."""
    here, wait_s = place.rolled(here, settings.restart_spread_s + 1)
    from_ms = now_ms + wait_s * 1000
    # In place of those of a mains fault before: their number stays bounded.
    rows = claims.replaced(memory_claims.rows, Claim("mains", 0, now_ms, from_ms, POWER_REF, "", 0, "", 0))
    step_ms = claims.RAMP_STEP_MS
    steps = (settings.wiring_limit_ma - units.MIN_OFFER_MA) // R37_RAMP_MA
    if settings.has_r37_rules and steps > 0:
        until_ms = from_ms + steps * step_ms
        ramp = Claim("ramp", units.MIN_OFFER_MA, from_ms, until_ms, POWER_REF, "", 0, "", R37_RAMP_MA)
        rows = claims.replaced(rows, ramp)
    return here, claims.summed(rows, now_ms)


def moved(
    here: "Local", memory_claims: "Claims", way: "tuple[State, State]", situation: "Situation"
) -> "tuple[Local, Claims]":
    """(Local, Claims) after a transition (from, to): what is damped, who may be woken, what a session leaves behind."""
    before, after = way
    now_ms = situation.now_ms
    was_closed = states.is_closed(before)
    if after == "waking":
        here = place.with_part(here, place.MAY_WAKE, False)
    elif after == "charging":
        here = damping.closed(here, now_ms)
    elif before in ("charging", "offered", "waking") and after in ("stopping", "waiting"):
        is_grid = situation.reaction == "" or situation.reaction == "warn"
        here = damping.withdrawn(here, memory_claims.holder if is_grid else None, was_closed)
    if was_closed and after == "waiting":
        claim = damping.opened(here, now_ms)
        if claim is not None:
            memory_claims = claims.summed(claims.replaced(memory_claims.rows, claim), now_ms)
    return here, memory_claims


def worn(wear: "Wear", here: "Local", way: "tuple[State, State]", situation: "Situation") -> "tuple[Wear, Local]":
    """(Wear, Local) after a transition (from, to): closings, and openings with more than 1 A flowing."""
    was_closed = states.is_closed(way[0])
    if was_closed == states.is_closed(way[1]):
        return wear, here
    if not was_closed:
        return Wear(wear.operations + 1, wear.hot_openings), here
    if situation.most_ma <= units.HOT_MA:
        return wear, here
    hot_at_ms = (here.hot_at_ms + (situation.now_ms,))[-conditions.HOT_OPENINGS :]
    return Wear(wear.operations, wear.hot_openings + 1), place.with_part(here, place.HOT_AT, hot_at_ms)
