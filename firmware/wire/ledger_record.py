"""The ledger as bytes: the running count, a quarter hour with its minutes, a session; each with number and checksum."""

import binascii
import struct
from collections import namedtuple

# The first byte of a record is its kind and format: a new format takes a new letter. The last four are the CRC-32 of
# all before. Numbers are little-endian; a moment is UTC seconds since 1970, 0 where the clock was not set.
HEAD_MARK, QUARTER_MARK, SESSION_MARK = 72, 81, 83  # H Q S
HEAD_FORM, HEAD_B = "<BIIIHIIHIIII45s", 90
QUARTER_FORM, QUARTER_B = "<BIIIH45s", 64
SESSION_FORM, SESSION_B = "<BIIIIIHIH", 33
CHECK_B = 4
MINUTES = 15
QUARTER_S = 900
MOST_MWH = 0xFFFFFF  # of one minute: a 1 MW car
NO_WH = 0xFFFFFFFF  # session_wh where no session runs
COUNTED_FORM, COUNTED_B = "<IHI", 17  # and minute, minute_mwh, session_s: 1, 3 and 3 bytes
MOST_SESSION_S = 0xFFFFFF  # 194 days

# What runs: seq counts the copies written. wh, mwh: the lifetime counter. session_wh, session_mwh: where the session
# began on it; session_s: how long it ran with the box alive. quarter_*: the quarter hour that is not complete yet.
Head: "type[HeadRecord]" = namedtuple(  # pyright: ignore[reportUntypedNamedTuple, reportAssignmentType]
    "Head",
    (
        "seq",
        "wall_s",
        "wh",
        "mwh",
        "session_seq",
        "session_wh",
        "session_mwh",
        "session_wall_s",
        "session_s",
        "quarter_seq",
        "quarter_no",
        "minutes_mwh",
    ),
)

# A quarter hour in which energy flowed. quarter_no: wall_s // 900, 0 without a clock; wh, mwh: the lifetime counter at
# its end; minutes_mwh: of its 15 minutes. A quarter hour with a restart or a change of the clock may have two of them.
Quarter: "type[QuarterRecord]" = namedtuple(  # pyright: ignore[reportUntypedNamedTuple, reportAssignmentType]
    "Quarter", ("seq", "quarter_no", "wh", "mwh", "minutes_mwh")
)

# A session in which energy flowed: from one reading of the lifetime counter to another.
Session: "type[SessionRecord]" = namedtuple(  # pyright: ignore[reportUntypedNamedTuple, reportAssignmentType]
    "Session", ("seq", "from_wall_s", "to_wall_s", "for_s", "from_wh", "from_mwh", "to_wh", "to_mwh")
)

# How far the counter is, in the journal behind the Head it goes on from. wall_s: 0 where the clock was not set; minute:
# place in minutes_mwh, minute_mwh: what flowed in it so far; session_s: how long the session has run, or 0.
Counted: "type[CountedRecord]" = namedtuple(  # pyright: ignore[reportUntypedNamedTuple, reportAssignmentType]
    "Counted", ("wh", "mwh", "wall_s", "minute", "minute_mwh", "session_s")
)


def packed_counted(one: "CountedRecord") -> bytes:
    """COUNTED_B bytes, which fit one slot of the journal; its own checksum guards them."""
    made = struct.pack(COUNTED_FORM, one.wh, one.mwh, one.wall_s) + bytes((one.minute,))
    return made + three(min(one.minute_mwh, MOST_MWH)) + three(min(one.session_s, MOST_SESSION_S))


def counted_of(octets: "Octets") -> "CountedRecord | None":
    """Counted of COUNTED_B bytes, None of others."""
    if len(octets) != COUNTED_B or octets[10] >= MINUTES:
        return None
    wh, mwh, wall_s = struct.unpack_from(COUNTED_FORM, octets, 0)  # pyright: ignore[reportUnknownMemberType]
    return Counted(wh, mwh, wall_s, octets[10], three_at(octets, 11), three_at(octets, 14))


