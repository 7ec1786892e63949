"""Signed mode: who may speak, in which order, and that the cheap checks come before any signature."""

import json
import unittest

import signed_sample as sample

from firmware.core.records import Ref, Refusal
from firmware.wire import grid_contract, jws, signed_command, signed_seqs
from firmware.wire.signed_command import Trust

WALL_S = 1795266010
CONTEXT = grid_contract.Context(1_000_000, WALL_S, 230_000, 3, 7, False)
NO_CLOCK = grid_contract.Context(1_000_000, None, 230_000, 3, 7, False)
TRUST = Trust((("dso1", "2026a", sample.MODULUS), ("dso1", "", sample.LONG_MODULUS)), sample.SECRET)
REF = Ref("dso1", "peak-1", 0)


def claimed(text, scope="box", context=CONTEXT, rows=(), seen=(), trust=TRUST, place=None):
    """Claimed or Refusal of a text."""
    message = grid_contract.Message(scope, text, False)
    return signed_command.claimed(message, place or scope, context, (trust, rows, seen))


def no(*args, **more):
    """(code, field, ref) of a refusal."""
    made = claimed(*args, **more)
    assert isinstance(made, Refusal), made
    return made.code, made.field, made.ref


def text(alg="RS256", kid=None, **changes):
    """A command as sample.RS256 with some fields changed and no true signature; None takes a field out."""
    fields = json.loads(jws.opened(sample.RS256).payload)
    fields.update(changes)
    head = {"alg": alg}
    if kid is not None:
        head["kid"] = kid
    body = json.dumps({key: value for key, value in fields.items() if value is not None})
    return b".".join([jws.encoded(part) for part in (json.dumps(head).encode(), body.encode(), b"signature")])


class Taken(unittest.TestCase):
    def test_what_it_claims(self):
        made = claimed(sample.RS256)
        command, spread_s, resume_max_s = made.parsed
        self.assertEqual((command.limit_ma, command.rank, command.ref), (8000, "emergency", REF))
        self.assertEqual((spread_s, resume_max_s, made.place, made.seq), (0, 0, "box", 7))
        self.assertEqual(made.keys, (sample.MODULUS, sample.LONG_MODULUS))
        self.assertEqual(list(jws.proof(made.jws, made.keys))[-1], True)

    def test_the_kid_chooses_the_key(self):
        self.assertEqual(claimed(text(kid="2026a")).keys, (sample.MODULUS, sample.LONG_MODULUS))
        self.assertEqual(claimed(text(kid="2027b")).keys, (sample.LONG_MODULUS,))  # the one that has no name
        self.assertEqual(claimed(text()).keys, (sample.MODULUS, sample.LONG_MODULUS))

    def test_only_issuers_that_are_known(self):
        self.assertEqual(no(text(issuer="dso2"))[:2], ("bad_signature", "issuer"))
        self.assertEqual(no(text(kid="x"), trust=Trust(TRUST.keys[:1], b""))[:2], ("bad_signature", "issuer"))
        self.assertEqual(no(sample.RS256, trust=Trust((), b""))[:2], ("bad_signature", "issuer"))

    def test_the_shared_key_is_for_the_boxs_own_topic(self):
        self.assertEqual(claimed(sample.HS256).keys, (sample.SECRET,))
        for scope in ("group", "all"):
            self.assertEqual(no(sample.HS256, scope=scope), ("not_allowed", "alg", REF))
        self.assertEqual(no(text("HS256", issuer="dso2"))[0], "bad_signature")
        self.assertEqual(no(sample.HS256, trust=Trust(TRUST.keys, b""))[0], "bad_signature")

    def test_plain_commands_and_words_are_not_taken(self):
        for payload in (b"pause", b"resume", b'{"id":"a","kind":"pause","duration_s":60}'):
            self.assertEqual(no(payload), ("bad_signature", "jws", None))


