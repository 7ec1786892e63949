"""What commands do: lowering is easy, raising only ends what the same issuer lowered, nothing happens twice."""

import unittest

from samples import REF, claim, command

from firmware.core import claims, commands, faults
from firmware.core.records import Active, Faults, Ref

CABLE = claims.standing("cable", 32000, Ref("board", "cable", 0))
FRAME = (2000, 16000)


def apply(one, rows=(CABLE,), seen=()):
    """(Claims, seen, [(code, args)]) after one command at 2 s."""
    now, seen, events = commands.applied(claims.summed(rows, 2000), seen, one, FRAME)
    return now, seen, [(event.code, event.args) for event in events]


def eight(**more):
    """As many grid claims as there may be, of the issuer of `command` or of the one in ref."""
    if "ref" in more:
        return tuple(claim(**more) for _ in range(8))
    return tuple(claim(ref=Ref("dso1", str(number), 0), **more) for number in range(8))


class WhoMay(unittest.TestCase):
    def test_table(self):
        for source, kinds in (
            ("grid", ("limit", "resume")),
            ("house", ("limit", "resume")),
            ("owner", ("limit", "resume", "charge_now", "opt_out", "clear_fault", "unlock")),
            ("nobody", ()),
        ):
            for kind in ("limit", "resume", "charge_now", "opt_out", "clear_fault", "unlock", "fly", "", "li"):
                self.assertEqual(commands.may_ask(source, kind), kind in kinds, (source, kind))

    def test_refused_changes_nothing(self):
        one = command(kind="charge_now")
        now, seen, events = apply(one, seen=(REF,))
        self.assertEqual((now.rows, seen), ((CABLE,), (REF,)))
        self.assertEqual(events, [("refused", (one, "not_allowed"))])


class Grid(unittest.TestCase):
    def test_pause(self):
        one = command(after_ms=7, rank="advice")
        now, seen, events = apply(one)
        self.assertEqual(now.rows, (CABLE, claim(after_ms=7, rank="advice")))
        self.assertEqual((now.limit_ma, seen, events), (0, (REF,), [("received", (one,))]))

    def test_the_same_twice_does_nothing_twice(self):
        one = command()
        now, seen, _ = apply(one)
        again, seen2, events = apply(one, now.rows, seen)
        self.assertEqual((again.rows, seen2), (now.rows, seen))
        self.assertEqual(events, [("duplicate", (one,))])

    def test_higher_revision_replaces(self):
        first = apply(command())
        new_ref = Ref("dso1", "peak", 1)
        now, seen, events = apply(command(ref=new_ref, limit_ma=8000), first[0].rows, first[1])
        self.assertEqual(now.rows, (CABLE, claim(ref=new_ref, limit_ma=8000)))
        self.assertEqual(seen, (REF, new_ref))
        self.assertEqual([code for code, _ in events], ["received", "grid"])
        self.assertEqual(events[1][1], (claim(), "superseded"))

    def test_lower_revision_is_replayed(self):
        one = command(ref=Ref("dso1", "peak", 1))
        now, seen, events = apply(one, seen=(Ref("dso1", "peak", 2),))
        self.assertEqual(now.rows, (CABLE,))
        self.assertEqual(events, [("replayed", (one,))])

    def test_same_revision_known_beside_a_higher_one_is_a_duplicate(self):
        _, _, events = apply(command(), seen=(Ref("dso1", "peak", 2), REF))
        self.assertEqual(events[0][0], "duplicate")

    def test_same_id_of_another_issuer_is_another_command(self):
        other = command(ref=Ref("dso2", "peak", 0))
        now, _, _ = apply(other, (CABLE, claim()), (REF,))
        self.assertEqual(len(now.rows), 3)

    def test_bounded(self):
        rows = tuple(claim(ref=Ref("g", str(index), 0)) for index in range(8))
        one = command()
        now, seen, events = apply(one, rows)
        self.assertEqual((now.rows, seen, events), (rows, (), [("refused", (one, "busy"))]))
        self.assertEqual(len(apply(one, rows[1:])[0].rows), 8)
        # A new revision takes the place of its old one and fits.
        newer = command(ref=Ref("g", "0", 1))
        self.assertEqual(len(apply(newer, rows)[0].rows), 8)

    def test_in_a_full_table_the_newest_pause_takes_the_place_of_one_that_it_covers(self):
        ends = (11_001, 11_000, 11_000, 9000, 9000, 9000, 9000, 9000)
        rows = tuple(claim(ref=Ref("dso1", str(end), end), until_ms=ends[end]) for end in range(8))
        now, seen, events = apply(command(), (CABLE,) + rows)
        self.assertEqual(now.rows, (CABLE, rows[0]) + rows[2:] + (claim(),))
        self.assertEqual([code for code, _ in events], ["received", "grid"])
        self.assertEqual((events[1][1], seen), ((rows[1], "superseded"), (REF,)))

    def test_what_it_does_not_cover_stays_and_a_full_table_is_busy(self):
        for change, new in (
            ({"ref": Ref("other", "x", 0)}, {}),
            ({"limit_ma": 7999}, {"limit_ma": 8000}),
            ({"from_ms": 999}, {}),
            ({"until_ms": 11_001}, {}),
            ({"until_ms": None}, {}),
            ({"rank": "mandatory"}, {}),
        ):
            rows = eight(**change)
            one = command(**new)
            now, _, events = apply(one, rows)
            self.assertEqual((now.rows, events), (rows, [("refused", (one, "busy"))]), change)
        for until_ms in (11_000, None):
            now, _, _ = apply(command(until_ms=until_ms), eight(limit_ma=8000, from_ms=1001, rank="advice"))
            self.assertEqual(len(now.rows), 8)
            self.assertEqual(now.rows[-1], claim(until_ms=until_ms))
        self.assertEqual(len(apply(command(until_ms=None), eight(until_ms=None))[0].rows), 8)
        self.assertEqual(apply(command(rank="mandatory"), eight(rank="mandatory"))[0].rows[-1].ref, REF)

    def test_last_64_are_remembered(self):
        seen = tuple(Ref("g", str(index), 0) for index in range(64))
        _, seen, _ = apply(command(), seen=seen)
        self.assertEqual(len(seen), 64)
        self.assertEqual((seen[0].id, seen[-1]), ("1", REF))


