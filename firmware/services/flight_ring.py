"""The last minute of ticks in memory: rows of bytes in segments, each of which knows what was remembered before it."""

import json

from firmware.core import faults, settings, states
from firmware.wire import flight_record

SEGMENT_MS = 5000
SPARE_ROWS = 8  # of a segment, for what seldom changes
MOST_APART = 16  # commands and crashes kept beside the rows of one segment: a flood makes it shorter, not larger


def tables_digest():
    """Number of the tables that give records their meaning: another one, and fault numbers mean other faults."""
    rows = tuple(row[:6] for row in faults.FAULTS)
    return flight_record.mixed_of((rows, states.STATES, settings.KEYS), 1)


def open_settings(chosen):
    """What decide() may look at: every setting but texts, which are names and secrets of the owner's network."""
    made = {}
    for index in range(len(settings.SETTINGS)):
        row = settings.SETTINGS[index]
        if row[1] != "text" and not row[8]:
            made[row[0]] = chosen[index]
    return made


class Segment:
    """Rows of a few seconds; `apart`: (row, name, value) of what fits no row."""

    def __init__(self, rows):
        self.rows = bytearray(rows * flight_record.ROW_B)
        self.is_held = False
        self.begun(None, None, False)

    def begun(self, memory, chosen, is_next):
        """Empty, from this Memory on; is_next: the segment before ended with it."""
        self.used = 0
        self.apart = []
        self.weight = 0
        self.memory = memory
        self.settings = chosen
        self.is_next = is_next


class FlightRing:
    """Notes every tick of a ControlLoop; memory for it is taken once, at the start."""

    def __init__(self, loop, seconds):
        """loop: ControlLoop, whose settings are read each tick; seconds: how far back it reaches at least."""
        self._loop = loop
        self._most_rows = SEGMENT_MS // loop.board.facts.tick_ms + SPARE_ROWS
        self._segments = [Segment(self._most_rows) for _ in range(seconds * 1000 // SEGMENT_MS + 1)]
        self._at = 0
        self._digest = flight_record.Digest()
        self._last = None  # Memory after the last tick noted
        self._now_ms = 0
        self._slow = None
        self.fault = None  # (id, now_ms) of the first fault worth a record; whoever makes it sets None again

    def note(self, before, readings, asked, made):
        """One tick: Memory before, Readings (None: the board failed), commands, Decision."""
        segment = self._segments[self._at]
        if (
            before is not self._last
            or self._loop.settings is not segment.settings
            or segment.used + 2 > self._most_rows
            or segment.weight >= MOST_APART
            or segment.weight + len(asked) > MOST_APART
        ):
            segment = self._next(before)
            if segment is None:
                return
        self._last = made.memory
        digest = self._digest.of(made.memory)
        crash = self._told(made) if made.events else None
        if crash is None:
            self._tick(segment, readings, asked, digest)
        else:
            now_ms = made.memory.now_ms
            self._apart(segment, "crash", (now_ms, readings, asked, crash.args))
            self._other(segment, flight_record.CRASH, digest)

    def _next(self, before):
        """The oldest segment, begun anew, or None while it is still to be written."""
        at = (self._at + 1) % len(self._segments)
        segment = self._segments[at]
        if segment.is_held:
            self._last = None
            return None
        segment.begun(before, self._loop.settings, before is self._last)
        self._at = at
        self._slow = None
        return segment

    def _tick(self, segment, readings, asked, digest):
        """Rows of an ordinary tick."""
        delta_ms = readings.now_ms - self._now_ms
        slow = readings[flight_record.FIRST_SLOW :]
        self._now_ms = readings.now_ms
        if slow != self._slow or not 0 <= delta_ms <= flight_record.MOST_DELTA_MS:
            flight_record.pack_slow(segment.rows, segment.used * flight_record.ROW_B, readings)
            segment.used += 1
            self._slow = slow
            delta_ms = 0
        if asked:
            self._apart(segment, "asked", asked)
        at = segment.used * flight_record.ROW_B
        if flight_record.pack_tick(segment.rows, at, readings, digest):
            segment.rows[at] = delta_ms
            segment.used += 1
        else:
            self._apart(segment, "wide", readings)
            self._other(segment, flight_record.WIDE, digest)

    def _other(self, segment, kind, digest):
        """A row whose particulars are kept apart."""
        flight_record.pack_other(segment.rows, segment.used * flight_record.ROW_B, kind, digest)
        segment.used += 1

    def _apart(self, segment, name, value):
        """Keep what belongs to the row that is written next."""
        segment.apart.append((segment.used, name, value))
        segment.weight += len(value) if name == "asked" else 1

    def _told(self, made):
        """The event of an exception in this tick, or None; a fault worth a record is noted."""
        crash = None
        for event in made.events:
            if event.code == "crash" and crash is None:
                crash = event
            elif event.code == "fault" and self.fault is None and is_grave(event.args[0], made.memory.faults):
                self.fault = (event.args[0], made.memory.now_ms)
        return crash

    def held(self):
        """((segment, rows) oldest first, last Memory) as they are now; a held segment is not begun anew until freed."""
        found = []
        for step in range(1, len(self._segments) + 1):
            segment = self._segments[(self._at + step) % len(self._segments)]
            if segment.used:
                segment.is_held = True
                found.append((segment, segment.used))
        return found, self._last


def is_grave(fault_id, memory_faults):
    """Whether this active fault opens the contactor, locks it or waits for a person."""
    for active in memory_faults.active:
        row = faults.FAULTS[active.row]
        if row[0] == fault_id and (active.is_latched or row[2] in ("open", "locked")):
            return True
    return False


def as_json(value):
    """Bytes of a record as JSON."""
    return json.dumps(flight_record.plain(value)).encode()


def blocks(held, about):
    """(kind, payload) of each block of a record, oldest first; held: what FlightRing.held() gave; about: dict.

    A segment is free for the next ticks as soon as its blocks are taken.
    """
    segments, last = held
    yield "H", json.dumps(about).encode()
    chosen = None
    is_first = True
    for segment, rows in segments:
        is_next = segment.is_next and not is_first
        told = None if segment.settings is chosen else open_settings(segment.settings)
        chosen = segment.settings
        is_first = False
        yield "S", json.dumps({"is_next": is_next, "settings": told}).encode()
        for part in () if is_next else segment.memory:
            yield "M", as_json(part)
        for row, name, value in segment.apart:
            if row < rows:
                yield "X", as_json((row, name, value))
        yield "R", memoryview(segment.rows)[: rows * flight_record.ROW_B]
        segment.is_held = False
    for part in last or ():
        yield "L", as_json(part)
    yield "E", json.dumps({"segments": len(segments)}).encode()


def pieces(held, about):
    """The bytes of a record in pieces of any length."""
    return flight_record.framed(blocks(held, about))


def freed(held):
    """Give the segments back after a record that was not finished."""
    for segment, _ in held[0]:
        segment.is_held = False


def about(app, fault, now_ms):
    """What a record says of itself: dict. fault: id of the fault, now_ms: its moment."""
    return {
        "format": flight_record.FORMAT,
        "firmware": app.version,
        "box": app.box,
        "tables": tables_digest(),
        "tick_ms": app.loop.board.facts.tick_ms,
        "fault": fault,
        "at_ms": now_ms,
        "wall_s": app.board.wall_s(),
    }
