"""Stored energy and sessions as the owner reads them: every record once, in pieces, and nothing that is not whole."""

import asyncio
import json
import os
import unittest

from samples import phrase

from firmware.services import flash_files, history_stream, record_files
from firmware.wire import history, ledger_record
from firmware.wire.ledger_record import MINUTES, Quarter, Session

FOLDER = "history_test/"
NOON_S = 1_795_176_000  # a quarter hour begins
QUARTER_S = 900
ANY = [None, None, None]


def quarter(number, mwh=1000, begun_s=NOON_S):
    """Bytes of a quarter hour, `number` of them after begun_s, with this much in its third minute."""
    minutes = [0] * MINUTES
    minutes[2] = mwh
    return ledger_record.packed_quarter(Quarter(number, begun_s // QUARTER_S + number, 5000, 0, tuple(minutes)))


def session(number, from_s=NOON_S, to_s=NOON_S + 3600, wh=7000):
    """Bytes of a session; each begins an hour after the one before."""
    from_s, to_s = (from_s and from_s + number * 3600, to_s and to_s + number * 3600)
    return ledger_record.packed_session(Session(number, from_s, to_s, 3600, 1000, 500, 1000 + wh, 500))


def garbled(octets, at=20):
    """The same with one bit that has changed."""
    made = bytearray(octets)
    made[at] ^= 4
    return bytes(made)


class App:
    """What the stream asks of the App; it is its own Ledger and PhraseBook."""

    def __init__(self, quarters_kept=3, sessions_kept=3):
        self.ledger = self.phrases = self
        self.phrase = phrase
        self.quarters = record_files.RecordFiles(FOLDER + "quarters-", ledger_record.QUARTER_B, (10, quarters_kept))
        self.sessions = record_files.RecordFiles(FOLDER + "sessions-", ledger_record.SESSION_B, (10, sessions_kept))
        self.waiting = []  # (RecordFiles, bytes) of the Ledger
        self.is_ahead, self.newest = False, ()

    def unstored(self, files):
        """As the Ledger's."""
        return [octets for kept, octets in self.waiting if kept is files]

    def pieces(self, path, query=""):
        """Every step of a call's body, b"" for one that sends nothing."""
        body, _ = history_stream.opened(self, path, query)
        return list(body._pieces)

    def text(self, path, query=""):
        """The whole body."""
        return b"".join(self.pieces(path, query)).decode()

    def found(self, path, query=""):
        """The whole body, as JSON."""
        return json.loads(self.text(path, query))

    def refusal(self, path, query):
        """(field, words) of a call that is refused."""
        made = history_stream.opened(self, path, query)
        return made.field, made.words


async def received(body):
    """All that microdot gets to send, and how often others had a turn meanwhile."""
    turns = [0]

    async def other():
        while True:
            turns[0] += 1
            await asyncio.sleep(0)

    task = asyncio.create_task(other())
    octets = b""
    async for piece in body:
        octets += piece
    task.cancel()
    return octets, turns[0]


class Case(unittest.TestCase):
    def setUp(self):
        self.tearDown()
        os.mkdir(FOLDER[:-1])

    def tearDown(self):
        try:
            for name in os.listdir(FOLDER[:-1]):
                os.remove(FOLDER + name)
            os.rmdir(FOLDER[:-1])
        except OSError:
            pass


class Energy(Case):
    def test_a_new_box(self):
        empty = {"step_s": 900, "energy": [], "undated_mwh": 0, "unreadable": 0}
        self.assertEqual(App().found("/api/energy"), empty)

    def test_quarter_hours_and_minutes(self):
        app = App()
        for number in range(25):  # three files
            app.quarters.append(quarter(number, number * 10))
        found = app.found("/api/energy")
        # One in which nothing flowed is left out.
        wanted = [{"at": NOON_S + QUARTER_S * number, "mwh": number * 10} for number in range(1, 25)]
        self.assertEqual(found, {"step_s": 900, "energy": wanted, "undated_mwh": 0, "unreadable": 0})
        found = app.found("/api/energy", "step_s=60")
        wanted = [{"at": NOON_S + QUARTER_S * number + 120, "mwh": number * 10} for number in range(1, 25)]
        self.assertEqual((found["step_s"], found["energy"]), (60, wanted))

    def test_the_edges_of_a_period(self):
        app = App()
        for number in range(3):
            app.quarters.append(quarter(number))

        def moments(query):
            return [(one["at"] - NOON_S) // 60 for one in app.found("/api/energy", query)["energy"]]

        for from_s, wanted in ((0, [0, 15, 30]), (1, [15, 30]), (900, [15, 30]), (1801, [])):
            self.assertEqual(moments("from=%d" % (NOON_S + from_s)), wanted, from_s)
        for to_s, wanted in ((0, []), (1, [0]), (900, [0]), (901, [0, 15]), (1801, [0, 15, 30])):
            self.assertEqual(moments("to=%d" % (NOON_S + to_s)), wanted, to_s)
        self.assertEqual(moments("step_s=60&from=%d&to=%d" % (NOON_S + 120, NOON_S + 1020)), [2])
        self.assertEqual(moments("step_s=60&from=%d&to=%d" % (NOON_S + 121, NOON_S + 1021)), [17])
        self.assertEqual(moments("from=%d&to=%d" % (NOON_S, NOON_S)), [])
        self.assertEqual(moments("from=&to=&step_s="), [0, 15, 30])

    def test_what_has_no_time_of_day_is_summed_apart(self):
        app = App()
        app.quarters.append(quarter(0, 70, 0))
        app.quarters.append(quarter(1, 90))
        app.quarters.append(quarter(0, 5, 0))
        for query, count in (("", 1), ("to=5", 0)):
            found = app.found("/api/energy", query)
            self.assertEqual((found["undated_mwh"], len(found["energy"])), (75, count))

    def test_what_is_not_whole_is_passed_over_and_counted(self):
        app = App()
        for number in range(1, 9):
            app.quarters.append(quarter(number) if number % 3 else garbled(quarter(number)))
        with open(FOLDER + "quarters-0.bin", "ab") as file:
            file.write(quarter(9)[:40])  # the supply failed here
        app.quarters.append(quarter(10))
        self.assertTrue("quarters-1.bin" in os.listdir(FOLDER))
        found = app.found("/api/energy")
        told = [(one["at"] - NOON_S) // QUARTER_S for one in found["energy"]]
        self.assertEqual((told, found["unreadable"]), ([1, 2, 4, 5, 7, 8, 10], 3))

    def test_a_period_is_found_in_whatever_order(self):
        app = App(40, 40)
        noon = NOON_S // QUARTER_S
        # A clock that went back a day with each record, came right now and then, and was not known at times.
        for number in range(1, 321):
            far = noon - number * 96
            quarter_no = noon + number if number % 100 == 0 else 0 if number % 150 == 7 else far
            minutes = (number,) * MINUTES
            app.quarters.append(ledger_record.packed_quarter(Quarter(number, quarter_no, 0, 0, minutes)))
        for query in ("step_s=900", "step_s=60"):
            found = app.found("/api/energy", query + "&from=%d&to=%d" % (NOON_S, NOON_S + 864_000))
            told = [(one["at"] - NOON_S) // QUARTER_S for one in found["energy"]]
            self.assertEqual(sorted(set(told)), [100, 200, 300])
            self.assertEqual(sum([one["mwh"] for one in found["energy"]]), 600 * MINUTES)
            self.assertEqual(found["undated_mwh"], (7 + 157 + 307) * MINUTES)
        # The first and the last second of a quarter hour, where its record lies among others of other years.
        for from_s, count in ((0, 1), (899, 1), (900, 0)):
            at_s = NOON_S + 200 * QUARTER_S + from_s
            found = app.found("/api/energy", "step_s=60&from=%d&to=%d" % (at_s // 60 * 60, at_s + 1))
            self.assertEqual(len(found["energy"]), count, from_s)

    def test_far_records_are_passed_over_unread(self):
        app = App(40, 40)
        for number in range(320):
            app.quarters.append(garbled(quarter(number)))
        self.assertEqual(app.found("/api/energy")["unreadable"], 320)
        found = app.found("/api/energy", "from=%d&to=%d" % (NOON_S + 160 * QUARTER_S, NOON_S + 161 * QUARTER_S))
        self.assertEqual((found["energy"], found["unreadable"]), ([], 10))  # those of its file
        self.assertTrue(len(app.pieces("/api/energy", "to=1")) <= 80)

    def test_a_file_that_cannot_be_read_costs_itself_alone(self):
        app = App()
        for number in range(1, 31):
            app.quarters.append(quarter(number))
        genuine = flash_files.read_at

        def failing(path, at, count):
            if path.endswith("-1.bin"):
                raise OSError(5)
            return genuine(path, at, count)

        flash_files.read_at = failing
        try:
            found = app.found("/api/energy")
        finally:
            flash_files.read_at = genuine
        self.assertEqual((len(found["energy"]), found["unreadable"]), (20, 1))

    def test_a_file_that_goes_meanwhile_and_one_that_comes(self):
        app = App()
        for number in range(1, 31):
            app.quarters.append(quarter(number))
        body, _ = history_stream.opened(app, "/api/energy", "")
        text = b""
        for _ in range(5):
            text += next(body._pieces)
        os.remove(FOLDER + "quarters-1.bin")
        app.quarters.append(quarter(31))
        text += b"".join(body._pieces)
        told = [(one["at"] - NOON_S) // QUARTER_S for one in json.loads(text.decode())["energy"]]
        self.assertEqual(told, list(range(1, 11)) + list(range(21, 32)))

    def test_what_flash_does_not_have_yet(self):
        app = App()
        app.quarters.append(quarter(1))
        app.waiting = [(app.quarters, quarter(2)), (app.sessions, session(0)), (app.quarters, quarter(3, 70))]
        wanted = [(1, 1000), (2, 1000), (3, 70)]
        for query in ("", "from=%d" % NOON_S):
            found = app.found("/api/energy", query)["energy"]
            self.assertEqual([((one["at"] - NOON_S) // QUARTER_S, one["mwh"]) for one in found], wanted)
        self.assertEqual(
            app.found("/api/energy", "to=%d" % (NOON_S + 1000))["energy"], [{"at": NOON_S + 900, "mwh": 1000}]
        )

    def test_a_torn_copy_on_flash_hides_nothing(self):
        app = App()
        app.quarters.append(quarter(1))
        app.quarters.append(garbled(quarter(2)))
        app.waiting = [(app.quarters, quarter(2))]
        found = app.found("/api/energy")
        self.assertEqual(
            ([one["at"] for one in found["energy"]], found["unreadable"]), ([NOON_S + 900, NOON_S + 1800], 1)
        )

    def test_what_flash_gets_meanwhile_comes_once(self):
        for steps in range(6):  # before the file is read, and after its end
            self.setUp()
            app = App()
            app.quarters.append(quarter(1))
            app.waiting = [(app.quarters, quarter(2)), (app.quarters, quarter(3, 70))]
            body, _ = history_stream.opened(app, "/api/energy", "")
            text = b""
            for _ in range(steps):
                text += next(body._pieces)
            app.waiting = []
            app.quarters.append(quarter(2))
            app.quarters.append(quarter(3, 90))  # what ran has gone on until it was stored
            text += b"".join(body._pieces)
            found = json.loads(text.decode())["energy"]
            self.assertEqual([(one["at"] - NOON_S) // QUARTER_S for one in found], [1, 2, 3], steps)

    def test_a_foreign_name_sends_nobody_through_a_billion_files(self):
        app = App()
        app.quarters.append(quarter(1))
        app.quarters.last = 10**9
        self.assertEqual(len(app.pieces("/api/energy")), 5)  # three are kept, and the newest; then the end


class Pieces(Case):
    def test_no_step_is_long(self):
        app = App(40, 40)
        for number in range(1, 301):
            app.quarters.append(quarter(number, 0xFFFFFF))
        for query in ("", "step_s=60", "from=1&to=2"):
            pieces = app.pieces("/api/energy", query)
            self.assertTrue(max([len(piece) for piece in pieces]) <= 600, [len(piece) for piece in pieces])
            self.assertTrue(len(pieces) >= (30 if "from" in query else 300), len(pieces))

    def test_a_full_file_of_minutes(self):
        app = App()
        minutes = (ledger_record.MOST_MWH,) * MINUTES
        for number in range(16):
            app.quarters.append(ledger_record.packed_quarter(Quarter(number, NOON_S // 900 + number, 0, 0, minutes)))
        found = app.found("/api/energy", "step_s=60")
        self.assertEqual([one["at"] for one in found["energy"]], [NOON_S + 60 * index for index in range(240)])
        self.assertTrue(max([len(piece) for piece in app.pieces("/api/energy", "step_s=60")]) <= 1200)

    def test_others_have_their_turn(self):
        app = App(40, 40)
        for number in range(1, 101):
            app.quarters.append(quarter(number))
        for query in ("", "from=1&to=2"):  # even where nothing is sent
            body, headers = history_stream.opened(app, "/api/energy", query)
            octets, turns = asyncio.run(received(body))
            self.assertEqual(octets.decode(), app.text("/api/energy", query))
            self.assertTrue(turns >= len(app.pieces("/api/energy", query)), turns)
        self.assertEqual(headers, {"Content-Type": "application/json", "Cache-Control": "no-store"})


class Sessions(Case):
    def filled(self, count=35):
        app = App()
        for number in range(count):
            app.sessions.append(session(number))
        return app

    def test_all_of_them(self):
        found = self.filled(2).found("/api/sessions")
        self.assertEqual(found["unreadable"], 0)
        self.assertEqual([one["number"] for one in found["sessions"]], [0, 1])
        wanted = {"number": 1, "started_at": NOON_S + 3600, "ended_at": NOON_S + 7200, "duration_s": 3600}
        wanted.update({"wh": 7000, "meter_from_wh": 1000, "meter_to_wh": 8000})
        self.assertEqual(found["sessions"][1], wanted)

    def test_a_box_without_any(self):
        for query in ("", "last=5"):
            self.assertEqual(App(2, 2).found("/api/sessions", query), {"sessions": [], "unreadable": 0})
        self.assertEqual(App().text("/api/sessions.csv"), history.CSV_HEAD)

    def test_the_last_ones(self):
        app = self.filled()
        for count in (1, 4, 5, 6, 15, 16, 25, 34, 35, 36, 100):
            found = app.found("/api/sessions", "last=%d" % count)
            self.assertEqual([one["number"] for one in found["sessions"]], list(range(max(35 - count, 0), 35)), count)
        self.assertEqual(app.found("/api/sessions", "last=3&to=%d" % (NOON_S + 33 * 3600))["sessions"][0]["number"], 32)
        os.remove(FOLDER + "sessions-2.bin")
        found = app.found("/api/sessions", "last=7")
        self.assertEqual([one["number"] for one in found["sessions"]], [18, 19, 30, 31, 32, 33, 34])

    def test_the_last_ones_with_some_that_flash_does_not_have_yet(self):
        app = self.filled(3)
        app.waiting = [(app.sessions, session(3)), (app.sessions, session(4))]
        for count in (1, 2, 3, 4, 5, 6):
            found = app.found("/api/sessions", "last=%d" % count)["sessions"]
            self.assertEqual([one["number"] for one in found], list(range(max(5 - count, 0), 5)), count)

    def test_long_files(self):
        for count in (15, 16, 17, 32, 33, 100):
            self.setUp()
            app = App()
            app.sessions.most = (40, 3)
            for number in range(count):
                app.sessions.append(session(number))
            for last in (100, 17, 16, 1):
                found = app.found("/api/sessions", "last=%d" % last)["sessions"]
                self.assertEqual([one["number"] for one in found], list(range(max(count - last, 0), count)))

    def test_a_clock_that_was_not_set(self):
        app = App()
        app.sessions.append(session(0, 0, 0))
        app.sessions.append(session(1, 0))
        app.sessions.append(session(2, NOON_S, 0))
        found = app.found("/api/sessions")["sessions"]
        self.assertEqual([one["started_at"] for one in found], [None, None, NOON_S + 7200])
        self.assertEqual([one["ended_at"] for one in found], [None, NOON_S + 7200, None])
        # In a period is what began there, or ended where the beginning is not known; never what nobody knows.
        for query, wanted in (("from=0", [1, 2]), ("to=4000000000", [1, 2]), ("from=%d" % (NOON_S + 7201), [])):
            found = app.found("/api/sessions", query)["sessions"]
            self.assertEqual([one["number"] for one in found], wanted, query)
        self.assertEqual(app.text("/api/sessions.csv").split("\r\n")[1], "0,,,3600,7000,1000,8000")

    def test_energy_is_rounded_down_and_never_below_nothing(self):
        for to_wh, to_mwh, wh in ((2000, 499, 999), (2000, 500, 1000), (1000, 499, 0), (5, 0, 0)):
            octets = ledger_record.packed_session(Session(0, NOON_S, NOON_S, 1, 1000, 500, to_wh, to_mwh))
            self.assertEqual(json.loads(history.SessionsJson(ANY).text_of(octets))["wh"], wh)

    def test_what_is_not_whole(self):
        app = self.filled(5)
        app.sessions.append(garbled(session(5)))
        app.sessions.append(session(6))
        self.assertEqual(app.found("/api/sessions")["unreadable"], 1)
        lines = app.text("/api/sessions.csv").split("\r\n")
        self.assertEqual((len(lines), lines[-2], lines[-1]), (9, "unreadable 1,,,,,,", ""))


class Csv(Case):
    def test_the_table(self):
        app = App()
        for number in range(2):
            app.sessions.append(session(number))
        head = "number,started_utc,ended_utc,duration_s,energy_wh,meter_from_wh,meter_to_wh\r\n"
        first = "0,2026-11-20 12:00:00,2026-11-20 13:00:00,3600,7000,1000,8000\r\n"
        second = "1,2026-11-20 13:00:00,2026-11-20 14:00:00,3600,7000,1000,8000\r\n"
        self.assertEqual(app.text("/api/sessions.csv"), head + first + second)
        self.assertEqual(app.text("/api/sessions.csv", "last=1"), head + second)
        self.assertEqual(app.text("/api/sessions.csv", "to=1"), head)
        _, headers = history_stream.opened(app, "/api/sessions.csv", "")
        self.assertEqual(headers["Content-Type"], "text/csv; charset=utf-8; header=present")
        self.assertEqual(headers["Content-Disposition"], 'attachment; filename="ebb-sessions.csv"')

    def test_no_cell_is_a_formula_whatever_the_flash_holds(self):
        most = 2**32 - 1
        numbers = (0, 1, 999, 1_795_176_000, 2**31, most)
        for one in numbers:
            for other in numbers:
                made = Session(one, other, one, other, other, other % 65_536, one, one % 65_536)
                row = history.SessionsCsv(ANY).text_of(ledger_record.packed_session(made))
                self.assertTrue(row.endswith("\r\n"))
                cells = row[:-2].split(",")
                self.assertEqual(len(cells), 7)
                for cell in cells:
                    self.assertTrue(all([mark in "0123456789-: " for mark in cell]), cell)
                    self.assertTrue(not cell or cell[0] in "0123456789", cell)


class Asked(Case):
    def test_what_may_be_asked(self):
        for query, wanted in (
            ("", ANY),
            ("&&", ANY),
            ("from=0", [0, None, None]),
            ("to=4294967295&from=4294967295", [2**32 - 1, 2**32 - 1, None]),
            ("from=5&to=5&step_s=60", [5, 5, 60]),
            ("from=&from=7", [7, None, None]),
            ("from&to", ANY),
        ):
            self.assertEqual(history.asked(query, history.ENERGY_KEYS), (wanted, "", ""), query)
        self.assertEqual(history.asked("last=100", history.SESSION_KEYS), ([None, None, 100], "", ""))

    def test_what_may_not(self):
        app = App()
        bad = ("from=x", "from=-1", "from=+1", "from=1e9", "to=%31", "to=4294967296", "from=12345678901", "from=1 ")
        bad += ("from=1&from=1", "from==1", "from=1.0", "from=\u0663", "from=0x10", "from=null")
        for path in history_stream.CALLS:
            for query in bad:
                field, words = app.refusal(path, query)
                self.assertEqual(field, query.split("=")[0], query)
                self.assertTrue(words.startswith("This is no whole number"), words)
            for query in ("form=json", "=5", "From=1", "from=1&x", "x" * 1000, "last=5&step_s=60"):
                field, words = app.refusal(path, query)
                self.assertTrue(len(field) <= 10 and words.startswith("This call takes no such parameter"), query)
        self.assertEqual(app.refusal("/api/energy", "from=2&to=1")[0], "to")
        for query in ("step_s=0", "step_s=61", "step_s=3600"):
            self.assertEqual(app.refusal("/api/energy", query)[0], "step_s")
        for query in ("last=0", "last=101"):
            self.assertEqual(app.refusal("/api/sessions", query)[0], "last")
        self.assertEqual(app.refusal("/api/energy", "last=5")[0], "last")
        self.assertEqual(app.refusal("/api/sessions.csv", "step_s=60")[0], "step_s")

    def test_every_refusal_is_one_clear_sentence(self):
        for code in ("parameter", "number", "period", "step", "last"):
            words, todo = phrase("refusal." + code)
            self.assertTrue(words != code and todo.endswith("."), code)


if __name__ == "__main__":
    unittest.main()
