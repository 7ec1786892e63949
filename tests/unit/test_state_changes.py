"""The state as changes in the journal: the next start knows what a file of the same moment would have told it."""

import json
import unittest

from samples import claim

from firmware.core import claims, decide, faults, local
from firmware.core.records import Active, Faults, Memory, Ref, Wear
from firmware.wire import (
    journal_record,
    sealed_text,
    signed_seqs,
    state_changed,
    state_changes,
    state_record,
    state_restored,
)

SEQS = (("dso", "box", 7),)


def memory(now_ms=5_000_000, rows=(), **more):
    """Memory of one moment; more: active, counts, seen, wear, hot_at_ms, blind."""
    first = decide.first_memory(now_ms, tuple(rows), (0, 0))
    active = more.get("active", ())
    found = Faults((), active, more.get("counts", ()), faults.strongest(active))
    here = local.with_part(first.local, local.HOT_AT, more.get("hot_at_ms", ()))
    here = local.with_part(here, local.BLIND, more.get("blind", 0))
    parts = (first.pilot, first.stage, first.claims, found, first.offer, first.energy, more.get("wear", Wear(0, 0)))
    return Memory(now_ms, *parts, first.outputs, tuple(more.get("seen", ())), here)


def file_of(before, wall_s=None, seqs=()):
    """Fields of a state file."""
    text = "".join(state_record.parts(before, wall_s, seqs))
    return sealed_text.unsealed(sealed_text.sealed(text, state_record.VERSION, 1))[2]


def told(fields, before, after, wall_s=0, seqs=((), ())):
    """Fields after all values that lead from one Memory to another; how many there were."""
    stored = state_changes.stored_of(before, seqs[0])
    count = 0
    while count == 0 or stored != state_changes.stored_of(after, seqs[1]):
        octets, stored = state_changes.packed(stored, after, seqs[1], (wall_s, 1))
        assert len(octets) <= 20 * journal_record.VALUE_B + 1, len(octets)
        is_known = state_changed.with_value(fields, 1, octets)  # a board leaves assert out, and what is in it
        assert is_known
        count += 1
        assert count < 60
    return fields, count


def started(fields, at_ms=20):
    """Memory of the next start."""
    return state_restored.with_saved(decide.first_memory(at_ms, (), (0, 0)), fields, False)


class Changes(unittest.TestCase):
    def alike(self, before, after, seqs=((), SEQS)):
        """A file and the changes behind an older file lead to the same start."""
        fields, count = told(file_of(before, None, seqs[0]), before, after, 0, seqs)
        direct = file_of(after, None, seqs[1])
        self.assertEqual(started(fields), started(direct))
        self.assertEqual(signed_seqs.rows_of(fields), signed_seqs.rows_of(direct))
        return count

    def test_all_kinds(self):
        names = [row[0] for row in faults.FAULTS]
        active = (Active(names.index("K1"), True, 0), Active(names.index("S2"), True, 5_030_000))
        before = memory(rows=(claim(until_ms=5_100_000), claim(source="owner", ref=Ref("owner", "page", 0))))
        after = memory(
            5_010_000,
            rows=(claim(until_ms=5_200_000, limit_ma=8000), claim(ref=Ref("dso2", "b", 1), from_ms=5_020_000)),
            active=active,
            counts=((names.index("K2"), 2, 5_009_000),),
            seen=(Ref("dso1", "a", 0), Ref("dso2", "b", 1)),
            wear=Wear(12, 3),
            hot_at_ms=(5_001_000, 5_002_000),
            blind=2,
        )
        self.assertEqual(self.alike(before, after), 1)
        back = memory(5_020_000, rows=before.claims.rows, seen=after.seen)
        self.assertEqual(self.alike(after, back, (SEQS, SEQS)), 1)

    def test_time_alone_is_told_too(self):
        early, late = memory(rows=(claim(until_ms=5_100_000),)), memory(5_060_000, rows=(claim(until_ms=5_100_000),))
        self.assertEqual(self.alike(early, late, ((), ())), 1)
        octets, _ = state_changes.packed(state_changes.stored_of(late, ()), late, (), (9, 1))
        self.assertEqual(json.loads(octets), [5_060_000, 9, 1])

    def test_the_fullest_state_goes_in_pieces_and_what_limits_comes_first(self):
        rows = [
            claim(source="restart", ref=Ref("i" * 32, "%064d" % number, 2**31 - 1), until_ms=10**9, rank="emergency")
            for number in range(claims.MAX_ROWS)
        ]
        seen = [Ref("i" * 32, "%064d" % number, 2**31 - 1) for number in range(64)]
        seqs = tuple([("i" * 32, "group " + "%032d" % number, 2**31 - 1) for number in range(32)])
        count = self.alike(memory(), memory(5_000_100, rows=rows, seen=seen), ((), seqs))
        self.assertTrue(15 <= count <= 59, count)
        first, _ = state_changes.packed(state_changes.stored_of(memory(), ()), memory(rows=rows), seqs, (0, 1))
        self.assertEqual(json.loads(first)[3][0], "c")

    def test_every_latch_and_count_at_once_fits_one_value_of_the_journal(self):
        everything = range(len(faults.FAULTS))
        after = memory(
            active=tuple([Active(row, True, 5_900_000) for row in everything]),
            counts=tuple([(row, 99, 4_000_000) for row in everything if faults.FAULTS[row][5]]),
        )
        stored = state_changes.stored_of(memory(), ())
        while stored != state_changes.stored_of(after, ()):
            octets, stored = state_changes.packed(stored, after, (), (0, 1))
            self.assertTrue(len(octets) <= journal_record.MOST_VALUE_B, len(octets))

    def test_a_value_put_twice_changes_nothing_more(self):
        before, after = memory(), memory(5_000_500, rows=(claim(until_ms=5_100_000),), seen=(Ref("a", "b", 0),))
        octets, _ = state_changes.packed(state_changes.stored_of(before, ()), after, SEQS, (0, 1))
        fields = file_of(before)
        for _ in range(2):
            self.assertTrue(state_changed.with_value(fields, 1, octets))
            self.assertEqual(started(fields), started(file_of(after)))
        self.assertEqual(signed_seqs.rows_of(fields), SEQS)

    def test_a_box_without_any_file(self):
        after = memory(rows=(claim(until_ms=5_100_000),), wear=Wear(1, 0))
        fields, _ = told(state_changed.nothing(), memory(), after)
        self.assertEqual(started(fields), started(file_of(after)))

    def test_an_ended_claim_is_gone(self):
        before = memory(rows=(claim(), claim(source="owner")))
        self.assertEqual(started(told(file_of(before), before, memory())[0]).claims.rows, ())


