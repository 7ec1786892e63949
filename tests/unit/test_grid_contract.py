"""The grid contract in plain mode: every sentence of it with its edges."""

import json
import unittest

from samples import phrase

from firmware.core.records import Command, Ref, Refusal
from firmware.wire import grid_contract as contract
from firmware.wire.grid_contract import Context, Message

WALL_S = 1795190400
CONTEXT = Context(1_000_000, WALL_S, 230_000, 3, 7, False)


def parse(fields=None, scope="box", is_retained=False, context=CONTEXT, payload=None, **more):
    """Result of parse() for a pause of one minute with some fields changed; None takes a field out."""
    values = {"id": "a", "kind": "pause", "duration_s": 60}
    values.update(fields or {})
    values.update(more)
    values = {key: value for key, value in values.items() if value is not None}
    body = payload if payload is not None else json.dumps(values).encode()
    return contract.parse(Message(scope, body, is_retained), context)


def code(*args, **more):
    """(code, field) of a refusal; "" for a command."""
    made = parse(*args, **more)
    return (made.code, made.field) if isinstance(made, Refusal) else ""


class Words(unittest.TestCase):
    def test_pause(self):
        ref = Ref("grid", "word-7", 0)
        self.assertEqual(
            parse(payload=b"pause"),
            (Command("limit", "grid", 0, 1_000_000, 4_600_000, ref, "market", 0, None, ""), 0, 0),
        )
        self.assertEqual(
            parse(payload=b"resume"), (Command("resume", "grid", 0, 1_000_000, None, ref, "market", 0, None, ""), 0, 0)
        )

    def test_only_on_the_boxs_own_topic(self):
        for scope in ("group", "all"):
            self.assertEqual(code(payload=b"pause", scope=scope), ("bad_json", ""))
        for payload in (b"Pause", b"pause ", b"pauses", b"", b"stop"):
            self.assertEqual(code(payload=payload), ("bad_json", ""))

    def test_retained_words_are_ignored(self):
        made = parse(payload=b"pause", is_retained=True)
        self.assertEqual((made.code, made.ref), ("expired", None))

    def test_every_reason_has_words(self):
        for name in contract.REASONS.split():
            self.assertNotEqual(phrase("reason." + name), (name, ""))


