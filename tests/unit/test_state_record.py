"""What outlives a restart: claims with the time they had left, ids, latches, counts; and what may not."""

import json
import unittest

from samples import Box, claim, command

from firmware.core import claims, commands, decide, faults
from firmware.core.records import Active, Command, Faults, Memory, Ref, Wear
from firmware.wire import grid_contract, sealed_text, signed_seqs, state_record, state_restored

BOARD = Ref("board", "cable", 0)
NOW_MS = 5_000_000
SEQS = tuple([("i" * 32, "group " + "%032d" % number, 2**31 - 1 - number) for number in range(32)])


def memory(rows=(), active=(), counts=(), seen=(), hot_at_ms=()):
    """Memory of one moment with these parts."""
    first = decide.first_memory(NOW_MS, (claims.standing("cable", 32000, BOARD),) + tuple(rows), (0, 0))
    found = Faults((), active, counts, faults.strongest(active))
    here = decide.place.with_part(first.local, decide.place.HOT_AT, hot_at_ms)
    here = decide.place.with_part(here, decide.place.BLIND, 1)
    parts = (first.pilot, first.stage, first.claims, found, first.offer, first.energy, Wear(321, 7), first.outputs)
    return Memory(NOW_MS, *parts, tuple(seen), here)


def saved(before, wall_s=None):
    """Fields of the file for this Memory, as the next start reads them."""
    text = "".join(state_record.parts(before, wall_s, SEQS))
    return sealed_text.unsealed(sealed_text.sealed(text, state_record.VERSION, 1))[2]


def started(before, is_power_return=False, at_ms=20):
    """Memory of the next start."""
    rows = (claims.standing("cable", 32000, BOARD),)
    return state_restored.with_saved(decide.first_memory(at_ms, rows, (0, 0)), saved(before), is_power_return)


class Claims(unittest.TestCase):
    def test_each_gets_the_time_it_had_left(self):
        live = claim(from_ms=NOW_MS - 1000, until_ms=NOW_MS + 9000, after_ms=77, stage="applied", rank="emergency")
        coming = claim(ref=Ref("dso", "b", 3), from_ms=NOW_MS + 60_000, until_ms=NOW_MS + 120_000, limit_ma=8000)
        ramp = claim(source="ramp", limit_ma=6000, from_ms=NOW_MS - 5000, until_ms=NOW_MS + 55_000, ramp_ma=833)
        owner = claim(source="owner", from_ms=NOW_MS, until_ms=None)
        made = started(memory((live, coming, ramp, owner)))
        self.assertEqual(made.claims.rows[0], claims.standing("cable", 32000, BOARD))
        rows = made.claims.rows[1:]
        self.assertEqual(rows[0], claim(from_ms=-980, until_ms=9020, after_ms=77, stage="applied", rank="emergency"))
        self.assertEqual((rows[1].from_ms, rows[1].until_ms, rows[1].ref), (60_020, 120_020, Ref("dso", "b", 3)))
        self.assertEqual((rows[2].from_ms, rows[2].until_ms, rows[2].ramp_ma), (-4980, 55_020, 833))
        self.assertEqual((rows[3].source, rows[3].until_ms), ("owner", None))
        self.assertEqual((made.claims.limit_ma, made.claims.holder), (0, rows[0]))

    def test_what_the_box_finds_anew_is_not_kept(self):
        rows = [
            claim(source=name)
            for name in ("power_return", "mains", "heat", "cable", "lock", "sensor", "car", "damping")
        ]
        self.assertEqual(len(started(memory(rows)).claims.rows), 1)

    def test_a_command_after_the_restart_is_a_duplicate(self):
        box = Box()
        box.run(1000)
        box.tick((command(from_ms=box.memory.now_ms, until_ms=box.memory.now_ms + 60_000),))
        after = Box()
        after.memory = state_restored.with_saved(after.memory, saved(box.memory), False)
        after.tick((command(from_ms=0, until_ms=90_000),))
        self.assertEqual(after.codes()[-1:], ["duplicate"])
        self.assertEqual([row.until_ms for row in after.memory.claims.rows if row.source == "grid"], [60_000 - 23])

    def test_it_ends_by_itself_and_load_returns_as_it_was_told(self):
        live = claim(from_ms=NOW_MS, until_ms=NOW_MS + 2000, after_ms=30_000)
        box = Box()
        box.memory = state_restored.with_saved(box.memory, saved(memory((live,))), False)
        box.run(1500)
        self.assertEqual(box.memory.claims.holder.source, "grid")
        box.run(1000)
        self.assertEqual(box.memory.claims.holder.source, "restart")

    def test_the_clock_cuts_it_to_its_wall_clock_end(self):
        live = claim(from_ms=-980, until_ms=9020)
        other = claim(from_ms=0, until_ms=9021)
        asked = Command("elapsed", "clock", 0, 0, 9020, live.ref, "", 4000, None, "")
        made, _, events = commands.applied(claims.first_claims((live, other), 20), (), asked, (20, 16000))
        self.assertEqual(made.rows, (claim(from_ms=-4980, until_ms=5020), other))
        self.assertEqual((events, made.next_ms), ((), 5020))
        for source in ("grid", "house", "owner"):
            wrong = Command("elapsed", source, 0, 0, 9020, live.ref, "", 4000, None, "")
            made, _, events = commands.applied(claims.first_claims((live,), 20), (), wrong, (20, 16000))
            self.assertEqual((made.rows, events[0].code), ((live,), "refused"))


