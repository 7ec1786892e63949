"""Keeps the event log on flash: what the box tells is gathered in memory and written a few records at a time."""

import asyncio

from firmware.services import flash_files
from firmware.services.event_log import GUESS, is_guess
from firmware.services.flash_gate import gate
from firmware.services.log_segments import LogSegments
from firmware.wire import log_lines

LOOK_S = 1
GATHERED = 4  # events in one turn
# kept apart: everyday events never push out what tells of somebody's doing (SI 2021/1467, security log)
STREAMS = (("log-", 12), ("security-", 4))
MOST_WAITING = 48  # of one stream
MOST_FLOOD = 32  # of them that somebody outside can cause as often as he likes: the others are for faults and crashes
MOST_ALIKE = 8  # of one kind among those that wait; more of them are counted on the last one
AT_ONCE = 16  # records in one write: 1 kB, well under 5 ms
EVERY_MS = 300_000  # everyday events wait so long, or until many wait
SOON_MS = 30_000  # at least between two writes of one stream
BACK_OFF_MS = (60_000, 3_600_000)
PIECE_B = 128  # a piece, which is made and sent in one turn of the loop, ends with the line that passes this
MOST_WALL_S = 2**32 - 1
GUESSES = "guesses.bin"  # one entry, in which all wrong passwords are counted: they push out nothing


class Stream:
    """One row of files, the entries that wait for it, and when it may be written next."""

    def __init__(self, segments):
        self.segments = segments
        self.waiting = []
        self.next_ms = 0
        self.wait_ms = BACK_OFF_MS[0]

    def add(self, entry):
        """Take an Entry; False when there is no room. Of many alike only some are kept, and the others counted."""
        waiting = self.waiting
        alike = -1
        count = 0
        for index in range(len(waiting)):
            other = waiting[index]
            if other.code == entry.code and log_lines.is_alike(other, entry):
                alike = index
                count += 1
        if count >= MOST_ALIKE:
            waiting[alike] = log_lines.again(waiting[alike])
            return True
        if len(waiting) >= (MOST_FLOOD if log_lines.may_flood(entry.code) else MOST_WAITING):
            return False
        waiting.append(entry)
        return True

    def is_due(self, now_ms):
        """Whether something should be written now."""
        if not self.waiting or now_ms < self.next_ms:
            return False
        if len(self.waiting) >= AT_ONCE or now_ms - self.waiting[0].at_ms >= EVERY_MS:
            return True
        return any([entry.severity == log_lines.ALARM or log_lines.is_security(entry) for entry in self.waiting])


