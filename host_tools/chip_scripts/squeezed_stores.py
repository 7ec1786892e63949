"""Runs on the interpreter: ledger, settings, state and log are stored while memory runs out or flash fails or is full.

Memory: the heap is filled up to so many bytes, more each time, so that another allocation fails each time; in one step,
or in thirty in a row. Flash: the n-th program or erase fails with EIO, alone or with all that follow; or there is
hardly any room (ENOSPC). After each trouble the next save must work, and nothing may be lost, mixed or counted twice.
One line of counts for each store and trouble.
"""

import sys

sys.path[:] = [folder for folder in sys.path if not folder.endswith("sim/chip")]  # asyncio has the real `time`
import asyncio  # noqa: E402
import gc  # noqa: E402

import fake_machine  # noqa: E402
from torn_flash import Ground, TornFlash  # noqa: E402

sys.modules["machine"] = fake_machine  # compiled firmware has core and drivers in one module
from firmware.core import claims, decide, settings  # noqa: E402
from firmware.core.records import Energy, Event, Ref, Wear  # noqa: E402
from firmware.services import flash_files, ledger_start, settings_store, state_store  # noqa: E402
from firmware.services.event_log import EventLog  # noqa: E402
from firmware.services.health import mend  # noqa: E402
from firmware.services.ledger import Ledger  # noqa: E402
from firmware.services.log_store import LogStore  # noqa: E402
from firmware.wire import ledger_record  # noqa: E402

FOLDER = Ground.FOLDER
BLOCKS = 32
NOON_S = 1_795_176_000
STEP_B = 16  # the heap's blocks
IN_A_ROW = 30
LONG_B = 1200, 80  # up to so much, in such steps, for as many in a row
OPERATIONS = 30
PIECES = (4096, 256, 16)
FREE_FILES = 8  # of a full flash: none, one, … seven files of one block are taken away again
BALLAST = FOLDER + "ballast-%d"


class App:
    """What the stores ask of the App."""

    version = "0.1.0"
    config = {}

    def __init__(self, memory):
        self.loop = self.board = self.phrases = self
        self.memory = memory
        self.log = EventLog()
        self.at_ms = 100_000
        self.told = 0
        self.has_clock = True

    def now_ms(self):
        return self.at_ms

    def wall_s(self):
        return NOON_S + self.at_ms // 1000 if self.has_clock else None

    def phrase(self, code):
        return (code, "")

    def tell(self, name, words):
        self.told += 1

    def notice(self, name, code):
        self.told += 1


class Ledgers:
    """The ledger: energy flows in each step, and a session begins or ends in some.

    So few of them that what waits while flash takes nothing has room (ledger.MOST_WAITING).
    """

    MOST_B, STEP_B = 2000, STEP_B  # free in the heap: up to where all of it works
    ROUND = 40  # steps from one session to the next; it lasts for all but one

    def __init__(self, app):
        self.app = app
        self.ledger = Ledger(FOLDER, ledger_start.found(FOLDER, 40))
        self.meter = Energy(0, 0, 0, None, 0, 0)
        self.number = self.sessions = 0

    def change(self):
        """20 s with 7 Wh in them. Errors: MemoryError; then there was none of it."""
        wh = self.meter.wh + 7
        session = (self.meter.session_wh, 0, self.meter.session_at_ms)
        place = (self.number + 1) % self.ROUND
        if place == 0:
            session = (None, 0, 0)
        elif place == 1:
            session = (wh - 7, 0, self.app.at_ms + 20_000)
        self.meter = Energy(wh, 0, 0, *session)
        self.sessions += place == 1
        self.number += 1
        self.app.at_ms += 20_000

    def save(self):
        """One look."""
        self.ledger.step(self.app.at_ms, self.app.wall_s(), self.meter)
        return self.ledger.trouble

    def settle(self):
        """What waits is written, one record at a look."""
        for _ in range(8):
            self.app.at_ms += 11_000
            self.save()

    def is_right(self):
        """Whether a start would find every Wh once, and every session that ended."""
        while self.number % self.ROUND:
            self.change()
            self.save()
        self.settle()
        found = ledger_start.found(FOLDER, 40)
        mwh = sum(found.head.minutes_mwh)
        for octets in records(found.quarters, ledger_record.QUARTER_B):
            mwh += sum(ledger_record.quarter_of(octets).minutes_mwh)
        rows = [ledger_record.session_of(octets) for octets in records(found.sessions, ledger_record.SESSION_B)]
        numbers = [row.seq for row in rows]
        flowed_wh = sum([row.to_wh - row.from_wh for row in rows])
        is_counted = mwh == found.head.wh * 1000 == self.meter.wh * 1000
        is_whole = (
            numbers == list(range(len(numbers)))
            and len(rows) == self.sessions
            and flowed_wh == 7 * self.ROUND * len(rows)
        )
        if not (is_counted and is_whole):
            print("ledger:", mwh, found.head.wh, self.meter.wh, len(rows), self.sessions, flowed_wh)
        return is_counted and is_whole and not found.words


