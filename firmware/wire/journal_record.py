"""Slots of the journal: 32 bytes, programmed once, with number, kind and checksum; values of several slots."""

import binascii
import struct
from collections import namedtuple

# Numbers are little-endian. seq counts slots over the whole ring; kind: below; part: place in a value of several slots,
# with LAST_PART in its last; length: bytes of the value in this slot. The last four bytes are the CRC-32 of all before.
FORM, SLOT_B, VALUE_B, CHECK_B = "<IBBB21s", 32, 21, 4
SECTOR_B = 4096
SLOTS = SECTOR_B // SLOT_B
LAST_PART, MOST_PARTS = 0x80, 64
MOST_VALUE_B = MOST_PARTS * VALUE_B
BLANK = b"\xff" * SLOT_B

# The ring's own. HEADER opens a sector, and its seq is that of the slot before it; ERASED says that so many sectors
# ahead are erased (an erase counts only with it); CHECKPOINT says that files hold all that was put before.
HEADER, ERASED, CHECKPOINT = 1, 2, 3
# Values of the box, from 16 on; what their bytes mean is told where they are made.
# HEAD, ENERGY, QUARTER, SESSION: ledger_record.py; STATE: state_changes.py; SETTINGS: services/settings_store.py.
ENERGY, QUARTER, SESSION, STATE, LATCH, TIME, HEAD, SETTINGS = 16, 17, 18, 19, 20, 21, 22, 23
FIRST_VALUE = 16

HEADER_FORM, ERASED_FORM = "<IHHIH", "<H"

Slot: "type[SlotRecord]" = namedtuple(  # pyright: ignore[reportUntypedNamedTuple, reportAssignmentType]
    "Slot", ("seq", "kind", "part", "is_last", "octets")
)

# opened counts the sectors opened since the ring was made; tail: the oldest sector that still counts; ahead: how many
# sectors behind this one are erased; checkpoint_seq: seq of the last checkpoint; sectors: of the whole ring.
Header: "type[HeaderRecord]" = namedtuple(  # pyright: ignore[reportUntypedNamedTuple, reportAssignmentType]
    "Header", ("opened", "tail", "ahead", "checkpoint_seq", "sectors")
)


def parts_of(octets: "Octets") -> int:
    """How many slots a value takes; an empty one takes one."""
    return max(1, -(-len(octets) // VALUE_B))


def packed(seq: int, kind: int, octets: "Octets", part: int) -> bytes:
    """SLOT_B bytes: this part of a value. Errors: ValueError for a value that is too long."""
    count = parts_of(octets)
    if count > MOST_PARTS:
        raise ValueError("a value of the journal has at most %d bytes" % MOST_VALUE_B)
    some = bytes(octets[part * VALUE_B : (part + 1) * VALUE_B])
    number = part | LAST_PART if part == count - 1 else part
    made = struct.pack(FORM, seq, kind, number, len(some), some)
    return made + struct.pack("<I", binascii.crc32(made) & 0xFFFFFFFF)  # pyright: ignore[reportUnknownMemberType]


def slot_of(octets: "Octets") -> "SlotRecord | None":
    """Slot of SLOT_B bytes, None when they are not exactly what was programmed."""
    if len(octets) != SLOT_B:
        return None
    if struct.unpack_from("<I", octets, SLOT_B - CHECK_B)[0] != binascii.crc32(octets[: SLOT_B - CHECK_B]) & 0xFFFFFFFF:  # pyright: ignore[reportUnknownMemberType]
        return None
    values: list[Any] = list(struct.unpack_from(FORM, octets, 0))  # pyright: ignore[reportUnknownMemberType]
    part: int = values[2]
    return Slot(values[0], values[1], part & ~LAST_PART, part >= LAST_PART, values[4][: values[3]])


def packed_header(seq: int, header: "HeaderRecord") -> bytes:
    """SLOT_B bytes that open a sector; seq: of the last slot before it."""
    return packed(seq, HEADER, struct.pack(HEADER_FORM, *header), 0)


def header_of(slot: "SlotRecord") -> "HeaderRecord | None":
    """Header of a Slot, None of another kind."""
    if slot.kind != HEADER:
        return None
    values: list[Any] = list(struct.unpack_from(HEADER_FORM, slot.octets, 0))  # pyright: ignore[reportUnknownMemberType]
    return Header(*values)


def ahead_octets(ahead: int) -> bytes:
    """What an ERASED slot says."""
    return struct.pack(ERASED_FORM, ahead)


def ahead_of(octets: bytes) -> int:
    """How many sectors ahead are erased, of what an ERASED slot says."""
    return struct.unpack_from(ERASED_FORM, octets, 0)[0]  # pyright: ignore[reportUnknownMemberType]


def place_from(place: int, seq: int, is_header: bool) -> int:
    """Where a start may program a slot again, from this place on: of four places each kind and parity has its own.

    A start that was cut in this very program may have left no trace: the next one then picks the same place for the
    same bytes, and never for others. The place right behind the last touched one may hold the traceless beginning of
    anything, so a start begins to look two places behind.
    """
    return place + (seq % 2 + 2 * is_header - place) % 4


class Assembly:
    """Slots in the order of their places become values.

    A slot takes back every slot before it with the same or a higher number: a start that found the slot of a cut
    unreadable programs the one before it again, and what was unreadable then does not come back later.
    """

    def __init__(self) -> None:
        self._pending: SlotRecord | None = None  # may still be taken back
        self._seq = 0  # of the last slot that was not
        self._value = bytearray()
        self._kind: int = 0
        self._next: int = 0  # part that must follow, 0: none

    def take(self, slot: "SlotRecord") -> "tuple[int, int, bytes] | None":
        """(seq, kind, bytes) of the value that this Slot makes certain, or None."""
        pending = self._pending
        if pending is not None and slot.seq > pending.seq:
            self._pending = None
            found = self._certain(pending)
        else:
            found = None
            if pending is not None and (slot.seq < pending.seq or slot.kind != HEADER):
                self._pending = None
        if slot.kind != HEADER and slot.seq > self._seq:
            self._pending = slot
        return found

    def rest(self) -> "tuple[int, int, bytes] | None":
        """The value that the last slot makes whole, or None; nothing comes behind it."""
        pending, self._pending = self._pending, None
        return None if pending is None else self._certain(pending)

    def _certain(self, slot: "SlotRecord") -> "tuple[int, int, bytes] | None":
        """The value that this Slot makes whole, or None; parts of one that has a hole are dropped."""
        follows = slot.seq == self._seq + 1 and slot.part == self._next and slot.kind == self._kind
        self._seq = slot.seq
        if slot.part == 0:
            self._value = bytearray()
            self._kind = slot.kind
        elif not follows:
            self._next = 0
            return None
        self._value += slot.octets
        self._next = slot.part + 1
        if not slot.is_last:
            return None
        self._next = 0
        return slot.seq, slot.kind, bytes(self._value)
