"""One tick of the wallbox: from what is remembered, measured and asked to what is done; no clock, no pins."""

from firmware.core import (
    charging,
    claims,
    commands,
    conditions,
    energy,
    faults,
    offer,
    outcome,
    passages,
    pilot,
    units,
)
from firmware.core import local as place
from firmware.core.records import Claim, Decision, Event, Kit, Memory, Ref, Wear

SIMPLIFIED_CAR_MA = 10_000  # a car that goes from A to C at once has no switch to stop with (requirements §1)
CAR_REF = Ref("car", "simplified", 0)
STANDARD_KIT = Kit(50_000, False, 1)


def first_memory(now_ms: int, rows: "ClaimRows", start: "tuple[int, int]", kit: "Kit" = STANDARD_KIT) -> "Memory":
    """Memory at power-on. rows: standing claims (cable …); start: (lifetime wh, wait after a power cut in ms)."""
    if start[1]:
        rows += (Claim("power_return", 0, now_ms, now_ms + start[1], passages.POWER_REF, "", 0, "", 0),)
    return Memory(
        now_ms,
        pilot.first_pilot(now_ms),
        charging.first_stage(now_ms),
        claims.first_claims(rows, now_ms),
        faults.NO_FAULTS,
        offer.first_offer(),
        energy.first_energy(start[0]),
        Wear(0, 0),
        outcome.IDLE,
        (),
        place.first_local(now_ms, start[1] > 0, kit),
    )


def decide(
    memory: "Memory", readings: "Readings", asked: "tuple[Command, ...]", settings: "SettingsRecord"
) -> "Decision":
    """Decision for one tick. asked: tuple of Commands. Never raises for records of the right shape."""
    now_ms = readings.now_ms
    seen_pilot = pilot.watched(memory.pilot, readings, memory.outputs.pilot_mode, settings.is_ventilated)
    meter = energy.counted(memory.energy, readings.power_mw, now_ms - memory.now_ms)
    events = ()
    memory_claims, seen, memory_faults = memory.claims, memory.seen, memory.faults
    if asked:
        memory_claims, seen, memory_faults, events = after_commands(memory, asked, settings, now_ms)
    if now_ms >= memory_claims.next_ms:
        memory_claims, more = claims.settled(memory_claims, now_ms, settings.wiring_limit_ma)
        events += more
    known = Memory(
        now_ms,
        seen_pilot,
        memory.stage,
        memory_claims,
        memory_faults,
        memory.offer,
        meter,
        memory.wear,
        memory.outputs,
        seen,
        memory.local,
    )
    known, events = perceived(known, readings, settings, (events, now_ms - memory.now_ms))
    situation = charging.Situation(
        now_ms,
        seen_pilot,
        memory.stage,
        min(known.claims.limit_ma, settings.wiring_limit_ma),
        known.faults.reaction,
        max(readings.currents_ma),
        known.local,
        faults.is_active(known.faults.active, faults.K1),
    )
    return decided(memory, known, situation, (charging.stepped(situation, readings), events))


def perceived(
    known: "Memory", readings: "Readings", settings: "SettingsRecord", so_far: "tuple[Events, int]"
) -> "tuple[Memory, Events]":
    """(Memory, events) after what this tick's readings mean: the place, what the box itself limits, and the faults.

    so_far: (events of this tick, ms since the one before).
    """
    now_ms, (events, passed_ms) = known.now_ms, so_far
    here, found_claims, found_faults = place.watched(known, readings, settings, passed_ms), known.claims, known.faults
    if events:
        here = passages.after_clicks(here, events)
    limits = place.limits_of(known, here, readings, settings)
    if limits != here.limits:
        here = place.with_part(here, place.LIMITS, limits)
        found_claims = claims.with_own(found_claims, place.OWN, limits, now_ms)
    if here is not known.local:
        if here.pressed_at_ms == now_ms:
            found_faults, more = faults.cleared(found_faults, True)
            events += more
        known = with_found(known, found_claims, found_faults, here)
    mask = conditions.conditions(known, readings, settings)
    if mask or found_faults.active or found_faults.pending:
        was_off = faults.is_active(found_faults.active, faults.S17)
        # One reading of 12 V is no unplug: what an unplug clears waits for a stable letter (faults.md I6).
        letter = known.pilot.letter if now_ms >= known.pilot.stable_at_ms else "B"
        found_faults, more = faults.watched(found_faults, mask, now_ms, letter, passed_ms)
        events += more
        if was_off and not faults.is_active(found_faults.active, faults.S17):
            here, found_claims = passages.mains_returned(here, found_claims, settings, now_ms)
    if claims.has_unapplied(found_claims, now_ms):
        found_claims, more = acknowledged(found_claims, readings, settings)
        events += more
    if found_claims is known.claims and found_faults is known.faults and here is known.local:
        return known, events
    return with_found(known, found_claims, found_faults, here), events