class Pause(unittest.TestCase):
    def test_whole(self):
        made = parse(
            {"class": "advice"},
            issuer="dso1",
            rev=3,
            note="Evening peak",
            start_at=WALL_S + 100,
            spread_s=60,
            resume="random:90",
        )
        ref = Ref("dso1", "a", 3)
        self.assertEqual(
            made, (Command("limit", "grid", 0, 1_100_000, 1_160_000, ref, "advice", 0, None, "Evening peak"), 60, 90)
        )

    def test_unknown_fields_are_ignored(self):
        self.assertEqual(parse(colour="red"), parse())

    def test_ids(self):
        for value in ("a", "A.b_c:d-9", "x" * 64):
            self.assertEqual(code(id=value), "")
        for value in ("", "x" * 65, "a b", "ä", "a/b", 1, True, "@", "[", "`", "{", ","):
            self.assertEqual(code(id=value), ("bad_field", "id"), value)
        self.assertEqual(code(id=None), ("bad_field", "id"))
        self.assertEqual(code(issuer="x" * 32), "")
        self.assertEqual(code(issuer="x" * 33), ("bad_field", "issuer"))
        self.assertEqual(parse().__class__, tuple)

    def test_marks_at_the_ends_of_the_alphabet(self):
        self.assertEqual(code(id="azAZ09"), "")

    def test_revisions(self):
        self.assertEqual(parse(rev=2**31 - 1)[0].ref.rev, 2**31 - 1)
        for value in (-1, 2**31, True, "1"):
            self.assertEqual(code(rev=value), ("bad_field", "rev"))

    def test_kinds(self):
        self.assertEqual(code(kind=None), ("bad_field", "kind"))
        self.assertEqual(code(kind=1), ("bad_field", "kind"))
        self.assertEqual(code(kind="stop"), ("unknown_kind", "kind"))
        self.assertEqual(code(kind="setpoint", setpoint_w=1), ("not_capable", "kind"))
        self.assertEqual(code(kind="tariff"), ("not_capable", "kind"))
        self.assertEqual(code(kind="heartbeat"), ("not_allowed", "kind"))

    def test_durations(self):
        for value, found in (
            (0, ("bad_field", "duration_s")),
            (1, ""),
            (21_600, ""),
            (21_601, ("bad_field", "duration_s")),
        ):
            self.assertEqual(code(duration_s=value), found)
        self.assertEqual(code(duration_s=None), ("bad_field", "duration_s"))
        self.assertEqual(code({"class": "emergency"}, duration_s=86_400), "")
        self.assertEqual(code({"class": "emergency"}, duration_s=86_401), ("bad_field", "duration_s"))

    def test_classes(self):
        for name, plain, binding in (
            ("emergency", "market", "emergency"),
            ("mandatory", "market", "mandatory"),
            ("market", "market", "market"),
            ("advice", "advice", "advice"),
        ):
            self.assertEqual(parse({"class": name})[0].rank, plain)
            may = Context(1_000_000, WALL_S, 230_000, 3, 7, True)
            self.assertEqual(parse({"class": name}, context=may)[0].rank, binding)
        self.assertEqual(code({"class": "royal"}), ("bad_field", "class"))
        self.assertEqual(code({"class": 1}), ("bad_field", "class"))
        self.assertEqual(parse()[0].rank, "market")

    def test_notes(self):
        self.assertEqual(parse(note="x" * 64)[0].note, "x" * 64)
        self.assertEqual(code(note="x" * 65), ("bad_field", "note"))
        self.assertEqual(parse()[0].note, "")

    def test_spread(self):
        self.assertEqual(parse(spread_s=1800)[1], 1800)
        self.assertEqual(code(spread_s=1801), ("bad_field", "spread_s"))
        self.assertEqual(parse()[1], 0)

    def test_size(self):
        self.assertEqual(code(payload=b"x" * 1024), ("bad_json", ""))
        self.assertEqual(code(payload=b"x" * 1025), ("too_big", ""))

    def test_refusals_name_whose_they_are(self):
        self.assertEqual(parse(duration_s=0).ref, Ref("grid", "a", 0))
        self.assertEqual(parse(duration_s=0, issuer="dso1", rev=2).ref, Ref("dso1", "a", 2))
        self.assertEqual(parse(payload=b"{").ref, Ref("", "", 0))


class Limits(unittest.TestCase):
    def limit(self, **more):
        """limit_ma of a limit command."""
        made = parse(kind="limit", **more)
        return (made.code, made.field) if isinstance(made, Refusal) else made[0].limit_ma

    def test_milliamperes(self):
        self.assertEqual(self.limit(limit_ma=0), 0)
        self.assertEqual(self.limit(limit_ma=10_000), 10_000)
        self.assertEqual(self.limit(limit_ma=80_001), 80_000)

    def test_watts_are_rounded_down(self):
        self.assertEqual(self.limit(limit_w=11_000), 15_942)
        self.assertEqual(self.limit(limit_w=4140), 6000)
        self.assertEqual(self.limit(limit_w=4139), 5998)
        one = Context(1_000_000, WALL_S, 240_000, 1, 7, False)
        self.assertEqual(self.limit(limit_w=3600, context=one), 15_000)

    def test_exactly_one_of_them(self):
        self.assertEqual(self.limit(), ("bad_field", "limit_ma"))
        self.assertEqual(self.limit(limit_ma=1, limit_w=1), ("bad_field", "limit_ma"))
        self.assertEqual(self.limit(limit_ma=-1), ("bad_field", "limit_ma"))
        self.assertEqual(self.limit(limit_w=True), ("bad_field", "limit_w"))


