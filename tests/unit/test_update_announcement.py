"""Announcements of updates: address, version and digest as they must be, and what comes is what was announced."""

import binascii
import hashlib
import json
import unittest

import update_sample as sample

from firmware.core.records import Refusal
from firmware.wire import update_announcement, update_header
from firmware.wire.update_announcement import Check, opened

DIGEST = hashlib.sha256(sample.WHOLE).digest()
GOOD = {
    "url": "http://updates.example.org:8080/ebb/new.ebbupdate?board=reference",
    "version": "1.2.3",
    "sha256": binascii.hexlify(DIGEST).decode(),
}


def tried(**changes):
    """What comes of an announcement with changes; None leaves a field out."""
    made = dict(GOOD)
    made.update(changes)
    return opened(json.dumps({key: made[key] for key in made if made[key] is not None}).encode())


class Fields(unittest.TestCase):
    def refused(self, field, **changes):
        """The refusal names the field at fault."""
        made = tried(**changes)
        self.assertTrue(isinstance(made, Refusal), changes)
        self.assertEqual((made.code, made.field), ("bad_announcement", field), changes)

    def test_good(self):
        made = tried()
        self.assertEqual((made.is_tls, made.host, made.port), (False, "updates.example.org", 8080))
        self.assertEqual((made.version, made.sha256, made.id()), ((1, 2, 3), DIGEST, "update-1.2.3"))
        self.assertEqual(
            made.request(),
            b"GET /ebb/new.ebbupdate?board=reference HTTP/1.1\r\nHost: updates.example.org:8080\r\nUser-Agent: ebb\r\n"
            b"Accept-Encoding: identity\r\nConnection: close\r\n\r\n",
        )
        self.assertEqual(tried(sha256=GOOD["sha256"].upper(), more=5).sha256, DIGEST)

    def test_addresses(self):
        for url, is_as in (
            ("http://a", (False, "a", 80, "a", "/")),
            ("https://a/", (True, "a", 443, "a", "/")),
            ("https://a.b-c.d:1/x", (True, "a.b-c.d", 1, "a.b-c.d:1", "/x")),
            ("http://10.0.0.255:65535/", (False, "10.0.0.255", 65535, "10.0.0.255:65535", "/")),
            ("http://1.2.3.a/@:%20?x=y&z", (False, "1.2.3.a", 80, "1.2.3.a", "/@:%20?x=y&z")),
        ):
            made = tried(url=url)
            self.assertEqual((made.is_tls, made.host, made.port, made.place, made.path), is_as)
        self.assertEqual(tried(url="http://" + "a" * 64).host, "a" * 64)

    def test_bad_addresses(self):
        for url in (
            "",
            "a",
            "/a",
            "ftp://a/",
            "HTTP://a/",
            "http:/a",
            "http://",
            "http:///a",
            "http://:80/a",
            "http://a:/b",
            "http://a:0/b",
            "http://a:65536/b",
            "http://a:655360/b",
            "http://a:-1/b",
            "http://a:8 0/b",
            "http://a:80:80/b",
            "http://user@a/b",
            "http://user:word@a/b",
            "http://a b/c",
            "http://[::1]/b",
            "http://a_b/c",
            "http://a?b",
            "http://a..b/c",
            "http://.a/c",
            "http://a./c",
            "http://-a/c",
            "http://a.-b/c",
            "http://\xe4/c",
            "http://" + "a" * 65,
            "http://1/c",
            "http://1.2.3/c",
            "http://1.2.3.256/c",
            "http://1.2.3.4.5/c",
            "http://1.2.3.123456/c",
            "http://0x7f000001.1/ c",
            "http://a/b c",
            "http://a/b#c",
            "http://a/b\r\nX: y",
            "http://a/b\x00",
            "http://a/b\x7f",
            "http://a/\xe4",
            5,
            None,
            True,
            ["http://a/"],
        ):
            self.refused("url", url=url)

    def test_versions(self):
        for version in ("0.0.0", "65535.1.2", "00001.2.3"):
            self.assertEqual(len(tried(version=version).version), 3)
        for version in ("", "1.2", "1.2.3.4", "1..3", "1.2.x", "-1.2.3", "1.2.65536", "1.2.000001", " 1.2.3", 1, None):
            self.refused("version", version=version)

    def test_digests(self):
        good = GOOD["sha256"]
        for text in ("", good[:-1], good + "0", good[:-1] + "g", good[:-1] + " ", good[:-1] + "\xe4", 5, None, [good]):
            self.refused("sha256", sha256=text)

    def test_no_object(self):
        for payload in (b"", b"{", b"null", b"[]", b"pause", b"\xff\xfe", b"[" * 200, b"{}", b'{"url":1.5}'):
            self.assertEqual(opened(payload).code, "bad_announcement", payload)

    def test_its_length(self):
        payload = json.dumps(GOOD).encode()
        room = update_announcement.MOST_B - len(payload)
        self.assertEqual(opened(payload + b" " * room).version, (1, 2, 3))
        self.assertEqual(opened(payload + b" " * (room + 1)).code, "bad_announcement")
        self.assertEqual(opened(memoryview(payload)).version, (1, 2, 3))


class WhatComes(unittest.TestCase):
    """Check sees the head first, and then any pieces."""

    def codes(self, octets, piece_b=100, **changes):
        """Codes of all pieces in turn up to the first that is none."""
        check = Check(tried(**changes))
        at, wanted = 0, update_header.HEAD_B
        made = []
        while at < len(octets):
            piece = octets[at : at + wanted]
            at += len(piece)
            wanted = piece_b
            made.append(check.code(piece, len(octets) - at))
            if made[-1]:
                break
        return made

    def test_as_announced(self):
        for piece_b in (1, 100, 512, 5000):
            self.assertEqual(set(self.codes(sample.WHOLE, piece_b)), {""})

    def test_another_version_shows_at_once(self):
        for version in ("1.2.4", "1.2.2", "0.0.0", "1.3.3", "2.2.3"):
            self.assertEqual(self.codes(sample.WHOLE, version=version), ["other_version"])

    def test_what_is_no_update_has_no_version(self):
        octets = b"<html>" * 200
        digest = binascii.hexlify(hashlib.sha256(octets).digest()).decode()
        self.assertEqual(set(self.codes(octets, sha256=digest)), {""})
        self.assertEqual(self.codes(octets)[-1], "other_digest")

    def test_any_other_byte_shows_at_the_end(self):
        for at in (70, 300, 600, len(sample.WHOLE) - 1):
            octets = sample.WHOLE[:at] + bytes((sample.WHOLE[at] ^ 1,)) + sample.WHOLE[at + 1 :]
            found = self.codes(octets)
            self.assertEqual((set(found[:-1]), found[-1]), ({""}, "other_digest"), at)
        self.assertEqual(self.codes(sample.WHOLE, sha256="00" * 32)[-1], "other_digest")

    def test_only_a_head(self):
        self.assertEqual(self.codes(sample.HEAD), ["other_digest"])
