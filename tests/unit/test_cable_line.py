"""Requests over the serial line: whole lines only, a lost bit is a lost line, any bytes without an exception."""

import unittest

from firmware.wire import cable_line


class CableLine(unittest.TestCase):
    def test_there_and_back(self):
        line = cable_line.packed('{"phases": 1, "mqtt_user": "?!x"}')
        lines = cable_line.Lines()
        found = []
        for index in range(len(line)):
            found += lines.feed(line[index : index + 1])
            self.assertEqual(lines.is_open(), index < len(line) - 1)
        self.assertEqual(len(found), 1)
        self.assertEqual(cable_line.opened(found[0]), {"phases": 1, "mqtt_user": "?!x"})
        self.assertEqual(cable_line.opened(cable_line.packed("{}")[1:-1]), {})

    def test_each_lost_bit_is_seen(self):
        line = cable_line.packed('{"wiring_limit_ma": 16000}')[1:-1]
        for index in range(len(line)):
            for bit in range(8):
                hurt = line[:index] + bytes((line[index] ^ 1 << bit,)) + line[index + 1 :]
                self.assertIsNone(cable_line.opened(hurt), hurt)
            self.assertIsNone(cable_line.opened(line[:index]))

    def test_what_is_no_object(self):
        for text in ("[]", "1", '{"a": 1.5}', "", "{}{}"):
            self.assertIsNone(cable_line.opened(cable_line.packed(text)[1:-1]), text)

    def test_a_question_alone(self):
        lines = cable_line.Lines()
        self.assertEqual(lines.feed(b"\x02?\r"), [b"?"])
        self.assertEqual(lines.feed(b"?" * 64), [b"?"])
        self.assertEqual(lines.feed(b"abc\r\n"), [])
        self.assertEqual(lines.feed(b"!ab?\r?!\r"), [b"ab?", b"?"])

    def test_it_keeps_less_than_a_line(self):
        lines = cable_line.Lines()
        self.assertEqual(lines.feed(b"!" + b"x" * 512), [])
        self.assertTrue(lines.is_open())
        self.assertEqual(lines.feed(b"x\r"), [])
        self.assertFalse(lines.is_open())
        for stray in (b"\x01", b"\x7f", b"\xff"):
            self.assertEqual(lines.feed(b"!ab" + stray + b"cd\r"), [])
        lines.feed(b"!ab")
        lines.quiet()
        self.assertEqual(lines.feed(b"cd\r"), [])


if __name__ == "__main__":
    unittest.main()
