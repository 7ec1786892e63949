"""What a command does to the claims: lowering is easy, raising only ends what the same source lowered."""

from firmware.core import claims, faults
from firmware.core.records import Claim, Event

MAX_GRID_ROWS = 8  # live and coming grid events at once; more is refused as busy
SEEN_KEPT = 64  # grid-contract.md: the last 64 (issuer, id, rev) are kept

# Who may ask what (architecture, life of a pause, step 3). Nothing here closes the contactor or lifts others' limits.
MAY_ASK = (
    ("grid", "limit resume"),
    ("house", "limit resume"),
    ("owner", "limit resume charge_now opt_out clear_fault unlock"),
    ("clock", "elapsed"),
    ("store", "limit resume"),  # the box itself, for a moment: services/short_pause.py
)

# Claims that give way when the owner wants power now (faults.md I7, P1).
WAITS_OF_OWNER = ("owner", "restart", "ramp", "power_return", "mains", "damping")

# Grid classes an owner may opt out of (grid-contract.md, owner's say).
OPTIONAL_RANKS = ("market", "advice")


def may_ask(source: str, kind: str) -> bool:
    """Whether this source may send this kind of command."""
    for name, kinds in MAY_ASK:
        if name == source:
            return kind in kinds.split()
    return False


def applied(
    memory_claims: "Claims", seen: "Seen", command: "Command", frame: "tuple[int, int]"
) -> "tuple[Claims, Seen, Events]":
    """(Claims, seen, events) after one command; frame is (now_ms, full_ma): the moment and where a ramp ends."""
    now_ms, _ = frame
    if not may_ask(command.source, command.kind):
        return memory_claims, seen, (Event("refused", (command, "not_allowed")),)
    if command.source == "grid":
        return grid_applied(memory_claims, seen, command, frame)
    rows = memory_claims.rows
    if command.kind == "limit":
        rows = claims.replaced(rows, claim_of(command))
    elif command.kind == "resume":
        rows = tuple(row for row in rows if row.source != command.source or not is_meant(row, command))
    elif command.kind == "charge_now":
        return charge_now(memory_claims, seen, now_ms)
    elif command.kind == "opt_out":
        rows, events = opted_out(rows, command.of, now_ms)
        return claims.summed(rows, now_ms), seen, events
    elif command.kind == "elapsed":
        return claims.summed(elapsed(rows, command), now_ms), seen, ()
    elif command.kind == "unlock":
        return memory_claims, seen, (Event("unlock", ()),)
    if len(rows) > claims.MAX_ROWS:
        return memory_claims, seen, (Event("refused", (command, "busy")),)
    return claims.summed(rows, now_ms), seen, (Event("command", (command,)),)


def claim_of(command: "Command") -> "Claim":
    """The claim a limit command makes."""
    return Claim(
        command.source,
        command.limit_ma,
        command.from_ms,
        command.until_ms,
        command.ref,
        command.rank,
        command.after_ms,
        "new",
        0,
    )


def elapsed(rows: "ClaimRows", command: "Command") -> "ClaimRows":
    """Rows in which the claim that a restart carried over begins and ends after_ms sooner: so long the box was off.

    Only that very claim: same ref, same end (grid-contract.md: cut to its wall-clock end when the clock is set).
    """
    made = ()
    for row in rows:
        if row.ref == command.ref and row.until_ms is not None and row.until_ms == command.until_ms:
            row = Claim(
                row.source,
                row.limit_ma,
                row.from_ms - command.after_ms,
                row.until_ms - command.after_ms,
                row.ref,
                row.rank,
                row.after_ms,
                row.stage,
                row.ramp_ma,
            )
        made += (row,)
    return made


def is_meant(claim: "Claim", command: "Command") -> bool:
    """Whether a resume means this claim: all of its source and issuer, or the one it names in `of`."""
    if command.source == "grid" and claim.ref.issuer != command.ref.issuer:
        return False
    return command.of is None or claim.ref.id == command.of


