"""JWS and RSA against texts of another library, and everything that makes one of them no signature."""

import json
import unittest

import signed_sample as sample

from firmware.core.records import Refusal
from firmware.wire import jws, rsa

PAIRS = ((sample.RS256, sample.MODULUS), (sample.PS256, sample.MODULUS), (sample.LONG, sample.LONG_MODULUS))


def is_proved(text, *keys):
    """The last word of a proof; all words before it are None."""
    words = list(jws.proof(jws.opened(text), keys))
    assert words[:-1] == [None] * (len(words) - 1)
    return words[-1]


def text_of(head, payload=b"{}", signature=b"s"):
    """Compact form of three byte strings; head: a dict or bytes."""
    head = head if isinstance(head, bytes) else json.dumps(head).encode()
    return b".".join([jws.encoded(part) for part in (head, payload, signature)])


def refusal(text):
    """(code, field) of a text that is refused."""
    made = jws.opened(text)
    assert isinstance(made, Refusal), made
    return made.code, made.field


class Proofs(unittest.TestCase):
    def test_what_another_library_signed(self):
        for text, key in PAIRS:
            self.assertTrue(is_proved(text, key))
        self.assertTrue(is_proved(sample.HS256, sample.SECRET))

    def test_only_by_its_key_and_by_any_of_two(self):
        for text, key in PAIRS:
            other = sample.LONG_MODULUS if key is sample.MODULUS else sample.MODULUS
            self.assertFalse(is_proved(text, other))
            self.assertFalse(is_proved(text))
            self.assertTrue(is_proved(text, other, key))
        self.assertFalse(is_proved(sample.HS256, bytes(32)))
        self.assertFalse(is_proved(sample.HS256))
        self.assertTrue(is_proved(sample.HS256, bytes(32), sample.SECRET))

    def test_the_public_key_is_no_secret(self):
        """Who takes the modulus for a key of HS256 could sign whatever they like."""
        head, payload, _ = sample.RS256.split(b".")
        signed = jws.encoded(b'{"alg":"HS256"}') + b"." + payload
        text = signed + b"." + jws.encoded(jws.hmac(sample.MODULUS[:64], signed))
        self.assertFalse(is_proved(text, sample.SECRET))

    def test_one_padding_is_not_the_other(self):
        for text, alg in ((sample.RS256, b"PS256"), (sample.PS256, b"RS256")):
            found = jws.opened(text)
            self.assertFalse(
                list(jws.proof(jws.Jws(alg.decode(), "", found.signed, b"", found.signature), (sample.MODULUS,)))[-1]
            )

    def test_every_part_counts(self):
        for text, key in PAIRS[:2] + ((sample.HS256, sample.SECRET),):
            found = jws.opened(text)
            for index in range(0, len(found.signature), 17):
                forged = bytearray(found.signature)
                forged[index] ^= 1
                made = jws.Jws(found.alg, "", found.signed, b"", bytes(forged))
                self.assertFalse(list(jws.proof(made, (key,)))[-1])
            made = jws.Jws(found.alg, "", found.signed + b"A", b"", found.signature)
            self.assertFalse(list(jws.proof(made, (key,)))[-1])

    def test_hmac_of_rfc_4231(self):
        made = jws.hmac(bytes([0x0B] * 20), b"Hi There")
        self.assertEqual(made[:8], b"\xb0\x34\x4c\x61\xd8\xdb\x38\x53")
        self.assertEqual(jws.hmac(b"Jefe", b"what do ya want for nothing?")[-4:], b"\x64\xec\x38\x43")

    def test_digests_of_another_length_differ(self):
        self.assertFalse(jws.is_same(b"a", b""))
        self.assertFalse(jws.is_same(b"a", b"b"))
        self.assertTrue(jws.is_same(b"ab", b"ab"))


