"""The fault table: what counts as a fault, how long it must last, what the wallbox does and what clears it."""

from firmware.core import offer, pilot, states, units
from firmware.core.records import Active, Event, Faults

# Reactions in rising order; the strongest active one rules. "normal" rows are handled by the state machine itself.
REACTIONS: "tuple[Reaction, ...]" = ("", "warn", "no_start", "stop", "open", "locked")
SOFT_CLEAR_MS = 30_000  # soft: 30 s after the cause is gone (faults.md, classes)
COUNT_KEPT_MS = 86_400_000  # counters fall back after 24 h without a recurrence
HIGH_LIMIT_MV = 13_500  # ±12 V ± 5 % plus measuring error: beyond it the reading is not a pilot (faults.md S8)
STALE_MS = 150  # older than this the reading is not one (faults.md S8)
CRASH_WINDOW_MS = 600_000  # faults.md X1: three within ten minutes

# id    confirm_ms reaction  deadline_ms class       becomes_hard_after  mrec
# What each is called and what to do about it: firmware/words_en.txt.
FAULTS = (
    ("S1", 0, "normal", 100, "normal", 0, 0),
    ("S2", 300, "open", 500, "hard", 0, 14),
    ("S3", 50, "open", 100, "soft", 0, 14),
    ("S4", 0, "normal", 100, "normal", 0, 14),
    ("S5", 0, "normal", 0, "normal", 0, 14),
    ("S6", 0, "open", 100, "soft", 0, 14),
    ("S8", 100, "open", 500, "soft", 3, 14),
    ("S12a", 7000, "stop", 13_100, "soft", 3, 4),
    ("S12b", 1000, "open", 1300, "soft", 3, 4),
    ("S12c", 100, "open", 400, "soft", 3, 4),
    ("S12d", 5000, "open", 5300, "soft", 3, 4),
    ("S14", 0, "open", 100, "hard", 0, 2),
    ("S15", 0, "open", 0, "permanent", 0, 2),
    ("N6", 0, "normal", 6100, "normal", 0, 0),
    ("X1", 0, "open", 100, "soft", 2, 0),
    ("X3", 0, "open", 300, "soft", 0, 0),
    ("X6", 0, "normal", 0, "normal", 0, 0),
)

NO_FAULTS = Faults((), (), (), "")


def row_of(fault_id: str) -> int:
    """Index of a row of FAULTS by its id."""
    index = 0
    while FAULTS[index][0] != fault_id:
        index += 1
    return index


S2, S3, S6, S8 = row_of("S2"), row_of("S3"), row_of("S6"), row_of("S8")
S12A, S12B, S12C, S12D = row_of("S12a"), row_of("S12b"), row_of("S12c"), row_of("S12d")
S14, S15, X1, X3 = row_of("S14"), row_of("S15"), row_of("X1"), row_of("X3")


def conditions(memory: "Memory", readings: "Readings", settings: "SettingsRecord") -> int:
    """Bit mask over FAULTS of what is wrong in this tick, judged with the pilot letter of this tick."""
    mask = 0
    letter = memory.pilot.letter
    mode = memory.outputs.pilot_mode
    if letter >= "D" and mode != "low":
        mask |= 1 << (S6 if letter == "D" else S3)
    mask |= measurement_conditions(memory, readings, mode)
    # The self-test trips on purpose, and its trip may outlive an unplug or a fault in mid-test.
    if readings.is_residual_tripped and memory.stage.state not in ("idle", "testing", "faulted"):
        mask |= 1 << S14
    if memory.stage.test == "failed":
        mask |= 1 << S15
    if states.is_closed(memory.stage.state):
        mask |= current_conditions(memory, readings, settings)
        # The lease lapsed, or the interlock said no: what is open stays open, and closes by the usual way only.
        if memory.outputs.is_contactor_closed and not readings.is_relay_pin_high:
            mask |= 1 << X3
    return mask


