"""The inbox: bounded for each side, the newest pause always gets in, and nothing is lost without a word."""

import unittest

from samples import command

from firmware.services.inbox import MOST_OF_NETWORK, MOST_OF_OWNER, Inbox


def of(source, limit_ma, kind="limit"):
    return command(source=source, kind=kind, limit_ma=limit_ma)


class Bounds(unittest.TestCase):
    def filled(self, *first):
        """An inbox full of the grid's raises, with `first` before them."""
        box = Inbox()
        for one in first + tuple(of("grid", 16_000 + n) for n in range(MOST_OF_NETWORK - len(first))):
            self.assertIsNone(box.put(one))
        return box

    def test_oldest_first_and_empty_after(self):
        box = Inbox()
        rows = (of("grid", 1), of("owner", 2), of("house", 3))
        for row in rows:
            self.assertIsNone(box.put(row))
        self.assertEqual(box.take(), rows)
        self.assertEqual(box.take(), ())

    def test_full_is_busy(self):
        box = self.filled()
        for one in (of("grid", 20_000), of("house", 6000), of("grid", 0, "resume")):
            self.assertIs(box.put(one), one)
        self.assertEqual(len(box.take()), MOST_OF_NETWORK)
        self.assertIsNone(box.put(one))

    def test_a_pause_takes_the_place_of_the_oldest_that_is_none(self):
        earlier = of("house", 0)
        box = self.filled(earlier)
        pause = of("grid", 5999)
        self.assertEqual(box.put(pause).limit_ma, 16_000)
        taken = box.take()
        self.assertEqual((taken[0], taken[-1], len(taken)), (earlier, pause, MOST_OF_NETWORK))
        self.assertEqual(taken[1].limit_ma, 16_001)

    def test_the_newest_pause_wins(self):
        box = Inbox()
        pauses = [of("grid", n) for n in range(MOST_OF_NETWORK + 3)]
        handed_back = [box.put(one) for one in pauses]
        self.assertEqual(handed_back, [None] * MOST_OF_NETWORK + pauses[:3])
        self.assertEqual(box.take(), tuple(pauses[3:]))

    def test_neither_side_takes_the_others_room(self):
        box = self.filled()
        owners = [of("owner", 16_000) for _ in range(MOST_OF_OWNER)]
        self.assertEqual([box.put(one) for one in owners], [None] * MOST_OF_OWNER)
        last = of("owner", 16_000)
        self.assertIs(box.put(last), last)
        # A pause of the owner's gives way to nobody else's, and takes the place of the owner's own.
        pause = of("owner", 0)
        self.assertIs(box.put(pause), owners[0])
        for _ in range(50):
            self.assertEqual(box.put(of("grid", 0)).source, "grid")
        taken = box.take()
        self.assertEqual(len([one for one in taken if one.source == "owner"]), MOST_OF_OWNER)
        self.assertEqual(len(taken), MOST_OF_OWNER + MOST_OF_NETWORK)
