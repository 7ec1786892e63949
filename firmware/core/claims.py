"""Who limits the current, to what and until when: the lowest live claim wins and a pause is a claim of 0 mA."""

from firmware.core import units
from firmware.core.records import Claim, Claims, Event

MAX_ROWS = 24  # bound of memory: more than this is refused as busy
FOREVER_MS = 1 << 50  # later than any uptime; next_ms when nothing is due
RAMP_STEP_MS = 5000  # grid-contract.md, resume: one step each 5 s …
RAMP_STEPS = 12  # … full after 60 s

# Claims of these sources end when the car leaves (grid-contract.md, set/…; requirements §1).
LEAVES_WITH_CAR = ("car", "house", "damping")


def standing(source: str, limit_ma: int, ref: "Ref") -> "Claim":
    """A claim of `limit_ma` that holds until it is replaced."""
    return Claim(source, limit_ma, 0, None, ref, "", 0, "", 0)


def first_claims(rows: "ClaimRows", now_ms: int) -> "Claims":
    """Claims at power-on from a tuple of Claim rows (the cable and the wiring)."""
    return summed(rows, now_ms)


def is_live(claim: "Claim", now_ms: int) -> bool:
    """Whether the claim limits at this moment."""
    return claim.from_ms <= now_ms and (claim.until_ms is None or now_ms < claim.until_ms)


def limit_of(claim: "Claim", now_ms: int) -> int:
    """What the claim allows now in mA; a ramp rises by one step each 5 s."""
    if not claim.ramp_ma:
        return claim.limit_ma
    return claim.limit_ma + claim.ramp_ma * ((now_ms - claim.from_ms) // RAMP_STEP_MS)


def summed(rows: "ClaimRows", now_ms: int) -> "Claims":
    """Claims record for the rows: lowest live limit, its holder, and the moment when that may change by itself."""
    limit_ma = units.MAX_OFFER_MA
    holder = None
    next_ms = FOREVER_MS
    for claim in rows:
        if now_ms < claim.from_ms:
            next_ms = min(next_ms, claim.from_ms)
            continue
        if claim.until_ms is not None:
            next_ms = min(next_ms, claim.until_ms)
        if claim.ramp_ma:
            steps = (now_ms - claim.from_ms) // RAMP_STEP_MS + 1
            next_ms = min(next_ms, claim.from_ms + steps * RAMP_STEP_MS)
        allowed_ma = limit_of(claim, now_ms)
        if allowed_ma < limit_ma:
            limit_ma = allowed_ma
            holder = claim
    return Claims(rows, limit_ma, holder, next_ms)


def limit_without(rows: "ClaimRows", own: "tuple[tuple[str, Ref], ...]", now_ms: int) -> int:
    """Lowest live limit in mA of the claims whose source is not among those of `own`."""
    limit_ma = units.MAX_OFFER_MA
    for claim in rows:
        if is_live(claim, now_ms) and not any(claim.source == source for source, _ in own):
            limit_ma = min(limit_ma, limit_of(claim, now_ms))
    return limit_ma


def settled(claims: "Claims", now_ms: int, full_ma: int) -> "tuple[Claims, Events]":
    """(Claims, events) after ended claims were taken out and what follows their end was put in; full_ma ends a ramp."""
    kept = ()
    events = ()
    for claim in claims.rows:
        if claim.until_ms is None or now_ms < claim.until_ms:
            kept += (claim,)
        elif claim.source == "grid":
            events += (Event("grid", (claim, "done")),)
            kept = with_return(kept, claim, claim.until_ms, full_ma)
    return summed(tuple(row for row in kept if row.until_ms is None or now_ms < row.until_ms), now_ms), events


def with_return(rows: "ClaimRows", ended: "Claim", at_ms: int, full_ma: int) -> "ClaimRows":
    """Rows with what brings load back after a grid claim ended at at_ms: its hold, then a ramp (grid-contract.md)."""
    # The box's own ramp after a mains fault goes on beside it (requirements §2, mains): the lower of the two counts.
    rows = tuple(row for row in rows if row.source != "ramp" or row.ref.issuer == "board")
    from_ms = at_ms + ended.after_ms
    if ended.after_ms:
        rows += (Claim("restart", 0, at_ms, from_ms, ended.ref, "", 0, "", 0),)
    step_ma = (full_ma - units.MIN_OFFER_MA + RAMP_STEPS - 1) // RAMP_STEPS
    if step_ma <= 0:
        return rows
    until_ms = from_ms + RAMP_STEPS * RAMP_STEP_MS
    return rows + (Claim("ramp", units.MIN_OFFER_MA, from_ms, until_ms, ended.ref, "", 0, "", step_ma),)


def replaced(rows: "ClaimRows", claim: "Claim") -> "ClaimRows":
    """Rows with `claim` in place of the one with the same source and ref, or added."""
    return without(rows, claim.source, claim.ref) + (claim,)


def without(rows: "ClaimRows", source: str, ref: "Ref") -> "ClaimRows":
    """Rows without the claim of this source and ref."""
    return tuple(row for row in rows if row.source != source or row.ref != ref)


def with_own(claims: "Claims", own: "tuple[tuple[str, Ref], ...]", limits: "OwnLimits", now_ms: int) -> "Claims":
    """Claims with what the box itself limits: one row for each limit of `limits` that is not None."""
    rows = claims.rows
    for index in range(len(own)):
        source, ref = own[index]
        limit_ma = limits[index]
        rows = without(rows, source, ref)
        if limit_ma is not None:
            rows += (standing(source, limit_ma, ref),)
    return summed(rows, now_ms)


def without_source(claims: "Claims", source: str, now_ms: int) -> "Claims":
    """Claims without those of one source; the same object when there are none."""
    for claim in claims.rows:
        if claim.source == source:
            return summed(tuple(row for row in claims.rows if row.source != source), now_ms)
    return claims


def after_unplug(claims: "Claims", now_ms: int) -> "Claims":
    """Claims without those that belonged to the car that left."""
    for source in LEAVES_WITH_CAR:
        claims = without_source(claims, source, now_ms)
    return claims


def marked_applied(claims: "Claims", now_ms: int, limit_power_mw: "Callable[[int], bool]") -> "tuple[Claims, Events]":
    """(Claims, events): live grid claims that the measured power now obeys are marked and reported once.

    limit_power_mw: function (limit_ma) -> whether measured power is at most that limit + 5 % + 100 W.
    """
    rows = ()
    events = ()
    for claim in claims.rows:
        if (
            claim.source == "grid"
            and claim.stage == "new"
            and is_live(claim, now_ms)
            and limit_power_mw(claim.limit_ma)
        ):
            claim = Claim(
                claim.source,
                claim.limit_ma,
                claim.from_ms,
                claim.until_ms,
                claim.ref,
                claim.rank,
                claim.after_ms,
                "applied",
                claim.ramp_ma,
            )
            events += (Event("grid", (claim, "applied")),)
        rows += (claim,)
    return (summed(rows, now_ms), events) if events else (claims, ())


def has_unapplied(claims: "Claims", now_ms: int) -> bool:
    """Whether a live grid claim waits for its acknowledgement as applied."""
    for claim in claims.rows:
        if claim.stage == "new" and claim.from_ms <= now_ms:
            return True
    return False
