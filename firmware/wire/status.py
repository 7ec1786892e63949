"""The whole state of the box as one plain dict: for the page, for MQTT and for the log."""

from collections import namedtuple

from firmware.core import claims as rows
from firmware.core import energy, faults, units
from firmware.wire import words

# boot_epoch_ms: UTC epoch milliseconds of the boot, or None; phrases: function code -> (words, what to do); quality: of
# the clock, "" where there is none; stored_wh: energy that flash has, or None; session_wall_s: UTC second in which the
# session began, or 0.
View: "type[ViewRecord]" = namedtuple(  # pyright: ignore[reportUntypedNamedTuple, reportAssignmentType]
    "View",
    "box version memory readings settings boot_epoch_ms phrases quality stored_wh session_wall_s",
)

QUIET_MA = 250  # under this an open contactor's sensor noise would look like a current (unconfirmed on a board)
QUIET_W = 50
# In these states nothing happens until a fault is gone, so the sentence is about the fault.
BLOCKED = ("faulted", "waiting", "idle")

Held: "type[HeldRecord]" = namedtuple(  # pyright: ignore[reportUntypedNamedTuple, reportAssignmentType]
    "Held", ("holder", "limit_ma", "until_s", "for_s")
)


def held(memory: "Memory", settings: "SettingsRecord", boot_epoch_ms: "int | None") -> "HeldRecord":
    """Held: who sets the lowest limit now, to what, until which UTC second (0: no end or no clock) and for how long."""
    claims = memory.claims
    claim = last_to_end(claims, memory.now_ms)
    if claim is None or claims.limit_ma >= settings.wiring_limit_ma:
        return Held("wiring", settings.wiring_limit_ma, 0, 0)
    if claim.until_ms is None:
        return Held(claim.source, claims.limit_ma, 0, 0)
    for_s = (claim.until_ms - memory.now_ms + 999) // 1000
    return Held(claim.source, claims.limit_ma, moment(claim.until_ms, boot_epoch_ms), for_s)


def last_to_end(claims: "Claims", now_ms: int) -> "Claim | None":
    """Of the claims that hold the lowest limit now, the one that ends last: for it a person waits."""
    found = claims.holder
    for claim in claims.rows:
        if found is None or found.until_ms is None:
            break
        if not rows.is_live(claim, now_ms) or rows.limit_of(claim, now_ms) != claims.limit_ma:
            continue
        if claim.until_ms is None or claim.until_ms > found.until_ms:
            found = claim
    return found