def records(files, record_b):
    """Bytes of each whole record of RecordFiles."""
    for number in range(files.first, files.last + 1):
        try:
            octets = flash_files.read_bounded(files.path(number), 1 << 15)
        except OSError:
            continue
        for at in range(0, len(octets) - record_b + 1, record_b):
            yield octets[at : at + record_b]


class Clockless(Ledgers):
    """The ledger of a box that nobody tells the time: its numbers are small, and take no memory before they count."""

    def __init__(self, app):
        app.has_clock = False
        super().__init__(app)


class Settings:
    """Settings that change each time."""

    MOST_B, STEP_B = 24_000, 32 * STEP_B

    def __init__(self, app):
        self.store = settings_store.SettingsStore(FOLDER)
        self.limit_ma = 6000
        self.change()
        self.save()

    def change(self):
        """Another limit."""
        self.limit_ma = 6000 + (self.limit_ma - 5000) % 26_000

    def save(self):
        """Store them; "broken" where that is refused."""
        try:
            self.store.save(settings.changed(settings.defaults(), {"wiring_limit_ma": self.limit_ma}))
        except OSError:
            return "broken"
        return ""

    def settle(self):
        """Nothing waits."""

    def is_right(self):
        """Whether the last saved, or the one before it, is in force at a start."""
        found, code = self.store.load()
        return found.wiring_limit_ma == self.limit_ma and code in ("", "previous")


class States:
    """The state of a box whose contactor has worked so often."""

    MOST_B, STEP_B = 24_000, 32 * STEP_B

    def __init__(self, app):
        self.app = app
        self.store = state_store.StateStore(FOLDER)
        self.store.restored(app.memory, False)

    def change(self):
        """One more operation."""
        parts = list(self.app.memory)
        at = list(parts).index(self.app.memory.wear)
        parts[at] = Wear(parts[at].operations + 1, 0)
        self.app.memory = type(self.app.memory)(*parts)

    def save(self):
        """Keep it; "broken" where that is told."""
        before = self.app.told
        self.store._is_failing = False
        asyncio.new_event_loop()  # a task that an earlier failure left is none of this one's
        asyncio.run(self.store.keep(self.app))
        return "broken" if self.app.told > before else ""

    def settle(self):
        """Nothing waits."""

    def is_right(self):
        """Whether a start finds it."""
        made, code = state_store.StateStore(FOLDER).restored(FIRST, False)
        return made.wear.operations == self.app.memory.wear.operations and not code


class Logs:
    """The log: one fault more each time."""

    MOST_B, STEP_B = 3000, 2 * STEP_B

    def __init__(self, app):
        self.app = app
        self.store = LogStore(app, FOLDER)
        self.number = 0
        asyncio.run(self.store.begin())

    def change(self):
        """A security event, which is written at once, and a wrong password."""
        self.number += 1
        self.app.at_ms += 40_000
        self.app.log.put(self.app.at_ms, Event("security", ("wrong_login", "x")))
        self.app.log.put(self.app.at_ms, Event("security", ("n%d" % self.number, "x")))

    def save(self):
        """Gather and write; "broken" where that is told."""
        before = self.app.told
        flash_files.tally._taken.clear()
        while self.store.gather():
            pass
        for stream in self.store.streams:
            stream.next_ms = 0
        self.store.next_guesses_ms = 0
        self.store._is_told = False
        self.store.write(self.app.at_ms)
        return "broken" if self.app.told > before else ""

    def settle(self):
        """What waits is written."""
        self.save()

    def is_right(self):
        """Whether the newest entry is on flash with all wrong passwords that were taken, and all in order."""
        again = LogStore(self.app, FOLDER)
        rows = [entry for entry in again.entries((1,))]
        numbers = [entry.seq for entry in rows]
        counted = [entry.times for entry in self.store.entries((1,)) if entry.tag == "wrong_login"]
        asyncio.run(again.begin())
        found = [entry.times for entry in again.entries((1,)) if entry.tag == "wrong_login"]
        is_counted = found == counted and len(found) == 1 and found[0] > self.number // 2
        return is_counted and numbers == sorted(set(numbers)) and rows[-1].tag == "n%d" % self.number