def with_found(known: "Memory", found_claims: "Claims", found_faults: "Faults", here: "Local") -> "Memory":
    """Memory with other claims, faults and Local."""
    return Memory(
        known.now_ms,
        known.pilot,
        known.stage,
        found_claims,
        found_faults,
        known.offer,
        known.energy,
        known.wear,
        known.outputs,
        known.seen,
        here,
    )


def decided(memory: "Memory", known: "Memory", situation: "Situation", then: "tuple[Stage, Events]") -> "Decision":
    """Decision of this tick; memory: before it, known: after its readings, then: (the stage that follows, events)."""
    stage, events = then
    now_ms = known.now_ms
    seen_pilot, meter, wear, here = known.pilot, known.energy, known.wear, known.local
    found_claims, found_faults = known.claims, known.faults
    before = memory.stage.state
    if stage.state != before:
        way = (before, stage.state)
        events += (Event("state", way),)
        wear, here = passages.worn(wear, here, way, situation)
        here, found_claims = passages.moved(here, found_claims, way, situation)
        seen_pilot, meter, found_claims = with_car(
            memory.pilot, (seen_pilot, meter, found_claims), way, (now_ms, here.begun_ms)
        )
    if seen_pilot.letter != memory.pilot.letter:
        events += (Event("letter", (memory.pilot.letter, seen_pilot.letter)),)
        if seen_pilot.letter == "B":
            found_claims = claims.without_source(found_claims, "car", now_ms)
    if known.pilot.letter == "A" and memory.now_ms < known.pilot.stable_at_ms <= now_ms:
        # In whatever state: a fault neither ends what belongs to a car nor hides that it left, one reading neither.
        here, found_claims = place.unplugged(here), claims.after_unplug(found_claims, now_ms)
        meter = energy.without_session(meter)
        found_faults = faults.unplugged(found_faults)
    limit_ma = min(situation.limit_ma, found_claims.limit_ma)
    now_offer = offer.offered(memory.offer, limit_ma if outcome.mode_of(stage, now_ms) == "pwm" else 0, now_ms)
    is_pin_stuck = faults.is_active(known.faults.active, faults.K4)
    outputs = outcome.outputs_of(memory.outputs, stage, (now_offer.offered_ma, is_pin_stuck), now_ms)
    if outputs is not memory.outputs:
        seen_pilot = outcome.after_change(seen_pilot, memory.outputs, outputs, now_ms)
        if outputs.is_contactor_closed is not memory.outputs.is_contactor_closed:
            here = place.with_part(here, place.MOVED, now_ms)
    parts = (now_ms, seen_pilot, stage, found_claims, found_faults, now_offer, meter, wear, outputs, known.seen, here)
    return Decision(Memory(*parts), outputs, events)


def with_car(
    before: "Pilot", parts: "tuple[Pilot, Energy, Claims]", way: "tuple[State, State]", times: "tuple[int, int]"
) -> "tuple[Pilot, Energy, Claims]":
    """(Pilot, Energy, Claims) after a transition (from, to) at which a car comes, goes or may have been swapped.

    before: Pilot of the tick before; parts: those of this one; times: (now, power-on) in ms.
    """
    seen_pilot, meter, found_claims = parts
    now_ms = times[0]
    if way[1] == "idle" and seen_pilot.letter == "A":
        meter = energy.without_session(meter)
    elif way == ("idle", "testing"):
        # A session that a fault or a power cut broke off goes on while its car is there.
        meter = energy.with_session(meter, now_ms) if meter.session_wh is None else meter
        found_claims = plugged(found_claims, before, seen_pilot, times)
    elif way == ("waking", "offered"):
        # Nobody saw the plug during F: diode and switch are looked at anew, and what flows is another record. Who may
        # charge stays with the cable, or each wake-up in the night would strand its owner.
        seen_pilot = pilot.without_diode(seen_pilot)
        meter = energy.with_session(meter, now_ms)
        if seen_pilot.letter == "C":
            found_claims = simplified(found_claims, now_ms)
    return seen_pilot, meter, found_claims


