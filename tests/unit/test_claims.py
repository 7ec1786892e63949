"""Who limits the current: the lowest live claim, its end, and what follows the end."""

import unittest

from samples import REF, claim

from firmware.core import claims
from firmware.core.records import Claim, Ref

CABLE = claims.standing("cable", 32000, Ref("board", "cable", 0))


class Lowest(unittest.TestCase):
    def test_standing(self):
        self.assertEqual(CABLE, Claim("cable", 32000, 0, None, Ref("board", "cable", 0), "", 0, "", 0))

    def test_nobody(self):
        now = claims.first_claims((), 0)
        self.assertEqual((now.limit_ma, now.holder, now.next_ms), (80000, None, claims.FOREVER_MS))

    def test_lowest_live_one_holds(self):
        pause = claim()
        for now_ms, limit_ma, holder, next_ms in (
            (999, 32000, CABLE, 1000),
            (1000, 0, pause, 11000),
            (10999, 0, pause, 11000),
        ):
            now = claims.summed((CABLE, pause), now_ms)
            self.assertEqual((now.limit_ma, now.holder, now.next_ms), (limit_ma, holder, next_ms))

    def test_first_of_equals_holds(self):
        one, two = claim(limit_ma=6000), claim(limit_ma=6000, ref=Ref("x", "y", 1))
        self.assertIs(claims.summed((one, two), 2000).holder, one)

    def test_earliest_end_comes_next(self):
        now = claims.summed((claim(until_ms=9000), claim(until_ms=8000), claim(from_ms=7000)), 2000)
        self.assertEqual(now.next_ms, 7000)
        self.assertEqual(claims.summed((claim(until_ms=9000), claim(until_ms=8000)), 2000).next_ms, 8000)

    def test_is_live(self):
        self.assertFalse(claims.is_live(claim(), 999))
        self.assertTrue(claims.is_live(claim(), 1000))
        self.assertTrue(claims.is_live(claim(), 10999))
        self.assertFalse(claims.is_live(claim(), 11000))
        self.assertTrue(claims.is_live(CABLE, 1 << 40))

    def test_ramp_rises_a_step_each_five_seconds(self):
        ramp = claim(source="ramp", limit_ma=6000, ramp_ma=1000, until_ms=61000)
        self.assertEqual(claims.limit_of(ramp, 1000), 6000)
        self.assertEqual(claims.limit_of(ramp, 5999), 6000)
        self.assertEqual(claims.limit_of(ramp, 6000), 7000)
        self.assertEqual(claims.summed((ramp,), 1000).next_ms, 6000)
        self.assertEqual(claims.summed((ramp,), 6000).next_ms, 11000)
        self.assertEqual(claims.summed((ramp,), 60000).next_ms, 61000)
        late = claim(source="ramp", limit_ma=6000, ramp_ma=1000, from_ms=801_000, until_ms=861_000)
        self.assertEqual(claims.summed((late,), 806_000).next_ms, 811_000)


class Ends(unittest.TestCase):
    def test_nothing_ended(self):
        now, events = claims.settled(claims.summed((CABLE, claim()), 2000), 10999, 16000)
        self.assertEqual(now.rows, (CABLE, claim()))
        self.assertEqual(events, ())

    def test_a_pause_ends_by_itself_and_a_ramp_follows(self):
        now, events = claims.settled(claims.summed((CABLE, claim()), 2000), 11000, 16000)
        self.assertEqual([event.args for event in events], [(claim(), "done")])
        self.assertEqual(events[0].code, "grid")
        self.assertEqual(now.rows, (CABLE, Claim("ramp", 6000, 11000, 71000, REF, "", 0, "", 834)))
        self.assertEqual(now.limit_ma, 6000)

    def test_a_hold_comes_before_the_ramp(self):
        now, _ = claims.settled(claims.summed((claim(after_ms=300000),), 2000), 11023, 16000)
        self.assertEqual(now.rows[0], Claim("restart", 0, 11000, 311000, REF, "", 0, "", 0))
        self.assertEqual(now.rows[1].from_ms, 311000)
        self.assertEqual(now.limit_ma, 0)

    def test_no_ramp_where_six_amperes_is_all(self):
        now, _ = claims.settled(claims.summed((claim(),), 2000), 11000, 6000)
        self.assertEqual(now.rows, ())
        self.assertEqual(claims.with_return((), claim(), 0, 6001)[0].ramp_ma, 1)

    def test_a_new_ramp_replaces_an_old_one(self):
        old = claim(source="ramp", limit_ma=6000, ramp_ma=1000, until_ms=61000)
        now, _ = claims.settled(claims.summed((old, claim()), 2000), 11000, 16000)
        self.assertEqual([row.from_ms for row in now.rows if row.source == "ramp"], [11000])

    def test_what_follows_may_be_over_already(self):
        now, _ = claims.settled(claims.summed((claim(),), 2000), 71000, 16000)
        self.assertEqual(now.rows, ())
        now, _ = claims.settled(claims.summed((claim(),), 2000), 70999, 16000)
        self.assertEqual(len(now.rows), 1)

    def test_others_end_in_silence(self):
        now, events = claims.settled(claims.summed((claim(source="owner"),), 2000), 11000, 16000)
        self.assertEqual((now.rows, events), ((), ()))

    def test_the_ramp_reaches_the_full_current(self):
        ramp = claims.with_return((), claim(), 0, 16000)[0]
        self.assertGreaterEqual(claims.limit_of(ramp, 60000), 16000)
        self.assertLess(claims.limit_of(ramp, 54999), 16000)