class Resume(unittest.TestCase):
    def test_ends_all_of_its_issuer_and_brings_load_back_slowly(self):
        rows = (CABLE, claim(), claim(ref=Ref("dso1", "b", 0)), claim(ref=Ref("dso2", "c", 0), limit_ma=20000))
        one = command(kind="resume", ref=Ref("dso1", "r", 0), until_ms=None, after_ms=60000)
        now, seen, events = apply(one, rows)
        self.assertEqual([row.source for row in now.rows], ["cable", "grid", "restart", "ramp"])
        self.assertEqual(now.rows[2].until_ms, 62000)
        self.assertEqual([code for code, _ in events], ["received", "grid", "grid", "grid"])
        self.assertEqual([args[1] for code, args in events if code == "grid"], ["done", "done", "done"])
        self.assertEqual(events[3][1][0].ref.id, "r")
        self.assertEqual(seen, (Ref("dso1", "r", 0),))

    def test_of_ends_only_that_one(self):
        rows = (claim(), claim(ref=Ref("dso1", "b", 0)))
        now, _, _ = apply(command(kind="resume", ref=Ref("dso1", "r", 0), of="b"), rows)
        self.assertEqual(now.rows[0], claim())

    def test_nothing_live_brings_no_ramp(self):
        now, _, _ = apply(command(kind="resume", ref=Ref("dso1", "r", 0)), (claim(from_ms=5000),))
        self.assertEqual(now.rows, ())
        now, _, _ = apply(command(kind="resume", ref=Ref("dso1", "r", 0)), (claim(from_ms=2000),))
        self.assertEqual(now.rows[0].source, "ramp")

    def test_never_lifts_what_others_set(self):
        rows = (claim(source="owner"), claim(source="house"), claim(ref=Ref("dso2", "c", 0)))
        now, _, _ = apply(command(kind="resume", ref=Ref("dso1", "r", 0)), rows)
        self.assertEqual(now.rows, rows)


