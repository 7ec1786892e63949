"""The DNS of set-up: every name is the box itself."""

import unittest

from firmware.wire import dns

QUERY = b"\x12\x34\1\0\0\1\0\0\0\0\0\0\7example\3com\0\0\1\0\1"


class Captive(unittest.TestCase):
    def test_every_name_is_the_box(self):
        made = dns.captive(QUERY, "192.168.4.1")
        self.assertEqual(made[:12], b"\x12\x34\x85\0\0\1\0\1\0\0\0\0")
        self.assertEqual(made[12 : len(QUERY)], QUERY[12:])
        self.assertEqual(made[len(QUERY) :], b"\xc0\x0c\0\1\0\1\0\0\0\0\0\4\xc0\xa8\4\1")

    def test_other_types_have_no_answer(self):
        made = dns.captive(QUERY[:-4] + b"\0\x1c\0\1", "192.168.4.1")
        self.assertEqual((made[6:8], len(made)), (b"\0\0", len(QUERY)))

    def test_no_query_no_answer(self):
        wrong = (QUERY[:2] + b"\x81" + QUERY[3:], QUERY[:5] + b"\2" + QUERY[6:], QUERY[:12] + b"\xc0" + QUERY[13:])
        for payload in wrong + (
            QUERY[:-1] + b"\3",
            QUERY[:-5],
            b"",
            bytes(12),
            QUERY + bytes(300),
        ):
            self.assertIsNone(dns.captive(payload, "192.168.4.1"))
        for end in range(len(QUERY)):
            self.assertIsNone(dns.captive(QUERY[:end], "192.168.4.1"))