def plugged(found_claims: "Claims", before: "Pilot", seen_pilot: "Pilot", times: "tuple[int, int]") -> "Claims":
    """Claims after a plug-in, or after a fault that a car waited out."""
    now_ms = times[0]
    if before.letter == "A" and now_ms >= before.stable_at_ms:
        # No car for 500 ms before: a new plug-in, which does not wait (grid-contract.md, profiles; faults.md S17).
        found_claims = claims.without_source(found_claims, "power_return", now_ms)
        found_claims = claims.without_source(found_claims, "mains", now_ms)
    elif now_ms - times[1] > units.LETTER_STABLE_MS and before.stable_at_ms != pilot.UNSEEN_MS:
        return found_claims
    # At a power return nobody saw the plug-in: a car that asks in x1 is taken for one without a switch.
    return simplified(found_claims, now_ms) if seen_pilot.letter == "C" else found_claims


def simplified(found_claims: "Claims", now_ms: int) -> "Claims":
    """Claims of a car that asks at once: it has no switch to stop with. Letter B shows that it has one."""
    limit = Claim("car", SIMPLIFIED_CAR_MA, now_ms, None, CAR_REF, "", 0, "", 0)
    return claims.summed(claims.replaced(found_claims.rows, limit), now_ms)


def after_commands(
    memory: "Memory", asked: "tuple[Command, ...]", settings: "SettingsRecord", now_ms: int
) -> "tuple[Claims, Seen, Faults, Events]":
    """(Claims, seen, Faults, events) after every command of this tick, in the order they came."""
    memory_claims, seen, memory_faults = memory.claims, memory.seen, memory.faults
    events = ()
    for command in asked:
        memory_claims, seen, more = commands.applied(memory_claims, seen, command, (now_ms, settings.wiring_limit_ma))
        memory_faults, gone = commands.faults_applied(memory_faults, command)
        events += more + gone
    return memory_claims, seen, memory_faults, events


def acknowledged(memory_claims: "Claims", readings: "Readings", settings: "SettingsRecord") -> "tuple[Claims, Events]":
    """(Claims, events) after claims whose limit the measured power obeys were reported as applied."""
    mw_per_ma = sum(readings.voltages_mv) // 1000 or settings.nominal_mv // 1000 * settings.phases

    def is_obeyed(limit_ma: int) -> bool:
        """Power at most the limit + 5 % + 100 W (grid-contract.md, acknowledgement)."""
        return readings.power_mw <= limit_ma * mw_per_ma // 20 * 21 + 100_000

    return claims.marked_applied(memory_claims, readings.now_ms, is_obeyed)


def after_crash(memory: "Memory", now_ms: int) -> "Decision":
    """Memory after an exception in the tick: contactor open, fault X1, three within ten minutes lock (faults.md X1)."""
    memory_faults, events = faults.raised(memory.faults, faults.X1, now_ms)
    situation = charging.Situation(
        now_ms, memory.pilot, memory.stage, 0, memory_faults.reaction, 0, memory.local, False
    )
    stage = charging.entered(situation, "faulted") if memory.stage.state != "faulted" else memory.stage
    is_pin_stuck = faults.is_active(memory_faults.active, faults.K4)
    outputs = outcome.outputs_of(memory.outputs, stage, (0, is_pin_stuck), now_ms)
    here = memory.local
    if outputs.is_contactor_closed is not memory.outputs.is_contactor_closed:
        here = place.with_part(here, place.MOVED, now_ms)
    after = Memory(
        now_ms,
        memory.pilot,
        stage,
        memory.claims,
        memory_faults,
        offer.offered(memory.offer, 0, now_ms),
        memory.energy,
        memory.wear,
        outputs,
        memory.seen,
        here,
    )
    return Decision(after, outputs, events)
