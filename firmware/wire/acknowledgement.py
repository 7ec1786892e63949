"""Acknowledgements: one JSON object for each step of each command, as the grid contract wants it."""

import json
from collections import namedtuple

# What the sender is told beside the step: the clock and the power at this moment.
Moment: "type[MomentRecord]" = namedtuple(  # pyright: ignore[reportUntypedNamedTuple, reportAssignmentType]
    "Moment", ("now_ms", "wall_s", "power_w")
)

# event code of the core: (step, reason)
STEPS = (
    ("received", "received", ""),
    ("duplicate", "duplicate", ""),
    ("replayed", "rejected", "replayed"),
)


def encoded(ref: "Ref", step: str, more: "tuple[str, int, int, int, int, int]") -> bytes:
    """Bytes of one acknowledgement. more: (reason, effective_at, delay_s, limit_ma, power_w, t)."""
    reason, effective_at, delay_s, limit_ma, power_w, told_at = more
    return json.dumps(
        {
            "id": ref.id,
            "rev": ref.rev,
            "issuer": ref.issuer,
            "step": step,
            "reason": reason,
            "effective_at": effective_at,
            "delay_s": delay_s,
            "limit_ma": limit_ma,
            "power_w": power_w,
            "t": told_at,
        }
    ).encode()


def refused(ref: "Ref", reason: str, moment: "MomentRecord") -> bytes:
    """Bytes for a command that was refused before it reached the core."""
    return encoded(ref, "rejected", (reason, 0, 0, 0, moment.power_w, moment.wall_s or 0))


def of_event(event: "Event", moment: "MomentRecord") -> "bytes | None":
    """Bytes for an Event of the core that a sender must hear of, or None."""
    if event.code == "grid":
        claim, step = event.args
        return of_claim(claim, step, moment)
    # Events without args are none of those that follow.
    command: Command = event.args[0] if event.args else None  # pyright: ignore[reportAssignmentType]
    if event.code == "refused" and command.source == "grid":
        return refused(command.ref, event.args[1], moment)
    for code, step, reason in STEPS:
        if event.code == code:
            return of_command(command, (step, reason), moment)
    return None


def of_command(command: "Command", told: "tuple[str, str]", moment: "MomentRecord") -> bytes:
    """Bytes for a command that was taken or seen before; told: (step, reason)."""
    step, reason = told
    delay_ms = max(0, command.from_ms - moment.now_ms)
    effective_at = moment.wall_s + delay_ms // 1000 if moment.wall_s else 0
    more = (reason, effective_at, delay_ms // 1000, command.limit_ma, moment.power_w, moment.wall_s or 0)
    return encoded(command.ref, step, more)


def of_claim(claim: "Claim", step: str, moment: "MomentRecord") -> bytes:
    """Bytes for a claim that was applied, ended, superseded or opted out of."""
    more = ("", moment.wall_s or 0, 0, claim.limit_ma, moment.power_w, moment.wall_s or 0)
    return encoded(claim.ref, step, more)