class Latches(unittest.TestCase):
    ACTIVE = (
        Active(faults.S14, True, 0),
        Active(faults.K1, True, 0),
        Active(faults.S18, True, 0),
        Active(faults.S3, False, NOW_MS + 30_000),
        Active(faults.S14R, False, NOW_MS + 800_000),
    )

    def ids(self, made):
        return [faults.FAULTS[fault.row][0] for fault in made.faults.active]

    def test_a_restart_clears_none(self):
        made = started(memory(active=self.ACTIVE))
        self.assertEqual(self.ids(made), ["S14", "K1", "S18", "S14r"])
        self.assertEqual(made.faults.reaction, "locked")
        self.assertEqual(made.faults.active[3], Active(faults.S14R, False, 800_020))

    def test_a_power_return_clears_the_permanent_ones_alone(self):
        self.assertEqual(self.ids(started(memory(active=self.ACTIVE), True)), ["S14", "S18", "S14r"])

    def test_a_latched_leakage_trip_keeps_the_contactor_open(self):
        box = Box()
        box.memory = state_restored.with_saved(box.memory, saved(memory(active=self.ACTIVE[:1])), True)
        box.high_mv = 9000
        box.run(3000)
        box.high_mv = 6000
        box.run(10_000)
        self.assertEqual((box.state(), box.memory.outputs.is_contactor_closed), ("faulted", False))
        box.high_mv = 12_000  # unplugged: a hard fault ends
        box.run(2000)
        self.assertEqual(box.faults(), [])

    def test_counts_keep_their_age(self):
        counts = ((faults.S16, 3, NOW_MS - 7000), (faults.X1, 2, NOW_MS - 500_000))
        made = started(memory(counts=counts))
        self.assertEqual(made.faults.counts, ((faults.S16, 3, -6980), (faults.X1, 2, -499_980)))

    def test_wear_and_what_was_seen(self):
        made = started(memory(hot_at_ms=(NOW_MS - 10, NOW_MS - 5)))
        self.assertEqual((made.wear, made.local.hot_at_ms, made.local.blind), (Wear(321, 7), (10, 15), 1))


class File(unittest.TestCase):
    SEEN = tuple(Ref("i" * 32, "%064d" % number, number) for number in range(64))

    def test_sixty_four_ids(self):
        for count in (0, 1, 15, 16, 17, 64):
            self.assertEqual(started(memory(seen=self.SEEN[:count])).seen, self.SEEN[:count])
        pieces = list(state_record.parts(memory(seen=self.SEEN), None, ()))
        self.assertTrue(max([len(piece) for piece in pieces]) < 2200, "each piece is short")

    def test_the_numbers_of_signed_commands(self):
        self.assertEqual(len(SEQS), signed_seqs.MOST_ROWS)
        self.assertEqual(signed_seqs.rows_of(saved(memory())), SEQS)

    def test_the_longest_file_fits(self):
        from firmware.services import state_files

        rows = [claim(ref=self.SEEN[0], from_ms=1 << 40, until_ms=1 << 40) for _ in range(24)]
        text = "".join(state_record.parts(memory(rows, seen=self.SEEN), 1 << 31, SEQS))
        self.assertTrue(len(text) + 100 < state_files.MOST_BYTES, len(text))

    def test_an_unknown_fault_of_another_firmware_is_left_out(self):
        fields = saved(memory(active=Latches.ACTIVE[:1], counts=((faults.S16, 1, 0),)))
        fields["latches"].append(["Z9", True, 0])
        fields["counts"].append(["Z9", 1, 0])
        made = state_restored.with_saved(decide.first_memory(0, (), (0, 0)), fields, False)
        self.assertEqual((len(made.faults.active), len(made.faults.counts)), (1, 1))

    def test_what_is_no_state_is_refused(self):
        good = saved(memory((claim(from_ms=NOW_MS, until_ms=NOW_MS + 5),), Latches.ACTIVE, seen=self.SEEN[:2]))
        for key in ("claims", "latches", "counts", "seen", "wear", "hot_for_ms"):
            for wrong in (None, 5, "x", {}, [True], [[]], [[1, 2]], [None], ["abc"], [[[], [], []]]):
                fields = json.loads(json.dumps(good))
                fields[key] = wrong
                with self.assertRaises(ValueError):
                    state_restored.with_saved(decide.first_memory(0, (), (0, 0)), fields, False)
        fields = json.loads(json.dumps(good))
        fields["claims"][0][0] = "cable"
        with self.assertRaises(ValueError):
            state_restored.with_saved(decide.first_memory(0, (), (0, 0)), fields, False)

    def test_bare_words_go_on_behind_those_seen(self):
        seen = [Ref("grid", name, 0) for name in ("word-3", "word-12", "word-x", "word-", "peak", "word-9999999999")]
        self.assertEqual(grid_contract.last_word(tuple(seen)), 12)
        self.assertEqual(grid_contract.last_word(()), 0)


if __name__ == "__main__":
    unittest.main()
