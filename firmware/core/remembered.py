"""Which claims and faults outlive a restart: what somebody asked for, and what only a person may end."""

from firmware.core import faults

# With what follows their end; the box's own limits are found anew at each start.
KEPT = ("grid", "owner", "house", "restart", "ramp")


def claims_of(memory: "Memory") -> "ClaimRows":
    """The claims that outlive a restart."""
    return tuple(row for row in memory.claims.rows if row.source in KEPT)


def latches_of(memory: "Memory") -> "tuple[Active, ...]":
    """The active faults that outlive a restart: what only a person, an unplug or 15 minutes may end."""
    active = memory.faults.active
    return tuple(fault for fault in active if fault.is_latched or faults.FAULTS[fault.row][4] == "retry")