def grid_applied(
    memory_claims: "Claims", seen: "Seen", command: "Command", frame: "tuple[int, int]"
) -> "tuple[Claims, Seen, Events]":
    """(Claims, seen, events) for a grid command: once per (issuer, id, rev), and a higher rev replaces a lower one."""
    now_ms, _ = frame
    ref = command.ref
    known_rev = newest_rev(seen, ref)
    if known_rev is not None and ref.rev <= known_rev:
        step = "duplicate" if ref in seen else "replayed"
        return memory_claims, seen, (Event(step, (command,)),)
    rows = memory_claims.rows
    if command.kind == "limit":
        rows, events = superseded(rows, ref)
        if sum(1 for row in rows if row.source == "grid") >= MAX_GRID_ROWS:
            rows, more = without_covered(rows, command)
            events += more
        if sum(1 for row in rows if row.source == "grid") >= MAX_GRID_ROWS:
            return memory_claims, seen, (Event("refused", (command, "busy")),)
        rows += (claim_of(command),)
        events = (Event("received", (command,)),) + events
    else:
        rows, events = resumed(rows, command, frame)
        events = (Event("received", (command,)),) + events + (Event("grid", (claim_of(command), "done")),)
    seen = (seen + (ref,))[-SEEN_KEPT:]
    return claims.summed(rows, now_ms), seen, events


def newest_rev(seen: "Seen", ref: "Ref") -> "int | None":
    """The highest rev already taken for (issuer, id), or None."""
    newest = None
    for known in seen:
        if known.issuer == ref.issuer and known.id == ref.id and (newest is None or known.rev > newest):
            newest = known.rev
    return newest


def superseded(rows: "ClaimRows", ref: "Ref") -> "tuple[ClaimRows, Events]":
    """(rows, events) without the older revision of the same (issuer, id)."""
    kept = ()
    events = ()
    for row in rows:
        if row.source == "grid" and row.ref.issuer == ref.issuer and row.ref.id == ref.id:
            events += (Event("grid", (row, "superseded")),)
        else:
            kept += (row,)
    return kept, events


def without_covered(rows: "ClaimRows", command: "Command") -> "tuple[ClaimRows, Events]":
    """(rows, events) without the first row of the same issuer that changes nothing beside this command: the newest
    pause wins (faults.md N4).
    """
    for row in rows:
        if (
            row.source == "grid"
            and row.ref.issuer == command.ref.issuer
            and command.limit_ma <= row.limit_ma
            and command.from_ms <= row.from_ms
            and (command.until_ms is None or (row.until_ms is not None and row.until_ms <= command.until_ms))
            and (row.rank == command.rank or row.rank in OPTIONAL_RANKS)
        ):
            return tuple(one for one in rows if one is not row), (Event("grid", (row, "superseded")),)
    return rows, ()


def resumed(rows: "ClaimRows", command: "Command", frame: "tuple[int, int]") -> "tuple[ClaimRows, Events]":
    """(rows, events) after a grid resume: its issuer's claims end now, and load returns as the resume says."""
    now_ms, full_ma = frame
    kept = ()
    events = ()
    had_live = False
    for row in rows:
        if row.source == "grid" and is_meant(row, command):
            had_live = had_live or claims.is_live(row, now_ms)
            events += (Event("grid", (row, "done")),)
        else:
            kept += (row,)
    if had_live:
        kept = claims.with_return(kept, claim_of(command), now_ms, full_ma)
    return kept, events


def opted_out(rows: "ClaimRows", of: "str | None", now_ms: int) -> "tuple[ClaimRows, Events]":
    """(rows, events) without the optional grid claims that `of` names; None means all that are live now."""
    kept = ()
    events = ()
    for row in rows:
        is_named = row.ref is not None and row.ref.id == of if of is not None else claims.is_live(row, now_ms)  # pyright: ignore[reportUnnecessaryComparison]
        if row.source == "grid" and row.rank in OPTIONAL_RANKS and is_named:
            events += (Event("grid", (row, "opted_out")),)
        else:
            kept += (row,)
    return kept, events


def charge_now(memory_claims: "Claims", seen: "Seen", now_ms: int) -> "tuple[Claims, Seen, Events]":
    """(Claims, seen, events): the owner wants power now: own limits, waits and optional grid events give way."""
    rows, events = opted_out(memory_claims.rows, None, now_ms)
    rows = tuple(row for row in rows if row.source not in WAITS_OF_OWNER)
    return claims.summed(rows, now_ms), seen, events + (Event("charge_now", ()),)


def faults_applied(memory_faults: "Faults", command: "Command") -> "tuple[Faults, Events]":
    """(Faults, events): only the owner's clear_fault touches faults, and only those that a page may clear."""
    if command.kind != "clear_fault" or command.source != "owner":
        return memory_faults, ()
    return faults.cleared(memory_faults, False)
