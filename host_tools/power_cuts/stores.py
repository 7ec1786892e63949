"""One start of all that the box stores, as App starts it, on one flash with files and journal; in simulated time."""

import asyncio
import heapq
import itertools

from firmware.drivers.flash_area import PartitionArea
from firmware.services import (
    dropped,
    flash_files,
    flash_gate,
    journal,
    last_start,
    last_time,
    ledger,
    ledger_start,
    log_segments,
    log_store,
    settings_store,
    state_files,
    state_store,
    storage,
)
from firmware.services.event_log import EventLog
from host_tools.power_cuts import lfs_files
from host_tools.power_cuts.flash_chip import FlashChip

FILES, SECTORS = 40, 5  # blocks of littlefs, and of the journal behind them
FOLDER = lfs_files.FOLDER
DAYS = 40
SLEEPING = (flash_gate, journal, ledger, log_segments, log_store, state_files, state_store, storage)
genuine_drop = dropped.drop


def chip_of(chance):
    """A FlashChip with an empty file system in its first blocks."""
    chip = FlashChip(FILES + SECTORS, chance, steady=FILES)
    lfs_files.formatted(chip, FILES)
    return chip


class Sleep:
    """What a coroutine of the firmware awaits; Turns wakes it."""

    def __init__(self, for_s):
        self.for_s = for_s

    def __await__(self):
        yield self.for_s


class Turns:
    """Takes the place of asyncio in the storing services; its own time."""

    sleep = Sleep

    def __init__(self, now_ms):
        self.now_ms = now_ms
        self._rows = []  # (when it wakes, number, coroutine)
        self._numbers = itertools.count()

    def add(self, coroutine):
        """It begins in the next turn."""
        heapq.heappush(self._rows, (self.now_ms, next(self._numbers), coroutine))

    def step(self, end_ms):
        """The turn that is due first; False where none is due by then."""
        if not self._rows or self._rows[0][0] > end_ms:
            self.now_ms = max(self.now_ms, end_ms)
            return False
        at_ms, _, coroutine = heapq.heappop(self._rows)
        self.now_ms = max(self.now_ms, at_ms)
        try:
            wakes_ms = self.now_ms + max(1, round(coroutine.send(None) * 1000))
            heapq.heappush(self._rows, (wakes_ms, next(self._numbers), coroutine))
        except StopIteration:
            pass
        return True

    def end(self):
        """The supply is gone: nothing goes on."""
        for _, _, coroutine in self._rows:
            coroutine.close()
        self._rows = []


def nothing():
    """Modules stay loaded: to load them each time would be most of a campaign's work."""


class Stores:
    """Stands in for App; begin() after it with what ticks. Errors: OSError where the files cannot be mounted."""

    config = {"data_dir": FOLDER}
    version = "1.0.0"

    def __init__(self, chip, board, first_memory):
        """chip: of chip_of(), with its supply back; board: now_ms(), wall_s(), boot_epoch_ms(); first_memory: Memory.

        A chip that is dead after this was cut in the start, and nobody has seen anything.
        """
        self.chip, self.board = chip, board
        self.turns = Turns(board.now_ms())
        self.now_ms = board.now_ms
        self.told = []  # trouble that a service told of with power on
        self.log = EventLog()
        self.commands = []
        self.phrases = self
        self._put_under()
        flash_gate.gate.watch(None)
        flash_files.tally = flash_files.Tally()
        lfs_files.mounted(chip, FILES)
        self.journal = journal.Journal(PartitionArea(chip, FILES, SECTORS))
        if chip.is_dead:
            return
        self.store = settings_store.SettingsStore(FOLDER, self.journal)
        self.state = state_store.StateStore(FOLDER, self.journal)
        self.last_time = last_time.LastTime(FOLDER, board.now_ms, self.journal)
        parts = self.store, self.state, self.last_time
        self.chosen, self.settings_code, self.replay = last_start.read(parts, (FOLDER, DAYS), self.journal, nothing)
        self.memory = ledger_start.resumed(first_memory, self.replay.found)
        self.ledger = ledger.Ledger(FOLDER, self.replay.found, self.journal)
        self.ledger.newest, self.ledger.is_ahead = self.replay.newest, self.replay.is_ahead
        self.memory, self.state_code = self.state.restored(self.memory, False)
        self.log_store = log_store.LogStore(self, FOLDER)
        self.storage = storage.Storage(self)

    def begin(self, loop):
        """All services run; loop: ControlLoop, or what has its memory, settings, board and coil_on_ms."""
        self.loop = loop
        flash_gate.gate.watch(loop)
        for run in (
            self.state.run(self),
            self.journal.run(flash_gate.gate.may_touch_files),
            self.storage.run(),
            self.ledger.run(self),
            self.log_store.run(),
        ):
            self.turns.add(run)

    def run_to(self, end_ms):
        """All turns up to a moment, or until the supply fails."""
        while not self.chip.is_dead and self.turns.step(end_ms):
            pass

    def settings(self):
        """Settings in force."""
        return self.loop.settings

    def submit(self, command):
        """The box's own pause and its end, for whoever plays the control loop."""
        self.commands.append(command)

    def phrase(self, code):
        """A code for its words."""
        return (code,)

    def tell(self, name, words):
        """Trouble; a flash without power gives a lot."""
        if not self.chip.is_dead and name != "journal":
            self.told.append((name, words))

    notice = tell

    def _put_under(self):
        """Time and sleep of the services are those of this start."""
        dropped.drop = nothing
        for module in SLEEPING:
            module.asyncio = self.turns


def take_away():
    """The services use the computer's files and time again."""
    lfs_files.take_away()
    flash_gate.gate.watch(None)
    dropped.drop = genuine_drop
    for module in SLEEPING:
        module.asyncio = asyncio