def with_counted(head: "HeadRecord", one: "CountedRecord") -> "HeadRecord":
    """Head that has counted on; what flowed since and is not this minute's belongs to the minute before it."""
    more_mwh = (one.wh - head.wh) * 1000 + one.mwh - head.mwh
    if more_mwh < 0:
        return head
    minutes_mwh = list(head.minutes_mwh)
    here_mwh = max(0, min(more_mwh, one.minute_mwh - minutes_mwh[one.minute]))
    minutes_mwh[one.minute] += here_mwh
    minutes_mwh[one.minute - 1] += more_mwh - here_mwh  # the last one of the row stands before the first
    quarter = (head.quarter_seq, one.wall_s // QUARTER_S, tuple(minutes_mwh))
    session_s = one.session_s if head.session_wh != NO_WH else 0
    return Head(*((head.seq, one.wall_s, one.wh, one.mwh) + head[4:8] + (session_s,) + quarter))


def packed_head(head: "HeadRecord") -> bytes:
    """HEAD_B bytes."""
    return sealed(HEAD_FORM, HEAD_MARK, head)


def packed_quarter(quarter: "QuarterRecord") -> bytes:
    """QUARTER_B bytes."""
    return sealed(QUARTER_FORM, QUARTER_MARK, quarter)


def packed_session(session: "SessionRecord") -> bytes:
    """SESSION_B bytes."""
    return sealed(SESSION_FORM, SESSION_MARK, session)


def head_of(octets: "Octets") -> "HeadRecord | None":
    """Head of HEAD_B bytes, None when they are not exactly what was written."""
    found = opened(HEAD_FORM, HEAD_B, HEAD_MARK, octets)
    return None if found is None else Head(*found)


def quarter_of(octets: "Octets") -> "QuarterRecord | None":
    """Quarter of QUARTER_B bytes, None when they are not exactly what was written."""
    found = opened(QUARTER_FORM, QUARTER_B, QUARTER_MARK, octets)
    return None if found is None else Quarter(*found)


def session_of(octets: "Octets") -> "SessionRecord | None":
    """Session of SESSION_B bytes, None when they are not exactly what was written."""
    found = opened(SESSION_FORM, SESSION_B, SESSION_MARK, octets)
    return None if found is None else Session(*found)


def sealed(form: str, mark: int, record: "tuple[Any, ...]") -> bytes:
    """Bytes of a record behind its mark, with their checksum. Errors: struct.error for a value that does not fit."""
    values = list(record)
    if type(values[-1]) is tuple:
        values[-1] = packed_minutes(record[-1])
    octets = struct.pack(form, mark, *values)
    return octets + struct.pack("<I", binascii.crc32(octets) & 0xFFFFFFFF)  # pyright: ignore[reportUnknownMemberType]


def opened(form: str, size_b: int, mark: int, octets: "Octets") -> "list[Any] | None":
    """Values of a record's bytes, None for others."""
    if len(octets) != size_b or octets[0] != mark:
        return None
    body_b = size_b - CHECK_B
    if struct.unpack_from("<I", octets, body_b)[0] != binascii.crc32(octets[:body_b]) & 0xFFFFFFFF:  # pyright: ignore[reportUnknownMemberType]
        return None
    values: list[Any] = list(struct.unpack_from(form, octets, 0))  # pyright: ignore[reportUnknownMemberType]
    if type(values[-1]) is bytes:
        values[-1] = minutes_of(values[-1])
    return values[1:]


def packed_minutes(minutes_mwh: "tuple[int, ...]") -> bytes:
    """45 bytes of 15 minutes, 24 bits each; no minute has more than MOST_MWH."""
    octets = bytearray()
    for mwh in minutes_mwh:
        octets += three(min(mwh, MOST_MWH))
    return bytes(octets)


def three(number: int) -> bytes:
    """A number in three bytes."""
    return bytes((number & 0xFF, number >> 8 & 0xFF, number >> 16))


def three_at(octets: "Octets", at: int) -> int:
    """The number in the three bytes from `at`."""
    return octets[at] | octets[at + 1] << 8 | octets[at + 2] << 16


def minutes_of(octets: bytes) -> "tuple[int, ...]":
    """15 minutes in mWh from 45 bytes."""
    return tuple([three_at(octets, at) for at in range(0, 3 * MINUTES, 3)])
