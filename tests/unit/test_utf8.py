"""UTF-8 from outside: both interpreters take what RFC 3629 takes, and nothing else."""

import unittest

from firmware.wire import mqtt_packets, strict_json, utf8

GOOD = (
    b"",
    b"abc",
    b"\0\x7f",
    b"\xc2\x80",
    b"\xdf\xbf",
    b"\xe0\xa0\x80",
    b"\xed\x9f\xbf",
    b"\xee\x80\x80",
    b"\xef\xbf\xbf",
)
GOOD += (b"\xf0\x90\x80\x80", b"\xf4\x8f\xbf\xbf", "größe €".encode())
BAD = (
    b"\x80",
    b"\xc0\x80",
    b"\xc1\xbf",
    b"\xc0\xa2",
    b"\xe0\x80\xaf",
    b"\xe0\x9f\xbf",
    b"\xed\xa0\x80",
    b"\xed\xbf\xbf",
)
BAD += (
    b"\xf0\x80\x80\x80",
    b"\xf0\x8f\xbf\xbf",
    b"\xf4\x90\x80\x80",
    b"\xf5\x80\x80\x80",
    b"\xf7\xbf\xbf\xbf",
    b"\xf8\x88\x80\x80\x80",
)
BAD += (b"\xc2", b"\xe0\xa0", b"\xf0\x90\x80", b"\xc2a", b"\xff", b"\xfe", b"a\xed\xa0\x80\xed\xb0\x80")


class Text(unittest.TestCase):
    def test_good(self):
        for octets in GOOD:
            self.assertEqual(utf8.text_of(octets).encode(), octets)
            self.assertEqual(utf8.text_of(memoryview(octets)).encode(), octets)

    def test_bad(self):
        for octets in BAD:
            for around in (octets, b"a" + octets + b"a"):
                with self.assertRaises(ValueError):
                    utf8.text_of(around)

    def test_every_pair_and_the_beginning_of_three(self):
        # What begins a sequence of RFC 3629 §4 is told here by its own table, not by the module's.
        for first in range(0x80, 0x100):
            for second in range(0x100):
                octets = bytes((first, second))
                is_good = 0xC2 <= first <= 0xDF and 0x80 <= second <= 0xBF
                self.assertEqual(is_text(octets), is_good, octets)
                low, high = 0xA0 if first == 0xE0 else 0x80, 0x9F if first == 0xED else 0xBF
                is_good = 0xE0 <= first <= 0xEF and low <= second <= high
                self.assertEqual(is_text(octets + b"\x80"), is_good, octets)
                low, high = 0x90 if first == 0xF0 else 0x80, 0x8F if first == 0xF4 else 0xBF
                is_good = 0xF0 <= first <= 0xF4 and low <= second <= high
                self.assertEqual(is_text(octets + b"\x80\x80"), is_good, octets)

    def test_who_reads_text_from_outside(self):
        for octets in BAD:
            with self.assertRaises(strict_json.BadJson):
                strict_json.opened(b'{"note": "' + octets + b'"}')
            with self.assertRaises(mqtt_packets.MqttError):
                mqtt_packets.opened_publish(0x30, bytes((0, len(octets))) + octets)


def is_text(octets):
    try:
        utf8.text_of(octets)
    except ValueError:
        return False
    return True
