"""One tick of the wallbox: from what is remembered, measured and asked to what is done; no clock, no pins."""

from firmware.core import charging, claims, commands, energy, faults, offer, pilot, states, units
from firmware.core.records import Claim, Decision, Event, Memory, Outputs, Ref, Wear

SIMPLIFIED_CAR_MA = 10_000  # a car that goes from A to C at once has no switch to stop with (requirements §1)
CAR_REF = Ref("car", "simplified", 0)
POWER_REF = Ref("board", "power", 0)

IDLE_OUTPUTS = Outputs(False, "high", 1000, "off", False)


def first_memory(now_ms: int, rows: "ClaimRows", start: "tuple[int, int]") -> "Memory":
    """Memory at power-on. rows: standing claims (cable …); start: (lifetime wh, wait after a power cut in ms)."""
    if start[1]:
        rows += (Claim("power_return", 0, now_ms, now_ms + start[1], POWER_REF, "", 0, "", 0),)
    return Memory(
        now_ms,
        pilot.first_pilot(now_ms),
        charging.first_stage(now_ms),
        claims.first_claims(rows, now_ms),
        faults.NO_FAULTS,
        offer.first_offer(),
        energy.first_energy(start[0]),
        Wear(0, 0),
        IDLE_OUTPUTS,
        (),
    )


def decide(
    memory: "Memory", readings: "Readings", asked: "tuple[Command, ...]", settings: "SettingsRecord"
) -> "Decision":
    """Decision for one tick. asked: tuple of Commands. Never raises for records of the right shape."""
    now_ms = readings.now_ms
    seen_pilot = pilot.watched(memory.pilot, readings, memory.outputs.pilot_mode)
    meter = energy.counted(memory.energy, readings.power_mw, now_ms - memory.now_ms)
    events = ()
    memory_claims, seen, memory_faults = memory.claims, memory.seen, memory.faults
    if asked:
        memory_claims, seen, memory_faults, events = after_commands(memory, asked, settings, now_ms)
    if now_ms >= memory_claims.next_ms:
        memory_claims, more = claims.settled(memory_claims, now_ms, settings.wiring_limit_ma)
        events += more
    seen_memory = Memory(
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
    )
    mask = faults.conditions(seen_memory, readings, settings)
    if mask or memory_faults.active or memory_faults.pending:
        memory_faults, more = faults.watched(memory_faults, mask, now_ms, seen_pilot.letter)
        events += more
    if memory_claims.rows and claims.has_unapplied(memory_claims, now_ms):
        memory_claims, more = acknowledged(memory_claims, readings, settings)
        events += more
    limit_ma = min(memory_claims.limit_ma, settings.wiring_limit_ma)
    situation = charging.Situation(
        now_ms, seen_pilot, memory.stage, limit_ma, memory_faults.reaction, max(readings.currents_ma)
    )
    stage = charging.stepped(situation, readings)
    return decided(memory, (situation, stage, memory_claims, memory_faults, meter, seen), events)


def decided(
    memory: "Memory", found: "tuple[Situation, Stage, Claims, Faults, Energy, Seen]", events: "Events"
) -> "Decision":
    """Decision from the parts found in this tick; events of the transition are added."""
    situation, stage, memory_claims, memory_faults, meter, seen = found
    now_ms = situation.now_ms
    seen_pilot = situation.pilot
    before = memory.stage.state
    wear = memory.wear
    if stage.state != before:
        events += (Event("state", (before, stage.state)),)
        wear = worn(wear, before, stage.state, situation.most_ma)
        if stage.state == "idle":
            meter = energy.without_session(meter)
            memory_claims = claims.after_unplug(memory_claims, now_ms)
        elif before == "idle" and stage.state == "testing":
            meter = energy.with_session(meter, now_ms)
            if now_ms >= memory.pilot.stable_at_ms:
                # No car for 500 ms before: a new plug-in, which does not wait (grid-contract.md, profiles).
                memory_claims = claims.without_source(memory_claims, "power_return", now_ms)
            if seen_pilot.letter == "C":
                limit = Claim("car", SIMPLIFIED_CAR_MA, now_ms, None, CAR_REF, "", 0, "", 0)
                memory_claims = claims.summed(claims.replaced(memory_claims.rows, limit), now_ms)
    if seen_pilot.letter != memory.pilot.letter:
        events += (Event("letter", (memory.pilot.letter, seen_pilot.letter)),)
    limit_ma = min(situation.limit_ma, memory_claims.limit_ma)
    now_offer = offer.offered(memory.offer, limit_ma if mode_of(stage, now_ms) == "pwm" else 0, now_ms)
    outputs = outputs_of(memory.outputs, stage, now_offer.offered_ma, now_ms)
    if outputs is not memory.outputs:
        seen_pilot = after_change(seen_pilot, memory.outputs, outputs, now_ms)
    return Decision(
        Memory(now_ms, seen_pilot, stage, memory_claims, memory_faults, now_offer, meter, wear, outputs, seen),
        outputs,
        events,
    )


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


def worn(wear: "Wear", before: "State", after: "State", most_ma: int) -> "Wear":
    """Wear after a transition: closings, and openings with more than 1 A flowing."""
    was_closed = states.is_closed(before)
    if was_closed == states.is_closed(after):
        return wear
    if was_closed:
        return Wear(wear.operations, wear.hot_openings + 1) if most_ma > units.HOT_MA else wear
    return Wear(wear.operations + 1, wear.hot_openings)


def mode_of(stage: "Stage", now_ms: int) -> "PilotMode":
    """Pilot mode of a stage: the state's own, and F for the first 500 ms of a fault that met a closed contactor."""
    if stage.low_until_ms and now_ms < stage.low_until_ms:
        return "low"
    return states.row_of(stage.state)[2]


def outputs_of(before: "Outputs", stage: "Stage", offered_ma: int, now_ms: int) -> "Outputs":
    """Outputs of a stage; the same object as before when nothing changed."""
    row = states.row_of(stage.state)
    mode = mode_of(stage, now_ms)
    duty = pilot.duty_permille(offered_ma) if mode == "pwm" else (0 if mode == "low" else 1000)
    wants_test = stage.state == "testing" and stage.test == "trip"
    if (
        before.is_contactor_closed is row[1]
        and before.pilot_mode == mode
        and before.duty_permille == duty
        and before.led_pattern == row[3]
        and before.wants_residual_test is wants_test
    ):
        return before
    return Outputs(row[1], mode, duty, row[3], wants_test)


def after_change(seen_pilot: "Pilot", before: "Outputs", outputs: "Outputs", now_ms: int) -> "Pilot":
    """Pilot after the outputs changed: 500 ms of stable letter start anew after a duty change or contactor move."""
    is_new_mode = before.pilot_mode != outputs.pilot_mode
    if (
        is_new_mode
        or before.duty_permille != outputs.duty_permille
        or before.is_contactor_closed is not outputs.is_contactor_closed
    ):
        return pilot.restarted(seen_pilot, now_ms, is_new_mode)
    return seen_pilot


def after_crash(memory: "Memory", now_ms: int) -> "Decision":
    """Memory after an exception in the tick: contactor open, fault X1, three within ten minutes lock (faults.md X1)."""
    memory_faults, events = faults.raised(memory.faults, faults.X1, now_ms)
    situation = charging.Situation(now_ms, memory.pilot, memory.stage, 0, memory_faults.reaction, 0)
    stage = charging.entered(situation, "faulted") if memory.stage.state != "faulted" else memory.stage
    outputs = outputs_of(memory.outputs, stage, 0, now_ms)
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
    )
    return Decision(after, outputs, events)
