"""Signed commands: proved one after the other, in steps between the ticks, before they count."""

import asyncio
import json

from firmware.core.records import Event, Refusal
from firmware.services import flash_files
from firmware.wire import grid_contract, jws, signed_command, signed_seqs

MOST_FILE_B = 8192
MOST_WAITING = 4  # a proof takes up to 0.4 s on a chip
MOST_BAD, MINUTE_MS = 10, 60_000  # bad signatures in a minute raise a security event


def trust_in(path):
    """(Trust of a file, words of what is wrong with it); a file that cannot be read lets nobody speak."""
    try:
        return signed_command.trust_of(json.loads(flash_files.read_bounded(path, MOST_FILE_B))), ""
    except (OSError, ValueError) as error:
        return signed_command.Trust((), b""), str(error)


class SignedCommands:
    """Between the topics of commands and the inbox, for a box that believes signatures alone."""

    def __init__(self, app, path, ended):
        """app: the App; path: of the keys; ended: function of (Command or Refusal, scope)."""
        self._app = app
        self._ended = ended
        self._trust, words = trust_in(path)
        self._waiting = []
        self._task = None
        self._bad_at_ms = []
        if words:
            app.notice("mqtt", "stored.issuers_lost")

    def take(self, message, name, context):
        """One message of a command topic; name: of the group, or ""."""
        place = message.scope + " " + name if name else message.scope
        known = (self._trust, self._app.state.seqs, self._app.loop.memory.seen)
        found = signed_command.claimed(message, place, context, known)
        if isinstance(found, Refusal):
            self._count(found.code)
            self._ended(found, message.scope)
        elif len(self._waiting) >= MOST_WAITING:
            self._ended(Refusal("busy", "", "", found.parsed[0].ref), message.scope)
        else:
            self._waiting.append((found, message.scope))
            if self._task is None or self._task.done():
                self._task = asyncio.create_task(self._prove())

    async def _prove(self):
        """Prove what is waiting."""
        while self._waiting:
            found, scope = self._waiting[0]  # one of those that wait until it is judged
            try:
                made = await self._judged(found)
            finally:
                self._waiting.pop(0)
            self._ended(made, scope)

    async def _judged(self, found):
        """Command or Refusal of one Claimed."""
        ref = found.parsed[0].ref
        row = (ref.issuer, found.place, found.seq)
        code, is_proved = "bad_signature", False
        try:
            for is_proved in jws.proof(found.jws, found.keys):
                await asyncio.sleep(0)
        except MemoryError:
            code = "busy"
        state = self._app.state
        if is_proved and signed_seqs.is_replayed(state.seqs, row, ref in self._app.loop.memory.seen):
            code, is_proved = "replayed", False  # a later one came before it and was proved meanwhile
        if not is_proved:
            self._count(code)
            return Refusal(code, "", "", ref)
        state.seqs = signed_seqs.with_seq(state.seqs, row)
        return grid_contract.drawn(found.parsed, self._app.random_below)

    def _count(self, code):
        """Ten bad signatures within a minute are told once, and counted anew."""
        if code != "bad_signature":
            return
        now_ms = self._app.now_ms()
        self._bad_at_ms = [at_ms for at_ms in self._bad_at_ms if now_ms - at_ms < MINUTE_MS] + [now_ms]
        if len(self._bad_at_ms) >= MOST_BAD:
            self._bad_at_ms = []
            self._app.log.put(now_ms, Event("security", ("bad_signatures",)))
