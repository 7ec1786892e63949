"""The journal on an area in memory: what was put is found, sectors are erased in time, and a failing area is told."""

import asyncio
import unittest

from ram_area import RamArea

from firmware.services import journal
from firmware.services.journal import Journal
from firmware.services.storage import Storage
from firmware.wire.journal_record import ENERGY, SLOT_B, SLOTS, STATE

SECTORS = 6
LONG = bytes(range(50))


def quiet(made, may_erase=True):
    """Step until nothing more is to be done; how many operations that took."""
    count = 0
    while made.step(may_erase):
        count += 1
        assert count < 5000
    return count


def ready(sectors=SECTORS):
    """(area, journal with all erased that can be)."""
    area = RamArea(sectors)
    made = Journal(area)
    quiet(made)
    return area, made


def found(area):
    """Values that a start finds."""
    return list(Journal(area).values())


def area_marks(area):
    """Places that the marks of a new ring took: one for each sector that was erased behind the first."""
    return area.sectors - 1


def filled(made, may_erase=False):
    """Put and store numbers until there is no place; how many."""
    count = 0
    while made.put(ENERGY, b"%d" % count):
        count += 1
        quiet(made, may_erase)
    return count


class Told:
    """An App with a journal, which keeps what its page shows."""

    def __init__(self, made):
        self.journal = made
        self.noticed = []
        self.ledger = self.state = self.store = self.last_time = self
        self.is_ahead = False

    def notice(self, name, code):
        self.noticed.append(code)

    def plugged(self, letter):
        """The control loop with a car of this letter, or none, and the claims that were asked for."""
        self.loop = self.memory = self.pilot = self.claims = self.phrases = self
        self.letter, self.rows, self.asked = letter, (), []

    def submit(self, command):
        self.asked.append(command.kind)
        self.rows = (command,) if command.kind == "limit" else ()

    def tell(self, name, words):
        pass

    def phrase(self, code):
        return (code,)


class Shown(unittest.TestCase):
    def test_a_journal_that_takes_nothing_any_more_is_shown(self):
        area, made = ready()
        app = Told(made)
        looks = Storage(app)
        looks.step(1000)
        self.assertEqual(app.noticed, [])
        area.fails = 1 << 20
        made.put(ENERGY, b"a")
        quiet(made)
        looks.step(2000)
        self.assertEqual(app.noticed, ["stored.fails"])


class Room(unittest.TestCase):
    def test_no_car_gets_current_before_there_is_room_for_what_it_is_given(self):
        made = Journal(RamArea(SECTORS))
        app = Told(made)
        looks = Storage(app)
        app.plugged("A")
        looks.step(1000)
        self.assertEqual(app.asked, [])
        app.letter = "C"
        looks.step(1500)
        looks.step(2000)
        self.assertEqual(app.asked, ["limit"])  # with the coil off, and before it could close
        app.rows = ()  # a short pause for something else is over
        looks.step(2500)
        self.assertEqual(app.asked, ["limit", "limit"])
        quiet(made)
        looks.step(3000)
        self.assertEqual(app.asked, ["limit", "limit", "resume"])