class Fields(unittest.TestCase):
    def test_needed_ones(self):
        for name in ("issuer", "issued_at", "expires_at", "seq"):
            self.assertEqual(
                no(text(**{name: None})), ("bad_field", name, REF if name != "issuer" else Ref("grid", "peak-1", 0))
            )
        for name in ("issued_at", "expires_at", "seq"):
            for value in (0, -1, True, "7", 1 << 31):
                code = no(text(**{name: value}))[0]
                self.assertEqual(code, "bad_field")

    def test_times(self):
        self.assertEqual(no(text(issued_at=WALL_S + 121, expires_at=WALL_S + 300))[:2], ("too_early", "issued_at"))
        self.assertEqual(no(text(expires_at=WALL_S - 1))[:2], ("expired", "expires_at"))
        self.assertEqual(no(text(expires_at=1795266000 + 86_401))[:2], ("bad_field", "expires_at"))

    def test_without_a_clock(self):
        command = claimed(text(), context=NO_CLOCK).parsed[0]
        self.assertEqual(command.until_ms - command.from_ms, 600_000)
        self.assertEqual(no(text(kind="resume"), context=NO_CLOCK)[:2], ("no_clock", "kind"))
        self.assertEqual(claimed(text(kind="resume")).parsed[0].kind, "resume")
        self.assertEqual(no(text(), context=NO_CLOCK, rows=(("dso1", "box", 7),))[0], "replayed")

    def test_the_contracts_own_noes(self):
        self.assertEqual(no(text(kind="dance"))[:2], ("unknown_kind", "kind"))
        self.assertEqual(no(text(id=None)), ("bad_field", "id", grid_contract.NO_REF))
        head, _, signature = text().split(b".")
        for body, code in ((b"[1]", "bad_json"), (b'{"id":"a","id":"a"}', "bad_field"), (b"\xff\xff", "bad_json")):
            self.assertEqual(no(b".".join([head, jws.encoded(body), signature]))[0], code)


class Order(unittest.TestCase):
    def test_a_number_only_rises(self):
        rows = (("dso1", "all", 9), ("dso2", "box", 9), ("dso1", "box", 7))
        self.assertEqual(no(text(seq=6), rows=rows), ("replayed", "seq", REF))
        self.assertEqual(no(text(seq=7), rows=rows), ("replayed", "seq", REF))
        self.assertEqual(claimed(text(seq=8), rows=rows).seq, 8)
        self.assertEqual(claimed(text(seq=1), scope="group", place="group north", rows=rows).place, "group north")
        # The broker may send a message twice: the core answers that one with `duplicate`.
        self.assertEqual(claimed(text(seq=7), rows=rows, seen=(REF,)).seq, 7)
        self.assertEqual(no(text(seq=6), rows=rows, seen=(REF,))[0], "replayed")

    def test_rows(self):
        rows = signed_seqs.with_seq((), ("a", "box", 5))
        self.assertEqual(rows, (("a", "box", 5),))
        self.assertTrue(signed_seqs.with_seq(rows, ("a", "box", 5)) is rows)
        rows = signed_seqs.with_seq(signed_seqs.with_seq(rows, ("b", "box", 1)), ("a", "box", 6))
        self.assertEqual(rows, (("b", "box", 1), ("a", "box", 6)))
        for number in range(40):
            rows = signed_seqs.with_seq(rows, ("c%d" % number, "all", 1))
        self.assertEqual((len(rows), rows[0][0], rows[-1][0]), (signed_seqs.MOST_ROWS, "c8", "c39"))

    def test_rows_of_a_file(self):
        good = ["a", "box", 5]
        for found, rows in (
            (None, ()),
            ("x", ()),
            ([], ()),
            ([good, ["b", "all", 7]], (("a", "box", 5), ("b", "all", 7))),
            ([["a", "box"], ["a", "box", "5"], ["a", 5, 5], None, ["a", "box", True], good], (("a", "box", 5),)),
        ):
            self.assertEqual(signed_seqs.rows_of({"seqs": found}), rows)
        self.assertEqual(signed_seqs.rows_of({}), ())


class Keys(unittest.TestCase):
    KEY = {"issuer": "dso1", "kid": "2026a", "modulus": sample.MODULUS.hex()}

    def test_a_file(self):
        more = dict(self.KEY)
        del more["kid"]
        trust = signed_command.trust_of({"keys": [self.KEY, more], "secret": sample.SECRET.hex()})
        self.assertEqual(trust.keys, (("dso1", "2026a", sample.MODULUS), ("dso1", "", sample.MODULUS)))
        self.assertEqual(trust.secret, sample.SECRET)
        self.assertEqual(signed_command.trust_of({"keys": []}), Trust((), b""))

    def test_bad_files(self):
        def changed(**more):
            key = dict(self.KEY)
            key.update(more)
            return {"keys": [key]}

        for fields in (
            None,
            [],
            {},
            {"keys": None},
            {"keys": [5]},
            {"keys": [{}]},
            {"keys": [self.KEY] * 3},
            {"keys": [dict(self.KEY, issuer="i%d" % number) for number in range(7)]},
            changed(issuer=""),
            changed(issuer=None),
            changed(issuer="a b"),
            changed(issuer="x" * 33),
            changed(kid=7),
            changed(modulus=None),
            changed(modulus=5),
            changed(modulus="xyz"),
            changed(modulus="00" * 256),
            changed(modulus="ff" * 128),
            {"keys": [], "secret": 5},
            {"keys": [], "secret": "zz"},
            {"keys": [], "secret": "00" * 31},
            {"keys": [], "secret": "00" * 65},
        ):
            with self.assertRaises(ValueError):
                signed_command.trust_of(fields)


if __name__ == "__main__":
    unittest.main()
