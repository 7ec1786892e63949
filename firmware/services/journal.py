"""The journal: a ring of records behind the file system, for what must be on flash while no file may be written."""

import asyncio

from firmware.wire import journal_record
from firmware.wire.journal_record import SECTOR_B, SLOT_B, SLOTS

LOOK_S = 0.1
NEXT_S = 0.01  # between two slots, a turn of the loop each
KEPT_AHEAD = 2  # sectors that stay erased: for what the box still says while it stops
NEW_AHEAD = 24  # erased ones with which a new ring begins: ten hours, should the coil never be off meanwhile
KEPT_PLACES = 112  # of the last sector, for marks of the ring and five starts
FAR = 16  # places from the copy of the last slot to its second one, always: a start that sees less comes as far
MARK_PLACES = 12  # that a start leaves in a sector, or it opens the next
MOST_BEHIND = 28  # of the places where a header is looked for
MOST_QUEUED = 64  # slots
MOST_TRIES = 8  # places for one slot that does not read as it was programmed
RETRY_S = 10
USABLE = SLOTS - 1  # places of a sector behind its header


class Journal:
    """One ring over an area: what has sectors, read_into(offset, buffer), program(offset, octets) and erase(sector).

    Its methods raise OSError. Without an area (None) nothing is kept, and put() says so.
    """

    def __init__(self, area):
        """Finds the ring, and programs its last slot again; nothing is erased here."""
        self._area: Any = area
        self._buffer = bytearray(SLOT_B)
        self._queue = []  # (kind, bytes), oldest first
        self._queued = 0  # slots
        self._part = 0  # of the first of them, that is programmed next
        self._marks = []  # (kind, bytes) of the ring itself, before the queue
        self._tries = 0
        self._open, self._at, self._seq = -1, SLOTS, 0
        self._header = journal_record.Header(0, 0, 0, 0, 0 if area is None else area.sectors)
        self._is_held = False
        self.trouble = ""  # "broken" while the area takes nothing
        if area is not None:
            self._begin()

    def _begin(self):
        """Take over what the ring was when the supply failed."""
        from firmware.services import journal_start

        try:
            start = journal_start.found(self._area)
        except OSError:
            self.trouble = "broken"
            self._area = None
            return
        try:
            self._open, self._seq, self._header = start.open, start.seq, start.header
            if start.open >= 0:
                self._settle(start.last, start.touched)
        except OSError:
            self.trouble = "broken"

    def _settle(self, slots, touched):
        """Program the last slots again behind everything touched: nobody can tell whether they are sound.

        Each has one of four places. A start before this one may have been cut there, saw one of them touched that shows
        no trace now, and went on from it. So the last slot is said once more behind all that such a start can have
        reached, and what is new follows that.
        """
        place = touched + 2
        end = place + 4 * len(slots) + FAR
        if end + MARK_PLACES > SLOTS:
            behind = journal_record.place_from(max(place - SLOTS, 2), self._seq, True)
            if self._header.ahead and behind < MOST_BEHIND:
                self._open_next(behind)
                slots = [slot for slot in slots if slot[1] != journal_record.HEADER]
                place = self._at
            elif end > SLOTS:
                # There is no place for it: nothing more goes in here, and what was begun behind is erased again.
                self._set_header((self._header.tail, 0, self._header.checkpoint_seq))
                return
        self._program_again(slots, place)
        self._program_again(slots[-1:], self._at - 1 + FAR)

    def _program_again(self, slots, place):
        """Program slots from this place on, each in a place of its kind. Errors: OSError."""
        for seq, kind, octets in slots:
            for _ in range(MOST_TRIES):
                self._at = journal_record.place_from(place, seq, kind == journal_record.HEADER)
                place = self._at + 1
                if place >= SLOTS or self._is_programmed(octets):
                    break

    def values(self, has_pauses=False):
        """(kind, bytes) of each whole value on flash behind the last checkpoint, oldest first. Errors: OSError.

        What is put while they are read may be missing. has_pauses: None stands between a few slots that are read.
        """
        from firmware.services import journal_start

        if self._area is None:
            return iter(())
        here = journal_start.Found(self._open, self._seq, self._header, (), 0)
        return journal_start.values(self._area, here, has_pauses)

    def put(self, kind, octets):
        """Queue one value; False when there is no place for it. After a cut it is there whole or not at all."""
        count = journal_record.parts_of(octets)
        if self._area is None or self._queued + count > MOST_QUEUED or self._queued + count > self.places():
            return False
        self._queue.append((kind, bytes(octets)))
        self._queued += count
        return True

    def places(self):
        """How many slots may still be programmed before something is erased."""
        if self._open < 0:
            return 0
        return max(0, SLOTS - self._at + self._header.ahead * USABLE - KEPT_PLACES)

    def is_stored(self):
        """Whether everything that was put is on flash."""
        return not self._queue and not self._marks

    async def stored(self):
        """Wait until everything that was put is on flash, or the area takes nothing; whether it is."""
        while not self.is_stored() and not self.trouble:
            await asyncio.sleep(NEXT_S)
        return self.is_stored()

    def checkpoint(self):
        """Files hold all that was put so far: say so, behind it; False while something put is not stored yet."""
        if not self.is_stored() or self._area is None:
            return False
        self._marks.append((journal_record.CHECKPOINT, b""))
        return True

    def is_nearly_full(self):
        """Whether the box must stop: from when the reserve is begun until all that is spent is erased again.

        A new ring has nothing in it but its first sector: it goes on with some erased, and the others follow.
        """
        if self._area is None:
            return False
        header = self._header
        if self._open < 0 or header.ahead <= KEPT_AHEAD:
            self._is_held = True
        elif self._spent() < 0 or (header.opened == 1 and header.ahead >= NEW_AHEAD):
            self._is_held = False
        return self._is_held

    def step(self, may_erase):
        """At most one operation of the flash; whether there was one. may_erase: the coil is off, and stays off."""
        if self._area is None:
            return False
        try:
            return self._stepped(may_erase)
        except OSError:
            self.trouble = "broken"
            return False

    def _stepped(self, may_erase):
        """As step(). Errors: OSError."""
        if self._open < 0 or (self._at >= SLOTS and not self._header.ahead):
            return may_erase and self._open_erased()
        if self._at >= SLOTS:
            self._open_next(0)
        elif self._marks:
            kind, octets = self._marks[0]
            if self._is_programmed(journal_record.packed(self._seq + 1, kind, octets, 0)):
                self._seq += 1
                self._marks.pop(0)
                self._mark_made(kind, octets)
        elif self._queue:
            self._put_part()
        elif may_erase and self._spent() >= 0:
            self._area.erase(self._spent())
            self._marks.append((journal_record.ERASED, journal_record.ahead_octets(self._header.ahead + 1)))
        else:
            return False
        return True

    def _put_part(self):
        """One slot of the value that waits longest. Errors: OSError."""
        kind, octets = self._queue[0]
        if self._is_programmed(journal_record.packed(self._seq + 1, kind, octets, self._part)):
            self._seq += 1
            self._part += 1
            self._queued -= 1
            if self._part == journal_record.parts_of(octets):
                self._part = 0
                self._queue.pop(0)

    def _mark_made(self, kind, octets):
        """A mark of the ring is on flash: it holds from now on."""
        if kind == journal_record.ERASED:
            self._set_header((self._header.tail, journal_record.ahead_of(octets), self._header.checkpoint_seq))
        else:
            self._set_header((self._open, self._header.ahead, self._seq))

    def _set_header(self, parts):
        """parts: (tail, ahead, checkpoint_seq) from now on."""
        tail, ahead, checkpoint_seq = parts
        opened, sectors = self._header.opened, self._header.sectors
        self._header = journal_record.Header(opened, tail, ahead, checkpoint_seq, sectors)

    def _spent(self):
        """Sector that is erased next, -1 where all that is spent is erased."""
        sectors, ahead = self._header.sectors, self._header.ahead
        live = (self._open - self._header.tail) % sectors + 1
        return -1 if live + ahead >= sectors else (self._open + ahead + 1) % sectors

    def _open_next(self, place):
        """Open the sector behind at this place; one that does not take it is to be erased again. Errors: OSError."""
        before = self._open, self._header
        self._open = (self._open + 1) % self._header.sectors
        self._at = place
        opened, tail, ahead, checkpoint_seq, sectors = self._header
        self._header = journal_record.Header(opened + 1, tail, ahead - 1, checkpoint_seq, sectors)
        try:
            while not self._is_programmed(journal_record.packed_header(self._seq, self._header)):
                pass  # after MOST_TRIES it raises
        except OSError:
            self._open, self._header = before
            self._at = SLOTS
            self._set_header((tail, 0, checkpoint_seq))
            raise

    def _open_erased(self):
        """Where no erased sector is left for a mark: erase one and open it in one go; whether there is one.

        It is one that is spent, the first of a new ring, or, with all in files, the oldest. Errors: OSError.
        """
        marks = [kind for kind, _ in self._marks if kind == journal_record.CHECKPOINT]
        opened, tail, _, checkpoint_seq, sectors = self._header
        if self._open < 0:
            sector = tail = 0
        elif self._spent() >= 0:
            sector = self._spent()
        elif marks:
            sector = tail = (self._open + 1) % sectors
            checkpoint_seq = self._seq
            self._marks = []
        else:
            return False
        self._area.erase(sector)
        self._open = (sector - 1) % sectors
        self._header = journal_record.Header(opened, tail, 1, checkpoint_seq, sectors)
        self._open_next(0)
        return True

    def _is_programmed(self, octets):
        """Program the next place; whether it reads so, twice. Errors: OSError after many that did not."""
        at = self._open * SECTOR_B + self._at * SLOT_B
        self._at += 1
        self._tries += 1
        try:
            self._area.program(at, octets)
        except OSError:
            if self._tries >= MOST_TRIES:
                raise
            return False
        for _ in range(2):
            self._area.read_into(at, self._buffer)
            if self._buffer != octets:
                if self._tries >= MOST_TRIES:
                    raise OSError(5)  # EIO
                return False
        self._tries = 0
        self.trouble = ""
        return True

    async def run(self, may_erase):
        """Put what waits on flash for ever, one operation in a turn of the loop. may_erase: function -> bool."""
        while True:
            is_busy = self.step(may_erase())
            if self.trouble:
                await asyncio.sleep(RETRY_S)
                self._tries = 0
            await asyncio.sleep(NEXT_S if is_busy else LOOK_S)
