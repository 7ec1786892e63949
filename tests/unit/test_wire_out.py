"""What the box says: topics, scalars, acknowledgements, the status and its one sentence, the page's commands."""

import json
import unittest

from samples import REF, WORDS_PATH, Box, claim, command, phrase, reading

from firmware.core import faults
from firmware.core.records import Active, Command, Event, Faults, Memory, Ref, Refusal
from firmware.core.settings import KEYS
from firmware.services.phrase_book import MOST_KEPT, MOST_LINE, PhraseBook, line_of, windows_of
from firmware.wire import acknowledgement, mqtt_topics, status, web_api, words
from firmware.wire.acknowledgement import Moment
from firmware.wire.status import View

EPOCH_MS = 1_795_190_400_000


class Counted:
    """A file that counts what is read of it."""

    def __init__(self, path):
        self.file = open(path, "rb")  # noqa: SIM115  closed by who made it
        self.seek = self.file.seek
        self.reads = self.bytes = 0

    def read(self, count):
        octets = self.file.read(count)
        self.reads += 1
        self.bytes += len(octets)
        return octets


class Topics(unittest.TestCase):
    def test_subscriptions(self):
        self.assertEqual(
            mqtt_topics.subscriptions("garage", ""),
            ("ebb/1/box/garage/cmd", "ebb/1/all/cmd", "ebb/1/box/garage/set/+"),
        )
        self.assertEqual(mqtt_topics.subscriptions("g", "a,b")[3:], ("ebb/1/group/a/cmd", "ebb/1/group/b/cmd"))
        self.assertEqual(len(mqtt_topics.subscriptions("g", ",".join("abcdefghij"))), 11)

    def test_parsed(self):
        for topic, found in (
            ("ebb/1/box/garage/cmd", ("box", "")),
            ("ebb/1/all/cmd", ("all", "")),
            ("ebb/1/group/feeder-7/cmd", ("group", "feeder-7")),
            ("ebb/1/box/garage/set/enable", ("set", "enable")),
            ("ebb/1/box/other/cmd", ("", "")),
            ("ebb/1/group/feeder-7/state", ("", "")),
            ("", ("", "")),
        ):
            self.assertEqual(mqtt_topics.parsed(topic, "garage"), found)

    def test_built(self):
        self.assertEqual(mqtt_topics.built("g", "ack"), "ebb/1/box/g/ack")
        self.assertEqual(mqtt_topics.value_topic("g", "power_w"), "ebb/1/box/g/value/power_w")
        self.assertEqual(mqtt_topics.FROM_BOX, ("ack", "state", "meter", "report", "online"))


class House(unittest.TestCase):
    def sent(self, name, payload, is_retained=False):
        made = mqtt_topics.house_command(name, payload, (is_retained, 500))
        return made.code if isinstance(made, Refusal) else made

    def test_enable(self):
        ref = Ref("house", "enable", 0)
        self.assertEqual(self.sent("enable", b"0"), Command("limit", "house", 0, 500, None, ref, "", 0, None, ""))
        self.assertEqual(self.sent("enable", b"1"), Command("resume", "house", 0, 500, None, ref, "", 0, "enable", ""))
        self.assertEqual(self.sent("enable", b"2"), "bad_field")

    def test_max_current(self):
        self.assertEqual(self.sent("max_current_ma", b"13000").limit_ma, 13000)
        self.assertEqual(self.sent("max_current_ma", b"80000").limit_ma, 80000)
        self.assertEqual(self.sent("max_current_ma", b"80001"), "bad_field")

    def test_bad(self):
        for payload in (b"", b"-1", b"1.5", b"on", b"12345678901", b"\xff", b"1" * 5000):
            self.assertEqual(self.sent("enable", payload), "bad_field")
        self.assertEqual(self.sent("boost", b"1"), "bad_field")
        self.assertEqual(self.sent("enable", b"0", True), "expired")


