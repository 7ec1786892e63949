"""Improv over serial: frames as the protocol's text has them, and any bytes without an exception."""

import unittest

from firmware.wire import improv

ASK = b"IMPROV\x01\x03\x02\x02\x00\xe5"


def noise(seed, count):
    """Bytes of one seed, with many letters of the header among them."""
    made = bytearray()
    for _ in range(count):
        seed = (seed * 1103515245 + 12345) % 2147483648
        byte = seed >> 12 & 255
        made.append(b"IMPROV\x01\x03"[byte & 7] if byte < 100 else byte)
    return bytes(made)


class Frames(unittest.TestCase):
    def test_as_written_in_the_protocol(self):
        self.assertEqual(improv.framed(improv.COMMAND, b"\x02\x00"), ASK + b"\n")
        self.assertEqual(improv.framed(improv.STATE, b"\x02"), b"IMPROV\x01\x01\x01\x02\xe2\n")

    def test_results(self):
        made = improv.result(improv.ASK_DEVICE, ("ebb", "", "1"))
        self.assertEqual(made[6:-2], b"\x01\x04\x09\x03\x07\x03ebb\x00\x011")
        self.assertEqual(improv.result(4, ())[7:11], b"\x04\x02\x04\x00")

    def test_results_never_outgrow_their_length(self):
        made = improv.result(1, ("a" * 100, "b" * 100, "c" * 51, "d" * 40))
        self.assertEqual((made[8], made[10]), (204, 202))
        self.assertEqual(improv.result(1, ("a" * 252,))[8], 255)
        self.assertEqual(improv.result(1, ("a" * 253,))[8], 2)
        self.assertEqual(improv.Parser().feed(improv.result(1, ("a" * 252,)))[0][0], improv.RESULT)

    def test_commands(self):
        self.assertEqual(improv.command_of(b"\x02\x00"), (2, b""))
        self.assertEqual(improv.command_of(b"\x01\x02ab"), (1, b"ab"))
        for data in (b"", b"\x02", b"\x02\x01", b"\x02\x00a"):
            self.assertIsNone(improv.command_of(data))

    def test_wifi_settings(self):
        text = b"\x0cMyWirelessAP\x10mysecurepassword"
        self.assertEqual(improv.wifi_of(text), ("MyWirelessAP", "mysecurepassword"))
        self.assertEqual(improv.wifi_of(b"\x01a\x00"), ("a", ""))
        for data in (b"", b"\x01", b"\x01a", b"\x01a\x02b", b"\x01a\x01b\x01c", b"\x01a\x01b\x05", b"\x02\xff\xfe\x00"):
            self.assertIsNone(improv.wifi_of(data))


class Parsing(unittest.TestCase):
    def test_any_portions(self):
        stream = b"ebb: hello\r\n" + ASK + b"\nIMP" + ASK + b"IIMPROV\x02\x03\x00" + ASK
        for size in range(1, len(stream) + 1):
            parser = improv.Parser()
            frames = []
            for start in range(0, len(stream), size):
                frames += parser.feed(stream[start : start + size])
            self.assertEqual(frames, [(3, b"\x02\x00")] * 3, size)

    def test_a_wrong_checksum_is_no_frame(self):
        for bit in range(8):
            self.assertEqual(improv.Parser().feed(ASK[:-1] + bytes((ASK[-1] ^ 1 << bit,))), [])

    def test_a_frame_inside_a_broken_one_is_found(self):
        parser = improv.Parser()
        self.assertEqual(parser.feed(b"IMPROV\x01\x03\x0e" + ASK), [])
        self.assertEqual(parser.feed(b"xyz"), [(3, b"\x02\x00")])

    def test_quiet_gives_up_what_began(self):
        parser = improv.Parser()
        self.assertEqual(parser.feed(b"IMPROV\x01\x03\xff" + ASK), [])
        self.assertEqual(parser.quiet(), [(3, b"\x02\x00")])
        self.assertEqual(parser.quiet(), [])
        parser.feed(b"IMPROV\x01\x03\xffIMPROV\x01\x03\xff" + ASK)
        self.assertEqual(parser.quiet() + parser.quiet(), [(3, b"\x02\x00")])

    def test_a_person_at_the_prompt_can_stop_the_box(self):
        for chunk in (b"\x03", b"\r\x03", b"\x03\x03\n", b"\r\x03\r\x01"):
            self.assertTrue(improv.Parser().is_stop(chunk))
        for chunk in (b"", b"\r", b"\x01", b"a\x03", b"MPROV\x01\x03"):
            self.assertFalse(improv.Parser().is_stop(chunk))

    def test_no_frame_stops_the_box_however_it_arrives(self):
        for ssid in (1, 3, 13, 32):
            for password in (0, 8, 13, 63):
                data = bytes((ssid,)) + b"~" * ssid + bytes((password,)) + b" " * password
                frame = improv.framed(improv.COMMAND, bytes((1, len(data))) + data)
                for size in (1, 2, 3, 64):
                    parser = improv.Parser()
                    frames = []
                    for start in range(0, len(frame), size):
                        chunk = frame[start : start + size]
                        self.assertFalse(parser.is_stop(chunk))
                        frames += parser.feed(chunk)
                    self.assertEqual(len(frames), 1)

    def test_the_longest_frame(self):
        frame = improv.framed(improv.COMMAND, bytes(range(255)))
        self.assertEqual(improv.Parser().feed(frame), [(3, bytes(range(255)))])

    def test_noise_is_bounded_and_never_raises(self):
        for seed in range(30):
            parser = improv.Parser()
            for start in range(10):
                parser.feed(noise(seed * 100 + start, 200))
                self.assertTrue(len(parser._held) < 265)
            parser.feed(bytes(300))
            while parser._held:
                parser.quiet()
            self.assertEqual(parser.feed(ASK), [(3, b"\x02\x00")])
