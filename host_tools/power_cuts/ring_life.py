"""A journal that loses its supply again and again, on a flash that tears honestly; after each cut it is looked at.

Runs on the PC and, with its own flash, on the 32-bit interpreter.
"""

import random

from firmware.drivers.flash_area import PartitionArea
from firmware.services.journal import Journal
from firmware.wire import journal_record
from host_tools.power_cuts.flash_chip import FlashChip
from host_tools.power_cuts.life import Broken

SECTORS = 6
FIRST = 2  # block of the partition where it begins
CUT_SOON, CUT_LATE, CUT_ERASING = 5, 300, 12
MOST_STEPS = 3000
KINDS = (journal_record.ENERGY, journal_record.ENERGY, journal_record.STATE, journal_record.SESSION)


class RingLife:
    """Starts, stores, is cut, and is looked at; counts tell how often what was met."""

    def __init__(self, seed):
        self.chance = random.Random(seed)
        self.chip = FlashChip(FIRST + SECTORS, self.chance)
        self.area = PartitionArea(self.chip, FIRST, SECTORS)
        self.stored = []  # (kind, bytes) that must be there
        self.flying = []  # what was put and is not certain yet, oldest first
        self.is_ending = False  # whether a checkpoint was asked for and is not certain yet
        self.number = 0
        self.counts = {"cuts": 0, "inside": 0, "in_erase": 0, "second": 0, "writes": 0, "operations": 0, "full": 0}

    def run(self, cuts):
        """So many cuts. Errors: Broken."""
        while self.counts["cuts"] < cuts:
            self.boot()
            self.live()
        return self.counts

    def boot(self):
        """Start; while it does the supply may fail as well, and then nobody has seen anything. Errors: Broken."""
        chance = self.chance
        self.chip.power_on(chance.randint(1, CUT_SOON if chance.random() < 0.5 else CUT_LATE))
        self.journal = Journal(self.area)
        if not self.chip.is_dead:
            self.look()
        self.at_start = self.number

    def look(self):
        """All that was certain is there, in order, and of what was under way a whole beginning. Errors: Broken."""
        if self.chip.over_written or self.chip.unsound:
            raise Broken(
                f"{self.chip.over_written} places programmed twice, {self.chip.unsound} in half-erased sectors"
            )
        found = list(self.journal.values())
        hopes = [self.stored + self.flying[:count] for count in range(len(self.flying) + 1)]
        if self.is_ending:
            hopes.append([])
        if found not in hopes:
            raise Broken(f"{len(found)} values, {len(self.stored)} were stored, {len(self.flying)} under way")
        if list(self.journal.values()) != found:
            raise Broken("two readings of one start differ")
        self.stored, self.flying, self.is_ending = found, [], False

    def live(self):
        """Until the supply fails. Errors: Broken."""
        is_coil_on = self.chance.random() < 0.5
        for _ in range(MOST_STEPS):
            if self.chip.is_dead:
                break
            if self.chance.random() < 0.01:
                is_coil_on = not is_coil_on
            self.ask(is_coil_on)
            is_full = not is_coil_on and self.journal.is_stored() and self.journal.is_nearly_full()
            if is_full and self.chance.random() < 0.1:
                self.chip.cut_in = 1  # the next operation is an erase, where anything is spent
            erases = sum(self.chip.erases)
            operations = self.chip.operations
            is_busy = self.journal.step(not is_coil_on)
            if is_coil_on and sum(self.chip.erases) != erases:
                raise Broken("an erase with the coil on")
            if is_coil_on and self.chip.operations > operations + 1:
                raise Broken("more than one program in a turn")
            if not is_busy and not self.chip.is_dead:
                self.settle()
        else:
            self.chip.is_dead = True  # a cut at rest
        counts = self.counts
        counts["cuts"] += 1
        counts["inside"] += self.chip.was_inside
        counts["in_erase"] += self.chip.was_erase
        counts["second"] += self.number == self.at_start
        counts["operations"] = self.chip.operations

    def ask(self, is_coil_on):
        """Put something, or say that files hold all."""
        chance, journal = self.chance, self.journal
        if journal.is_nearly_full():
            self.counts["full"] += 1
        is_due = journal.is_nearly_full() or chance.random() < 0.15
        may_ask = not is_coil_on and not self.is_ending and journal.is_stored()  # once, as services/storage.py does
        if may_ask and is_due:
            if (self.stored or journal.is_nearly_full()) and journal.checkpoint():
                self.is_ending = True
                self.stored, self.flying = self.stored + self.flying, []
                if chance.random() < 0.5:
                    self.chip.cut_in = chance.randint(1, CUT_ERASING)  # what follows are erases and their marks
            return
        if chance.random() < 0.6 and not self.is_ending:
            self.number += 1
            length = chance.choice((18, 20, 21, 22, 64, 150))
            value = (chance.choice(KINDS), b"%d:" % self.number + chance.randbytes(length))
            if journal.put(*value):
                self.flying.append(value)
                self.counts["writes"] += 1

    def settle(self):
        """Nothing waits any more: what was under way is certain."""
        if not self.journal.is_stored():
            return
        if self.is_ending:
            self.stored, self.is_ending = [], False
        self.stored += self.flying
        self.flying = []
