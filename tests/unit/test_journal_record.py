"""Slots of the journal: they come back as they were, and a slot that is programmed again takes later ones back."""

import unittest

from firmware.wire import journal_record
from firmware.wire.journal_record import (
    CHECKPOINT,
    ENERGY,
    ERASED,
    HEADER,
    MOST_VALUE_B,
    SLOT_B,
    STATE,
    VALUE_B,
    Assembly,
    Header,
    packed,
    place_from,
    slot_of,
)

LONG = bytes(range(50))
HEAD = Header(7, 3, 5, 1234, 172)


def slots(seq, kind, octets):
    """Slots of a value, the first with this number."""
    return [slot_of(packed(seq + part, kind, octets, part)) for part in range(journal_record.parts_of(octets))]


def assembled(rows):
    """What an Assembly gives for these Slots."""
    made = Assembly()
    found = [made.take(slot) for slot in rows] + [made.rest()]
    return [value for value in found if value is not None]


class Slots(unittest.TestCase):
    def test_a_slot_comes_back(self):
        octets = packed(4_000_000_000, ENERGY, b"abc", 0)
        self.assertEqual(len(octets), SLOT_B)
        self.assertEqual(tuple(slot_of(octets)), (4_000_000_000, ENERGY, 0, True, b"abc"))
        self.assertEqual(slot_of(bytearray(octets)), slot_of(octets))

    def test_the_bytes_are_those_of_this_format(self):
        octets = packed(0x01020304, STATE, LONG, 2)
        self.assertEqual(octets[:7], b"\x04\x03\x02\x01\x13\x82\x08")
        self.assertEqual(octets[7:28], LONG[42:] + bytes(VALUE_B - 8))

    def test_a_changed_bit_a_cut_or_nothing_is_no_slot(self):
        octets = packed(9, ENERGY, b"abc", 0)
        for index in range(SLOT_B * 8):
            changed = bytearray(octets)
            changed[index // 8] ^= 1 << index % 8
            self.assertIsNone(slot_of(changed))
        self.assertIsNone(slot_of(octets[:-1]))
        self.assertIsNone(slot_of(journal_record.BLANK))

    def test_a_value_of_several_slots(self):
        self.assertEqual([journal_record.parts_of(bytes(count)) for count in (0, 1, 21, 22)], [1, 1, 1, 2])
        self.assertEqual([slot.is_last for slot in slots(1, STATE, LONG)], [False, False, True])
        packed(1, STATE, bytes(MOST_VALUE_B), 63)
        with self.assertRaises(ValueError):
            packed(1, STATE, bytes(MOST_VALUE_B + 1), 0)

    def test_marks_of_the_ring(self):
        slot = slot_of(journal_record.packed_header(99, HEAD))
        self.assertEqual((slot.seq, slot.kind, journal_record.header_of(slot)), (99, HEADER, HEAD))
        self.assertIsNone(journal_record.header_of(slot_of(packed(1, CHECKPOINT, b"", 0))))
        slot = slot_of(packed(1, ERASED, journal_record.ahead_octets(171), 0))
        self.assertEqual(journal_record.ahead_of(slot.octets), 171)

    def test_a_place_for_each_kind_and_parity(self):
        for first in range(40):
            places = [place_from(first, seq, is_header) for seq in (6, 7) for is_header in (False, True)]
            self.assertEqual(sorted(places), list(range(first, first + 4)))
            self.assertEqual([place % 4 for place in places], [0, 2, 1, 3])


class Values(unittest.TestCase):
    def test_values_come_in_order(self):
        rows = slots(1, ENERGY, b"a") + slots(2, STATE, LONG) + slots(5, ENERGY, b"b")
        self.assertEqual(assembled(rows), [(1, ENERGY, b"a"), (4, STATE, LONG), (5, ENERGY, b"b")])

    def test_the_last_slot_programmed_again_counts_once(self):
        last = slots(1, ENERGY, b"a")
        self.assertEqual(assembled(last * 3 + slots(2, ENERGY, b"b")), [(1, ENERGY, b"a"), (2, ENERGY, b"b")])

    def test_what_was_unreadable_once_does_not_come_back(self):
        first, torn, then = slots(1, ENERGY, b"a"), slots(2, ENERGY, b"torn"), slots(2, ENERGY, b"b")
        self.assertEqual(assembled(first + torn + first + then), [(1, ENERGY, b"a"), (2, ENERGY, b"b")])
        self.assertEqual(assembled(first + torn + first), [(1, ENERGY, b"a")])
        self.assertEqual(assembled(first + torn + then), [(1, ENERGY, b"a"), (2, ENERGY, b"b")])
        header = [slot_of(journal_record.packed_header(1, HEAD))]
        self.assertEqual(assembled(first + torn + header + then), [(1, ENERGY, b"a"), (2, ENERGY, b"b")])

    def test_a_header_in_between_changes_nothing(self):
        header = [slot_of(journal_record.packed_header(2, HEAD))]
        rows = slots(1, STATE, LONG)
        self.assertEqual(assembled(rows[:2] + header + rows[2:]), [(3, STATE, LONG)])
        self.assertEqual(assembled(header + header), [])
        self.assertEqual(assembled(slots(1, ENERGY, b"a") + header), [(1, ENERGY, b"a")])

    def test_a_value_with_a_hole_is_none(self):
        rows = slots(1, STATE, LONG)
        after = slots(4, ENERGY, b"b")
        for left in ((0, 1), (0, 2), (1, 2), (2,)):
            self.assertEqual(assembled([rows[at] for at in left] + after), [(4, ENERGY, b"b")])
        other = slots(4, ENERGY, LONG)
        self.assertEqual(assembled([rows[0], other[1]] + slots(9, ENERGY, b"b")), [(9, ENERGY, b"b")])

    def test_a_value_that_was_cut_gives_way_to_the_next(self):
        rows = slots(1, STATE, LONG)[:2]
        self.assertEqual(assembled(rows + rows[1:] + slots(3, STATE, LONG)), [(5, STATE, LONG)])
