"""The flight ring: every tick of a control loop comes back and is decided alike, and what does not fit is bounded."""

import hashlib
import json
import struct
import unittest

from samples import TICK_MS, chosen, claim, command, reading

from firmware.core import decide, faults, offer, outcome
from firmware.services import flight_ring
from firmware.services.control_loop import ControlLoop
from firmware.services.flight_ring import FlightRing
from firmware.services.inbox import Inbox
from firmware.wire import flight_record
from host_tools.flight import reader, rerun

ABOUT = {
    "format": 1,
    "firmware": "0.1.0",
    "box": "garage",
    "tables": flight_ring.tables_digest(),
    "tick_ms": 23,
    "fault": "S2",
    "at_ms": 0,
    "wall_s": None,
}


class Facts:
    tick_ms = TICK_MS


class Board:
    """A board whose readings follow a car that is only a voltage; has_failed makes sensing an exception."""

    facts = Facts

    def __init__(self):
        self.at_ms = 0
        self.high_mv = 12000
        self.low_mv = -12000
        self.more = {}
        self.outputs = outcome.IDLE
        self.has_failed = False

    def now_ms(self):
        return self.at_ms

    def sense(self):
        if self.has_failed:
            raise OSError("no such pin")
        outputs = self.outputs
        values = {
            "low_mv": self.low_mv if outputs.pilot_mode == "pwm" else None,
            "most_ma": 5000 if outputs.is_contactor_closed else 0,
            "is_tripped": outputs.wants_residual_test,
            "live_poles": 15 if outputs.is_contactor_closed else 0,
            "is_feedback_closed": outputs.is_contactor_closed,
            "is_relay_pin_high": outputs.is_contactor_closed,
        }
        values["power_mw"] = values["most_ma"] * 690
        values.update(self.more)
        return reading(self.at_ms, self.high_mv, **values)

    def act(self, outputs):
        self.outputs = outputs


class Flight:
    """A control loop whose every tick is noted, and what was noted besides."""

    def __init__(self, seconds=20):
        self.board = Board()
        self.inbox = Inbox()
        first = decide.first_memory(0, (claim(source="cable", limit_ma=32_000, from_ms=0, until_ms=None),), (0, 0))
        self.loop = ControlLoop(self.board, chosen(), first, self.inbox)
        self.ring = FlightRing(self.loop, seconds)
        self.loop.note = self._note
        self.noted = []

    def _note(self, before, readings, asked, made):
        self.noted.append((readings, asked, made.memory))
        self.ring.note(before, readings, asked, made)

    def run(self, for_ms):
        end_ms = self.board.at_ms + for_ms
        while self.board.at_ms < end_ms:
            self.board.at_ms += TICK_MS
            self.loop.tick()
        return self

    def charge(self):
        self.run(4000)
        self.board.high_mv = 9000
        self.run(1000)
        self.board.high_mv = 6000
        return self.run(3000)

    def octets(self):
        held = self.ring.held()
        made = b"".join([bytes(piece) for piece in flight_ring.pieces(held, ABOUT)])
        for segment, _ in held[0]:
            assert not segment.is_held
        return made


def ticks_of(octets):
    """[(readings, commands, digest, crash)] of the bytes of a record."""
    found = []
    for segment in reader.opened(octets).segments:
        found += [(tick.readings, tick.asked, tick.digest, tick.crash) for tick in segment.ticks]
    return found


def reported(octets):
    """(is the same, lines) of a re-run."""
    lines = []
    return rerun.report(octets, lines.append), lines


