"""What starts that are cut leave behind: a place that shows no trace, or another at each reading, is used for nothing.

Each test plays one sequence of torn slots that the power cuts of host_tools/power_cuts/ring_life.py have found.
"""

import unittest

from ram_area import SECTOR_B, RamArea

from firmware.services import journal_start
from firmware.services.journal import Journal
from firmware.wire.journal_record import (
    BLANK,
    CHECKPOINT,
    ENERGY,
    ERASED,
    HEADER,
    LATCH,
    SLOT_B,
    SLOTS,
    ahead_octets,
    packed,
    slot_of,
)

SECTORS = 6


class TornArea(RamArea):
    """An area whose supply fails in a program, which then shows no trace; what was tried there is watched for ever."""

    def __init__(self, sectors):
        super().__init__(sectors)
        self.tried = {}  # offset: bytes
        self.cut_in = 0  # programs, 0: never
        self.is_dead = False

    def program(self, at, octets):
        if self.is_dead:
            raise OSError(5)
        if self.tried.get(at, octets) != octets:
            raise ValueError("a place is programmed twice")
        if self.cut_in:
            self.cut_in -= 1
            if not self.cut_in:
                self.is_dead = True
                self.tried[at] = bytes(octets)
                raise OSError(5)
        super().program(at, octets)

    def erase(self, sector):
        super().erase(sector)
        self.tried = {at: octets for at, octets in self.tried.items() if at // SECTOR_B != sector}

    def started(self, cut_in=0):
        """A Journal after a start that is cut in this program."""
        self.cut_in, self.is_dead = cut_in, False
        return Journal(self)

    def shows(self, at, octets):
        """From now on this place reads so."""
        self.octets[at : at + SLOT_B] = octets


def quiet(made, may_erase=True):
    """Step until nothing more is to be done."""
    for _ in range(5000):
        if not made.step(may_erase):
            return
    raise AssertionError("it does not come to rest")


def ready(count):
    """(area, journal with so many values)."""
    area = TornArea(SECTORS)
    made = area.started()
    quiet(made)
    stored(made, count)
    return area, made


def stored(made, count):
    """Put so many values, and store each."""
    for number in range(count):
        assert made.put(ENERGY, b"%d" % number)
        quiet(made, False)


def next_at(made):
    """Offset of the next place, and a slot that was under way there when the supply failed."""
    return made._open * SECTOR_B + made._at * SLOT_B, packed(made._seq + 1, ENERGY, b"torn", 0)


class OtherTraces(unittest.TestCase):
    """One start sees what the next does not."""

    def test_the_place_of_a_copy_that_shows_no_trace_is_not_used(self):
        for count in range(1, 9):
            for is_whole in (False, True):
                area, made = ready(count)
                at, torn = next_at(made)
                area.shows(at, torn if is_whole else torn[:-1] + b"\x00")
                area.started(cut_in=1)
                area.shows(at, BLANK)
                made = area.started()
                self.assertEqual(len(list(made.values())), count)
                stored(made, 30)
                self.assertEqual(len(list(area.started().values())), count + 30)

    def test_the_same_the_other_way_round(self):
        for count in range(1, 9):
            for is_whole in (False, True):
                area, made = ready(count)
                at, torn = next_at(made)
                area.started(cut_in=1)
                area.shows(at, torn if is_whole else torn[:-1] + b"\x00")
                made = area.started()
                self.assertEqual(len(list(made.values())), count + is_whole)
                stored(made, 30)
                self.assertEqual(len(list(area.started().values())), count + is_whole + 30)

    def test_a_copy_that_is_readable_later_changes_nothing(self):
        for count in range(1, 9):
            for first, then in ((True, False), (False, True)):
                area, made = ready(count)
                at, torn = next_at(made)
                for is_whole in (first, then):
                    area.shows(at, torn if is_whole else BLANK)
                    made = area.started(cut_in=int(is_whole == first))
                self.assertEqual(len(area.tried), 1)
                shown = list(made.values())
                self.assertEqual(len(shown), count + then)
                for copy_at, octets in area.tried.items():
                    if bytes(area.octets[copy_at : copy_at + SLOT_B]) == BLANK:
                        area.shows(copy_at, octets)
                self.assertEqual(list(area.started().values()), shown)

    def test_a_copy_that_was_cut_in_a_new_sector(self):
        for cut_in in range(1, 5):
            for room in range(12, 40):
                area, made = ready(0)
                stored(made, SLOTS - made._at - room)
                count = len(list(made.values()))
                area.started(cut_in=cut_in)
                made = area.started()
                stored(made, 30)
                self.assertEqual(len(list(area.started().values())), count + 30)

    def test_a_second_copy_that_one_start_sees_and_the_next_does_not(self):
        for has_opened in (False, True):
            for count in range(1, 9):
                area, made = ready(count)
                while has_opened and made._at < SLOTS - count:
                    stored(made, 1)
                count = len(list(made.values()))
                area.started(cut_in=2 + has_opened)  # in the second copy
                ((at, octets),) = area.tried.items()
                area.shows(at, octets[:-1] + b"\x00")
                area.started(cut_in=1)
                area.shows(at, BLANK)
                stored(area.started(), 30)
                self.assertEqual(len(list(area.started().values())), count + 30)

    def test_a_bit_that_reads_0_once_is_a_trace(self):
        area, made = ready(3)
        genuine, wavers, looks = area.read_into, next_at(made)[0], []

        def read_into(at, buffer):
            genuine(at, buffer)
            if at <= wavers < at + len(buffer):
                looks.append(at)
                if len(looks) % 3 == 0:
                    buffer[wavers - at] &= 0xFE

        area.read_into = read_into
        self.assertEqual(journal_start.found(area).touched, made._at)


class Headers(unittest.TestCase):
    def test_a_mark_behind_a_header_that_knows_of_a_slot_that_reads_no_more(self):
        area, made = ready(0)
        while made._at < SLOTS - 5:
            stored(made, 1)
        count = len(list(made.values()))
        at, torn = next_at(made)
        area.shows(at, torn)
        area.started(cut_in=2)  # the next sector is open, and its header has counted the torn slot
        area.shows(at, torn[:-1] + b"\x00")
        made = area.started()
        self.assertEqual(len(list(made.values())), count)
        self.assertTrue(made.checkpoint())
        quiet(made)
        made = area.started()
        self.assertEqual(list(made.values()), [])
        stored(made, 3)
        self.assertEqual(len(list(area.started().values())), 3)

    def test_a_slot_that_reads_only_after_the_header_behind_it_is_none(self):
        for kind in (ENERGY, ERASED):
            area, made = ready(0)
            while made._at < SLOTS - 5:
                stored(made, 1)
            count, ahead = len(list(made.values())), made._header.ahead
            at = next_at(made)[0]
            torn = packed(made._seq + 1, kind, ahead_octets(ahead + 1), 0)
            area.shows(at, torn[:-1] + b"\x00")
            area.started(cut_in=2)  # the next sector is open, and its header does not count the torn slot
            area.shows(at, torn)
            made = area.started()
            self.assertEqual((len(list(made.values())), made._header.ahead), (count, ahead - 1))
            self.assertEqual(area.started()._header.ahead, ahead - 1)

    def test_the_last_header_counts(self):
        area, made = ready(0)
        while made._at < SLOTS - 5:
            stored(made, 1)
        count = len(list(made.values()))
        at = next_at(made)[0]
        torn = packed(made._seq + 1, CHECKPOINT, b"", 0)
        area.shows(at, torn)
        area.started(cut_in=1)  # in a header that tells of the checkpoint
        ((header_at, header),) = area.tried.items()
        area.shows(at, torn[:-1] + b"\x00")
        area.shows(header_at, header[:-1] + b"\x00")
        self.assertEqual(len(list(area.started().values())), count)
        area.shows(header_at, header)
        self.assertEqual(len(list(area.started().values())), count)

    def test_the_number_behind_it(self):
        self.assertEqual([journal_start.seq_behind(seq, 9) for seq in (7, 8, 9, 10)], [9, 10, 9, 10])

    def test_a_header_that_was_programmed_again_is_found(self):
        area, made = ready(0)
        header = next(
            bytes(area.octets[at : at + SLOT_B])
            for at in range(made._open * SECTOR_B, len(area.octets), SLOT_B)
            if slot_of(bytes(area.octets[at : at + SLOT_B])).kind == HEADER
        )
        for place in (0, 15, 16, 31):
            area = TornArea(SECTORS)
            area.erase(2)
            area.shows(2 * SECTOR_B, b"\x00" * SLOT_B)
            area.shows(2 * SECTOR_B + place * SLOT_B, header)
            self.assertEqual(journal_start.found(area).open, 2)


class LastPlaces(unittest.TestCase):
    def test_starts_leave_a_place_for_the_mark_that_files_hold_all(self):
        area, made = ready(0)
        while made.put(ENERGY, b"a"):
            quiet(made, False)
        count = len(list(made.values()))
        for _ in range(4):
            made = area.started()
        erased = len(area.erases)
        self.assertEqual(len(list(made.values())), count)
        self.assertTrue(made.checkpoint())
        self.assertTrue(made.step(False))  # with no erase, in which a cut would take values that files hold
        self.assertEqual((made.is_stored(), len(area.erases)), (True, erased))
        self.assertEqual(list(area.started().values()), [])


def end_of_sector(room):
    """An area and its journal, with so many places left in the sector that is written."""
    area, made = ready(0)
    stored(made, SLOTS - made._at - room)
    return area, made


class FarHeaders(unittest.TestCase):
    """Where a sector was begun by starts that were cut, its header lies far behind, and is found."""

    def test_behind_places_that_read_blank_again(self):
        area, made = end_of_sector(5)
        behind = (made._open + 1) % SECTORS * SECTOR_B + 14 * SLOT_B
        area.shows(behind, b"\xff" * (SLOT_B - 1) + b"\x7f")  # one bit of an opening that was cut
        made = area.started()
        self.assertTrue(made.put(LATCH, b"locked"))
        quiet(made, False)
        area.shows(behind, BLANK)
        self.assertIn((LATCH, b"locked"), list(area.started().values()))

    def test_behind_every_try_that_its_flash_spoiled(self):
        kept = 0
        for first in range(14, 26):
            for spoils in range(8):
                area, made = end_of_sector(5)
                sector = (made._open + 1) % SECTORS
                area.shows(sector * SECTOR_B + first * SLOT_B, bytes(SLOT_B))
                area.spoils = spoils
                made = area.started()
                area.spoils = 0
                if made._open != sector or made.trouble or not made.put(LATCH, b"locked"):
                    continue
                quiet(made, False)
                kept += 1
                self.assertIn((LATCH, b"locked"), list(area.started().values()), (first, spoils))
        self.assertGreater(kept, 20)
