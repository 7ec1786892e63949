"""The ledger: what energy flowed, by minute, quarter hour and session, on flash before a minute of it could be lost.

In files while the coil is off; in the journal while it is on, from where files get it once it is off again.
"""

import asyncio

from firmware.services import flash_files, record_files
from firmware.services.flash_gate import gate
from firmware.services.journal import Journal
from firmware.wire import journal_record, ledger_record

LOOK_S = 1
COPY_S = 0.05  # between two records that files get from the journal, or two pieces of it that are looked at
QUIET_MS = 60_000  # after a start nothing is written: a supply that comes and goes wears no flash (faults.md P2)
SAVE_MS = 20_000  # and what may wait before it: a cut loses 10 s on average, and never a minute (faults.md I5)
RETRY_MS = 10_000  # after a write that failed
QUARTER_S = 900
MOST_WAITING = 32  # records that wait for flash: eight hours without a journal; then the oldest is given up
MOST_NEWEST = 10  # sessions that the page shows at once
HEADS = ("ledger-0.bin", "ledger-1.bin")
NO_SPACE = 28  # ENOSPC


class Ledger:
    """Follows the core's Energy once a second. wh, mwh: the lifetime counter as far as flash has it."""

    def __init__(self, folder, found, journal=None):
        """folder: path that ends in "/"; found: Found of ledger_start; journal: Journal, None: nothing outlives a cut
        while the coil is on.
        """
        self._folder = folder
        self._journal = journal or Journal(None)
        self.is_ahead = False  # the journal holds what files do not have yet
        self._copied = None  # records of the journal on their way into files
        self._has_head = False  # the journal holds a Head that its counts go on from
        self._stored = ()  # (wh, mwh) once all that was put into the journal lies there
        self.quarters, self.sessions = found.quarters, found.sessions
        head = found.head
        self.wh, self.mwh = head.wh, head.mwh
        self._counted = (head.wh, head.mwh)
        self._seq, self._quarter_seq, self._session_seq = head.seq, head.quarter_seq, head.session_seq
        self._quarter_no = head.quarter_no
        self._minutes_mwh = list(head.minutes_mwh)
        self._minute = 0  # the last one in which energy flowed
        self._session: Any = found.session  # (wh, mwh, at_ms) where the one that runs began, or None
        self.session_wall_s = head.session_wall_s
        self.newest: tuple[
            bytes, ...
        ] = ()  # bytes of the last sessions, oldest first: the page may ask for them while the coil is on
        self._waiting = []  # (RecordFiles, bytes), oldest first
        self._save_at_ms = self._write_at_ms = QUIET_MS
        self._is_changed = False
        self.trouble = ""  # "full" or "broken" while flash takes nothing

    def step(self, now_ms, wall_s, meter):
        """Note what flowed since the last step; at most one write. wall_s: or None; meter: Energy of the core."""
        self._count(now_ms, wall_s, meter)
        self._follow(now_ms, wall_s, meter)
        if self._stored and self._journal.is_stored():
            self.wh, self.mwh = self._stored
            self._stored = ()
        if now_ms < self._write_at_ms:
            return
        if not gate.may_touch_files():
            self._copied = None
            self._put(now_ms, wall_s)
            return
        try:
            self._write(now_ms, wall_s)
            self.trouble = ""
        except OSError as error:
            self.trouble = "full" if error.args and error.args[0] == NO_SPACE else "broken"
            self._write_at_ms = now_ms + RETRY_MS

    def _count(self, now_ms, wall_s, meter):
        """What flowed belongs to this minute; a quarter hour that is over waits to be written."""
        clock_s = now_ms // 1000 if wall_s is None else wall_s
        quarter_no = clock_s // QUARTER_S
        if wall_s is None:
            quarter_no = -1 - quarter_no  # of this start; no time of day is below 0
        if quarter_no != self._quarter_no:
            if any(self._minutes_mwh):
                self._close_quarter()
            self._quarter_no = quarter_no
        mwh = (meter.wh - self._counted[0]) * 1000 + meter.mwh - self._counted[1]
        if mwh > 0:
            # All that takes memory comes before anything is changed: else it would count twice (faults.md X4).
            counted, minute = (meter.wh, meter.mwh), clock_s // 60 % ledger_record.MINUTES
            self._minute = minute
            self._minutes_mwh[minute] += mwh
            self._counted = counted
            self._is_changed = True

    def _close_quarter(self):
        """The quarter hour ends with what was counted so far."""
        empty = [0] * ledger_record.MINUTES  # memory comes first, as in _count()
        self._wait(self.quarters, self._running_quarter())
        self._quarter_seq += 1
        self._minutes_mwh = empty

    def _running_quarter(self):
        """Bytes of the record of this quarter hour, with what was counted so far."""
        wh, mwh = self._counted
        numbers = (self._quarter_seq, max(self._quarter_no, 0))
        return ledger_record.packed_quarter(ledger_record.Quarter(*numbers, wh, mwh, tuple(self._minutes_mwh)))

    def unstored(self, files):
        """Bytes of each record that belongs into these RecordFiles and flash does not have yet; last what runs."""
        found = [octets for kept, octets in self._waiting if kept is files]
        if files is self.quarters and any(self._minutes_mwh):
            found.append(self._running_quarter())
        return found

    def _follow(self, now_ms, wall_s, meter):
        """Sessions begin and end as the core says."""
        running = None if meter.session_wh is None else (meter.session_wh, meter.session_mwh, meter.session_at_ms)
        if running != self._session:
            if self._session is not None:
                # Where the next one began already, this one ended there.
                self._close_session(now_ms, wall_s or 0, self._counted if running is None else running[:2])
            self._session = running
            self.session_wall_s = 0
            self._is_changed = True
            self._has_head = False
        if running is not None and not self.session_wall_s and wall_s is not None and running[2] >= 0:
            self.session_wall_s = wall_s - (now_ms - running[2]) // 1000
            self._has_head = False

    def _close_session(self, now_ms, wall_s, end):
        """A session in which nothing flowed leaves no record. end: (wh, mwh)."""
        wh, mwh, at_ms = self._session
        if (wh, mwh) == end:
            return
        times = (self.session_wall_s, wall_s, (now_ms - at_ms) // 1000)
        made = ledger_record.Session(self._session_seq, *times, wh, mwh, *end)
        octets = ledger_record.packed_session(made)
        newest = self.newest[1 - MOST_NEWEST :] + (octets,)  # memory comes first, as in _count()
        self._wait(self.sessions, octets)
        self.newest = newest
        self._session_seq += 1
        self._save_at_ms = now_ms

    def _wait(self, files, octets):
        """One more record for flash."""
        self._waiting = self._waiting[1 - MOST_WAITING :] + [(files, octets)]
        self._is_changed = True

    def _put(self, now_ms, wall_s):
        """At most one value into the journal, in the same order; one that finds no place there is tried again."""
        journal = self._journal
        if self._waiting:
            files, octets = self._waiting[0]
            kind = journal_record.QUARTER if files is self.quarters else journal_record.SESSION
            if journal.put(kind, octets):
                self._waiting.pop(0)
                self.is_ahead = True
        elif self._is_changed and now_ms >= self._save_at_ms:
            if self._has_head:
                is_put = journal.put(journal_record.ENERGY, self._packed_count(now_ms, wall_s))
            else:
                is_put = journal.put(journal_record.HEAD, ledger_record.packed_head(self._head(now_ms, wall_s)))
            if is_put:
                self.is_ahead = self._has_head = True
                self._stored = self._counted
                self._save_at_ms = now_ms + SAVE_MS
                self._is_changed = False

    def _packed_count(self, now_ms, wall_s):
        """Bytes of a Counted."""
        wh, mwh = self._counted
        here = (self._minute, self._minutes_mwh[self._minute], self._session_s(now_ms))
        return ledger_record.packed_counted(ledger_record.Counted(wh, mwh, wall_s or 0, *here))

    def _copy(self):
        """At most one record out of the journal into files, of one piece; False when they have all. Errors: OSError."""
        if self._copied is None:
            if not self._journal.is_stored() and not self._journal.trouble:
                return True  # in a moment
            self._copied = self._journal.values(True)
        for value in self._copied:
            if value is None:
                return True
            kind, octets = value
            if kind == journal_record.QUARTER or kind == journal_record.SESSION:
                files = self.quarters if kind == journal_record.QUARTER else self.sessions
                if record_files.seq_of(octets) >= files.next_seq:
                    files.append(octets)
                    return True
        return False

    def _write(self, now_ms, wall_s):
        """At most one write: what is over comes first, for the head forgets it. Errors: OSError."""
        try:
            if self.is_ahead and self._copy():
                return
            if self._waiting:
                files, octets = self._waiting[0]
                files.append(octets)
                self._waiting.pop(0)
                return
        except OSError:
            self._copied = None
            if now_ms >= self._save_at_ms:
                self.save(now_ms, wall_s)  # the count does not wait for history that flash does not take
            raise
        if self.is_ahead:
            self.save(now_ms, wall_s)
            self._copied = None
            self.is_ahead = not self._journal.is_stored()  # one that is broken may have taken what nobody can read
            if self.is_ahead:
                self._write_at_ms = now_ms + RETRY_MS
        elif self.quarters.trim() or self.sessions.trim():
            return
        elif self._is_changed and now_ms >= self._save_at_ms:
            self.save(now_ms, wall_s)

    def _session_s(self, now_ms):
        """How long the session has run, 0 where none does."""
        return 0 if self._session is None else max(now_ms - self._session[2], 0) // 1000

    def _head(self, now_ms, wall_s):
        """Head of this moment."""
        wh, mwh = self._counted
        session = (ledger_record.NO_WH, 0, 0, 0)
        if self._session is not None:
            session = (self._session[0], self._session[1], self.session_wall_s, self._session_s(now_ms))
        quarter = (self._quarter_seq, max(self._quarter_no, 0), tuple(self._minutes_mwh))
        return ledger_record.Head(self._seq, wall_s or 0, wh, mwh, self._session_seq, *session, *quarter)

    def save(self, now_ms, wall_s):
        """The head in place of its older copy. Errors: OSError."""
        head = self._head(now_ms, wall_s)
        flash_files.write_whole(self._folder + HEADS[self._seq & 1], ledger_record.packed_head(head))
        self._seq += 1
        self.wh, self.mwh = head.wh, head.mwh
        self._stored = ()
        self._has_head = False
        self._save_at_ms = now_ms + SAVE_MS
        self._is_changed = False

    async def run(self, app):
        """Follow the box for ever; what flash does not take is told once, and tried again."""
        told = ""
        while True:
            await asyncio.sleep(LOOK_S if self._copied is None else COPY_S)
            self.step(app.now_ms(), app.board.wall_s(), app.loop.memory.energy)
            if self.trouble != told:
                told = self.trouble
                app.tell("ledger", app.phrases.phrase("ledger." + (told or "well"))[0])
                if told == "full":
                    from firmware.services import make_room

                    make_room.drop_oldest(self._folder)
