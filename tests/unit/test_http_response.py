"""The head of an HTTP answer: one length, or a no; what could be read in two ways is refused."""

import unittest

from firmware.core.records import Refusal
from firmware.wire.http_response import MOST_FIELDS, MOST_HEAD_B, length_of

MOST_B = 800_000
GOOD = b"HTTP/1.1 200 OK\r\nServer: a\r\nContent-Length: 1234\r\n\r\n"


def found(head):
    """Length, or the code of the refusal."""
    made = length_of(head, MOST_B)
    return made.code if isinstance(made, Refusal) else made


def with_fields(*lines):
    """What comes of a good status line and these fields."""
    return found(b"HTTP/1.1 200 OK\r\n" + b"".join([line + b"\r\n" for line in lines]) + b"\r\n")


class StatusLine(unittest.TestCase):
    def test_good(self):
        self.assertEqual(found(GOOD), 1234)
        self.assertEqual(found(GOOD.replace(b"1.1 200 OK", b"1.0 200")), 1234)
        self.assertEqual(found(GOOD.replace(b"200 OK", b"200 ")), 1234)

    def test_sent_on(self):
        for status in (b"300", b"301", b"302", b"307", b"308", b"399"):
            self.assertEqual(found(GOOD.replace(b"200", status)), "redirect", status)

    def test_other_statuses_are_told(self):
        for status in (b"100", b"199", b"201", b"206", b"299", b"400", b"404", b"503", b"000", b"999"):
            made = length_of(GOOD.replace(b"200", status), MOST_B)
            self.assertEqual((made.code, made.field), ("not_there", "HTTP %d" % int(status)))

    def test_garbage(self):
        for line in (
            b"",
            b"HTTP/1.1",
            b"HTTP/1.1 ",
            b"HTTP/1.1 20",
            b"HTTP/1.1 2000 OK",
            b"HTTP/1.1  200 OK",
            b"HTTP/1.1 -20 OK",
            b"HTTP/1.1 2 0 OK",
            b"HTTP/2.0 200 OK",
            b"HTTP/1.x 200 OK",
            b"HTTP/1.10200 OK",
            b"http/1.1 200 OK",
            b"ICY 200 OK",
            b" HTTP/1.1 200 OK",
            b"\xff" * 40,
        ):
            self.assertEqual(found(GOOD.replace(b"HTTP/1.1 200 OK", line)), "bad_answer", line)


class Lengths(unittest.TestCase):
    def test_bounds(self):
        for text, is_as in (
            (b"1", 1),
            (b"0800000", MOST_B),
            (b"800001", "too_big"),
            (b"0", "no_length"),
            (b"000000000", "no_length"),
            (b"999999999", "too_big"),
            (b"1" * 10, "too_big"),
            (b"9" * 400, "too_big"),
        ):
            self.assertEqual(with_fields(b"Content-Length: " + text), is_as, text)

    def test_no_number(self):
        for text in (b"", b"-1", b"+5", b"5 5", b"5,5", b"0x10", b"1e3", b"5.0", b"\xb2", b"five", b"_5"):
            self.assertEqual(with_fields(b"Content-Length: " + text), "bad_answer", text)

    def test_none_or_two(self):
        self.assertEqual(with_fields(b"Server: a"), "no_length")
        self.assertEqual(found(b"HTTP/1.1 200 OK\r\n\r\n"), "no_length")
        for other in (b"5", b"6", b"0"):
            self.assertEqual(with_fields(b"Content-Length: 5", b"content-length: " + other), "bad_answer")

    def test_coding(self):
        for field in (b"Transfer-Encoding: chunked", b"transfer-encoding:identity", b"TRANSFER-ENCODING:"):
            self.assertEqual(with_fields(b"Content-Length: 5", field), "no_length")
            self.assertEqual(with_fields(field, b"Content-Length: 5"), "no_length")
        self.assertEqual(with_fields(b"Content-Encoding: gzip", b"Content-Length: 5"), "bad_answer")
        self.assertEqual(with_fields(b"Content-Encoding: Identity", b"Content-Length: 5"), 5)

    def test_blanks_and_letters(self):
        for line in (b"content-length:5", b"CONTENT-LENGTH: \t 5 \t", b"Content-Length:5"):
            self.assertEqual(with_fields(line), 5, line)


class Fields(unittest.TestCase):
    def test_names(self):
        for line in (b"no colon", b": 5", b"a b: 5", b"a : 5", b" folded: 5", b"\tfolded", b"\xe4: 5", b"(a): 5", b""):
            self.assertEqual(with_fields(b"Content-Length: 5", line), "bad_answer", line)
        self.assertEqual(with_fields(b"Content-Length: 5", b"x-!#$%&'*+-.^_`|~9:", b"a:b:c", b"a: \xe4\xff"), 5)

    def test_how_many(self):
        self.assertEqual(with_fields(b"Content-Length: 5", *[b"a: b"] * (MOST_FIELDS - 1)), 5)
        self.assertEqual(with_fields(b"Content-Length: 5", *[b"a: b"] * MOST_FIELDS), "bad_answer")

    def test_control_characters(self):
        for octet in (0, 1, 8, 10, 11, 12, 13, 27, 31, 127):
            self.assertEqual(with_fields(b"Content-Length: 5", b"a: b" + bytes((octet,)) + b"c"), "bad_answer", octet)
        self.assertEqual(with_fields(b"Content-Length: 5", b"a: b\tc"), 5)
        self.assertEqual(with_fields(b"Content-Length: 5", b"a: b\r"), "bad_answer")

    def test_its_end(self):
        for head in (b"", GOOD[:-1], GOOD[:-2], GOOD + b"x", GOOD.replace(b"\r\n", b"\n"), b"\r\n\r\n"):
            self.assertEqual(found(head), "bad_answer", head)
        self.assertEqual(found(b"\r\n\r\n" + GOOD), "bad_answer")

    def test_its_length(self):
        room = MOST_HEAD_B - len(GOOD)
        filler = b"a: " + b"x" * (room - 5) + b"\r\n"
        whole = GOOD.replace(b"Server", filler + b"Server")
        self.assertEqual((len(whole), found(whole)), (MOST_HEAD_B, 1234))
        self.assertEqual(found(whole.replace(b"xx", b"xxx", 1)), "bad_answer")

    def test_every_cut_and_every_byte_changed_gives_an_answer(self):
        codes = ("bad_answer", "redirect", "not_there", "no_length", "too_big")
        for at in range(len(GOOD)):
            self.assertEqual(found(GOOD[:at]), "bad_answer")
            for octet in (0, 10, 13, 32, 48, 58, 255):
                made = found(GOOD[:at] + bytes((octet,)) + GOOD[at + 1 :])
                self.assertTrue(made in codes or 0 < made <= MOST_B, (at, octet))