def sentence(view: "ViewRecord", who: "HeldRecord") -> str:
    """One sentence: the state, who limits it and until when."""
    memory, phrases = view.memory, view.phrases
    state = memory.stage.state
    if state in BLOCKED and may_not_start(memory.faults.reaction):
        fault = worst(memory.faults.active)
        # Without a car nobody waits for what passes by itself in a moment.
        if state != "idle" or faults.FAULTS[fault.row][4] != "at_once":
            return phrases("fault." + code_of(fault))[0] + "."
    until = words.time_words(who.until_s, who.for_s, view.settings.utc_offset_s)
    is_paused = who.limit_ma < units.MIN_OFFER_MA
    plain = phrases("state." + state)[0]
    if is_paused and state in ("stopping", "waiting", "idle", "testing"):
        held_words = words.limit_words(phrases("holder." + who.holder)[0], until, True)
        if state == "stopping":
            return plain + ". " + held_words + "."
        return held_words + ("." if state != "idle" else "; " + plain[0].lower() + plain[1:] + ".")
    if state == "charging":
        limited = words.limit_words(phrases("holder." + who.holder)[0], until, False)
        plain += " with up to %d A, %s" % (memory.offer.offered_ma // 1000, limited)
    return plain + "."


def may_not_start(reaction: "Reaction") -> bool:
    """Whether a fault keeps the box from charging; a warning does not."""
    return faults.REACTIONS.index(reaction) >= faults.REACTIONS.index("no_start")


def worst(active: "tuple[Active, ...]") -> "Active":
    """The active fault with the strongest reaction, the first of equals: the one that a sentence is about."""
    found = active[0]
    for fault in active[1:]:
        if strength(fault) > strength(found):
            found = fault
    return found


def strength(active: "Active") -> int:
    """How strong the reaction to an active fault is; a latched one outlasts its cause."""
    return 2 * faults.REACTIONS.index(faults.FAULTS[active.row][2]) + active.is_latched


def code_of(active: "Active") -> str:
    """Id of an active fault's row."""
    return faults.FAULTS[active.row][0]


def fault_list(view: "ViewRecord") -> "list[FaultDict]":
    """[{"code", "words", "do"}] of the active faults."""
    listed: list[FaultDict] = []
    for active in view.memory.faults.active:
        code = code_of(active)
        what, todo = view.phrases("fault." + code)
        listed.append({"code": code, "words": what, "do": todo})
    return listed


def grid_list(memory: "Memory", boot_epoch_ms: "int | None") -> "list[GridDict]":
    """[{"id", "issuer", "limit_ma", "start_at", "end_at", "class"}] of live and coming grid events."""
    listed: list[GridDict] = []
    for row in memory.claims.rows:
        if row.source == "grid":
            listed.append(
                {
                    "id": row.ref.id,
                    "issuer": row.ref.issuer,
                    "class": row.rank,
                    "limit_ma": row.limit_ma,
                    "start_at": moment(row.from_ms, boot_epoch_ms),
                    "end_at": moment(row.until_ms, boot_epoch_ms),
                }
            )
    return listed


def moment(at_ms: "int | None", boot_epoch_ms: "int | None") -> int:
    """UTC second of a now_ms moment, 0 while the clock is unset or there is no such moment."""
    if at_ms is None or boot_epoch_ms is None:
        return 0
    return (boot_epoch_ms + at_ms + 999) // 1000


def quiet(value: int, floor: int) -> int:
    """The value, or 0 where it is no more than a sensor's noise."""
    return value if value >= floor else 0


def session_of(memory: "Memory", boot_epoch_ms: "int | None") -> "SessionDict | None":
    """{"wh", "started_at", "duration_s"} of the running session, or None."""
    meter = memory.energy
    if meter.session_wh is None:
        return None
    return {
        "wh": energy.session_wh(meter),
        "started_at": moment(meter.session_at_ms, boot_epoch_ms),
        "duration_s": (memory.now_ms - meter.session_at_ms) // 1000,
    }


def identity_part(view: "ViewRecord") -> "IdentityPart":
    """Who speaks, and the state in words."""
    memory, who = view.memory, held(view.memory, view.settings, view.boot_epoch_ms)
    return {
        "box": view.box,
        "version": view.version,
        "state": memory.stage.state,
        "letter": memory.pilot.letter,
        "words": sentence(view, who),
        "held_by": who.holder,
        "held_until": who.until_s,
        "held_for_s": who.for_s,
        "limit_ma": who.limit_ma,
    }


def energy_part(view: "ViewRecord") -> "EnergyPart":
    """What flows and what has flown; of energy what flash has, where the box keeps it (bench.md)."""
    memory, readings = view.memory, view.readings
    currents_ma, power_mw = (readings.currents_ma, readings.power_mw) if readings else ((0, 0, 0), 0)
    session = session_of(memory, view.boot_epoch_ms)
    if session and view.session_wall_s:
        session["started_at"] = view.session_wall_s
    return {
        "offered_ma": memory.offer.offered_ma,
        "currents_ma": [quiet(current_ma, QUIET_MA) for current_ma in currents_ma],
        "power_w": quiet(power_mw // 1000, QUIET_W),
        "energy_wh": memory.energy.wh if view.stored_wh is None else view.stored_wh,
        "session": session,
    }


def fault_part(view: "ViewRecord") -> "FaultPart":
    """What is wrong."""
    return {"faults": fault_list(view)}


def grid_part(view: "ViewRecord") -> "GridPart":
    """What the grid asks for."""
    return {"grid": {"events": grid_list(view.memory, view.boot_epoch_ms)}}


def clock_part(view: "ViewRecord") -> "ClockPart":
    """Clock and wear."""
    memory = view.memory
    clock: ClockDict = {"wall_s": moment(memory.now_ms, view.boot_epoch_ms), "is_set": view.boot_epoch_ms is not None}
    if view.quality:
        clock["quality"] = view.quality
    return {
        "clock": clock,
        "wear": {"operations": memory.wear.operations, "hot_openings": memory.wear.hot_openings},
    }


# Each makes some hundred bytes: a page is answered one of them a turn, so that the tick comes between (faults.md X3).
PARTS = (identity_part, energy_part, fault_part, grid_part, clock_part)


def status(view: "ViewRecord") -> "StatusDict":
    """Dict in the shape of GET /api/status (bench.md), without its "network"."""
    made: Fields = {}
    for part in PARTS:
        made.update(part(view))  # pyright: ignore[reportCallIssue, reportArgumentType]  a dict of another type
    return made  # pyright: ignore[reportReturnType]  the parts together have each key
