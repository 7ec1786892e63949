"""Brings what the journal holds into files while the coil is off; pauses the box where the journal is full."""

import asyncio

from firmware.core.records import Command, Ref
from firmware.services.flash_gate import gate

LOOK_S = 0.5
REF = Ref("box", "store", 0)  # as in short_pause.py, which is loaded when somebody needs it
PAUSE_MS, AGAIN_MS = 60_000, 45_000
MOST_PAUSE_MS = 600_000  # a journal that is not empty by then is broken: the car is charged without


class Storage:
    """Looks after one App, of which only public names are used."""

    def __init__(self, app):
        self._app = app
        self._has_values = True  # the journal may hold values; so after each start
        self._paused_ms = None  # since when the box waits for room in the journal
        self._asked_ms = 0
        self._is_given_up = False

    def is_ahead(self):
        """Whether the journal holds what files do not have."""
        app = self._app
        return app.ledger.is_ahead or app.state.is_ahead or app.store.is_ahead or app.last_time.is_ahead

    async def run(self):
        """Look twice a second, for ever."""
        while True:
            self.step(self._app.now_ms())
            await asyncio.sleep(LOOK_S)

    def step(self, now_ms):
        """One look."""
        app = self._app
        is_open = gate.may_touch_files()
        if app.store.is_ahead and is_open:
            self._save_settings()
        if self.is_ahead():
            self._has_values = True
        elif is_open and self._has_values and app.journal.checkpoint():
            self._has_values = False
        self._keep_room(now_ms)

    def _save_settings(self):
        """What was changed while the coil was on, into the files."""
        try:
            self._app.store.save(self._app.settings())
        except OSError:
            self._app.notice("settings", "stored.settings_fail")

    def _keep_room(self, now_ms):
        """A journal that is nearly full pauses the box until it has room again: gently, and by itself."""
        app = self._app
        if app.journal.trouble:
            app.notice("storage", "stored.fails")
        if not app.journal.is_nearly_full() or app.journal.trouble:
            if self._paused_ms is not None:
                self._paused_ms = None
                app.submit(Command("resume", "store", 0, now_ms, None, REF, "", 0, None, ""))
            self._is_given_up = False
            return
        if self._is_given_up:
            return
        memory = app.loop.memory
        if self._paused_ms is None:
            if gate.may_touch_files() and memory.pilot.letter == "A":
                return  # it gets room now, before a car wants anything
            self._paused_ms = now_ms
            self._asked_ms = now_ms - AGAIN_MS
            app.tell("journal", app.phrases.phrase("journal.full")[0])
        if now_ms - self._paused_ms >= MOST_PAUSE_MS:
            self._is_given_up = True
            app.notice("journal", "journal.stays_full")
        elif now_ms - self._asked_ms >= AGAIN_MS or not any([row.source == "store" for row in memory.claims.rows]):
            # Also where somebody else's short pause, which is of the same source, has ended this one.
            asked = Command("limit", "store", 0, now_ms, now_ms + PAUSE_MS, REF, "", 0, None, "")
            if app.submit(asked) is not asked:
                self._asked_ms = now_ms