class Changes(unittest.TestCase):
    def test_replaced_by_source_and_ref(self):
        rows = (claim(source="owner"), claim(source="house"), claim(source="owner", ref=Ref("a", "b", 0)))
        new = claim(source="owner", limit_ma=8000)
        self.assertEqual(claims.replaced(rows, new), rows[1:] + (new,))

    def test_unplug_drops_the_cars_and_the_houses(self):
        rows = (CABLE, claim(source="car"), claim(source="house"), claim(source="damping"), claim())
        self.assertEqual(claims.after_unplug(claims.summed(rows, 2000), 2000).rows, (CABLE, claim()))
        same = claims.summed((CABLE,), 0)
        self.assertIs(claims.after_unplug(same, 5), same)

    def test_what_the_box_itself_limits(self):
        heat, lock = Ref("board", "heat", 0), Ref("board", "lock", 0)
        own = (("heat", heat), ("lock", lock))
        now = claims.summed((CABLE,), 2000)
        both = claims.with_own(now, own, (8000, 0), 2000)
        self.assertEqual(both.rows, (CABLE, claims.standing("heat", 8000, heat), claims.standing("lock", 0, lock)))
        self.assertEqual((both.limit_ma, both.holder.source), (0, "lock"))
        other = claims.with_own(both, own, (9000, None), 2000)
        self.assertEqual(other.rows, (CABLE, claims.standing("heat", 9000, heat)))
        self.assertEqual(claims.with_own(other, own, (None, None), 2000), now)

    def test_without_one_source(self):
        rows = (CABLE, claim(source="mains"), claim(), claim(source="mains", ref=Ref("a", "b", 0)))
        now = claims.summed(rows, 2000)
        self.assertEqual(claims.without_source(now, "mains", 2000), claims.summed((CABLE, claim()), 2000))
        self.assertIs(claims.without_source(now, "ramp", 2000), now)

    def test_marked_applied_once(self):
        now = claims.summed((CABLE, claim()), 2000)
        self.assertTrue(claims.has_unapplied(now, 2000))
        same, events = claims.marked_applied(now, 2000, lambda limit_ma: False)
        self.assertIs(same, now)
        self.assertEqual(events, ())
        after, events = claims.marked_applied(now, 2000, lambda limit_ma: limit_ma == 0)
        self.assertEqual(events[0].args, (claim(stage="applied"), "applied"))
        self.assertEqual(after.rows, (CABLE, claim(stage="applied")))
        self.assertFalse(claims.has_unapplied(after, 2000))

    def test_not_yet_begun_is_not_applied(self):
        now = claims.summed((claim(from_ms=5000),), 2000)
        self.assertFalse(claims.has_unapplied(now, 4999))
        self.assertTrue(claims.has_unapplied(now, 5000))
        self.assertEqual(claims.marked_applied(now, 2000, lambda limit_ma: True)[1], ())

    def test_only_grid_claims_are_reported(self):
        now = claims.summed((claim(source="owner"),), 2000)
        self.assertEqual(claims.marked_applied(now, 2000, lambda limit_ma: True)[1], ())
