"""Records of the event log: every event has 64 bytes, every damage shows, and no text from outside leaves its line."""

import json
import unittest

from samples import claim, command

from firmware.core import faults
from firmware.wire import log_lines
from firmware.wire.log_lines import Entry

WHERE = (7, 2, 12_345, 1_795_266_000)


def entry(**changes):
    """An Entry with some other fields."""
    values = {"seq": 7, "start": 2, "at_ms": 12_345, "wall_s": 1_795_266_000, "times": 1, "code": 7, "severity": 2}
    values.update({"tag": "S2", "what": "", "number": 0})
    values.update(changes)
    names = ("seq", "start", "at_ms", "wall_s", "times", "code", "severity", "tag", "what", "number")
    return Entry(*[values[name] for name in names])


class Events(unittest.TestCase):
    def parts(self, code, *args):
        """(name, severity, tag, what, number) of an event, which comes back from its bytes as it was."""
        made = log_lines.noted(code, args, WHERE)
        self.assertEqual(log_lines.opened(log_lines.packed(made), 0), made)
        self.assertEqual(made[:5], (7, 2, 12_345, 1_795_266_000, 1))
        return log_lines.name_of(made.code), log_lines.SEVERITIES[made.severity], made.tag, made.what, made.number

    def test_each_kind_of_event(self):
        asked = command(source="grid", limit_ma=8000)
        live = claim(limit_ma=7000)
        self.assertEqual(self.parts("start", "0.1.0", "", 1), ("start", "info", "0.1.0", "", 1))
        self.assertEqual(self.parts("state", "idle", "testing"), ("state", "info", "idle", "testing", 0))
        self.assertEqual(self.parts("fault", "S2"), ("fault", "alarm", "S2", "", 0))
        self.assertEqual(self.parts("fault_gone", "S2"), ("fault_gone", "info", "S2", "", 0))
        self.assertEqual(
            self.parts("refused", asked, "busy"), ("refused", "warning", "grid." + asked.kind, "busy", 8000)
        )
        for code in ("command", "received", "duplicate"):
            self.assertEqual(self.parts(code, asked), (code, "info", "grid." + asked.kind, asked.ref.id, 8000))
        self.assertEqual(self.parts("grid", live, "applied"), ("grid", "info", live.ref.id, "applied", 7000))
        self.assertEqual(self.parts("charge_now"), ("charge_now", "info", "", "", 0))
        place = 'File "/lib/firmware/core/claims.py", line 77, in summed'
        self.assertEqual(
            self.parts("crash", "ValueError: no such row", place), ("crash", "alarm", "ValueError", "claims", 77)
        )
        self.assertEqual(self.parts("crash", "ValueError: x", ""), ("crash", "alarm", "ValueError", "", 0))
        self.assertEqual(self.parts("crash", "E", 'File "a", line x'), ("crash", "alarm", "E", "a", 0))
        self.assertEqual(
            self.parts("service", "mqtt", "OSError: [Errno 111]"), ("service", "warning", "mqtt", "OSError:_[Errno_", 0)
        )
        self.assertEqual(self.parts("news", 5), ("other", "warning", "5", "", 0))
        self.assertEqual(self.parts("lost", "", "", 1 << 40)[4], 2**31 - 1)
        self.assertEqual(self.parts("lost", "", "", "many")[4], 0)

    def test_a_fault_is_as_grave_as_its_reaction(self):
        for row in faults.FAULTS:
            self.assertEqual(self.parts("fault", row[0])[1], "warning" if row[2] == "warn" else "alarm")
        self.assertEqual(self.parts("fault", "new")[1], "alarm")

    def test_what_is_security(self):
        for code, args, is_so in (
            ("security", ("wrong_login", "10.0.0.7"), True),
            ("unlock", (), True),
            ("update", ("stored", "10.0.0.7"), True),
            ("update_refused", ("bad_signature", "10.0.0.7"), True),
            ("rolled_back", ("", ""), True),
            ("backup", ("restored", "10.0.0.7", 2), True),
            ("reset", (), True),
            ("replayed", (command(),), False),
            ("service", ("installation", "phases"), True),
            ("service", ("mqtt", "ended"), False),
            ("fault", ("installation",), False),
            ("state", ("idle", "testing"), False),
            ("news", (), False),
        ):
            self.assertEqual(log_lines.is_security(log_lines.noted(code, args, WHERE)), is_so, code)

    def test_what_may_come_in_floods(self):
        found = [row[0] for row in log_lines.CODES if log_lines.may_flood(log_lines.row_of(row[0]))]
        self.assertEqual(found, "state letter command received refused duplicate replayed grid".split())
        self.assertTrue(log_lines.may_flood(log_lines.OTHER_NUMBER))
        self.assertEqual([row[0] for row in log_lines.CODES if row[2] and row[3]], [])

    def test_numbers_of_codes_outlive_an_update(self):
        names = "start lost service crash state letter fault fault_gone command received refused duplicate replayed"
        names += " grid charge_now unlock security update update_refused rolled_back backup reset"
        self.assertEqual([row[0] for row in log_lines.CODES[:22]], names.split())
        self.assertEqual(log_lines.name_of(200), "code_200")


