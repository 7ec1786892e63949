"""A toggling grid is damped: closing waits, and whatever lowers acts at once (grid-contract.md, faults.md N7)."""

from firmware.core import local as place
from firmware.core.records import Claim, Ref

LEAST_MS = 60_000  # closed again no sooner than this after such an opening …
WINDOW_MS, MOST_CLOSINGS = 3_600_000, 6  # … and at most six times in any hour
CAUSES = ("grid", "house", "schedule", "restart", "damping")
REF = Ref("board", "damping", 0)


def withdrawn(local: "Local", holder: "Claim | None", is_closed: bool) -> "Local":
    """Local after an offer was withdrawn: what is damped is kept for the closing, and may wake the car later."""
    is_damped = holder is not None and holder.source in CAUSES
    if is_damped:
        local = place.with_part(local, place.MAY_WAKE, True)
    return place.with_part(local, place.DAMPED, is_damped) if is_closed else local


def opened(local: "Local", now_ms: int) -> "Claim | None":
    """The claim that holds the box after such an opening; None when nothing is damped."""
    if not local.is_damped:
        return None
    until_ms = now_ms + LEAST_MS
    if len(local.closings) >= MOST_CLOSINGS:
        until_ms = max(until_ms, local.closings[-MOST_CLOSINGS] + WINDOW_MS)
    return Claim("damping", 0, now_ms, until_ms, REF, "", 0, "", 0)


def closed(local: "Local", now_ms: int) -> "Local":
    """Local after the contactor closed: counted when the opening before it was a damped one."""
    if not local.is_damped:
        return local
    local = place.with_part(local, place.CLOSINGS, (local.closings + (now_ms,))[-MOST_CLOSINGS:])
    return place.with_part(local, place.DAMPED, False)