class OwnerAndHouse(unittest.TestCase):
    def test_owner_pause_and_resume(self):
        one = command(source="owner")
        now, _, events = apply(one)
        self.assertEqual(now.rows, (CABLE, claim(source="owner")))
        self.assertEqual(events, [("command", (one,))])
        now, _, _ = apply(command(source="owner", kind="resume"), (CABLE, claim(source="owner"), claim()))
        self.assertEqual(now.rows, (CABLE, claim()))

    def test_house_resume_of_one_name(self):
        rows = (claim(source="house", ref=Ref("house", "enable", 0)), claim(source="house", ref=Ref("house", "max", 0)))
        now, _, _ = apply(command(source="house", kind="resume", of="enable"), rows)
        self.assertEqual(now.rows, rows[1:])

    def test_a_full_table_is_busy(self):
        rows = tuple(claim(source="x", ref=Ref("x", str(index), 0)) for index in range(24))
        one = command(source="owner")
        now, _, events = apply(one, rows)
        self.assertEqual((now.rows, events), (rows, [("refused", (one, "busy"))]))
        self.assertEqual(len(apply(one, rows[1:])[0].rows), 24)

    def test_charge_now_ends_own_limits_waits_and_optional_events(self):
        kept = (CABLE, claim(rank="mandatory"), claim(rank="emergency"), claim(source="house"))
        gone = (claim(source="owner"), claim(source="restart"), claim(source="ramp"), claim(), claim(rank="advice"))
        gone += (claim(source="power_return"), claim(source="mains"), claim(source="damping"))
        now, _, events = apply(command(source="owner", kind="charge_now"), kept + gone)
        self.assertEqual(now.rows, kept)
        self.assertEqual([code for code, _ in events], ["grid", "grid", "charge_now"])
        self.assertEqual(events[0][1], (claim(), "opted_out"))

    def test_charge_now_leaves_coming_events(self):
        coming = claim(from_ms=9000)
        self.assertEqual(apply(command(source="owner", kind="charge_now"), (coming,))[0].rows, (coming,))

    def test_opt_out_by_id_before_or_during(self):
        rows = (claim(from_ms=9000), claim(ref=Ref("dso1", "b", 0)), CABLE)
        now, _, events = apply(command(source="owner", kind="opt_out", of="peak"), rows)
        self.assertEqual(now.rows, rows[1:])
        self.assertEqual(events[0][1][1], "opted_out")
        now, _, _ = apply(command(source="owner", kind="opt_out"), rows)
        self.assertEqual(now.rows, (rows[0], CABLE))

    def test_mandatory_cannot_be_opted_out(self):
        rows = (claim(rank="mandatory"), claim(rank="emergency"))
        self.assertEqual(apply(command(source="owner", kind="opt_out", of="peak"), rows)[0].rows, rows)

    def test_unlock_touches_no_claims(self):
        now, seen, events = apply(command(source="owner", kind="unlock"), (CABLE, claim()), (REF,))
        self.assertEqual((now.rows, seen, events), ((CABLE, claim()), (REF,), [("unlock", ())]))

    def test_clear_fault_touches_no_claims(self):
        one = command(source="owner", kind="clear_fault")
        self.assertEqual(apply(one, (CABLE,))[2], [("command", (one,))])


class ClearFaults(unittest.TestCase):
    def test_only_the_owner(self):
        bad = Faults((), (Active(faults.X1, True, 5),), ((faults.X1, 3, 4), (faults.S8, 1, 2)), "locked")
        for source, is_cleared in (("owner", True), ("grid", False), ("house", False)):
            after, events = commands.faults_applied(bad, command(source=source, kind="clear_fault"))
            self.assertEqual(after.reaction, "" if is_cleared else "locked")
            self.assertEqual(len(events), 1 if is_cleared else 0)
            self.assertEqual(after.counts, bad.counts[1:] if is_cleared else bad.counts)
        after, events = commands.faults_applied(bad, command(source="owner"))
        self.assertIs(after, bad)
        self.assertEqual(events, ())
