"""The fault table: what counts as a fault, how long it must last, what the wallbox does and what clears it."""

from firmware.core.records import Active, Event, Faults

# Reactions in rising order; the strongest active one rules. "normal" rows are handled by the state machine itself.
REACTIONS: "tuple[Reaction, ...]" = ("", "warn", "no_start", "stop", "open", "locked")
SOFT_CLEAR_MS = 30_000  # soft: 30 s after the cause is gone (faults.md, classes)
RETRY_CLEAR_MS = 900_000  # retry: 15 min (requirements §2, leakage trip)
TICK_MOST_MS = 54  # two ticks of 27 ms, the longest that a board may have
COUNT_KEPT_MS = 86_400_000  # counters fall back after 24 h without a recurrence
CRASH_WINDOW_MS = 600_000  # faults.md X1: three within ten minutes

# id    confirm_ms reaction  deadline_ms class       becomes_hard_after  mrec
# What each is called and what to do about it: firmware/words_en.txt. Rows that the state machine itself or a service
# answers for (S1, S4, S5, N1–N7 …) are in host_tools/other_faults.py. Bits of a mask are cheap up to row 29.
FAULTS = (
    ("S2", 300, "open", 500, "hard", 0, 14),
    ("S3", 50, "open", 100, "soft", 0, 14),
    ("S6", 0, "open", 100, "soft", 0, 14),
    ("S7", 40, "open", 100, "soft", 0, 23),
    ("S8", 50, "open", 500, "soft", 3, 14),
    ("S9", 200, "open", 1000, "soft", 0, 14),
    ("S10", 30_000, "warn", 60_000, "soft", 0, 0),
    ("S11", 1000, "open", 1300, "hard", 0, 4),
    ("S12a", 6600, "stop", 13_100, "soft", 3, 4),
    ("S12b", 1000, "open", 1300, "soft", 3, 4),
    ("S12c", 100, "open", 400, "soft", 3, 4),
    ("S12d", 5000, "open", 5300, "soft", 3, 4),
    ("S13a", 500, "stop", 5000, "soft", 0, 3),
    ("S13b", 4800, "open", 5000, "soft", 0, 3),
    ("S13c", 60_000, "stop", 66_200, "soft", 0, 3),
    ("S14", 0, "open", 100, "hard", 0, 2),
    ("S15", 0, "open", 0, "permanent", 0, 2),
    ("S16", 300, "open", 500, "soft", 3, 2),
    ("S17", 2800, "open", 3200, "soft", 0, 15),
    ("S17s", 0, "no_start", 0, "at_once", 0, 15),
    ("S17p", 5000, "open", 5300, "soft", 0, 15),
    ("S18", 0, "open", 100, "owner", 0, 0),
    ("K1", 100, "open", 1500, "permanent", 0, 17),
    ("K2", 600, "open", 1000, "soft", 2, 17),
    ("K3", 300, "open", 0, "permanent", 0, 17),
    ("K4", 0, "open", 100, "permanent", 2, 17),
    ("W1", 0, "warn", 0, "soft", 0, 17),
    ("X3", 0, "open", 300, "soft", 0, 0),
    ("W2", 0, "warn", 0, "soft", 0, 17),
    ("S14r", 0, "open", 100, "retry", 3, 2),
    ("X1", 0, "open", 100, "soft", 2, 0),
    ("S12h", 0, "stop", 0, "soft", 3, 4),
)

NO_FAULTS = Faults((), (), (), "")


def row_of(fault_id: str) -> int:
    """Index of a row of FAULTS by its id."""
    index = 0
    while FAULTS[index][0] != fault_id:
        index += 1
    return index


S2, S3, S6, S7, S8, S9 = row_of("S2"), row_of("S3"), row_of("S6"), row_of("S7"), row_of("S8"), row_of("S9")
S10, S11, S12A, S12B = row_of("S10"), row_of("S11"), row_of("S12a"), row_of("S12b")
S12C, S12D, S13A, S13B, S13C = row_of("S12c"), row_of("S12d"), row_of("S13a"), row_of("S13b"), row_of("S13c")
S14, S14R, S15, S16, S17 = row_of("S14"), row_of("S14r"), row_of("S15"), row_of("S16"), row_of("S17")
S17S, S17P, S18 = row_of("S17s"), row_of("S17p"), row_of("S18")
K1, K2, K3, K4 = row_of("K1"), row_of("K2"), row_of("K3"), row_of("K4")
S12H = row_of("S12h")
W1, W2, X1, X3 = row_of("W1"), row_of("W2"), row_of("X1"), row_of("X3")


def watched(
    faults: "Faults", mask: int, now_ms: int, letter: "Letter", passed_ms: int = TICK_MOST_MS
) -> "tuple[Faults, Events]":
    """(Faults, events) after one tick with the conditions of `mask`; the same Faults while nothing is wrong.

    passed_ms: since the tick before.
    """
    if not mask and not faults.active and not faults.pending:
        return faults, ()
    pending, confirmed = confirmed_of(faults, mask, now_ms, passed_ms)
    active = ()
    events = ()
    for fault in faults.active:
        row = FAULTS[fault.row]
        if mask >> fault.row & 1:
            active += (Active(fault.row, fault.is_latched, now_ms + clear_ms(row)),)
        elif may_clear(fault, row, now_ms, letter):
            events += (Event("fault_gone", (row[0],)),)
        else:
            active += (fault,)
    counts = faults.counts
    for index in confirmed:
        if not is_active(active, index):
            counts, times = counted(counts, index, now_ms)
            active += (Active(index, is_latching(FAULTS[index], times), now_ms + clear_ms(FAULTS[index])),)
            events += (Event("fault", (FAULTS[index][0],)),)
    return Faults(pending, active, counts, strongest(active)), events


