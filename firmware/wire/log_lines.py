"""The event log on flash: an event is 64 bytes with number and checksum, and comes out as a line of text or of JSON."""

import struct
from binascii import crc32  # pyright: ignore[reportUnknownVariableType]  of the chip's stub
from collections import namedtuple

from firmware.core import faults
from firmware.core.records import GUARDED_SERVICES

ENTRY_B = 64
FORM = "<IIIHHHBBi20s16s"  # then the checksum of all that
CHECK_FORM, CHECK_AT = "<I", 60
TAG_B, WHAT_B = 20, 16
QUOTES = (34, 39, 92)  # and the backslash
MOST_TIMES = 65_535
MOST_NUMBER = 2**31 - 1
SEVERITIES = ("info", "warning", "alarm")
INFO, WARNING, ALARM = 0, 1, 2

# name, severity, is it kept apart as security, may it come in floods. A record holds the place in this table, counted
# from 1: rows are added at the end and never moved, for what lies on flash outlives an update.
CODES = (
    ("start", INFO, True, False),  # tag: version; number: 1 after a loss of power
    ("lost", WARNING, False, False),  # number: events that found no room before this one
    ("service", WARNING, False, False),  # tag: which; what: how its words begin
    ("crash", ALARM, False, False),  # tag: type of the exception; what: module; number: line
    ("state", INFO, False, True),
    ("letter", INFO, False, True),
    ("fault", ALARM, False, False),  # tag: id of docs/faults.md; a warning where its reaction is one
    ("fault_gone", INFO, False, False),
    ("command", INFO, False, True),  # tag: source.kind; what: its id; number: mA
    ("received", INFO, False, True),
    ("refused", WARNING, False, True),  # what: the reason
    ("duplicate", INFO, False, True),
    ("replayed", WARNING, False, True),  # what comes in floods would push out the security of others
    ("grid", INFO, False, True),  # tag: id of the command; what: applied, done, …; number: mA
    ("charge_now", INFO, False, False),
    ("unlock", INFO, True, False),
    ("security", WARNING, True, False),  # tag: login, wrong_login, …; what: who or which
    ("update", INFO, True, False),  # tag: stored, trial, confirmed; what: from which address, or which version
    ("update_refused", WARNING, True, False),  # tag: update.… of words_en.txt; what: from which address
    ("rolled_back", WARNING, True, False),
    ("backup", INFO, True, False),  # tag: made, restored; what: from which address; number: settings left out
    ("reset", WARNING, True, False),
    ("later", INFO, False, False),  # first line of a log that is read while the car charges: the rest is on flash
)
OTHER = "other"  # an event without a row: tag is its code
OTHER_NUMBER = 255
OF_COMMANDS = ("command", "received", "refused", "duplicate", "replayed")  # their first argument is a Command

# at_ms: since that start; wall_s: UTC seconds, 0 while unknown; times: so many alike; code: place in CODES.
Entry: "type[EntryRecord]" = namedtuple(  # pyright: ignore[reportUntypedNamedTuple, reportAssignmentType]
    "Entry",
    ("seq", "start", "at_ms", "wall_s", "times", "code", "severity", "tag", "what", "number"),
)


def plain(text: object, most: int) -> str:
    """Text as a record may hold it: printable ASCII without blanks, quotes and backslashes, at most `most` characters.

    What arrives from outside can therefore end no line and open no sequence of a terminal.
    """
    made = ""
    for mark in str(text)[:most]:
        made += mark if "!" <= mark <= "~" and mark not in "\"\\'" else "_"
    return made


def row_of(code: str) -> int:
    """Place of an event's code in CODES, from 1; OTHER_NUMBER when it has none."""
    for index in range(len(CODES)):
        if CODES[index][0] == code:
            return index + 1
    return OTHER_NUMBER


def name_of(number: int) -> str:
    """Name of a place in CODES; a record of a newer version may have one that this version does not know."""
    if 0 < number <= len(CODES):
        return CODES[number - 1][0]
    return OTHER if number == OTHER_NUMBER else "code_%d" % number