class Whole(unittest.TestCase):
    def check(self, flight):
        """The newest ticks of the record are those noted, and are decided alike."""
        octets = flight.octets()
        found = ticks_of(octets)
        digest = flight_record.Digest()
        for (readings, asked, memory), tick in zip(flight.noted[-len(found) :], found):
            self.assertEqual(tick[0], readings)
            self.assertEqual(tick[1], asked)
            self.assertEqual(tick[2], digest.of(memory))
        is_same, lines = reported(octets)
        self.assertTrue(is_same, lines[-3:])
        self.assertEqual(lines[-1], "no difference in %d ticks" % len(found))
        self.assertEqual(reader.opened(octets).last, flight.loop.memory)
        return found, lines

    def test_a_charge_and_a_fault(self):
        flight = Flight(90).charge()
        flight.inbox.put(command(from_ms=8500, until_ms=9500, rank="emergency"))
        flight.run(1000)
        while flight.board.outputs.pilot_mode != "pwm" and flight.board.at_ms < 80_000:
            flight.run(500)
        self.assertIsNone(flight.ring.fault)
        flight.board.low_mv = None
        flight.run(1000)
        self.assertEqual(flight.ring.fault[0], "S8")
        found, lines = self.check(flight)
        self.assertEqual(len(found), len(flight.noted))
        words = "\n".join(lines)
        for part in ("state charging", "state stopping", "faults S8", "command limit from grid, 0 mA", "letter C"):
            self.assertIn(part, words)

    def test_it_reaches_back_as_far_as_it_should(self):
        flight = Flight(10).charge()
        flight.run(60_000)
        found, _ = self.check(flight)
        first_ms, last_ms = found[0][0].now_ms, found[-1][0].now_ms
        self.assertTrue(10_000 <= last_ms - first_ms <= 15_500, last_ms - first_ms)

    def test_slow_readings_wide_readings_and_a_stall(self):
        flight = Flight().charge()
        for more in ({"is_lid_closed": False}, {"proximity_ohm": 220}, {"currents_ma": (1 << 22, 5, -3)}, {}):
            flight.board.more = more
            flight.run(300)
        flight.board.at_ms += 90_000
        flight.run(300)
        flight.board.more = {"frequency_mhz": None, "temperature_tenths_c": None, "pilot_age_ms": 200}
        flight.run(300)
        self.check(flight)

    def test_exceptions_of_the_tick(self):
        flight = Flight().charge()
        flight.board.has_failed = True
        flight.inbox.put(command())
        flight.run(3 * TICK_MS)
        self.assertEqual(flight.ring.fault[0], "X1")
        flight.board.has_failed = False
        flight.run(500)
        found, lines = self.check(flight)
        crashes = [tick for tick in found if tick[3]]
        self.assertEqual(len(crashes), 3)
        self.assertIsNone(crashes[0][0])
        self.assertIn("OSError: no such pin", crashes[0][3][1])
        self.assertIn("an exception: OSError: no such pin", "\n".join(lines))
        self.assertIn("faults X1 latched", "\n".join(lines))

    def test_an_exception_after_sensing_keeps_the_readings(self):
        flight = Flight().charge()
        acted = flight.board.act

        def act(outputs):
            flight.board.act = acted
            raise ValueError("x")

        flight.board.act = act
        flight.inbox.put(command())
        flight.run(2 * TICK_MS)
        found, _ = self.check(flight)
        crashed = next(tick for tick in found if tick[3])
        self.assertEqual(crashed[0].now_ms, crashed[3][0])
        self.assertEqual(crashed[1], (command(),))

    def test_settings_and_memory_from_elsewhere(self):
        flight = Flight().charge()
        flight.loop.settings = chosen(wiring_limit_ma=10_000)
        flight.run(1000)
        # As ControlLoop.rest() does after three restarts: Memory goes on without a tick.
        flight.loop.memory = decide.after_crash(flight.loop.memory, flight.board.at_ms).memory
        flight.run(1000)
        _, lines = self.check(flight)
        self.assertIn("a gap before this moment", "\n".join(lines))


class Bounds(unittest.TestCase):
    def test_a_flood_of_commands_shortens_it(self):
        flight = Flight().charge()
        for number in range(200):
            for _ in range(16):
                flight.inbox.put(command(source="house", note=str(number)))
            flight.run(TICK_MS)
        kept = sum([segment.weight for segment in flight.ring._segments])
        self.assertTrue(kept <= 16 * len(flight.ring._segments), kept)
        is_same, lines = reported(flight.octets())
        self.assertTrue(is_same, lines[-2:])

    def test_what_is_being_written_is_not_overwritten(self):
        flight = Flight(10).charge()
        flight.run(20_000)
        held = flight.ring.held()
        first = [bytes(segment.rows) for segment, _ in held[0][:-1]]
        flight.run(20_000)
        self.assertEqual([bytes(segment.rows) for segment, _ in held[0][:-1]], first)
        octets = b"".join([bytes(piece) for piece in flight_ring.pieces(held, ABOUT)])
        self.assertTrue(reported(octets)[0])
        flight.run(20_000)
        is_same, lines = reported(flight.octets())
        self.assertTrue(is_same, lines[-2:])

    def test_a_held_ring_is_freed(self):
        flight = Flight(10).charge()
        held = flight.ring.held()
        flight_ring.freed(held)
        self.assertFalse([segment for segment, _ in held[0] if segment.is_held])

    def test_only_what_opens_or_locks_is_worth_a_record(self):
        for fault_id, is_latched, is_worth in (("S14", False, True), ("S12a", False, False), ("S12a", True, True)):
            row = faults.row_of(fault_id)
            found = faults.NO_FAULTS
            found = type(found)((), (type_of_active(row, is_latched),), (), "x")
            self.assertEqual(flight_ring.is_grave(fault_id, found), is_worth, fault_id)
            self.assertFalse(flight_ring.is_grave("S3", found))


def type_of_active(row, is_latched):
    """An active fault."""
    from firmware.core.records import Active

    return Active(row, is_latched, 0)


