"""DNS: exact bytes, every answer cut at every byte, names that bite their tail, answers to somebody else."""

import os
import unittest

from firmware.wire import dns

NUMBER = 0xBEEF
QUESTION = b"\x06broker\x04home\x00\x00\x01\x00\x01"
NAME = "broker.home"
HEAD = b"\xbe\xef\x81\x80\x00\x01"


def record(owner, kind, ttl_s, data):
    """One record of class IN."""
    head = bytes((0, kind, 0, 1, ttl_s >> 24, ttl_s >> 16 & 255, ttl_s >> 8 & 255, ttl_s & 255))
    return owner + head + bytes((len(data) >> 8, len(data) & 255)) + data


def packet(*records, question=QUESTION, head=HEAD):
    """An answer with these records."""
    return head + bytes((0, len(records), 0, 0, 0, 0)) + question + b"".join(records)


FIRST = b"\xc0\x0c"
ADDRESS = record(FIRST, 1, 300, b"\xc0\xa8\x01\x07")
GOOD = packet(ADDRESS)
CHAIN = packet(
    record(FIRST, 5, 900, b"\x01a\xc0\x13"),
    record(b"\x01a\xc0\x13", 5, 20, b"\x01B\x03net\x00"),
    record(b"\x01z\x00", 1, 1, b"\x01\x01\x01\x01"),
    record(b"\x01b\x03NET\x00", 1, 60, b"\x0a\x00\x00\x01"),
)


def told(payload, number=NUMBER, name=NAME):
    return dns.answer(payload, number, name)


class Query(unittest.TestCase):
    def test_bytes(self):
        head = b"\xbe\xef\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00"
        self.assertEqual(dns.query(NUMBER, NAME), head + QUESTION)
        self.assertEqual(dns.query(NUMBER, "BROKER.Home"), head + QUESTION)
        self.assertEqual(dns.query(0x0102, "a-b_1")[:2], b"\x01\x02")

    def test_names(self):
        longest = ".".join(("a" * 63, "b" * 63, "c" * 63, "d" * 61))
        self.assertEqual(len(longest), 253)
        self.assertEqual(len(dns.query(1, longest)), 12 + 255 + 4)
        for name in (
            "",
            ".",
            "a.",
            ".a",
            "a..b",
            "a b",
            "a" * 64,
            longest + "d",
            "ä.de",
            "a\x00",
            "a/b",
            "a:1",
            "\u212a",
        ):
            with self.assertRaises(ValueError):
                dns.query(1, name)

    def test_quads(self):
        for text in ("1.2.3.4", "0.0.0.0", "255.255.255.255", "10.0.100.9"):
            self.assertTrue(dns.quad(text), text)
        for text in ("", "1.2.3", "1.2.3.4.5", "1.2.3.256", "1.2.3.a", "1..2.3", "010.1.1.1", "1.2.3.0001", "1.2.3.²"):
            self.assertFalse(dns.quad(text), text)