class Bytes(unittest.TestCase):
    def test_every_field_at_its_ends(self):
        for change in (
            {"seq": 0},
            {"seq": 2**32 - 1, "start": 65_535, "at_ms": 2**48 - 1, "wall_s": 2**32 - 1, "times": 65_535},
            {"number": -(2**31) + 1, "tag": "x" * 20, "what": "~" * 16, "code": 255, "severity": 0},
            {"tag": "", "what": "!"},
        ):
            made = entry(**change)
            octets = log_lines.packed(made)
            self.assertEqual(len(octets), 64)
            self.assertEqual(log_lines.opened(octets, 0), made)
            self.assertEqual(log_lines.opened(bytes(64) + octets, 64), made)

    def test_every_bit_shows(self):
        octets = log_lines.packed(entry())
        for bit in range(64 * 8):
            changed = bytearray(octets)
            changed[bit // 8] ^= 1 << bit % 8
            self.assertIsNone(log_lines.opened(changed, 0), bit)

    def test_every_length(self):
        octets = log_lines.packed(entry())
        for count in range(64):
            self.assertIsNone(log_lines.opened(octets[:count], 0))
            self.assertIsNone(log_lines.opened(octets, 64 - count if count else 64))

    def test_a_good_checksum_over_nonsense(self):
        for change in (
            {"severity": 3},
            {"code": 0},
            {"times": 0},
            {"tag": "a b"},
            {"tag": "a\n"},
            {"what": '"'},
            {"what": "\x1b[2J"},
            {"tag": "\\"},
            {"tag": "a\0b"},
            {"tag": "\x7f"},
        ):
            self.assertIsNone(log_lines.opened(log_lines.packed(entry(**change)), 0), change)

    def test_counted_once_more(self):
        self.assertEqual(log_lines.again(entry(times=3)), entry(times=4))
        self.assertEqual(log_lines.again(entry(times=65_535)), entry(times=65_535))

    def test_wrong_passwords_in_one_entry(self):
        first = entry(wall_s=0, number=90)
        for last, wanted in (
            (entry(wall_s=0, at_ms=112_345), (2, 12_345, 0, 100)),  # the seconds of one start
            (entry(wall_s=0, start=3, at_ms=500), (2, 12_345, 0, 90)),  # nobody knows how long the cut was
            (entry(start=3, at_ms=500), (3, 500, 1_795_266_000, 0)),  # the first whose time is known
        ):
            made = log_lines.gone_on(first, last)
            self.assertEqual((made.start, made.at_ms, made.wall_s, made.number), wanted)
            self.assertEqual((made.seq, made.times), (7, 2))


class Lines(unittest.TestCase):
    def test_plain(self):
        self.assertEqual(log_lines.plain("a\r\nalarm fault\x1b[31m", 30), "a__alarm_fault_[31m")
        self.assertEqual(log_lines.plain("\"'\\\x7f\x80ä\0 ~!", 30), "________~!")
        self.assertEqual(log_lines.plain("abcdef", 3), "abc")
        self.assertEqual(log_lines.plain(None, 9), "None")

    def test_text(self):
        self.assertEqual(log_lines.as_text(entry()), "2026-11-21T13:00:00Z alarm fault S2 [#7 start 2 +12.345 s]")
        made = entry(wall_s=0, code=11, severity=1, tag="grid.limit", what="busy", number=8000, times=12)
        self.assertEqual(log_lines.as_text(made), "- warning refused grid.limit busy 8000 x12 [#7 start 2 +12.345 s]")

    def test_json(self):
        made = json.loads(log_lines.as_json(entry(wall_s=0, times=2, number=-5, what="x")))
        self.assertEqual(
            made,
            {
                "seq": 7,
                "start": 2,
                "at_ms": 12_345,
                "wall_s": None,
                "severity": "alarm",
                "code": "fault",
                "tag": "S2",
                "what": "x",
                "number": -5,
                "times": 2,
            },
        )
        self.assertEqual(json.loads(log_lines.as_json(entry()))["wall_s"], 1_795_266_000)

    def test_no_character_from_outside_leaves_its_place(self):
        for code in range(0x180):
            for place in ("tag", "what"):
                hostile = "x" + chr(code) + "y"
                args = (hostile, "") if place == "tag" else ("", hostile)
                made = log_lines.noted("security", args, WHERE)
                line = log_lines.as_text(made)
                self.assertEqual(len(line.split(" ")), 9, code)
                self.assertTrue(all([" " <= mark <= "~" for mark in line]), code)
                shown = json.loads(log_lines.as_json(made))
                self.assertEqual(len(shown), 10)
                self.assertEqual(len(shown[place]), 3)

    def test_moments(self):
        for wall_s, words in (
            (1, "1970-01-01T00:00:01Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (951_868_800, "2000-03-01T00:00:00Z"),
            (1_709_164_799, "2024-02-28T23:59:59Z"),
            (1_709_164_800, "2024-02-29T00:00:00Z"),
            (1_735_689_599, "2024-12-31T23:59:59Z"),
            (2**31, "2038-01-19T03:14:08Z"),
            (4_102_444_800, "2100-01-01T00:00:00Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
            (2**32 - 1, "2106-02-07T06:28:15Z"),
        ):
            self.assertEqual(log_lines.moment_of(wall_s), words)