class Ring(unittest.TestCase):
    def test_without_an_area_nothing_is_kept(self):
        made = Journal(None)
        self.assertFalse(made.put(ENERGY, b"a") or made.step(True) or made.checkpoint() or made.is_nearly_full())
        self.assertEqual((list(made.values()), made.is_stored(), made.places()), ([], True, 0))

    def test_a_new_ring_is_erased_first_and_with_the_coil_off_alone(self):
        area = RamArea(SECTORS)
        made = Journal(area)
        self.assertTrue(made.is_nearly_full())
        self.assertFalse(made.put(ENERGY, b"a") or made.step(False))
        quiet(made)
        self.assertEqual(area.erases, list(range(SECTORS)))
        self.assertFalse(made.is_nearly_full())

    def test_a_new_ring_begins_with_a_few_and_the_others_follow(self):
        sectors = journal.NEW_AHEAD + 20
        area = RamArea(sectors)
        made = Journal(area)
        while made.is_nearly_full():
            self.assertTrue(made.step(True))
        self.assertEqual(len(area.erases), journal.NEW_AHEAD + 1)
        count = 0
        while not made.is_nearly_full():  # the coil was never off since
            self.assertTrue(made.put(ENERGY, b"%d" % count))
            count += 1
            quiet(made, False)
        self.assertEqual(len(area.erases), journal.NEW_AHEAD + 1)
        self.assertTrue(count > (journal.NEW_AHEAD - journal.KEPT_AHEAD) * journal.USABLE - 4 * journal.NEW_AHEAD)
        self.assertTrue(made.put(ENERGY, b"last"))  # the reserve
        while made.is_nearly_full():  # from here on it is as full as any other
            self.assertTrue(made.step(True))
        self.assertEqual(len(area.erases), sectors)
        self.assertEqual(len(found(area)), count + 1)

    def test_a_new_ring_whose_coil_is_off_has_all_of_its_places(self):
        area, made = ready(journal.NEW_AHEAD + 20)
        self.assertEqual(area.erases, list(range(journal.NEW_AHEAD + 20)))
        self.assertEqual(
            made.places(), (journal.NEW_AHEAD + 20) * journal.USABLE - area_marks(area) - journal.KEPT_PLACES
        )

    def test_what_was_put_is_found(self):
        area, made = ready()
        self.assertTrue(made.put(ENERGY, b"a") and made.put(STATE, LONG) and made.put(ENERGY, b""))
        self.assertFalse(made.is_stored())
        self.assertEqual(quiet(made, False), 5)
        self.assertTrue(made.is_stored())
        for _ in range(3):
            self.assertEqual(found(area), [(ENERGY, b"a"), (STATE, LONG), (ENERGY, b"")])

    def test_what_was_put_since_the_start_is_told_as_well(self):
        area, made = ready()
        made.put(ENERGY, b"a")
        quiet(made)
        made = Journal(area)
        made.put(STATE, LONG)
        quiet(made)
        self.assertEqual(list(made.values()), [(ENERGY, b"a"), (STATE, LONG)])
        rest = made.values()
        next(rest)
        made.put(ENERGY, b"b")
        quiet(made)
        self.assertEqual(list(rest), [(STATE, LONG)])
        made.checkpoint()
        quiet(made)
        self.assertEqual(list(made.values()), [])

    def test_one_slot_in_a_step(self):
        area, made = ready()
        made.put(STATE, LONG)
        for count in range(1, 4):
            before = len(area.programs)
            self.assertTrue(made.step(True))
            self.assertEqual((len(area.programs) - before, made.is_stored()), (1, count == 3))

    def test_a_value_that_was_cut_is_not_there(self):
        area, made = ready()
        made.put(ENERGY, b"a")
        made.put(STATE, LONG)
        for _ in range(3):
            made.step(False)
        made = Journal(area)
        self.assertEqual(list(made.values()), [(ENERGY, b"a")])
        made.put(ENERGY, b"b")
        quiet(made)
        self.assertEqual(found(area), [(ENERGY, b"a"), (ENERGY, b"b")])

    def test_over_the_end_of_a_sector(self):
        area, made = ready()
        for number in range(3 * SLOTS):
            self.assertTrue(made.put(ENERGY, b"%d" % number))
            quiet(made, False)
        self.assertEqual([int(value) for _, value in found(area)], list(range(3 * SLOTS)))

    def test_the_queue_is_bounded(self):
        _, made = ready()
        count = 0
        while made.put(STATE, LONG):
            count += 1
        self.assertEqual(count, journal.MOST_QUEUED // 3)

    def test_a_checkpoint_frees_what_was_before(self):
        area, made = ready()
        made.put(ENERGY, b"a")
        self.assertFalse(made.checkpoint())
        quiet(made)
        self.assertTrue(made.checkpoint())
        self.assertFalse(made.is_stored())
        quiet(made)
        self.assertEqual(found(area), [])
        made = Journal(area)
        made.put(ENERGY, b"b")
        quiet(made)
        self.assertEqual(found(area), [(ENERGY, b"b")])

    def test_it_goes_round_and_nothing_is_erased_while_charging(self):
        area, made = ready()
        number = 0
        for _ in range(12):
            erased = len(area.erases)
            while not made.is_nearly_full():
                self.assertTrue(made.put(ENERGY, b"%d" % number))
                number += 1
                quiet(made, False)
            self.assertEqual(len(area.erases), erased)
            self.assertTrue(made.put(ENERGY, b"last"))  # the reserve
            quiet(made)
            self.assertTrue(made.is_nearly_full())
            self.assertEqual(found(area)[-1], (ENERGY, b"last"))
            made = Journal(area)
            made.checkpoint()
            quiet(made)
            self.assertFalse(made.is_nearly_full())

    def test_a_full_ring_takes_nothing_more_and_goes_on_after_a_checkpoint(self):
        area, made = ready()
        count = filled(made)
        self.assertTrue(count > (SECTORS - 1) * journal.USABLE)
        self.assertFalse(made.step(True))
        self.assertEqual(len(found(area)), count)
        made = Journal(area)
        for _ in range(20):  # starts take the last places as well
            made = Journal(area)
        self.assertEqual(len(list(made.values())), count)
        made._at = SLOTS  # and the last of all
        self.assertTrue(made.checkpoint())
        self.assertFalse(made.step(False))
        quiet(made)
        self.assertTrue(made.is_stored())
        self.assertEqual(found(area), [])
        self.assertTrue(filled(Journal(area)) > 3 * journal.USABLE)

    def test_starts_alone_fill_the_ring_and_it_goes_on(self):
        area, made = ready()
        made.put(ENERGY, b"a")
        quiet(made)
        for _ in range(SECTORS * SLOTS):
            self.assertEqual(found(area), [(ENERGY, b"a")])
        made = Journal(area)
        made.checkpoint()
        quiet(made)
        self.assertTrue(made.put(ENERGY, b"b"))
        quiet(made)
        self.assertEqual(found(area), [(ENERGY, b"b")])

    def test_a_start_in_an_open_sector_without_a_value(self):
        area, made = ready()
        while made._at < SLOTS:
            made.put(ENERGY, b"%d" % made._at)
            made.step(False)
        self.assertEqual(made._seq, len(found(area)) + SECTORS - 1)
        made = Journal(area)  # it opened the next sector, and says the last again there
        count = len(list(made.values()))
        at = made._at
        area.octets[made._open * 4096 + (at - 1) * SLOT_B] = 0  # as if it was cut in there
        self.assertEqual(len(found(area)), count)


class Trouble(unittest.TestCase):
    def test_a_place_that_reads_otherwise_is_passed_over(self):
        area, made = ready()
        area.spoils = 3
        made.put(ENERGY, b"a")
        self.assertEqual(quiet(made), 4)
        self.assertEqual(found(area), [(ENERGY, b"a")])

    def test_an_area_that_takes_nothing_is_told(self):
        area, made = ready()
        area.fails = 10**6
        made.put(ENERGY, b"a")
        for _ in range(journal.MOST_TRIES):
            made.step(True)
        self.assertEqual((made.trouble, made.is_stored()), ("broken", False))
        self.assertFalse(asyncio.run(made.stored()))
        area.fails = 0
        quiet(made)
        self.assertEqual((made.trouble, found(area)), ("", [(ENERGY, b"a")]))

    def test_a_sector_that_takes_no_header_is_erased_again(self):
        area, made = ready()
        while made._at < SLOTS:
            made.put(ENERGY, b"a")
            made.step(False)
        made.put(ENERGY, b"b")
        area.spoils = journal.MOST_TRIES
        self.assertFalse(made.step(False))
        self.assertEqual((made.trouble, made.places()), ("broken", 0))
        made._tries = 0
        quiet(made)
        self.assertEqual(made.trouble, "")
        self.assertEqual(found(area)[-1], (ENERGY, b"b"))

    def test_an_area_that_cannot_be_read(self):
        area, made = ready()
        area.fails = -1
        made = Journal(area)
        self.assertEqual((made.trouble, made.put(ENERGY, b"a")), ("broken", False))

    def test_a_start_that_cannot_program(self):
        area, made = ready()
        made.put(ENERGY, b"a")
        quiet(made)
        area.fails = 10**6
        made = Journal(area)
        self.assertEqual((made.trouble, list(made.values())), ("broken", [(ENERGY, b"a")]))

    def test_a_ring_of_another_size_is_none(self):
        area, made = ready()
        made.put(ENERGY, b"a")
        quiet(made)
        area.sectors -= 1
        self.assertEqual(found(area), [])

    def test_it_runs(self):
        async def lived(made):
            task = asyncio.create_task(made.run(lambda: True))
            made.put(ENERGY, b"a")
            is_stored = await made.stored()
            task.cancel()
            return is_stored

        area, made = ready()
        self.assertTrue(asyncio.run(lived(made)))
        self.assertEqual(found(area), [(ENERGY, b"a")])