class Answer(unittest.TestCase):
    def test_address(self):
        self.assertEqual(told(GOOD), ("192.168.1.7", 300))
        self.assertEqual(told(GOOD, name="Broker.HOME"), ("192.168.1.7", 300))
        self.assertEqual(told(packet(ADDRESS, question=QUESTION.upper())), ("192.168.1.7", 300))
        self.assertEqual(told(GOOD + b"junk behind"), ("192.168.1.7", 300))

    def test_the_chain_ends_at_an_address_with_the_shortest_life(self):
        self.assertEqual(told(CHAIN), ("10.0.0.1", 20))

    def test_life(self):
        for ttl_s, seen_s in ((0, 0), (0x7FFFFFFF, 0x7FFFFFFF), (0x80000000, 0), (0xFFFFFFFF, 0), (0x01020304,) * 2):
            self.assertEqual(told(packet(record(FIRST, 1, ttl_s, b"abcd"))), ("97.98.99.100", seen_s))

    def test_somebody_elses_answer(self):
        self.assertIsNone(told(GOOD, number=NUMBER ^ 1))
        self.assertIsNone(told(GOOD, number=NUMBER ^ 0x100))
        self.assertIsNone(told(GOOD, name="broker.hole"))
        self.assertIsNone(told(GOOD, name="broker"))
        self.assertIsNone(told(GOOD[:2] + b"\x01" + GOOD[3:]))  # a question
        self.assertIsNone(told(GOOD[:2] + b"\x89" + GOOD[3:]))  # another operation
        self.assertIsNone(told(packet(ADDRESS, question=QUESTION[:-4] + b"\x00\x1c\x00\x01")))
        self.assertIsNone(told(packet(ADDRESS, question=QUESTION[:-4] + b"\x00\x01\x00\x03")))
        self.assertIsNone(told(packet(ADDRESS, question=b"\x0bbroker.home\x00\x00\x01\x00\x01")))
        self.assertIsNone(told(HEAD[:4] + b"\x00\x02" + GOOD[6:]))
        self.assertIsNone(told(HEAD[:4] + b"\x00\x00" + GOOD[6:]))

    def test_codes(self):
        for code in range(1, 16):
            head = HEAD[:3] + bytes((0x80 | code,))
            self.assertEqual(told(packet(ADDRESS, head=head + b"\x00\x01")), "not_found" if code == 3 else "bad")
            self.assertEqual(told(head + b"\x00" * 8), "bad")

    def test_nothing_of_use(self):
        self.assertEqual(told(packet()), "not_found")
        self.assertEqual(told(packet(record(FIRST, 28, 60, b"x" * 16))), "not_found")
        self.assertEqual(told(packet(record(b"\x05other\x00", 1, 60, b"abcd"))), "not_found")
        self.assertEqual(told(packet(record(FIRST, 5, 60, b"\x05other\x00"))), "not_found")
        self.assertEqual(told(packet(head=b"\xbe\xef\x83\x80\x00\x01")), "bad")  # cut short on its way
        self.assertEqual(told(packet(record(FIRST, 1, 60, b"abc"))), "bad")
        self.assertEqual(told(packet(record(FIRST, 1, 60, b"abcde"))), "bad")
        self.assertEqual(told(packet(record(FIRST, 5, 60, b"\x05other\x00x"))), "bad")
        self.assertEqual(told(packet(record(FIRST, 5, 60, b"\x05othe"))), "bad")

    def test_cut_at_every_byte(self):
        for whole in (GOOD, CHAIN):
            for size in range(len(whole)):
                found = told(whole[:size])
                self.assertEqual(found, None if size < 12 + len(QUESTION) else "bad", size)

    def test_a_name_that_bites_its_tail(self):
        at = 12 + len(QUESTION)
        for more, whole in (
            (0, lambda name: record(name, 1, 60, b"abcd")),
            (12, lambda name: record(FIRST, 5, 60, name)),
        ):
            here = at + more
            for name in (
                bytes((0xC0, here)),
                bytes((0xC0, here + 2, 0xC0, here)),
                bytes((1, 97, 0xC0, here)),
                b"\xff\xff",
                b"\x40a",
                b"\x80a",
            ):
                self.assertEqual(told(packet(whole(name), ADDRESS)), "bad", name)
        self.assertIsNone(told(packet(ADDRESS, question=b"\xc0\x0c\x00\x01\x00\x01")))

    def test_a_chain_has_at_most_eight_links(self):
        def chain(count):
            names = [FIRST] + [bytes((2, 97 + link, 98, 0)) for link in range(count)]
            links = [record(names[link], 5, 60, names[link + 1]) for link in range(count)]
            return packet(*(links + [record(names[-1], 1, 60, b"abcd")]))

        self.assertEqual(told(chain(8)), ("97.98.99.100", 60))
        self.assertEqual(told(chain(9)), "bad")
        self.assertEqual(told(packet(*[record(FIRST, 5, 60, FIRST)] * 8)), "not_found")
        self.assertEqual(told(packet(*[record(FIRST, 5, 60, FIRST)] * 9)), "bad")

    def test_many_records_and_many_pointers(self):
        other = record(b"\x01z\x00", 1, 60, b"abcd")
        self.assertEqual(told(packet(*([other] * 31 + [ADDRESS]))), ("192.168.1.7", 300))
        self.assertEqual(told(packet(*([other] * 32 + [ADDRESS]))), "bad")
        first = 12 + len(QUESTION) + 12 + 10  # where the stairs begin: each pointer leads to the one before
        stairs = FIRST
        for step in range(150):
            stairs += bytes((0xC0 | (first + 2 * step) >> 8, first + 2 * step & 255))
        text = record(b"\x0a" + b"x" * 10 + b"\x00", 16, 60, stairs)
        for steps, found in ((140, ("97.98.99.100", 60)), (141, "bad")):
            at = first + 2 * (steps - 1)
            owner = bytes((0xC0 | at >> 8, at & 255))
            self.assertEqual(told(packet(text, record(owner, 1, 60, b"abcd"))), found, steps)

    def test_any_bytes_at_all(self):
        seed = int.from_bytes(os.urandom(4), "little")
        print("seed", seed)
        state = seed | 1
        for turn in range(2000):
            made = bytearray(CHAIN if turn & 1 else packet())
            for _ in range(8):
                state = (state * 1103515245 + 12345) & 0x7FFFFFFF
                made[12 + (state >> 8) % (len(made) - 12) if turn & 2 else (state >> 8) % len(made)] = state >> 20 & 255
            made = bytes(made[: 12 + (state >> 4) % len(made)])
            found = told(made)
            self.assertTrue(found in (None, "bad", "not_found") or dns.quad(found[0]))
            mine = dns.captive(made, "192.168.4.1")
            self.assertTrue(mine is None or len(mine) >= 17)


