"""Live commands, ids and numbers seen, latches, counts: on flash when they change, given back to the next start.

In two files in turn while the coil is off, as changes in the journal while it is on.
"""

import asyncio

from firmware.core import remembered
from firmware.core.records import Command
from firmware.services import flash_files
from firmware.services.flash_gate import BUSY, gate
from firmware.services.journal import Journal
from firmware.wire import journal_record, state_changes

LOOK_S = 0.2
TIME_LEFT_MS = 60_000  # grid-contract.md: the time left is saved every 60 s
MOST_FOR_COMMANDS = 6  # writes a minute, so that a flood of commands leaves some for a latch (faults.md P2)
NOTHING = (None, None, None, None, None)


class StateStore:
    """state.0 and state.1 in turn, so that a damaged one leaves the one before."""

    def __init__(self, directory, journal=None):
        """journal: Journal, None: nothing outlives a cut while the coil is on."""
        self._path = directory.rstrip("/") + "/state."
        self._journal = journal or Journal(None)
        self._seq = 0
        self.seqs = ()  # the last numbers of signed commands: ((issuer, place, number), …)
        self.is_ahead = False  # the journal holds what files do not have yet
        self._left: Any = None  # (fields, code) that the last start left behind, between find() and restored()
        self._saved = NOTHING  # as they lie on flash (wire/state_changes.py); the last of them may wait
        self._saved_at_ms = 0
        self._moments = []  # of writes for commands, of the last minute
        self._aged = None  # (wall_s of the last save, moment of this start, its claims)
        self._is_failing = False

    def find(self):
        """Look at the files of the last start."""
        from firmware.services import state_files

        fields, code, self._seq = state_files.found(self._path)
        self._left = fields, code

    def take(self, octets):
        """One value that the journal has of the state; oldest first, after find()."""
        from firmware.services import state_files

        fields, is_newer = state_files.with_value(self._left[0], self._seq, octets)
        self._left = fields, self._left[1]
        self.is_ahead = self.is_ahead or is_newer

    def restored(self, memory, is_power_return):
        """(Memory with what was saved, code): "" or the part after stored.… in words_en.txt of what was wrong."""
        from firmware.services import dropped, state_files

        if self._left is None:
            self.find()
        made, code, self._aged, self.seqs = state_files.restored(self._left, memory, is_power_return)
        self._left = None
        dropped.drop()
        self._saved = state_changes.stored_of(made, self.seqs)
        return made, code

    async def run(self, app):
        """Look five times a second, for ever. app: the App, of which only public names are used."""
        while True:
            if self._aged is not None and app.board.boot_epoch_ms() is not None:
                self._aged = aged(app, self._aged)  # the clock is set for the first time
            if self._is_due(app.loop.memory):
                await self.keep(app)
            await asyncio.sleep(LOOK_S)

    def _is_due(self, memory):
        """Whether to write now; a latch at once, commands often, the rest when there is room (faults.md P2)."""
        is_open = gate.may_touch_files()
        if not is_open and not self._journal.places():
            return False  # it waits for an open contactor
        now_ms = memory.now_ms
        claims, latches, seen, seqs, others = self._saved
        if state_changes.latch_rows(memory) != latches:
            return flash_files.tally.may_write(now_ms, True)
        kept = remembered.claims_of(memory)
        is_heard = self.seqs is not seqs or (memory.seen is not seen and memory.seen != seen)
        if is_heard or kept != claims:
            self._moments = [at_ms for at_ms in self._moments if now_ms - at_ms < TIME_LEFT_MS]
            if len(self._moments) >= MOST_FOR_COMMANDS or not flash_files.tally.may_write(now_ms, True):
                return False
            self._moments.append(now_ms)
            return True
        if is_open and self.is_ahead:
            # What a broken journal was given it may never take: that is as urgent as it was.
            return flash_files.tally.may_write(now_ms, not self._journal.is_stored())
        if now_ms - self._saved_at_ms < TIME_LEFT_MS:
            return False
        is_ending = any([row.until_ms is not None for row in kept])
        return (is_ending or others_of(memory) != others) and flash_files.tally.may_write(now_ms, False)

    async def keep(self, app):
        """Store what there is now, in a file or, while the coil is on, in the journal; whether a file has it."""
        if not gate.may_touch_files():
            self._put(app)
            return False
        from firmware.services import dropped, state_files

        memory, seqs = app.loop.memory, self.seqs
        self._saved_at_ms = memory.now_ms
        try:
            await state_files.written(app, memory, (self._path, self._seq + 1, seqs))
        except OSError as error:
            # A contactor that closed while the file was put together: the journal takes it at the next look.
            is_shut = error.args and error.args[0] == BUSY
            if not self._is_failing and not is_shut:
                self._is_failing = True
                app.notice("state", "stored.state_fails")
            return False
        finally:
            dropped.drop()
        self._is_failing = False
        self._seq += 1
        self.is_ahead = False
        self._saved = state_changes.stored_of(memory, seqs)
        return True

    def _put(self, app):
        """What changed, or that time has passed; what finds no place is tried again."""
        memory, seqs = app.loop.memory, self.seqs
        octets, stored = state_changes.packed(self._saved, memory, seqs, (app.board.wall_s() or 0, self._seq))
        if self._journal.put(journal_record.STATE, octets):
            self._saved = stored
            self._saved_at_ms = memory.now_ms
            self.is_ahead = True


def others_of(memory):
    """(counts, wear, hot openings and sessions without current): what may wait for a minute."""
    return memory.faults.counts, memory.wear, (memory.local.hot_at_ms, memory.local.blind)


def aged(app, aged_from):
    """None once every claim of the last start was told how long the box was off, else what is still to be told.

    The clock is set: a live claim is cut to its wall-clock end (grid-contract.md); a clock set back cuts nothing.
    """
    wall_s, start_ms, rows = aged_from
    gap_ms = app.board.boot_epoch_ms() + start_ms - wall_s * 1000
    while gap_ms > 0 and rows:
        row = rows[0]
        if row.until_ms is not None and row.source != "owner":
            asked = Command("elapsed", "clock", 0, 0, row.until_ms, row.ref, "", gap_ms, None, "")
            if app.submit(asked) is asked:
                return wall_s, start_ms, rows
        rows = rows[1:]
    return None
