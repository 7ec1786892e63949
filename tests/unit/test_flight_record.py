"""The flight record's bytes: every reading comes back as it was, and the digest sees every field."""

import unittest

from samples import Box, claim, command, reading

from firmware.core.records import Wear
from firmware.services import flight_ring
from firmware.wire import flight_record
from host_tools.flight import reader, record_types

# field of Readings, values that a row holds, values that it does not
FIELDS = (
    (1, (None, -32767, 0, 32767), (-32768, 32768)),
    (2, (None, -32767, -12000, 32767), (-32768, 32768)),
    (3, ((0, 0, 0), (65535, 65536, 2097151), (900_000, 1, 16_000)), ((0, 2097152, 0), (0, 0, -1))),
    (4, ((0, 0, 0), (230_000, 231_999, 229_001), (2097151, 65536, 65535)), ((2097152, 0, 0), (-1, 0, 0))),
    (5, (0, -1, 72_000_000, (1 << 30) - 1, 1 - (1 << 30)), (1 << 30, -(1 << 30))),
    (6, (None, 0, 50_000, 65534), (65535, -1)),
    (7, (None, -32767, 0, 250, 32767), (-32768, 32768)),
    (8, (None, 0, 220, 2147483647), ()),
    (9, (0, 1, 8, 15), ()),
    (10, (False, True), ()),
    (11, (False, True), ()),
    (12, (False, True), ()),
    (13, (False, True), ()),
    (14, (False, True), ()),
    (15, (False, True), ()),
    (16, (0, 9999, 1 << 40), ()),
    (17, (0, 151, 1 << 40), ()),
)


def with_field(record, place, value):
    """The record with another value in one place."""
    fields = list(record)
    fields[place] = value
    return type(record)(*fields)


def written(readings, digest=0xABCDEF):
    """(Readings, digest) as they come back from their two rows, or None when they fit no row."""
    rows = bytearray(2 * flight_record.ROW_B)
    flight_record.pack_slow(rows, 0, readings)
    if not flight_record.pack_tick(rows, flight_record.ROW_B, readings, digest):
        return None
    now_ms, slow = reader.slow_of(rows, 0)
    return reader.readings_of(rows, flight_record.ROW_B, now_ms, slow)


class Rows(unittest.TestCase):
    def test_every_field_comes_back(self):
        whole = reading(12_345, 6000, low_mv=-12000, most_ma=15_800, power_mw=10_902_000)
        self.assertEqual(len(FIELDS) + 1, len(whole), "a new reading needs its place in a row")
        for place, fits, does_not in FIELDS:
            for value in fits:
                one = with_field(whole, place, value)
                self.assertEqual(written(one), (one, 0xABCDEF), "field %d: %s" % (place, value))
            for value in does_not:
                self.assertIsNone(written(with_field(whole, place, value)), "field %d: %s" % (place, value))

    def test_moments_of_weeks(self):
        one = reading(40 * 86_400_000)
        self.assertEqual(written(one, 0)[0].now_ms, 40 * 86_400_000)

    def test_booleans_come_back_as_booleans(self):
        found = written(reading(1, is_button_pressed=True))[0]
        self.assertTrue(found.is_button_pressed is True and found.is_lid_closed is True)
        self.assertTrue(found.is_residual_tripped is False)

    def test_a_row_is_32_bytes(self):
        rows = bytearray(b"\xaa" * 3 * flight_record.ROW_B)
        flight_record.pack_slow(rows, 32, reading(1))
        self.assertTrue(flight_record.pack_tick(rows, 32, reading(1), 0xFFFFFF))
        flight_record.pack_other(rows, 32, flight_record.CRASH, 0xFFFFFF)
        self.assertEqual(bytes(rows[:32]) + bytes(rows[64:]), b"\xaa" * 64)


def leaves_changed(value):
    """Every record that differs from `value` in one leaf only."""
    for place in range(len(value)):
        part = value[place]
        if isinstance(part, tuple):
            for other in leaves_changed(part):
                yield rebuilt(value, place, other)
        elif part is None:
            yield rebuilt(value, place, 0)
            yield rebuilt(value, place, "")
        elif type(part) is str:
            yield rebuilt(value, place, part + "x")
            yield rebuilt(value, place, "".join(reversed(part + "xy")))
        elif part is True or part is False:
            yield rebuilt(value, place, not part)
        else:
            for step in (1, -1, 1 << 23, 1 << 31, -(1 << 45)):
                yield rebuilt(value, place, part + step)