def is_security(entry: "EntryRecord") -> bool:
    """Whether the entry is kept apart, so that everyday events never push it out."""
    if entry.code > len(CODES):
        return False
    return CODES[entry.code - 1][2] or (CODES[entry.code - 1][0] == "service" and entry.tag in GUARDED_SERVICES)


def may_flood(number: int) -> bool:
    """Whether somebody outside can cause as many events of this code as he likes."""
    return not 0 < number <= len(CODES) or CODES[number - 1][3]


def is_alike(one: "EntryRecord", other: "EntryRecord") -> bool:
    """Whether of two entries with one code the later may be counted on the other: of security no word is lost so."""
    return may_flood(one.code) or (one.tag == other.tag and (one.what == other.what or not is_security(one)))


def noted(code: str, args: "tuple[object, ...]", where: "tuple[int, int, int, int]") -> "EntryRecord":
    """Entry of an event; where: (seq, start, at_ms, wall_s)."""
    number = row_of(code)
    severity = CODES[number - 1][1] if number != OTHER_NUMBER else WARNING
    tag, what, value = parts_of(code, args)
    if code == "fault":
        severity = severity_of(tag)
    return Entry(*(where + (1, number, severity, plain(tag, TAG_B), plain(what, WHAT_B), within(value))))


def within(value: object) -> int:
    """A number as a record can hold it."""
    if type(value) is not int:
        return 0
    return max(-MOST_NUMBER, min(MOST_NUMBER, value))


def severity_of(fault_id: object) -> int:
    """WARNING for a fault that charging goes on with, ALARM for the others."""
    for row in faults.FAULTS:
        if row[0] == fault_id:
            return WARNING if row[2] == "warn" else ALARM
    return ALARM


def parts_of(code: str, args: "tuple[object, ...]") -> "tuple[object, object, object]":
    """(tag, what, number) of an event's arguments."""
    first, second, third = (args + ("", "", 0)[len(args) :])[:3]
    if code == "crash":
        return (str(first).split(":")[0],) + place_of(str(second))
    if code == "grid":
        claim: Claim = first  # pyright: ignore[reportAssignmentType]  core/claims.py
        return claim.ref.id, second, claim.limit_ma
    if code in OF_COMMANDS:
        command: Command = first  # pyright: ignore[reportAssignmentType]  core/commands.py
        return command.source + "." + command.kind, second or command.ref.id, command.limit_ma
    return first, second, third


def place_of(place: str) -> "tuple[str, int]":
    """(module, line) of 'File "…/module.py", line N, in …'; ("", 0) when it reads otherwise."""
    parts = place.split('"')
    if len(parts) < 3:
        return "", 0
    digits = parts[2].split("line ")[-1].split(",")[0]
    is_number = digits and all(mark in "0123456789" for mark in digits[:9])
    return parts[1].split("/")[-1].split(".")[0], int(digits[:9]) if is_number else 0


def packed(entry: "EntryRecord") -> bytes:
    """The 64 bytes of an Entry."""
    body = struct.pack(
        FORM,
        entry.seq,
        entry.wall_s,
        entry.at_ms & 0xFFFFFFFF,
        entry.at_ms >> 32 & 0xFFFF,
        entry.start,
        entry.times,
        entry.code,
        entry.severity,
        entry.number,
        entry.tag.encode(),
        entry.what.encode(),
    )
    return body + struct.pack(CHECK_FORM, crc32(body) & 0xFFFFFFFF)


def opened(octets: "Octets", at: int) -> "EntryRecord | None":
    """The Entry in the 64 bytes from `at`; None when they are not whole or not what packed() makes."""
    if len(octets) < at + ENTRY_B:
        return None
    body = bytes(octets[at : at + CHECK_AT])
    check: int = struct.unpack_from(CHECK_FORM, octets, at + CHECK_AT)[0]  # pyright: ignore[reportUnknownMemberType]
    if check != crc32(body) & 0xFFFFFFFF:
        return None
    row = struct.unpack(FORM, body)  # pyright: ignore[reportUnknownMemberType]
    tag, what = text_of(row[9]), text_of(row[10])
    if tag is None or what is None or row[7] >= len(SEVERITIES) or not row[6] or not row[5]:
        return None
    return Entry(row[0], row[4], row[3] << 32 | row[2], row[1], row[5], row[6], row[7], tag, what, row[8])