class Acks(unittest.TestCase):
    def setUp(self):
        self.moment = Moment(1000, 1795190400, 42)

    def opened(self, event, moment=None):
        return json.loads(acknowledgement.of_event(event, moment or self.moment))

    def test_received_with_its_delay(self):
        told = self.opened(Event("received", (command(from_ms=61_000, limit_ma=8000),)))
        self.assertEqual(
            told,
            {
                "id": "peak",
                "rev": 0,
                "issuer": "dso1",
                "step": "received",
                "reason": "",
                "effective_at": 1795190460,
                "delay_s": 60,
                "limit_ma": 8000,
                "power_w": 42,
                "t": 1795190400,
            },
        )

    def test_past_start_has_no_delay(self):
        told = self.opened(Event("received", (command(from_ms=0),)))
        self.assertEqual((told["delay_s"], told["effective_at"]), (0, 1795190400))

    def test_without_a_clock(self):
        told = self.opened(Event("received", (command(),)), Moment(1000, None, 0))
        self.assertEqual((told["t"], told["effective_at"]), (0, 0))
        told = self.opened(Event("grid", (claim(), "done")), Moment(1000, None, 0))
        self.assertEqual((told["t"], told["effective_at"]), (0, 0))

    def test_steps(self):
        for event, step, reason in (
            (Event("duplicate", (command(),)), "duplicate", ""),
            (Event("replayed", (command(),)), "rejected", "replayed"),
            (Event("refused", (command(), "busy")), "rejected", "busy"),
            (Event("grid", (claim(), "applied")), "applied", ""),
            (Event("grid", (claim(), "superseded")), "superseded", ""),
            (Event("grid", (claim(), "opted_out")), "opted_out", ""),
        ):
            told = self.opened(event)
            self.assertEqual((told["step"], told["reason"], told["id"]), (step, reason, "peak"))

    def test_what_no_sender_hears_of(self):
        for event in (
            Event("state", ("idle", "testing")),
            Event("charge_now", ()),
            Event("refused", (command(source="owner"), "busy")),
            Event("command", (command(source="owner"),)),
        ):
            self.assertIsNone(acknowledgement.of_event(event, self.moment))

    def test_refused_before_the_core(self):
        told = json.loads(acknowledgement.refused(REF, "bad_json", self.moment))
        self.assertEqual((told["step"], told["reason"], told["t"]), ("rejected", "bad_json", 1795190400))
        self.assertEqual(json.loads(acknowledgement.refused(REF, "x", Moment(1, None, 0)))["t"], 0)


def status_of(box, readings=None, epoch_ms=EPOCH_MS):
    """Status dict of a simulated box."""
    return status.status(View("garage", "1.0", box.memory, readings, box.settings, epoch_ms, phrase, "", None, 0))