def rebuilt(value, place, part):
    """The tuple or record with another part."""
    fields = list(value)
    fields[place] = part
    return tuple(fields) if type(value) is tuple else type(value)(*fields)


class Digests(unittest.TestCase):
    def memory(self):
        box = Box(rows=(claim(), claim(source="house", until_ms=None)), start_ms=1 << 31).charge()
        return box.memory

    def test_every_leaf_counts(self):
        memory = self.memory()
        first = flight_record.Digest().of(memory)
        count = 0
        for other in leaves_changed(memory):
            self.assertNotEqual(flight_record.Digest().of(other), first, other)
            count += 1
        self.assertTrue(count > 150, count)

    def test_the_value_alone_counts(self):
        memory = self.memory()
        kept = flight_record.Digest()
        for other in leaves_changed(memory):
            self.assertEqual(kept.of(other), flight_record.Digest().of(other))
        copy = record_types.built("Memory", flight_record.plain(memory))
        self.assertFalse(copy.stage is memory.stage)
        self.assertEqual(kept.of(copy), flight_record.Digest().of(memory))

    def test_the_same_on_both_interpreters(self):
        # Written down once: a record made by the one must be readable by the other.
        made = (("offered", 1 << 40, -1, None, True), ((2, 9), (3, 1 << 31)), "grün", (), 3_599_999, False, -70_000)
        self.assertEqual(flight_record.mixed_of(made, 1), 16391886)

    def test_a_memory_of_other_length(self):
        kept = flight_record.Digest()
        self.assertEqual(kept.of((1, None, "x", True)), flight_record.Digest().of((1, None, "x", True)))
        self.assertEqual(kept.of((1, None)), flight_record.Digest().of((1, None)))
        self.assertNotEqual(kept.of((1, 2)), kept.of((2, 1)))


class Plain(unittest.TestCase):
    def test_there_and_back(self):
        memory = Box(rows=(claim(),)).charge().memory
        found = record_types.built("Memory", flight_record.plain(memory))
        self.assertEqual(found, memory)
        # An equal tuple is no record yet: its fields have names again, and so have those of the claims in it.
        self.assertEqual(found.claims.rows[0].source, "grid")
        self.assertEqual(found.claims.holder.ref.id, memory.claims.holder.ref.id)
        one = command()
        self.assertEqual(record_types.built("tuple[Command, ...]", [flight_record.plain(one)])[0].ref, one.ref)

    def test_types_of_fields(self):
        text = "x: int\nclass A(NamedTuple):\n    a: int\n    b: tuple[B, tuple[int, ...]]  # why\n\n"
        text += "class B(NamedTuple):\n    c: int | None\n"
        self.assertEqual(record_types.fields_of(text), {"A": ["int", "tuple[B, tuple[int, ...]]"], "B": ["int | None"]})
        self.assertEqual(
            record_types.parts_of("int, tuple[int, str], B | None"), ["int", "tuple[int, str]", "B | None"]
        )
        self.assertEqual(record_types.built("tuple[Wear, int | None]", [[1, 2], None]), (Wear(1, 2), None))
        self.assertEqual(record_types.built("tuple[int | None, int | None]", [None, 3]), (None, 3))
        self.assertIsNone(record_types.built("Wear | None", None))
        for wrong in (None, [1], 5, "x"):
            with self.assertRaises(record_types.Broken):
                record_types.built("Wear", wrong)
        self.assertEqual(flight_record.plain(((1, None), (True, "x"))), [[1, None], [True, "x"]])

    def test_nothing_else(self):
        for value in (1.5, b"x", [1], {}):
            with self.assertRaises(TypeError):
                flight_record.plain((value,))

    def test_no_secret_and_no_name_of_a_network(self):
        told = flight_ring.open_settings(Box(wifi_ssid="lake", mqtt_password="secret", groups="south").settings)
        self.assertEqual(told["wiring_limit_ma"], 16_000)
        self.assertEqual(told["groups"], "south")
        for key in told:
            self.assertFalse(key.startswith("wifi_") or key in ("mqtt_host", "mqtt_user", "mqtt_password"), key)

    def test_settings_come_back(self):
        chosen = Box(is_ventilated=True, phases=1).settings
        self.assertEqual(reader.built_settings(flight_ring.open_settings(chosen)), chosen)