class Differences(unittest.TestCase):
    def test_a_planted_constant_is_named_at_its_tick(self):
        octets = Flight().charge().octets()
        ticks = ticks_of(octets)
        kept = offer.offered
        offer.offered = lambda before, limit_ma, now_ms: kept(before, min(limit_ma, 15_000), now_ms)
        try:
            is_same, lines = reported(octets)
        finally:
            offer.offered = kept
        self.assertFalse(is_same)
        named = [line for line in lines if line.startswith("first_difference: tick ")]
        # The offer appears in the tick that leaves x1.
        first = 0
        while not (ticks[first][0].pilot_low_mv or 0):
            first += 1
        self.assertEqual(named, [named[0]])
        self.assertTrue(named[0].startswith("first_difference: tick %d, " % first), (named[0], first))
        self.assertIn("at the end", "\n".join(lines))
        self.assertTrue([line for line in lines if line.startswith("* -")])

    def test_other_tables_are_told(self):
        kept = faults.FAULTS
        octets = Flight().run(200).octets()
        faults.FAULTS = kept[:-1] + (("X9",) + kept[-1][1:],)
        try:
            lines = reported(octets)[1]
        finally:
            faults.FAULTS = kept
        self.assertIn("note: the tables", lines[1])

    def test_decide_that_raises_is_told(self):
        octets = Flight().run(200).octets()
        kept = decide.decide

        def broken(memory, readings, asked, settings):
            raise ValueError("planted")

        decide.decide = broken
        try:
            is_same, lines = reported(octets)
        finally:
            decide.decide = kept
        self.assertFalse(is_same)
        self.assertIn("first_difference: tick 1,", lines[-1])
        self.assertIn("decide() raised ValueError: planted", lines[-1])


def resigned(octets, kind, planted):
    """The record with another payload in one kind of block and its checksum made anew."""
    blocks = [(found, planted if found == kind else payload) for found, payload in reader.blocks_of(octets)]
    return b"".join([bytes(piece) for piece in flight_record.framed(blocks)])


class Damage(unittest.TestCase):
    def words(self, octets):
        try:
            reader.opened(octets)
        except reader.Broken as error:
            return str(error)
        return ""

    def setUp(self):
        self.octets = Flight().run(200).octets()

    def test_every_byte_and_every_length(self):
        self.assertEqual(self.words(self.octets), "")
        for at in range(len(self.octets)):
            changed = bytearray(self.octets)
            changed[at] ^= 1 << at % 8
            self.assertTrue(self.words(bytes(changed)), at)
            self.assertTrue(self.words(self.octets[:at]), at)
        self.assertTrue(self.words(self.octets + b"x"))

    def test_what_is_whole_and_foreign(self):
        for kind, payload, words in (
            ("H", b'{"format": 2}', "another format"),
            ("H", b"[]", "makes no sense"),
            ("S", b'{"is_next": false, "settings": {"colour": 1}}', "would not take its settings (There is no setting"),
            ("S", b'{"is_next": false, "settings": {"phases": 2}}', "would not take its settings (phases"),
            ("S", b'{"is_next": false, "settings": null}', ""),
            ("M", b"[1]", "this version's Pilot has other fields"),
            ("M", b'{"a": 1}', "other fields"),
            ("M", b"[" * 5000, "makes no sense"),
            ("L", b"[1]", "has other fields"),
            ("R", b"", "holds no tick"),
            ("R", b"\xfb" + bytes(31), "makes no sense"),
            ("R", b"\xfc" + bytes(31), "makes no sense"),
            ("X", b"x", ""),
        ):
            told = self.words(resigned(self.octets, kind, payload))
            self.assertIn(words, told, (kind, payload[:40]))
        # Values that no field would have show only when they are decided on: no state, no letter, text for numbers.
        for number in range(1, 9):
            blocks, at = [], 0
            for kind, payload in reader.blocks_of(self.octets):
                at += kind == "M"
                planted = json.dumps(["x" for _ in json.loads(payload)]) if kind == "M" and at == number + 1 else ""
                blocks.append((kind, planted.encode() or payload))
            try:
                self.assertFalse(
                    reported(b"".join([bytes(piece) for piece in flight_record.framed(blocks)]))[0], number
                )
            except reader.Broken:
                pass
        self.assertIn("no flight record", self.words(b"PK" + bytes(5000)))
        self.assertIn("too long", self.words(bytes(reader.MOST_B + 1)))

    def test_lengths_that_lie(self):
        lie = flight_record.MAGIC + struct.pack("<BI", 72, 1 << 30) + b"{}"
        self.assertTrue(self.words(lie + hashlib.sha256(lie).digest()))
        nothing = flight_record.MAGIC
        self.assertTrue(self.words(nothing + hashlib.sha256(nothing).digest()))
