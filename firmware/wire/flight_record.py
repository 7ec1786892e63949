"""Bytes of a flight record: a tick in 32, all that is remembered in a number of 24 bits, blocks that show damage."""

import hashlib
import struct

FORMAT = 1
MAGIC = b"ebb flight record\n"
ROW_B = 32
# The first byte of a row: the ms since the tick before (0 to MOST_DELTA_MS), or what else the row is.
MOST_DELTA_MS = 249
SLOW, WIDE, CRASH = 250, 251, 252  # what seldom changes | a tick whose reading fits no row | an exception in the tick
TICK_FORM = "<hhHHHHHHHHiHhHB"  # after the first byte; the digest comes last
SLOW_FORM = "<qHiqq"  # after the first byte: now_ms, bits, proximity, the two ages
DIGEST_FORM, DIGEST_AT = "<HB", 29
FIRST_SLOW = 8  # readings from this field on have a row of their own, written when one of them changed
NO_MV, NO_MHZ, NO_TENTHS_C = -32768, 65535, -32768  # these stand for None
NO_PROXIMITY = 1 << 10
MASK = 0xFFFFFF  # 31 times 24 bits is a small integer on a 32-bit port: no garbage
NONE_NUMBER = 0x5A5A5A

# After the magic come blocks of kind, length and payload, and at the end the SHA-256 of everything. Kinds:
# H about the record | S a segment | M a part of Memory before it | R its rows | X what fits no row | L a part of the
# last Memory | E the end. All but rows are JSON.
HEAD_FORM, HEAD_B, CHECK_B = "<BI", 5, 32


def pack_tick(buffer: bytearray, at: int, readings: "Readings", digest: int) -> bool:
    """Write all but the first byte of a tick's row at `at`; False when a value fits no row."""
    high_mv, low_mv = readings.pilot_high_mv, readings.pilot_low_mv
    mhz, tenths_c = readings.frequency_mhz, readings.temperature_tenths_c
    i1, i2, i3 = readings.currents_ma
    u1, u2, u3 = readings.voltages_mv
    power_mw = readings.power_mw
    if (
        (i1 | i2 | i3 | u1 | u2 | u3) >> 21
        or not -0x40000000 < power_mw < 0x40000000
        or not (high_mv is None or -32768 < high_mv < 32768)
        or not (low_mv is None or -32768 < low_mv < 32768)
        or not (mhz is None or 0 <= mhz < 65535)
        or not (tenths_c is None or -32768 < tenths_c < 32768)
    ):
        return False
    struct.pack_into(  # pyright: ignore[reportUnknownMemberType]
        TICK_FORM,
        buffer,
        at + 1,
        NO_MV if high_mv is None else high_mv,
        NO_MV if low_mv is None else low_mv,
        i1 & 0xFFFF,
        i2 & 0xFFFF,
        i3 & 0xFFFF,
        i1 >> 16 | i2 >> 16 << 5 | i3 >> 16 << 10,
        u1 & 0xFFFF,
        u2 & 0xFFFF,
        u3 & 0xFFFF,
        u1 >> 16 | u2 >> 16 << 5 | u3 >> 16 << 10,
        power_mw,
        NO_MHZ if mhz is None else mhz,
        NO_TENTHS_C if tenths_c is None else tenths_c,
        digest & 0xFFFF,
        digest >> 16,
    )
    return True


def pack_slow(buffer: bytearray, at: int, readings: "Readings") -> None:
    """Write the row of what seldom changes, with the moment of the tick that follows."""
    buffer[at] = SLOW
    ohm = readings.proximity_ohm
    bits = readings.output_live_poles & 15 | (NO_PROXIMITY if ohm is None else 0)
    bit = 16
    for is_on in readings[10:16]:
        if is_on:
            bits |= bit
        bit <<= 1
    ages_ms = readings.pilot_age_ms, readings.currents_age_ms
    struct.pack_into(SLOW_FORM, buffer, at + 1, readings.now_ms, bits, ohm or 0, ages_ms[0], ages_ms[1])  # pyright: ignore[reportUnknownMemberType]


def pack_other(buffer: bytearray, at: int, kind: int, digest: int) -> None:
    """Write the row of a tick whose particulars are kept apart: WIDE or CRASH."""
    buffer[at] = kind
    struct.pack_into(DIGEST_FORM, buffer, at + DIGEST_AT, digest & 0xFFFF, digest >> 16)  # pyright: ignore[reportUnknownMemberType]


def mixed_of(parts: "tuple[object, ...]", mixed: int) -> int:
    """24 bits of everything in a tuple, the same on both interpreters; no garbage while it holds small numbers."""
    for item in parts:
        if type(item) is int:
            number = item
        elif item is None:
            number = NONE_NUMBER
        elif isinstance(item, tuple):
            number = mixed_of(item, 7)  # pyright: ignore[reportUnknownArgumentType]
        elif type(item) is str:
            number = mixed_of(tuple(item.encode()), 11)
        else:
            number = 1 if item else 0
        # The upper bits count too, and −1 is not 0.
        mixed = (mixed * 31 + (number + (number >> 24) * 5 & MASK)) & MASK
    return mixed


class Digest:
    """24 bits of a whole Memory; only the parts that are other objects than in the tick before are looked at."""

    def __init__(self):
        self._parts: tuple[object, ...] = ()
        self._numbers: list[int] = []
        self._total = 0

    def of(self, memory: "tuple[object, ...]") -> int:
        """The digest; it depends on the values alone, never on what was asked before."""
        before = self._parts
        if len(before) != len(memory):
            before = (Digest,) * len(memory)
            self._numbers = [0] * len(memory)
            self._total = 0
        numbers = self._numbers
        for index in range(len(memory)):
            part = memory[index]
            if part is not before[index]:
                # Each part starts from its place, so that two parts alike do not cancel each other.
                number = mixed_of((part,), 31 + index)
                self._total ^= numbers[index] ^ number
                numbers[index] = number
        self._parts = memory
        return self._total


def plain(value: object) -> "Json":
    """A record as nested lists; what is what says records.pyi, for names are short on a board. Errors: TypeError."""
    if isinstance(value, tuple):
        return [plain(item) for item in value]  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    if value is None or type(value) in (bool, int, str):
        return value  # pyright: ignore[reportReturnType]
    raise TypeError("no record holds a " + type(value).__name__)


def framed(blocks: "Iterable[tuple[str, Octets]]") -> "Iterator[Octets]":
    """The bytes of a record in pieces of any length, for blocks of (kind, payload)."""
    check = hashlib.sha256(MAGIC)
    yield MAGIC
    for kind, payload in blocks:
        head = struct.pack(HEAD_FORM, ord(kind), len(payload))
        check.update(head)  # pyright: ignore[reportUnknownMemberType]
        yield head
        check.update(payload)  # pyright: ignore[reportUnknownMemberType]
        yield payload
    yield check.digest()  # pyright: ignore[reportUnknownMemberType]