class Times(unittest.TestCase):
    def aged(self, file_ms, value_ms, file_s=None, value_s=0):
        """Fields with the same claim at two moments, of which the file tells the first."""
        before = memory(file_ms, rows=(claim(from_ms=file_ms, until_ms=file_ms + 100_000),))
        fields = file_of(before, file_s)
        octets = ("[%d, %d, 1]" % (value_ms, value_s)).encode()
        self.assertTrue(state_changed.with_value(fields, 1, octets))
        return fields

    def test_the_same_start(self):
        fields = self.aged(5_000_000, 5_030_000, 1_000_000)
        self.assertEqual((fields["claims"][0][2:4], fields["wall_s"]), ([-30_000, 70_000], 1_000_030))
        self.assertEqual(self.aged(5_000_000, 5_030_000, 1_000_000, 1_000_500)["wall_s"], 1_000_500)
        self.assertEqual(self.aged(5_000_000, 5_030_000)["wall_s"], 0)

    def test_another_start(self):
        fields = self.aged(5_000_000, 3000, 1_000_000)
        self.assertEqual((fields["claims"][0][2:4], fields["wall_s"]), ([0, 100_000], 1_000_000))
        self.assertTrue(state_changed.with_value(fields, 1, b"[4000, 0, 1]"))
        self.assertEqual(fields["claims"][0][2:4], [-1000, 99_000])

    def test_a_file_of_an_older_firmware_has_no_moment(self):
        fields = file_of(memory(rows=(claim(until_ms=5_100_000),)))
        del fields["at_ms"]
        self.assertTrue(state_changed.with_value(fields, 1, b"[9000, 0, 1]"))
        self.assertEqual(fields["claims"][0][3], 100_000)


class Others(unittest.TestCase):
    def test_a_value_older_than_the_file_changes_nothing(self):
        fields = file_of(memory())
        before = json.dumps(fields)
        self.assertFalse(state_changed.with_value(fields, 2, b'[1, 0, 1, ["s", ["a", "b", 0]]]'))
        self.assertEqual(json.dumps(fields), before)
        self.assertTrue(state_changed.with_value(fields, 2, b'[1, 0, 2, ["s", ["a", "b", 0]]]'))

    def test_what_is_no_value(self):
        for octets in (
            b"",
            b"{}",
            b"7",
            b"\xff",
            b"[1, 2]",
            b'[1, 0, "1"]',
            b"[true, 0, 1]",
            b"[1, 0, 1, 3]",
            b'[1, 0, 1, ["c"]]',
            b'[1, 0, 1, ["c", 5]]',
            b'[1, 0, 1, ["?", []]]',
            b'[1, 0, 1, ["n", []]]',
            b"[1, 0, 1, [[], []]]",
        ):
            with self.assertRaises(ValueError):
                state_changed.with_value(file_of(memory()), 1, octets)
        for name in ("claims", "latches", "counts"):
            fields = file_of(memory())
            for rows in (5, [7], [[1]], None):
                fields[name] = rows
                with self.assertRaises(ValueError):
                    state_changed.with_value(fields, 1, b"[9000000, 0, 1]")
        fields = file_of(memory(rows=(claim(),)))
        fields["hot_for_ms"] = fields["claims"][0][2] = "x"
        self.assertTrue(state_changed.with_value(fields, 1, b"[9000000, 0, 1]"))
        self.assertEqual(fields["claims"][0][2], "x")


if __name__ == "__main__":
    unittest.main()
