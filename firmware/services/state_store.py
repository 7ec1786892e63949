"""Live commands, ids and numbers seen, latches, counts: on flash when they change, given back to the next start."""

import asyncio

from firmware.core import remembered
from firmware.services import flash_files

LOOK_S = 0.2
TIME_LEFT_MS = 60_000  # grid-contract.md: the time left is saved every 60 s
MOST_FOR_COMMANDS = 6  # writes a minute, so that a flood of commands leaves some for a latch (faults.md P2)
NOTHING = (None, None, None, None)


class StateStore:
    """state.0 and state.1 in turn, so that a damaged one leaves the one before."""

    def __init__(self, directory):
        self._path = directory.rstrip("/") + "/state."
        self._seq = 0
        self.seqs = ()  # the last numbers of signed commands: ((issuer, place, number), …)
        self._saved = NOTHING  # (claims, latches, seen, seqs) as they lie on flash
        self._others = NOTHING  # (counts, wear, local) that may wait
        self._saved_at_ms = 0
        self._moments = []  # of writes for commands, of the last minute
        self._aged = None  # (wall_s of the last save, moment of this start, its claims)
        self._is_failing = False

    def restored(self, memory, is_power_return):
        """(Memory with what was saved, code): "" or the part after stored.… in words_en.txt of what was wrong."""
        from firmware.services import dropped, state_files

        made, code, self._seq, self._aged, self.seqs = state_files.restored(self._path, memory, is_power_return)
        dropped.drop()
        self._note(made, self.seqs)
        return made, code

    def _note(self, memory, seqs):
        """Remember what lies on flash from now on."""
        self._saved = keys_of(memory) + (seqs,)
        self._others = others_of(memory)

    async def run(self, app):
        """Look five times a second, for ever. app: the App, of which only public names are used."""
        while True:
            if self._aged is not None and app.board.boot_epoch_ms() is not None:
                self._tell_age(app)
            if self._is_due(app.loop.memory):
                await self.keep(app)
            await asyncio.sleep(LOOK_S)

    def _tell_age(self, app):
        """The clock is set for the first time: what was carried over learns how long the box was off."""
        from firmware.services import dropped, state_files

        self._aged = state_files.aged(app, self._aged)
        dropped.drop()

    def _is_due(self, memory):
        """Whether to write now; a latch at once, commands often, the rest when there is room (faults.md P2)."""
        now_ms = memory.now_ms
        claims, latches, seen = keys_of(memory)
        if latches != self._saved[1]:
            return flash_files.tally.may_write(now_ms, True)
        is_heard = self.seqs is not self._saved[3] or (seen is not self._saved[2] and seen != self._saved[2])
        if is_heard or claims != self._saved[0]:
            self._moments = [at_ms for at_ms in self._moments if now_ms - at_ms < TIME_LEFT_MS]
            if len(self._moments) >= MOST_FOR_COMMANDS or not flash_files.tally.may_write(now_ms, True):
                return False
            self._moments.append(now_ms)
            return True
        if now_ms - self._saved_at_ms < TIME_LEFT_MS:
            return False
        is_ending = any([row.until_ms is not None for row in claims])
        return (is_ending or others_of(memory) != self._others) and flash_files.tally.may_write(now_ms, False)

    async def keep(self, app):
        """Write one file; flash that fails is told once and tried again a minute later."""
        from firmware.services import dropped, state_files

        memory, seqs = app.loop.memory, self.seqs
        self._saved_at_ms = memory.now_ms
        try:
            await state_files.written(app, memory, (self._path, self._seq + 1, seqs))
        except OSError:
            if not self._is_failing:
                self._is_failing = True
                app.notice("state", "stored.state_fails")
            return
        finally:
            dropped.drop()
        self._is_failing = False
        self._seq += 1
        self._note(memory, seqs)


def keys_of(memory):
    """(claims, latches, seen): what is saved when it changes."""
    return remembered.claims_of(memory), latch_rows(memory), memory.seen


def latch_rows(memory):
    """Rows of the latched faults; how long one has left does not count as a change."""
    return tuple([fault.row for fault in remembered.latches_of(memory)])


def others_of(memory):
    """(counts, wear, hot openings and sessions without current): what may wait for a minute."""
    return memory.faults.counts, memory.wear, (memory.local.hot_at_ms, memory.local.blind)