def measurement_conditions(memory: "Memory", readings: "Readings", mode: "PilotMode") -> int:
    """Bits for a pilot that cannot be what the wallbox itself drives: stale, out of range, a half missing, no diode."""
    high_mv = readings.pilot_high_mv
    low_mv = readings.pilot_low_mv
    if readings.pilot_age_ms > STALE_MS or readings.currents_age_ms > STALE_MS:
        return 1 << S8
    if (high_mv is not None and high_mv > HIGH_LIMIT_MV) or (low_mv is not None and low_mv < -HIGH_LIMIT_MV):
        return 1 << S8
    if readings.now_ms < memory.pilot.judge_at_ms or mode == "low":
        return 0
    if high_mv is None:
        return 1 << (S8 if low_mv is None else S3)
    if mode != "pwm" or memory.pilot.letter > "D":
        return 0
    if low_mv is None:
        # At 12 V a missing low half is a short to +12 V; the letter alone would read as "no car" (faults.md S3).
        return 1 << (S3 if memory.pilot.letter == "A" else S8)
    return 1 << S2 if memory.pilot.letter != "A" and not pilot.is_diode_good(readings, mode) else 0


def current_conditions(memory: "Memory", readings: "Readings", settings: "SettingsRecord") -> int:
    """Bits of the over-current steps for the largest phase, judged only while the contactor is closed."""
    most_ma = max(readings.currents_ma)
    reference_ma = offer.reference_ma(memory.offer, readings.now_ms)
    mask = 0
    if most_ma * 10 > reference_ma * 11 + 5000:
        mask = 1 << S12A
        if most_ma * 10 > reference_ma * 13 + 10_000:
            mask |= 1 << S12B
        if most_ma > reference_ma * 2 and most_ma > units.MIN_OFFER_MA:
            mask |= 1 << S12C
    if most_ma * 4 > settings.wiring_limit_ma * 5:
        mask |= 1 << S12D
    return mask


def watched(faults: "Faults", mask: int, now_ms: int, letter: "Letter") -> "tuple[Faults, Events]":
    """(Faults, events) after one tick with the conditions of `mask`; the same Faults while nothing is wrong."""
    if not mask and not faults.active and not faults.pending:
        return faults, ()
    pending, confirmed = confirmed_of(faults, mask, now_ms)
    active = ()
    events = ()
    for fault in faults.active:
        row = FAULTS[fault.row]
        if mask >> fault.row & 1:
            active += (Active(fault.row, fault.is_latched, now_ms + SOFT_CLEAR_MS),)
        elif may_clear(fault, row, now_ms, letter):
            events += (Event("fault_gone", (row[0],)),)
        else:
            active += (fault,)
    counts = faults.counts
    for index in confirmed:
        if not is_active(active, index):
            counts, times = counted(counts, index, now_ms)
            is_hard = FAULTS[index][4] in ("hard", "permanent") or 0 < FAULTS[index][5] < times
            active += (Active(index, is_hard, now_ms + SOFT_CLEAR_MS),)
            events += (Event("fault", (FAULTS[index][0],)),)
    if letter == "A" and not active:
        counts = tuple(row for row in counts if row[0] in (X1, S8))
    return Faults(pending, active, counts, strongest(active)), events


def confirmed_of(faults: "Faults", mask: int, now_ms: int) -> "tuple[Pending, tuple[int, ...]]":
    """(pending, confirmed row indices): conditions that lasted their confirm time."""
    pending = ()
    confirmed = ()
    index = 0
    while mask >> index:
        if mask >> index & 1:
            confirm_at_ms = now_ms + FAULTS[index][1]
            for row, at_ms in faults.pending:
                if row == index:
                    confirm_at_ms = at_ms
            pending += ((index, confirm_at_ms),)
            if now_ms >= confirm_at_ms:
                confirmed += (index,)
        index += 1
    return pending, confirmed


def may_clear(fault: "Active", row: "FaultRow", now_ms: int, letter: "Letter") -> bool:
    """Whether a fault whose cause is gone may end now: soft by time, hard by unplugging, permanent never."""
    if not fault.is_latched:
        return now_ms >= fault.clear_at_ms
    return row[4] != "permanent" and row[0] != "X1" and letter == "A"


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


def cleared_by_owner(faults: "Faults") -> "tuple[Faults, Events]":
    """(Faults, events) after a logged-in owner cleared what a page may clear: X1, and no hard fault (faults.md I6)."""
    active = tuple(fault for fault in faults.active if fault.row != X1)
    if len(active) == len(faults.active):
        return faults, ()
    counts = tuple(row for row in faults.counts if row[0] != X1)
    return Faults(faults.pending, active, counts, strongest(active)), (Event("fault_gone", ("X1",)),)