def text_of(octets: bytes) -> "str | None":
    """Text of a field that is filled up with zeros; None when it holds what plain() would not leave."""
    end = len(octets)
    while end and not octets[end - 1]:
        end -= 1
    if not all(33 <= byte <= 126 and byte not in QUOTES for byte in octets[:end]):
        return None
    return str(octets[:end], "utf-8")


def again(entry: "EntryRecord") -> "EntryRecord":
    """The entry, counted once more."""
    times = min(entry.times + 1, MOST_TIMES)
    head = (entry.seq, entry.start, entry.at_ms, entry.wall_s)
    return Entry(*(head + (times, entry.code, entry.severity, entry.tag, entry.what, entry.number)))


def gone_on(first: "EntryRecord", last: "EntryRecord") -> "EntryRecord":
    """The first of a row of wrong passwords with the address of the last, and as number the seconds between them.

    Where nobody knew the time at first, the moment is that of the first whose time is known.
    """
    made = again(first)
    moment = first if first.wall_s or not last.wall_s else last
    span_s = first.number
    if moment.wall_s and last.wall_s:
        span_s = last.wall_s - moment.wall_s
    elif first.start == last.start:
        span_s = (last.at_ms - first.at_ms) // 1000
    where = (first.seq, moment.start, moment.at_ms, moment.wall_s)
    return Entry(*(where + made[4:8] + (last.what, max(0, within(span_s)))))


def moment_of(wall_s: int) -> str:
    """UTC as 2026-11-21T13:05:00Z; "-" for 0. Days to a date after Hinnant, days_from_civil, counted from March."""
    if not wall_s:
        return "-"
    days = wall_s // 86_400 + 719_468
    era = days // 146_097
    day_of_era = days - era * 146_097
    year_of_era = (day_of_era - day_of_era // 1460 + day_of_era // 36_524 - day_of_era // 146_096) // 365
    day_of_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    month = (5 * day_of_year + 2) // 153
    day = day_of_year - (153 * month + 2) // 5 + 1
    month = month + 3 if month < 10 else month - 9
    year = year_of_era + era * 400 + (1 if month <= 2 else 0)
    seconds = wall_s % 86_400
    return "%04d-%02d-%02dT%02d:%02d:%02dZ" % (year, month, day, seconds // 3600, seconds // 60 % 60, seconds % 60)


def as_text(entry: "EntryRecord") -> str:
    """One line for people, without its line feed: when, how grave, what; then its number and its start."""
    line = "%s %s %s" % (moment_of(entry.wall_s), SEVERITIES[entry.severity], name_of(entry.code))
    for part in (entry.tag, entry.what):
        if part:
            line += " " + part
    if entry.number:
        line += " %d" % entry.number
    if entry.times > 1:
        line += " x%d" % entry.times
    return line + " [#%d start %d +%d.%03d s]" % (entry.seq, entry.start, entry.at_ms // 1000, entry.at_ms % 1000)


def as_json(entry: "EntryRecord") -> str:
    """The same as a JSON object in one line; no text of an entry needs an escape."""
    return (
        '{"seq": %d, "start": %d, "at_ms": %d, "wall_s": %s, "severity": "%s", "code": "%s", "tag": "%s", '
        '"what": "%s", "number": %d, "times": %d}'
        % (
            entry.seq,
            entry.start,
            entry.at_ms,
            entry.wall_s or "null",
            SEVERITIES[entry.severity],
            name_of(entry.code),
            entry.tag,
            entry.what,
            entry.number,
            entry.times,
        )
    )