class Times(unittest.TestCase):
    def span(self, **more):
        """(from_ms, until_ms) relative to now."""
        made = parse(**more)
        return (
            (made.code, made.field)
            if isinstance(made, Refusal)
            else (made[0].from_ms - 1_000_000, made[0].until_ms - 1_000_000)
        )

    def test_now(self):
        self.assertEqual(self.span(), (0, 60_000))
        self.assertEqual(self.span(start_at=0), (0, 60_000))

    def test_past_start_runs_what_is_left(self):
        self.assertEqual(self.span(start_at=WALL_S - 20), (0, 40_000))
        self.assertEqual(self.span(start_at=WALL_S - 59), (0, 1000))
        self.assertEqual(self.span(start_at=WALL_S - 60), ("expired", "start_at"))

    def test_window(self):
        self.assertEqual(code(expires_at=WALL_S), "")
        self.assertEqual(code(expires_at=WALL_S - 1), ("expired", "expires_at"))
        self.assertEqual(code(issued_at=WALL_S + 120), "")
        self.assertEqual(code(issued_at=WALL_S + 121), ("too_early", "issued_at"))
        self.assertEqual(code(issued_at=WALL_S, expires_at=WALL_S + 86_400), "")
        self.assertEqual(code(issued_at=WALL_S, expires_at=WALL_S + 86_401), ("bad_field", "expires_at"))
        self.assertEqual(code(issued_at=WALL_S + 9, expires_at=WALL_S + 8), ("bad_field", "expires_at"))
        self.assertEqual(code(issued_at=WALL_S + 9, expires_at=WALL_S + 9), "")

    def test_without_a_clock(self):
        blind = Context(1_000_000, None, 230_000, 3, 7, False)
        self.assertEqual(code(start_at=WALL_S, context=blind), ("no_clock", "start_at"))
        self.assertEqual(self.span(duration_s=7200, context=blind), (0, 3_600_000))
        self.assertEqual(self.span(duration_s=3600, context=blind), (0, 3_600_000))
        self.assertEqual(code(issued_at=5, expires_at=6, context=blind), "")
        self.assertEqual(code(kind="resume", context=blind), "")

    def test_retained(self):
        self.assertEqual(code(is_retained=True), ("expired", ""))
        self.assertEqual(code(is_retained=True, start_at=WALL_S), "")
        self.assertEqual(code(is_retained=True, expires_at=WALL_S + 5), "")
        self.assertEqual(code(is_retained=True, expires_at=0), ("expired", ""))
        self.assertEqual(code(kind="resume", is_retained=True), ("expired", ""))
        self.assertEqual(code(kind="resume", is_retained=True, expires_at=0), ("expired", ""))
        self.assertEqual(code(kind="resume", is_retained=True, expires_at=WALL_S + 5), "")


class Return(unittest.TestCase):
    def test_policies(self):
        for scope, policy, most_s in (
            ("box", None, 0),
            ("group", None, 600),
            ("all", None, 600),
            ("box", "now", 0),
            ("group", "now", 600),
            ("all", "now", 600),
            ("box", "slack", 600),
            ("box", "random:1", 1),
            ("all", "random:3600", 3600),
            ("box", "random:0", 0),
        ):
            self.assertEqual(parse(scope=scope, resume=policy)[2], most_s, (scope, policy))
        for policy in (
            "later",
            "random:",
            "random:3601",
            "random:-1",
            "random:99999",
            "random:²",
            "random:٣",
            "Random:5",
            5,
            "",
        ):
            self.assertEqual(code(resume=policy), ("bad_field", "resume"), policy)

    def test_resume(self):
        made, spread_s, most_s = parse(kind="resume", duration_s=None, of="peak", issuer="dso1", resume="random:9")
        self.assertEqual(
            made, Command("resume", "grid", 0, 1_000_000, None, Ref("dso1", "a", 0), "market", 0, "peak", "")
        )
        self.assertEqual((spread_s, most_s), (0, 9))
        self.assertEqual(code(kind="resume", of=""), ("bad_field", "of"))

    def test_drawn(self):
        plain = parse()[0]
        self.assertEqual(contract.drawn((plain, 0, 0), None), plain)
        asked = []

        def most(count):
            asked.append(count)
            return count - 1

        made = contract.drawn((plain, 60, 600), most)
        self.assertEqual(asked, [61, 601])
        self.assertEqual((made.from_ms, made.until_ms, made.after_ms), (1_060_000, 1_120_000, 600_000))
        back = contract.drawn(parse(kind="resume", resume="random:9"), most)
        self.assertEqual((back.until_ms, back.after_ms), (None, 9000))
