"""Reads a flight record back into the records that decide() had; runs on both interpreters."""

import hashlib
import json
import struct

from firmware.core import settings
from firmware.core.records import Readings, Refusal
from firmware.wire import flight_record
from host_tools.flight import record_types
from host_tools.flight.record_types import Broken

MOST_B = 1 << 20  # a minute is 100 kB; what is longer is not ours
COMMANDS = "tuple[Command, ...]"
# What a file that is no record may make of the reading of it.
UNREADABLE = (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError, RuntimeError, MemoryError)


class Segment:
    """Ticks that belong together: settings, Memory before the first one (None: as the segment before ended)."""

    def __init__(self, chosen):
        self.settings = chosen
        self.memory = None
        self.ticks = []


class Tick:
    """One tick: readings (None: the board failed), commands, digest of Memory after; crash: (now_ms, words) or None."""

    def __init__(self, readings, asked, digest, crash):
        self.readings = readings
        self.asked = asked
        self.digest = digest
        self.crash = crash


class Record:
    """A whole record: about (dict), segments, last (Memory at the end)."""

    def __init__(self, about, segments, last):
        self.about = about
        self.segments = segments
        self.last = last

    def ticks(self):
        """Number of ticks in it."""
        return sum(len(segment.ticks) for segment in self.segments)


def blocks_of(octets):
    """[(kind, payload)] of the bytes of a file. Errors: Broken."""
    magic = flight_record.MAGIC
    if octets[: len(magic)] != magic:
        raise Broken("this is no flight record")
    end = len(octets) - flight_record.CHECK_B
    if end <= len(magic) or hashlib.sha256(octets[:end]).digest() != octets[end:]:
        raise Broken("the record is damaged or cut off")
    at, found = len(magic), []
    while at < end:
        kind, length = struct.unpack_from(flight_record.HEAD_FORM, octets, at)
        at += flight_record.HEAD_B
        found.append((chr(kind), octets[at : at + length]))
        at += length
    return found


def built_settings(told):
    """Settings of the told ones over the factory's. Errors: Broken when this version knows them no longer."""
    made = settings.changed(settings.defaults(), told)
    if isinstance(made, Refusal):
        raise Broken(
            "this version would not take its settings (%s): replay with the version that wrote them" % made.words
        )
    return made


def memory_of(parts):
    """Memory of its parts. Errors: Broken."""
    return record_types.built("Memory", parts)


def triple(lows, highs):
    """Three numbers of 21 bits."""
    return (lows[0] | (highs & 31) << 16, lows[1] | (highs >> 5 & 31) << 16, lows[2] | (highs >> 10 & 31) << 16)


def slow_of(rows, at):
    """(now_ms, the readings from FIRST_SLOW on) of a slow row."""
    now_ms, bits, ohm, pilot_ms, currents_ms = struct.unpack_from(flight_record.SLOW_FORM, rows, at + 1)
    flags = tuple([bool(bits >> place & 1) for place in range(4, 10)])
    return now_ms, (None if bits & flight_record.NO_PROXIMITY else ohm, bits & 15) + flags + (pilot_ms, currents_ms)


def readings_of(rows, at, now_ms, slow):
    """(Readings, digest) of a tick's row."""
    made = struct.unpack_from(flight_record.TICK_FORM, rows, at + 1)
    high_mv, low_mv = [None if value == flight_record.NO_MV else value for value in made[:2]]
    mhz = None if made[11] == flight_record.NO_MHZ else made[11]
    tenths_c = None if made[12] == flight_record.NO_TENTHS_C else made[12]
    currents_ma, voltages_mv = triple(made[2:5], made[5]), triple(made[6:9], made[9])
    first = (now_ms, high_mv, low_mv, currents_ma, voltages_mv, made[10], mhz, tenths_c)
    return Readings(*(first + slow)), made[13] | made[14] << 16


def crash_of(told):
    """(readings, commands, (now_ms, words)) of what was kept of an exception."""
    now_ms, readings, asked, words = told
    readings = record_types.built("Readings | None", readings)
    return readings, record_types.built(COMMANDS, asked), (now_ms, "%s %s" % tuple(words))


def ticks_of(rows, apart):
    """Ticks of the rows of a segment; apart: {(row, name): value as in JSON}."""
    made = []
    now_ms, slow = 0, ()
    for row in range(len(rows) // flight_record.ROW_B):
        at = row * flight_record.ROW_B
        kind = rows[at]
        if kind == flight_record.SLOW:
            now_ms, slow = slow_of(rows, at)
            continue
        asked = record_types.built(COMMANDS, apart.get((row, "asked"), []))
        crash = None
        if kind <= flight_record.MOST_DELTA_MS:
            now_ms += kind
            readings, digest = readings_of(rows, at, now_ms, slow)
        else:
            low, high = struct.unpack_from(flight_record.DIGEST_FORM, rows, at + flight_record.DIGEST_AT)
            digest = low | high << 16
            if kind == flight_record.WIDE:
                readings = record_types.built("Readings", apart[(row, "wide")])
                now_ms = readings.now_ms
            else:
                readings, asked, crash = crash_of(apart[(row, "crash")])
        made.append(Tick(readings, asked, digest, crash))
    return made


def record_of_blocks(blocks):
    """Record of the blocks of a file."""
    about = json.loads(blocks[0][1])
    if blocks[0][0] != "H" or about["format"] != flight_record.FORMAT:
        raise Broken("the record has another format: replay with the version that wrote it")
    segments, memory, apart, last, chosen = [], [], {}, [], None
    for kind, payload in blocks[1:]:
        if kind == "R":
            segments[-1].memory = memory_of(memory) if memory else None
            segments[-1].ticks = ticks_of(payload, apart)
            continue
        told = json.loads(payload)
        if kind == "S":
            chosen = built_settings(told["settings"]) if told["settings"] else chosen
            segments.append(Segment(chosen))
            memory, apart = [], {}
        elif kind == "M":
            memory.append(told)
        elif kind == "X":
            apart[(told[0], told[1])] = told[2]
        elif kind == "L":
            last.append(told)
    if not segments or segments[0].memory is None or not segments[0].ticks:
        raise Broken("the record holds no tick")
    return Record(about, segments, memory_of(last))


def opened(octets):
    """Record of the bytes of a file. Errors: Broken, whatever the bytes are."""
    if len(octets) > MOST_B:
        raise Broken("this is no flight record: it is too long")
    try:
        return record_of_blocks(blocks_of(octets))
    except UNREADABLE as error:
        raise Broken("the record is whole but makes no sense here (%s: %s)" % (type(error).__name__, error))