def unplugged(faults: "Faults") -> "Faults":
    """Faults after the car left: what it may have caused is no longer counted (faults.md, classes)."""
    counts = tuple(row for row in faults.counts if row[0] in (X1, S8, K4))
    return faults if counts == faults.counts else Faults(faults.pending, faults.active, counts, faults.reaction)


def confirmed_of(faults: "Faults", mask: int, now_ms: int, passed_ms: int) -> "tuple[Pending, tuple[int, ...]]":
    """(pending, confirmed row indices): conditions that filled their confirm time.

    A condition that goes is not forgotten: its time drains at a quarter of the speed at which it fills, so that one
    that is there more than half of the time is confirmed within four confirm times, and one under a fifth never.
    Confirm times of two ticks or less begin anew. Of a tick that came late nobody knows what was between.
    """
    pending = ()
    confirmed = ()
    drained_ms = min(passed_ms, TICK_MOST_MS)
    drained_ms += drained_ms // 4
    for row, at_ms in faults.pending:
        confirm_ms = FAULTS[row][1]
        if not mask >> row & 1 and confirm_ms > TICK_MOST_MS and at_ms + drained_ms - now_ms < confirm_ms:
            pending += ((row, at_ms + drained_ms),)
    index = 0
    while mask >> index:
        if mask >> index & 1:
            confirm_at_ms = now_ms + FAULTS[index][1]
            for row, at_ms in faults.pending:
                if row == index:
                    confirm_at_ms = max(at_ms, now_ms)
            pending += ((index, confirm_at_ms),)
            if now_ms >= confirm_at_ms:
                confirmed += (index,)
        index += 1
    return pending, confirmed


def is_latching(row: "FaultRow", times: int) -> bool:
    """Whether a fault that came for the `times`-th time needs more than that its cause goes."""
    if row[5]:
        return times > row[5]
    return row[4] in ("hard", "permanent", "owner")


def clear_ms(row: "FaultRow") -> int:
    """How long after its cause is gone a fault that does not latch ends."""
    if row[4] == "at_once":
        return 0
    return RETRY_CLEAR_MS if row[4] == "retry" else SOFT_CLEAR_MS


def may_clear(fault: "Active", row: "FaultRow", now_ms: int, letter: "Letter") -> bool:
    """Whether a fault whose cause is gone may end now: soft by time, hard by unplugging, the others never."""
    if not fault.is_latched:
        return now_ms >= fault.clear_at_ms
    return row[4] not in ("permanent", "owner") and row[0] != "X1" and letter == "A"


def is_active(active: "tuple[Active, ...]", index: int) -> bool:
    """Whether row `index` is among the active faults."""
    for fault in active:
        if fault.row == index:
            return True
    return False


def counted(counts: "Counts", index: int, now_ms: int) -> "tuple[Counts, int]":
    """(counts, times): how often row `index` came within its window, this time included."""
    window_ms = CRASH_WINDOW_MS if index == X1 else COUNT_KEPT_MS
    times = 1
    kept = ()
    for row in counts:
        if row[0] != index:
            kept += (row,)
        elif now_ms - row[2] < window_ms:
            times = row[1] + 1
    return kept + ((index, times, now_ms),), times


def strongest(active: "tuple[Active, ...]") -> "Reaction":
    """The strongest reaction of the active faults; a latched one is "locked"."""
    most = 0
    for fault in active:
        reaction = REACTIONS.index(FAULTS[fault.row][2])
        most = max(most, 5 if fault.is_latched and reaction >= 4 else reaction)
    return REACTIONS[most]


def raised(faults: "Faults", index: int, now_ms: int) -> "tuple[Faults, Events]":
    """(Faults, events) with row `index` active from now, as after an exception in the tick."""
    counts, times = counted(faults.counts, index, now_ms)
    kept = tuple(fault for fault in faults.active if fault.row != index)
    is_hard = 0 < FAULTS[index][5] < times
    active = kept + (Active(index, is_hard, now_ms + SOFT_CLEAR_MS),)
    return Faults(faults.pending, active, counts, strongest(active)), (Event("fault", (FAULTS[index][0],)),)


def cleared(faults: "Faults", is_at_box: bool) -> "tuple[Faults, Events]":
    """(Faults, events) after a person cleared what may be cleared: a logged-in owner X1 and class owner, the button
    of the box hard faults too, nobody a permanent one (faults.md I6). What is still wrong is back in the same tick.
    """
    active = ()
    events = ()
    for fault in faults.active:
        row = FAULTS[fault.row]
        is_owners = row[0] == "X1" or row[4] == "owner"
        if is_owners or (is_at_box and fault.is_latched and row[4] != "permanent"):
            events += (Event("fault_gone", (row[0],)),)
        else:
            active += (fault,)
    if not events:
        return faults, ()
    counts = tuple(row for row in faults.counts if row[0] != X1)
    return Faults(faults.pending, active, counts, strongest(active)), events
