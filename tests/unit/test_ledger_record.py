"""Records of the ledger: they come back as they were, and a changed bit, a cut or a foreign record is no record."""

import unittest

from firmware.wire import ledger_record
from firmware.wire.ledger_record import MOST_MWH, NO_WH, Head, Quarter, Session

MINUTES = (0, 1, 255, 256, 65_535, 65_536, MOST_MWH, 7, 8, 9, 10, 11, 12, 13, 123_456)
HEAD = Head(7, 1_795_190_400, 0xFFFFFFFE, 999, 3, NO_WH, 0, 0, 0, 9, 1_994_656, MINUTES)
QUARTER = Quarter(9, 1_994_656, 12_345, 678, MINUTES)
SESSION = Session(3, 1_795_190_400, 0, 86_400, 12_000, 5, 12_345, 678)
KINDS = (
    (HEAD, ledger_record.packed_head, ledger_record.head_of, ledger_record.HEAD_B),
    (QUARTER, ledger_record.packed_quarter, ledger_record.quarter_of, ledger_record.QUARTER_B),
    (SESSION, ledger_record.packed_session, ledger_record.session_of, ledger_record.SESSION_B),
)


class Records(unittest.TestCase):
    def test_each_kind_comes_back(self):
        for record, packed, opened, size_b in KINDS:
            octets = packed(record)
            self.assertEqual(len(octets), size_b)
            self.assertEqual(opened(octets), record)
            self.assertEqual(opened(bytearray(octets)), record)

    def test_the_bytes_are_those_of_this_format(self):
        octets = ledger_record.packed_session(SESSION)
        self.assertEqual(octets[:5], b"S\x03\x00\x00\x00")
        self.assertEqual(octets[17:23], b"\xe0\x2e\x00\x00\x05\x00")
        self.assertEqual(octets[-4:], b"8&\xd3p")

    def test_any_changed_bit_is_seen(self):
        for record, packed, opened, size_b in KINDS:
            octets = packed(record)
            for at in range(size_b):
                for bit in range(8):
                    other = bytearray(octets)
                    other[at] ^= 1 << bit
                    self.assertIsNone(opened(other), (at, bit))

    def test_any_other_length_and_erased_flash_are_none(self):
        for record, packed, opened, size_b in KINDS:
            octets = packed(record)
            for length in range(size_b):
                self.assertIsNone(opened(octets[:length]))
            self.assertIsNone(opened(octets + b"\x00"))
            self.assertIsNone(opened(b"\xff" * size_b))
            self.assertIsNone(opened(bytes(size_b)))

    def test_no_kind_is_taken_for_another(self):
        for record, packed, opened, size_b in KINDS:
            for other in KINDS:
                if other[2] is not opened:
                    self.assertIsNone(other[2](packed(record)))
        # Even where the length and the checksum would fit.
        body = bytearray(ledger_record.packed_head(HEAD))[:-4]
        body[0] += 1
        check = ledger_record.binascii.crc32(bytes(body)) & 0xFFFFFFFF
        octets = bytes(body) + bytes([check >> shift & 0xFF for shift in (0, 8, 16, 24)])
        self.assertIsNone(ledger_record.head_of(octets))

    def test_a_minute_is_bounded_and_its_neighbours_are_not_touched(self):
        minutes = (5, MOST_MWH + 1, 6) + (0,) * 12
        made = ledger_record.quarter_of(ledger_record.packed_quarter(Quarter(1, 0, 0, 0, minutes)))
        self.assertEqual(made.minutes_mwh, (5, MOST_MWH, 6) + (0,) * 12)


if __name__ == "__main__":
    unittest.main()