class LogStore:
    """Two streams on flash, everyday and security. app: the App, of which only public names are used."""

    def __init__(self, app, folder):
        self._app = app
        self._folder = folder.rstrip("/") + "/"
        self.streams = [Stream(LogSegments(folder, prefix, kept)) for prefix, kept in STREAMS]
        self._seen = 0
        self._seq = 0
        self._start = 0
        self._lost = 0
        self._is_told = False
        self._guesses = None  # Entry of all wrong passwords
        self._guessed = 0  # wrong passwords of this run that are counted in it
        self._is_guessed = False  # whether it tells of more than flash does
        self.next_guesses_ms = 0  # before that it is not written
        self._reset_path = ""  # what says that a factory reset is not told yet

    async def begin(self):
        """Find where the log of earlier starts ends, and note this start; a flash that cannot be read starts at 0."""
        await gate.opened()
        self._guesses = self._guesses_on_flash()  # before anybody else has a turn, in which the coil may come on
        for stream in self.streams:
            try:
                seq, start = await stream.segments.last()
            except OSError as error:
                self._trouble(error)
                continue
            self._seq = max(self._seq, seq)
            self._start = max(self._start, start)
        self._seq = max(self._seq, self._guesses.seq if self._guesses else 0)
        self._start = self._start + 1 & 0xFFFF
        is_return = 1 if self._app.config.get("is_power_return") else 0
        self._note(0, "start", (self._app.version, "", is_return))
        self._look_for_reset()

    def _guesses_on_flash(self):
        """Entry of all wrong passwords so far; None where there was none yet, or what is there is none."""
        try:
            entry = log_lines.opened(flash_files.read_bounded(self._folder + GUESSES, log_lines.ENTRY_B), 0)
        except OSError:
            return None
        return entry if entry and entry.tag == GUESS else None

    def _look_for_reset(self):
        """A factory reset took the log with it: its first lines say so, at each start until they are on flash."""
        from firmware.services import dropped, factory_reset

        self._reset_path = factory_reset.done_in(self._folder)
        dropped.drop()
        if self._reset_path:
            self._note(0, "reset", ())

    def _note(self, at_ms, code, args):
        """One event with its moment joins those that wait."""
        behind_s = (self._app.now_ms() - at_ms) // 1000
        wall_s = self._app.board.wall_s()
        wall_s = 0 if wall_s is None else max(0, min(MOST_WALL_S, wall_s - behind_s))
        where = (self._seq + 1 & 0xFFFFFFFF, self._start, at_ms, wall_s)
        entry = log_lines.noted(code, args, where)
        if is_guess(code, args):
            if self._guesses:
                self._guesses = log_lines.gone_on(self._guesses, entry)
            else:
                self._guesses, self._seq = entry, where[0]
            self._guessed += 1
            self._is_guessed = True
            return
        stream = self.streams[1 if log_lines.is_security(entry) else 0]
        if stream.add(entry):
            self._seq = where[0]
        else:
            self._lost += 1

    def gather(self):
        """Take over a few of the events told since the last time; whether there are more."""
        log = self._app.log
        fresh = [row for row in log.newest() if row[0] > self._seen]
        for number, at_ms, code, args in fresh[:GATHERED]:
            self._lost += number - self._seen - 1
            self._seen = number
            self._note(at_ms, code, args)
        if len(fresh) > GATHERED:
            return True
        while self._guessed < log.guesses:  # those that kept no place among the last events
            self._note(self._app.now_ms(), "security", (GUESS, log.guesser))
            self._lost = max(0, self._lost - 1)
        return False

    def write(self, now_ms):
        """Write the next few records where it is time for it; a flash in trouble is tried again later (F3).

        While the coil is on they wait; what finds no place is counted, and told with what is written next.
        """
        if not gate.may_touch_files():
            return
        is_due = self._is_guessed and now_ms >= self.next_guesses_ms
        if self._guesses and is_due and flash_files.tally.may_write(now_ms, False):
            self._write_guesses(self._guesses, now_ms)
        for stream in self.streams:
            if not stream.is_due(now_ms) or not flash_files.tally.may_write(now_ms, False):
                continue
            some = stream.waiting[:AT_ONCE]
            try:
                stream.segments.append(b"".join([log_lines.packed(entry) for entry in some]))
            except OSError as error:
                stream.next_ms = now_ms + stream.wait_ms
                stream.wait_ms = min(stream.wait_ms * 2, BACK_OFF_MS[1])
                self._trouble(error)
                continue
            stream.waiting = stream.waiting[len(some) :]
            stream.next_ms = now_ms + SOON_MS
            stream.wait_ms = BACK_OFF_MS[0]
            self._is_told = False
            if self._reset_path and stream is self.streams[1]:
                flash_files.removed(self._reset_path)
                self._reset_path = ""
            if self._lost and len(self.streams[0].waiting) < MOST_WAITING:
                lost, self._lost = self._lost, 0
                self._note(now_ms, "lost", ("", "", lost))

    def _write_guesses(self, entry, now_ms):
        """Write the entry of all wrong passwords, EVERY_MS apart; a flash in trouble is tried again in an hour (F3)."""
        self.next_guesses_ms = now_ms + EVERY_MS
        try:
            flash_files.write_whole(self._folder + GUESSES, log_lines.packed(entry))
            self._is_guessed = False
        except OSError as error:
            self.next_guesses_ms = now_ms + BACK_OFF_MS[1]
            self._trouble(error)

    def _trouble(self, error):
        """Say once that the log is not kept, until it is again."""
        if not self._is_told:
            self._is_told = True
            self._app.tell("log", "%s (%s)" % (self._app.phrases.phrase("log.not_kept")[0], error))

    async def run(self):
        """Gather each second and write now and then, for ever."""
        if not self._start:
            await self.begin()
        while True:
            while self.gather():
                await asyncio.sleep(0)
            self.write(self._app.now_ms())
            await asyncio.sleep(LOOK_S)

    def entries(self, picked):
        """All entries on flash and in memory by number, oldest first. picked: indices of the streams wanted.

        While the coil is on only those in memory, behind an entry that says so.
        """
        if not gate.may_touch_files():
            at_ms, wall_s = self._app.now_ms(), self._app.board.wall_s() or 0
            yield log_lines.noted("later", ("", "", 0), (0, self._start, at_ms, max(0, min(MOST_WALL_S, wall_s))))
        rows = [entries_of(self.streams[index]) for index in picked]
        if self._guesses and 1 in picked:
            rows.append(alone(self._guesses))
        heads = [next(row, None) for row in rows]
        while True:
            oldest = None
            at = 0
            for index in range(len(heads)):
                head = heads[index]
                if head is not None and (oldest is None or head.seq < oldest.seq):
                    oldest = head
                    at = index
            if oldest is None:
                return
            yield oldest
            heads[at] = next(rows[at], None)

    def pieces(self, shown, picked):
        """Bytes of the whole log in pieces of a few lines. shown: log_lines.as_text or as_json."""
        text = ""
        for entry in self.entries(picked):
            text += shown(entry) + "\n"
            if len(text) > PIECE_B:
                yield text.encode()
                text = ""
        if text:
            yield text.encode()


def alone(entry):
    """One entry as a stream of its own."""
    yield entry


def entries_of(stream):
    """The entries of one stream, oldest first; what is written meanwhile comes once, what goes meanwhile not at all."""
    last = -1
    waiting = tuple(stream.waiting)
    try:
        numbers = tuple(stream.segments.numbers()) if gate.may_touch_files() else ()
    except OSError:
        numbers = ()
    for number in numbers:
        octets = stream.segments.read(number)
        for at in range(0, len(octets), log_lines.ENTRY_B):
            entry = log_lines.opened(octets, at)
            if entry is not None and entry.seq > last:
                last = entry.seq
                yield entry
    for entry in waiting:
        if entry.seq > last:
            yield entry


def add_to(keep, app):
    """Start the log of an App with `keep` (name, run), and return it."""
    store = LogStore(app, app.config["data_dir"])
    keep("log", store.run)
    return store
