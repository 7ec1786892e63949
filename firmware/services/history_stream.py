"""Reads what is stored of energy and sessions in small steps, for one call of the page; loaded for it, and dropped."""

import asyncio

from firmware.core.records import Refusal
from firmware.services import flash_files, ledger, record_files
from firmware.services.flash_gate import gate
from firmware.wire import history, ledger_record

READ_RECORDS = 16  # at most 1 kB of one file, open for no longer than that: the ledger may take the file away
PIECE_B = 256  # sent at once; the others have their turn after each record
IDENTITY_B = 5  # mark and number of a record (wire/ledger_record.py)
GONE = 2  # ENOENT

# path of a call: (form, what it may be asked, its type, is it a file to keep)
CALLS = {
    "/api/energy": (history.EnergyJson, history.ENERGY_KEYS, "application/json"),
    "/api/sessions": (history.SessionsJson, history.SESSION_KEYS, "application/json"),
    "/api/sessions.csv": (history.SessionsCsv, history.SESSION_KEYS, "text/csv; charset=utf-8; header=present"),
}


def opened(app, path, query):
    """(body, headers) of the answer to a call, or a Refusal.

    app: the App, of which the ledger and the phrases are used; path: of CALLS; query: str, what follows the "?".
    """
    form, keys, kind = CALLS[path]
    wanted, code, key = history.asked(query, keys)
    if code:
        return Refusal("bad_field", key, "%s. %s" % app.phrases.phrase("refusal." + code), None)
    files = app.ledger.quarters if keys is history.ENERGY_KEYS else app.ledger.sessions
    last = wanted[2] if keys is history.SESSION_KEYS else None
    is_shut = not gate.may_touch_files()
    # Or files have not got yet what the journal holds.
    is_in_memory = last is not None and last <= ledger.MOST_NEWEST and (is_shut or app.ledger.is_ahead)
    if is_shut and not is_in_memory:
        return Refusal("charging", "", "%s. %s" % app.phrases.phrase("refusal.charging"), None)
    headers = {"Content-Type": kind, "Cache-Control": "no-store"}
    if path.endswith(".csv"):
        headers["Content-Disposition"] = 'attachment; filename="ebb-sessions.csv"'
    shown = form(wanted)
    if is_in_memory:
        return Streamed(pieces(shown, iter(app.ledger.newest[-(last or 0) :]))), headers
    newest = app.ledger.unstored(files)[-last if last else 0 :]
    found = stored(files, last and last - len(newest), shown.may_want)
    record_of = ledger_record.quarter_of if files is app.ledger.quarters else ledger_record.session_of
    return Streamed(pieces(shown, completed(found, newest, record_of))), headers


class Streamed:
    """A body that microdot sends piece by piece; the tick runs between any two steps (faults.md X3)."""

    def __init__(self, pieces):
        """pieces: generator of bytes; b"" where a step gave nothing to send."""
        self._pieces = pieces

    def __aiter__(self):
        return self

    async def __anext__(self):
        while True:
            await asyncio.sleep(0)
            piece = next(self._pieces, None)
            if piece is None:
                raise StopAsyncIteration
            if piece:
                return piece


def pieces(form, records):
    """Bytes of the whole answer, a step for each read and each record. form: one of wire/history.py."""
    text = form.head()
    unreadable = 0
    for octets in records:
        if octets:
            found = form.text_of(octets)
            unreadable += found is None
            text += found or ""
        elif octets is None:
            unreadable += 1
        if len(text) >= PIECE_B:
            yield text.encode()
            text = ""
        else:
            yield b""
    yield (text + form.end(unreadable)).encode()


def stored(files, last, may_want):
    """Bytes of each record of RecordFiles, oldest first; b"" for a step without one, None for what cannot be read.

    last: only so many, None for all; may_want: of one of wire/history.py. What is added meanwhile comes too; what goes
    meanwhile does not.
    """
    number, at = files.first_kept(), 0
    if last is not None:
        for number, at in beginnings(files, last):  # noqa: B007  the last one counts
            yield b""
    while number <= files.last:
        try:
            octets = flash_files.read_at(files.path(number), at, READ_RECORDS * files.record_b)
            yield b""
        except OSError as error:
            octets = b""
            yield b"" if error.args and error.args[0] == GONE else None
        if may_want(octets):
            for begin in range(0, len(octets), files.record_b):
                yield octets[begin : begin + files.record_b]
        at += len(octets)
        if len(octets) < READ_RECORDS * files.record_b:
            number, at = number + 1, 0


def completed(records, newest, record_of):
    """The records, and behind them those that flash did not have at the call; one that it got meanwhile comes once.

    record_of: None of bytes that are torn: a record whose first copy is stays among the newest.
    """
    for octets in records:
        if octets and newest and octets[:IDENTITY_B] == newest[0][:IDENTITY_B] and record_of(octets) is not None:
            newest = newest[1:]
        yield octets
    yield from newest


def beginnings(files, count):
    """(number, byte) from which on there are more and more of the newest records, in the end `count` or all."""
    number = files.last
    while True:
        here = record_files.length_of(files.path(number)) // files.record_b
        yield number, max(here - count, 0) * files.record_b
        count -= here
        if count <= 0 or number <= files.first_kept():
            return
        number -= 1