class Blocks(unittest.TestCase):
    DIGEST = bytes(range(32))

    def test_keys(self):
        for modulus in (sample.MODULUS, sample.LONG_MODULUS):
            self.assertTrue(rsa.is_key(modulus))
            self.assertFalse(rsa.is_key(b"\x7f" + modulus[1:]))
            self.assertFalse(rsa.is_key(modulus[:-1] + b"\x02"))
        for count in (0, 128, 255, 385, 512):
            self.assertFalse(rsa.is_key(b"\xff" * count))

    def proof(self, signature, modulus=sample.MODULUS, digest=DIGEST):
        return list(rsa.proof(signature, modulus, digest, lambda encoded, digest: True))

    def test_lengths_and_range(self):
        self.assertEqual(self.proof(bytes(256))[-1], True)
        for wrong in (bytes(255), bytes(257), sample.MODULUS, b"\xff" * 256):
            self.assertEqual(self.proof(wrong), [False])
        self.assertEqual(self.proof(bytes(256), digest=bytes(31)), [False])
        self.assertEqual(self.proof(bytes(100), modulus=b"\xff" * 100), [False])
        self.assertEqual(self.proof(bytes(256)), [None] * rsa.EXPONENT_BITS + [True])

    def test_pkcs1_is_compared_whole(self):
        good = b"\0\1" + b"\xff" * (256 - 54) + b"\0" + rsa.DIGEST_INFO + self.DIGEST
        self.assertTrue(rsa.is_pkcs1(good, self.DIGEST))
        for at in (0, 1, 2, 100, 203, 204, 223, 224, 255):
            self.assertFalse(rsa.is_pkcs1(good[:at] + bytes([good[at] ^ 1]) + good[at + 1 :], self.DIGEST))
        # Bytes behind a shorter filling: what Bleichenbacher's forgery of 2006 needs.
        self.assertFalse(rsa.is_pkcs1(good[:100] + good[180:] + bytes(80), self.DIGEST))

    def pss(self, salt=bytes(32), filling=b"", mark=b"\1", trailer=b"\xbc", top=0):
        hashed = rsa.sha256(bytes(8) + self.DIGEST + salt)
        block = (filling or bytes(222 - len(salt))) + mark + salt
        masked = bytearray(one ^ other for one, other in zip(block, rsa.mask(hashed, len(block))))
        masked[0] = (masked[0] & 0x7F) | top
        return bytes(masked) + hashed + trailer

    def test_pss(self):
        self.assertTrue(rsa.is_pss(self.pss(), self.DIGEST))
        self.assertTrue(rsa.is_pss(self.pss(salt=bytes(range(32))), self.DIGEST))
        self.assertFalse(rsa.is_pss(self.pss(), bytes(32)))
        for wrong in (
            self.pss(trailer=b"\xbd"),
            self.pss(top=0x80),
            self.pss(mark=b"\2"),
            self.pss(filling=bytes(100) + b"\4" + bytes(89)),
            self.pss(salt=bytes(20)),
            self.pss(salt=b""),
        ):
            self.assertEqual(len(wrong), 256)
            self.assertFalse(rsa.is_pss(wrong, self.DIGEST))

    def test_mask_of_rfc_8017(self):
        self.assertEqual(rsa.mask(b"foo", 40)[:32], rsa.sha256(b"foo\0\0\0\0"))
        self.assertEqual(rsa.mask(b"foo", 40)[32:], rsa.sha256(b"foo\0\0\0\1"))


class Forms(unittest.TestCase):
    def test_taken_apart(self):
        found = jws.opened(sample.RS256)
        self.assertEqual((found.alg, found.kid), ("RS256", "2026a"))
        self.assertEqual(json.loads(found.payload)["id"], "peak-1")
        self.assertEqual(sample.RS256, found.signed + b"." + jws.encoded(found.signature))
        self.assertEqual(jws.opened(memoryview(sample.PS256)).kid, "")

    def test_what_nobody_has_signed(self):
        for text in (b"", b"pause", b'{"id": "a"}', b"a.b", b"a.b.c.d", b"..", b"a..c", b".b.c", b"....", b"." * 2000):
            self.assertEqual(refusal(text), ("bad_signature", "jws"))

    def test_base64url_has_one_form(self):
        good = text_of({"alg": "HS256"}, b"{}", b"\xff\xfe\xfd\xfb")
        self.assertEqual(jws.opened(good).signature, b"\xff\xfe\xfd\xfb")
        head, payload, signature = good.split(b".")
        for wrong in (
            signature.replace(b"_", b"/").replace(b"-", b"+"),
            signature + b"==",
            signature[:-1] + b"x",
            signature + b"\n",
            signature[:3] + b" " + signature[3:],
            signature[:1],
            signature[:5] + b"*",
            b"\xc3\xa4" + signature[2:],
        ):
            self.assertNotEqual(wrong, signature)
            self.assertEqual(refusal(head + b"." + payload + b"." + wrong), ("bad_signature", "jws"))

    def test_lengths(self):
        self.assertEqual(refusal(b"A" * 2049), ("too_big", ""))
        self.assertEqual(refusal(text_of({"alg": "HS256"}, bytes(1025))), ("too_big", ""))
        self.assertEqual(refusal(text_of(b"{" + bytes(256))), ("too_big", ""))
        self.assertEqual(len(jws.opened(text_of({"alg": "HS256"}, bytes(1024))).payload), 1024)

    def test_headers(self):
        for alg in ("none", "None", "", "HS384", "ES256", "RS256 ", 5, None, True):
            self.assertEqual(refusal(text_of({"alg": alg})), ("bad_signature", "alg"))
        self.assertEqual(refusal(text_of({})), ("bad_signature", "alg"))
        for more in ({"crit": ["exp"]}, {"crit": []}, {"b64": False}):
            head = {"alg": "RS256"}
            head.update(more)
            self.assertEqual(refusal(text_of(head)), ("bad_field", "crit"))
        for kid in (5, None, ["a"], "k" * 65):
            self.assertEqual(refusal(text_of({"alg": "RS256", "kid": kid})), ("bad_field", "kid"))
        self.assertEqual(jws.opened(text_of({"alg": "RS256", "kid": "k" * 64, "typ": "JWT"})).kid, "k" * 64)
        self.assertEqual(refusal(text_of(b"[1]")), ("bad_json", "header"))
        self.assertEqual(refusal(text_of(b'{"alg":"RS256","alg":"RS256"}')), ("bad_field", "header"))


if __name__ == "__main__":
    unittest.main()