def squeezed(left_b, store, times):
    """How many of `times` steps failed for want of memory, with so many bytes left in each."""
    failed = 0
    if times == 1:
        store.change()
    spare = bytearray(left_b - STEP_B) if left_b else None  # a block for itself
    fill = None
    gc.collect()
    for size in PIECES:
        try:
            while True:
                fill = (fill, bytearray(size))
        except MemoryError:
            pass
    try:
        while True:
            fill = (fill,)  # to the last block
    except MemoryError:
        pass
    del spare
    for _ in range(times):
        try:
            if times > 1:
                store.change()
            store.save()
        except Exception:
            # As Health does before the service starts again; which may have no memory for it either.
            gc.collect()
            failed += 1
            try:
                mend()
            except MemoryError:
                pass
    fill = None
    gc.collect()
    mend()
    return failed


def saved_again(store):
    """Whether the next save works, now that the trouble is over."""
    for _ in range(3):
        store.change()
        try:
            if store.save() == "":
                store.settle()
                return True
        except Exception as error:
            print("bad: after the trouble:", repr(error))
    return False


def memory_runs_out(name, store):
    """Each allocation fails, in one step and in thirty."""
    tries = failed = bad = 0
    for times in (1, IN_A_ROW):
        for left_b in range(0, *(store.MOST_B, store.STEP_B) if times == 1 else LONG_B):
            tries += 1
            failed += squeezed(left_b, store, times) > 0
            if not saved_again(store):
                bad += 1
                print("bad:", name, "does not save after", left_b, "B and", times)
    if not store.is_right():
        bad += 1
        print("bad:", name, "has lost something")
    print("memory_%s: %d tries, %d failed, %d bad" % (name, tries, failed, bad))


def flash_fails(name, store, flash):
    """The n-th program or erase fails with EIO, alone or with all that follow."""
    tries = told = bad = 0
    for stays in (False, True):
        for number in range(1, OPERATIONS + 1):
            tries += 1
            flash.stays, flash.failed, flash.fails_at = stays, 0, number
            words = ""
            for _ in range(IN_A_ROW):
                if flash.failed and not stays:
                    break
                store.change()
                words = store.save() or words
            flash.fails_at = 0
            told += bool(words)
            # A block that takes nothing once is replaced by littlefs itself; one that never does is told.
            if not (flash.failed and (words or not stays) and saved_again(store)):
                bad += 1
                print("bad:", name, stays, number, flash.failed, words)
    if not store.is_right():
        bad += 1
        print("bad:", name, "has lost something")
    print("flash_%s: %d tries, %d told, %d bad" % (name, tries, told, bad))


def filled():
    """Number of files of one block that fill the flash."""
    number = 0
    try:
        while True:
            with open(BALLAST % number, "wb") as file:
                file.write(ERASED)
            number += 1
    except OSError:
        flash_files.removed(BALLAST % number)
    return number


def flash_is_full(name, store):
    """ENOSPC with a little more room each time, in one save and in thirty."""
    tries = told = bad = 0
    for times in (1, IN_A_ROW):
        for free in range(FREE_FILES):
            tries += 1
            count = filled()
            for number in range(free):
                flash_files.removed(BALLAST % number)
            words = ""
            for _ in range(times):
                store.change()
                words = store.save() or words
            told += bool(words)
            for number in range(free, count):
                flash_files.removed(BALLAST % number)
            if not saved_again(store):
                bad += 1
                print("bad:", name, "does not save after", free, "free and", times, words)
    if not store.is_right():
        bad += 1
        print("bad:", name, "has lost something")
    print("full_%s: %d tries, %d told, %d bad" % (name, tries, told, bad))


ERASED = bytes(4000)
STORES = (("ledger", Ledgers), ("clockless", Clockless), ("settings", Settings), ("state", States), ("log", Logs))
FIRST = decide.first_memory(100_000, (claims.standing("cable", 32000, Ref("board", "cable", 0)),), (0, 0))


def main():
    """All stores, or the one that is named."""
    ground, flash = Ground(), TornFlash(BLOCKS)
    for name, kind in STORES:
        if sys.argv[1:] and name not in sys.argv:
            continue
        ground.formatted(flash)
        ground.mounted(flash)
        flash_files.tally = flash_files.Tally()
        store = kind(App(FIRST))
        memory_runs_out(name, store)
        flash_fails(name, store, flash)
        flash_is_full(name, store)


main()