class Status(unittest.TestCase):
    def pause(self, box, **more):
        now_ms = box.memory.now_ms
        wanted = {"from_ms": now_ms, "until_ms": now_ms + 600_000}
        wanted.update(more)
        box.tick((command(**wanted),))
        return box

    def test_no_car(self):
        made = status_of(Box().run(100))
        self.assertEqual(made["words"], "No car is plugged in.")
        self.assertEqual(
            (made["state"], made["letter"], made["held_by"], made["held_until"]), ("idle", "A", "wiring", 0)
        )
        self.assertIsNone(made["session"])
        self.assertEqual(made["faults"], [])
        self.assertEqual((made["currents_ma"], made["power_w"], made["energy_wh"]), ([0, 0, 0], 0, 100))
        self.assertNotIn("network", made)
        self.assertEqual((made["box"], made["version"]), ("garage", "1.0"))

    def test_what_flash_has_and_what_the_clock_knows_is_told(self):
        box = Box().charge(16000)
        view = View("garage", "1.0", box.memory, None, box.settings, EPOCH_MS, phrase, "good", 77, 1795000000)
        made = status.status(view)
        self.assertEqual((made["energy_wh"], made["session"]["started_at"]), (77, 1795000000))
        self.assertEqual((made["clock"]["quality"], made["clock"]["is_set"]), ("good", True))
        self.assertNotIn("quality", status_of(box)["clock"])

    def test_each_part_is_short(self):
        now_ms = 5000
        box = Box().run(100)
        box.tick([command(from_ms=now_ms, until_ms=600_000, limit_ma=6000 + number) for number in range(3)])
        view = View("garage", "1.0", box.memory, None, box.settings, EPOCH_MS, phrase, "good", None, 0)
        for part in status.PARTS:
            self.assertTrue(0 < len(json.dumps(part(view))) < 600, part)

    def test_charging(self):
        box = Box().charge(16000)
        now_ms = box.memory.now_ms
        made = status_of(box, reading(now_ms, 6000, currents_ma=(16000, 250, 249), power_mw=11_040_999))
        self.assertEqual(made["words"], "Charging with up to 16 A, limited by the wiring.")
        self.assertEqual((made["currents_ma"], made["power_w"], made["offered_ma"]), ([16000, 250, 0], 11_040, 16000))
        self.assertEqual(made["session"]["wh"], 3)
        self.assertEqual(made["session"]["duration_s"], (now_ms - box.memory.energy.session_at_ms) // 1000)
        self.assertEqual(made["session"]["started_at"], (EPOCH_MS + box.memory.energy.session_at_ms + 999) // 1000)
        self.assertEqual(made["wear"], {"operations": 1, "hot_openings": 0})
        self.assertEqual(status_of(box, reading(now_ms, power_mw=49_999))["power_w"], 0)

    def test_paused_by_the_grid_until(self):
        box = self.pause(Box(utc_offset_s=3600).charge())
        end_s = (EPOCH_MS + box.memory.claims.holder.until_ms + 999) // 1000
        made = status_of(box)
        self.assertEqual(made["words"], "Stopping. Paused by the grid until 17:11.")
        self.assertEqual((made["held_by"], made["held_until"], made["limit_ma"]), ("grid", end_s, 0))
        box.high_mv, box.most_ma = 9000, 0
        box.run(100)
        self.assertEqual(status_of(box)["words"], "Paused by the grid until 17:11.")
        event = status_of(box)["grid"]["events"][0]
        self.assertEqual(
            (event["id"], event["issuer"], event["class"], event["limit_ma"]), ("peak", "dso1", "market", 0)
        )
        self.assertEqual(event["end_at"], end_s)
        self.assertGreater(end_s, event["start_at"])

    def test_of_two_pauses_the_longer_one_is_told(self):
        """A pause that was ended and sent again: its end is told, not that of the contactor's rest."""
        box = self.pause(Box(utc_offset_s=3600).charge())
        box.high_mv, box.most_ma = 9000, 0
        box.run(1000)
        box.tick((command(kind="resume", until_ms=None, ref=Ref("dso1", "r", 0)),))
        made = status_of(box)
        self.assertEqual(made["words"], "Paused by a rest for the power switch in the box (its contactor) until 17:02.")
        self.assertEqual(made["held_by"], "damping")
        box.run(1000)
        self.pause(box, ref=Ref("dso1", "p2", 0))
        made = status_of(box)
        self.assertEqual(made["words"], "Paused by the grid until 17:11.")
        self.assertEqual((made["held_by"], box.memory.claims.holder.source), ("grid", "damping"))
        self.assertGreater(made["held_for_s"], 590)

    def test_a_hold_without_an_end_is_the_longest(self):
        box = self.pause(Box().charge(), source="owner", ref=Ref("you", "1", 0), until_ms=None)
        box.tick((command(from_ms=box.memory.now_ms, until_ms=box.memory.now_ms + 600_000),))
        self.assertEqual((status_of(box)["held_by"], status_of(box)["held_for_s"]), ("owner", 0))
        box = self.pause(Box().charge())
        box.tick((command(source="owner", ref=Ref("you", "1", 0), until_ms=None),))
        self.assertEqual((status_of(box)["held_by"], status_of(box)["held_for_s"]), ("owner", 0))

    def test_only_the_lowest_limit_counts(self):
        box = self.pause(Box().charge(), until_ms=None, limit_ma=6000)
        self.pause(box, source="owner", ref=Ref("you", "1", 0))
        self.assertEqual(status_of(box)["held_by"], "owner")

    def test_paused_without_a_clock(self):
        box = self.pause(Box().run(100))
        made = status_of(box, None, None)
        self.assertEqual(made["words"], "Paused by the grid for 10 min; no car is plugged in.")
        self.assertEqual((made["held_until"], made["clock"]), (0, {"wall_s": 0, "is_set": False}))
        self.assertEqual(made["grid"]["events"][0]["end_at"], 0)
        self.assertGreater(made["held_for_s"], 590)
        self.assertTrue(status_of(box)["clock"]["is_set"])

    def test_paused_without_an_end(self):
        box = Box().charge()
        box.high_mv, box.most_ma = 9000, 0
        box.tick((command(source="owner", until_ms=None),))
        self.assertEqual(status_of(box)["words"], "Paused by you.")
        self.assertEqual((status_of(box)["held_until"], status_of(box)["held_for_s"]), (0, 0))

    def test_other_states(self):
        box = Box().run(4000)
        box.high_mv = 9000
        box.tick()
        self.assertEqual(status_of(box)["words"], "Checking the leakage protection.")
        box.run(500)
        self.assertEqual(status_of(box)["words"], "Ready; the car is not asking for power.")
        box = Box(hold_ms=71_000)
        box.high_mv = 9000
        box.run(11_000)
        self.assertEqual(status_of(box, None, None)["words"], "Paused by a random wait after a power cut for 1 min.")
        box = Box()
        box.high_mv = 9000
        box.run(1000)
        self.assertEqual(status_of(box)["words"], "Waiting a moment before offering power.")
        box = Box().charge()
        box.most_ma = 18_500
        box.run(7100)
        self.assertEqual(status_of(box)["words"], "Stopping.")

    def test_fault(self):
        box = Box().charge()
        box.high_mv = 3000
        box.tick()
        made = status_of(box)
        self.assertEqual(made["words"], "The car asks for ventilation, which this place does not have.")
        self.assertEqual(made["faults"][0]["code"], "S6")
        self.assertEqual(made["faults"][0]["do"], "This car cannot be charged here.")

    def test_the_sentence_is_about_the_fault_that_matters(self):
        s6, s2, s14 = (Active(faults.row_of(code), False, 0) for code in ("S6", "S2", "S14"))
        hard = Active(s14.row, True, 0)
        self.assertIs(status.worst((s6,)), s6)
        self.assertIs(status.worst((s6, s2)), s6)
        self.assertIs(status.worst((s6, hard)), hard)
        self.assertIs(status.worst((hard, s6)), hard)
        stop = Active(faults.row_of("S12a"), False, 0)
        self.assertIs(status.worst((stop, s6)), s6)
        self.assertEqual(
            [status.may_not_start(reaction) for reaction in faults.REACTIONS], [False, False, True, True, True, True]
        )

    def test_a_fault_is_told_where_it_keeps_the_box_from_starting(self):
        for letter_mv, state in ((12000, "idle"), (9000, "waiting"), (9000, "offered")):
            box = Box()
            box.high_mv = letter_mv
            box.run(1000 if state != "offered" else 6000)
            self.assertEqual(box.memory.stage.state, state)
            plain = status_of(box)["words"]
            for reaction, is_told in (("warn", False), ("no_start", state != "offered"), ("", False)):
                values = list(box.memory)
                active = (Active(faults.row_of("S15"), True, 0),) if reaction else ()
                values[values.index(box.memory.faults)] = Faults((), active, (), reaction)
                box.memory = Memory(*values)
                told = "The leakage protection did not pass its test."
                self.assertEqual(status_of(box)["words"], told if is_told else plain)

    def test_without_a_car_nobody_waits_for_the_mains(self):
        box = Box(hold_ms=60_000).run(1000)
        self.assertEqual([faults.FAULTS[fault.row][0] for fault in box.memory.faults.active], ["S17s"])
        self.assertIn("no car is plugged in", status_of(box)["words"])
        box.high_mv = 9000
        self.assertIn("mains", status_of(box.run(1000))["words"])

    def test_a_grid_limit_above_the_wiring_holds_nobody(self):
        box = self.pause(Box().charge(), limit_ma=16000)
        self.assertEqual(status_of(box)["held_by"], "wiring")
        box = self.pause(Box().charge(), limit_ma=15_999)
        self.assertEqual(status_of(box)["held_by"], "grid")
        self.assertEqual(status_of(box)["words"][:47], "Charging with up to 15 A, limited by the grid u")

    def test_values(self):
        box = self.pause(Box().charge())
        made = dict(mqtt_topics.values(status_of(box, reading(1, currents_ma=(1000, 2000, 3000), power_mw=99_000))))
        self.assertEqual(made["status"], "C")
        self.assertEqual((made["enabled"], made["max_current_ma"], made["held_by"]), ("0", "0", "grid"))
        self.assertEqual(
            (made["current_l1_ma"], made["current_l2_ma"], made["current_l3_ma"]), ("1000", "2000", "3000")
        )
        self.assertEqual(
            (made["power_w"], made["energy_wh"], made["session_wh"], made["fault"]), ("99", "102", "2", "")
        )
        self.assertGreater(int(made["held_until"]), 0)
        box = Box().run(50)
        made = dict(mqtt_topics.values(status_of(box)))
        self.assertEqual((made["enabled"], made["session_wh"]), ("1", "0"))
        box = Box().charge()
        box.high_mv = 3000
        box.tick()
        self.assertEqual(dict(mqtt_topics.values(status_of(box)))["fault"], "S6")


class Words(unittest.TestCase):
    def test_times(self):
        self.assertEqual(words.time_words(0, 0, 0), "")
        self.assertEqual(words.time_words(1795190400, 0, 0), "")
        self.assertEqual(words.time_words(0, 60, 0), " for 1 min")
        self.assertEqual(words.time_words(0, 61, 0), " for 2 min")
        self.assertEqual(words.time_words(1795190400, 1, 0), " until 16:00")
        self.assertEqual(words.time_words(1795190401, 1, 0), " until 16:01")
        self.assertEqual(words.time_words(1795190400, 1, 8 * 3600), " until 00:00")
        self.assertEqual(words.time_words(1795190400, 1, -3600), " until 15:00")

    def test_unknown_codes_stay_codes(self):
        self.assertEqual(phrase("holder.moon"), ("moon", ""))
        self.assertEqual(PhraseBook("/nowhere/words.txt").phrase("state.idle"), ("idle", ""))

    def test_a_line_is_of_one_code_alone(self):
        self.assertEqual(words.phrase_in("fault.S1 | a | b\n", "fault.S1"), ("a", "b"))
        self.assertEqual(words.phrase_in("fault.S1 | a\n", "fault.S1"), ("a", ""))
        self.assertIsNone(words.phrase_in("fault.S12 | a | b\n", "fault.S1"))
        self.assertIsNone(words.phrase_in("fault.S1\n", "fault.S1"))

    def test_the_book_keeps_only_the_last_few(self):
        book = PhraseBook(WORDS_PATH)
        for _ in range(2):
            for code in ("state.idle", "state.charging", "holder.grid", "fault.S2", "fault.S3", "fault.S6", "fault.X1"):
                self.assertNotEqual(book.phrase(code)[0], code.split(".")[1])
        for number in range(2 * MOST_KEPT):
            book.phrase("nothing.%d" % number)
        self.assertEqual(len(book._kept), MOST_KEPT)

    def test_no_more_words_are_read_in_a_turn_than_are_left_for_it(self):
        book = PhraseBook(WORDS_PATH)
        book.left = 2
        found = [book.phrase(code)[0] for code in ("state.idle", "state.charging", "state.idle", "holder.grid")]
        self.assertEqual(found[:1] + found[2:], [book.phrase("state.idle")[0]] * 2 + ["holder.grid"])
        self.assertTrue(book.is_short)
        self.assertEqual(len(book._kept), 2)
        book.left = None
        self.assertNotEqual(book.phrase("holder.grid")[0], "holder.grid")

    def test_every_code_is_found_with_one_short_read(self):
        with open(WORDS_PATH, "rb") as file:
            lines = [line.decode()[:-1] for line in file] + [""]
            windows = windows_of(file)
        codes = [line.split(" | ")[0] for line in lines if " | " in line and line[0] != "#"]
        self.assertGreater(len(codes), 200)
        for code in codes + ["", "a", "state", "state.", "zzz"]:
            counted = Counted(WORDS_PATH)
            found = line_of(counted, windows, code.encode())
            counted.file.close()
            self.assertEqual(counted.reads, 1, code)
            self.assertLess(counted.bytes, 1400, code)
            self.assertEqual(found.decode(), ([line for line in lines if line.startswith(code + " | ")] + [""])[0])

    def test_the_lines_are_sorted_by_bytes(self):
        before = b""
        with open(WORDS_PATH, "rb") as file:
            for line in file:
                self.assertTrue(before < line and line.endswith(b"\n"), line)
                self.assertLess(len(line) - 1, MOST_LINE)
                before = line

    def test_every_state_and_fault_has_words(self):
        from firmware.core import states

        for row in states.STATES:
            self.assertNotEqual(phrase("state." + row[0])[0], row[0])
        for row in faults.FAULTS:
            self.assertNotEqual(phrase("fault." + row[0])[0], row[0])
            if row[2] != "normal":
                self.assertNotEqual(phrase("fault." + row[0])[1], "", row[0])
        for source in ("grid", "owner", "house", "wiring", "cable", "car", "restart", "ramp", "power_return") + (
            "sensor",
            "heat",
            "lock",
            "damping",
            "mains",
        ):
            self.assertNotEqual(phrase("holder." + source)[0], source)
        for key in KEYS:
            self.assertNotEqual(phrase("setting." + key)[0], key)
        for code in ("code", "button", "wait", "not_allowed"):
            self.assertNotEqual(phrase("refusal." + code)[1], "")


class Page(unittest.TestCase):
    def sent(self, **fields):
        made = web_api.parse(json.dumps(fields).encode(), 1000)
        return (made.code, made.field) if isinstance(made, Refusal) else made

    def test_commands(self):
        ref = Ref("owner", "page", 0)
        self.assertEqual(self.sent(kind="pause"), Command("limit", "owner", 0, 1000, 3_601_000, ref, "", 0, None, ""))
        self.assertEqual(self.sent(kind="pause", for_s=60).until_ms, 61_000)
        self.assertIsNone(self.sent(kind="pause", for_s=0).until_ms)
        made = self.sent(kind="limit", limit_ma=8000)
        self.assertEqual((made.kind, made.limit_ma, made.until_ms), ("limit", 8000, None))
        self.assertEqual(self.sent(kind="resume"), Command("resume", "owner", 0, 1000, None, ref, "", 0, None, ""))
        self.assertEqual(self.sent(kind="charge_now").kind, "charge_now")
        self.assertEqual(self.sent(kind="opt_out", id="peak").of, "peak")
        self.assertEqual(self.sent(kind="clear_fault").kind, "clear_fault")
        self.assertEqual(self.sent(kind="unlock"), Command("unlock", "owner", 0, 1000, None, ref, "", 0, None, ""))

    def test_the_time_of_a_browser(self):
        def told(payload):
            made = web_api.time_of(payload)
            return (made.code, made.field) if isinstance(made, Refusal) else made

        self.assertEqual(told(b'{"wall_s": 1800000000}'), 1_800_000_000)
        self.assertEqual(told(b'{"wall_s": 0}'), 0)
        for value in (b"-1", b"true", b'"1800000000"', b"null"):
            self.assertEqual(told(b'{"wall_s": ' + value + b"}"), ("bad_field", "wall_s"), value)
        self.assertEqual(told(b"{}"), ("bad_field", "wall_s"))
        self.assertEqual(told(b"x")[0], "bad_json")
        self.assertEqual(told(b" " * 65)[0], "too_big")

    def test_which_fault(self):
        self.assertIsNone(self.sent(kind="clear_fault", id="S18").of)
        for code in ("S18", "X1"):
            self.assertEqual(self.sent(kind="clear_fault", code=code).of, code)
        for code in ("S14", "K1", "S2", "", "s18"):
            self.assertEqual(self.sent(kind="clear_fault", code=code), ("not_allowed", "code"))
        self.assertEqual(self.sent(kind="clear_fault", code=5), ("bad_field", "code"))
        self.assertIsNone(self.sent(kind="unlock", code="K1").of)

    def test_bad(self):
        self.assertEqual(self.sent(kind="fly"), ("unknown_kind", "kind"))
        self.assertEqual(self.sent(), ("unknown_kind", "kind"))
        self.assertEqual(self.sent(kind="limit"), ("bad_field", "limit_ma"))
        for value in (-1, 80_001, True, "8"):
            self.assertEqual(self.sent(kind="limit", limit_ma=value), ("bad_field", "limit_ma"))
        for value in (-1, 86_401, True, "8"):
            self.assertEqual(self.sent(kind="pause", for_s=value), ("bad_field", "for_s"))
        self.assertEqual(self.sent(kind="limit", limit_ma=80_000, for_s=86_400).until_ms, 86_401_000)
        self.assertEqual(self.sent(kind="opt_out", id=5), ("bad_field", "id"))
        self.assertEqual(web_api.parse(b"x", 0).code, "bad_json")
        self.assertEqual(web_api.parse(b'{"a":1.5}', 0).code, "bad_field")
        self.assertEqual(web_api.parse(b" " * 512, 0).code, "bad_json")
        self.assertEqual(web_api.parse(b" " * 513, 0).code, "too_big")