class Captive(unittest.TestCase):
    def test_every_name_leads_to_the_box(self):
        for name in ("connectivitycheck.gstatic.com", "captive.apple.com", "a"):
            mine = dns.captive(dns.query(NUMBER, name), "192.168.4.1")
            self.assertEqual(dns.answer(mine, NUMBER, name), ("192.168.4.1", 10))
        mixed = dns.query(NUMBER, NAME)[:12] + b"\x06bRoKer\x04home\x00\x00\x01\x00\x01"
        self.assertEqual(dns.captive(mixed, "1.2.3.4")[12:-16], mixed[12:])

    def test_bytes(self):
        asked = dns.query(NUMBER, NAME)
        head = b"\xbe\xef\x85\x80\x00\x01\x00\x01\x00\x00\x00\x00"
        mine = head + QUESTION + b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x0a\x00\x04\xc0\xa8\x04\x01"
        self.assertEqual(dns.captive(asked, "192.168.4.1"), mine)
        with_edns = asked[:11] + b"\x01" + asked[12:] + b"\x00\x00\x29\x10\x00\x00\x00\x00\x00\x00\x00"
        self.assertEqual(dns.captive(with_edns, "192.168.4.1"), mine)

    def test_other_types_get_an_empty_answer(self):
        asked = dns.query(NUMBER, NAME)[:-4] + b"\x00\x1c\x00\x01"
        mine = dns.captive(asked, "192.168.4.1")
        self.assertEqual(mine, b"\xbe\xef\x85\x80\x00\x01\x00\x00\x00\x00\x00\x00" + asked[12:])

    def test_garbage(self):
        asked = dns.query(NUMBER, NAME)
        for size in range(len(asked)):
            self.assertIsNone(dns.captive(asked[:size], "192.168.4.1"))
        for bad in (
            GOOD,
            asked[:2] + b"\x09" + asked[3:],
            asked[:5] + b"\x02" + asked[6:],
            asked[:12] + b"\xc0\x04" * 3,
        ):
            self.assertIsNone(dns.captive(bad, "192.168.4.1"))


if __name__ == "__main__":
    unittest.main()
