"""The app: the only file that knows every part, and ties them together."""

import asyncio
import gc
import os
import sys
import time

import firmware
from firmware import drivers, services
from firmware.connections import Connections
from firmware.core import claims, decide, settings
from firmware.core.records import Event, Kit, Ref
from firmware.drivers.board import Board
from firmware.services import flash_files
from firmware.services.control_loop import ControlLoop
from firmware.services.event_log import EventLog
from firmware.services.flash_gate import gate
from firmware.services.health import Health
from firmware.services.inbox import Inbox
from firmware.services.journal import Journal
from firmware.services.last_time import LastTime
from firmware.services.ledger import Ledger
from firmware.services.phrase_book import PhraseBook
from firmware.services.settings_store import SettingsStore
from firmware.services.state_store import StateStore
from firmware.services.storage import Storage
from firmware.wire import grid_contract, status
from firmware.wire.acknowledgement import Moment

VERSION = "0.1.0"
HEAP_EVERY_S = 5
WELL_AFTER_S = 600
BUILT_IN = ("binascii", "errno", "hashlib", "io", "json", "os", "select", "socket", "struct", "time", "tls")
WORDS_FILE = "words_en.txt"  # beside this module, unless the image holds that
PAGE_FILE = "page/index.html.gz"  # beside the package, in a slot's archive


def random_below(count):
    """A random whole number 0..count−1 from the system's own source."""
    return int.from_bytes(os.urandom(4), "little") % count


def word_of(arg):
    """One argument of an event in a word: a claim or a command is told by whose it is."""
    return arg.source if isinstance(arg, tuple) else arg  # pyright: ignore[reportAttributeAccessIssue]  both have one


def board_of(config):
    """(Board, why its own facts are refused) of config; the module that reads board files is needed once, and dropped.

    Errors: OSError, ValueError in words.
    """
    from firmware.drivers import board_facts

    facts, own_words = board_facts.with_own(config["board_path"], config.get("facts", {}))
    del sys.modules["firmware.drivers.board_facts"], drivers.board_facts  # pyright: ignore[reportAttributeAccessIssue]
    return Board(facts), own_words


def with_own_page(config):
    """The config, with the page of the slot's archive wherever a starter of before the archive thinks that one lies."""
    page = __file__.rpartition("firmware/app")[0] + PAGE_FILE
    if flash_files.is_there(page):
        config["page_path"] = page
    return config


def keep_found(names):
    """Let an import find built-in modules at once: one that sys.modules lacks is looked for in each folder of the path.

    asyncio's open_connection() imports errno and socket each time, which were 57 flash commands in one turn with the
    coil on (python3 -m host_tools sessions).
    """
    for name in names:
        try:
            sys.modules[name] = __import__(name)
        except ImportError:
            pass  # no such module in this interpreter: then nothing imports it either


def nothing():
    """What feeds no watchdog."""


def watchdog_of(config, is_up):
    """Function that feeds the watchdog, where there is one: 2 s while the coil is on (faults.md X3), else patient."""
    if not config.get("has_watchdog"):
        return nothing
    from firmware.drivers.watchdog import START_MS, Watchdog

    dog = Watchdog(START_MS)
    return (lambda: dog.feed_beside(gate.may_touch_files())) if is_up else dog.feed


def area_of(config):
    """Area of the journal, None where there is none; the module that opens it is needed once."""
    from firmware.drivers import flash_area

    found = flash_area.found(config)
    del sys.modules["firmware.drivers.flash_area"], drivers.flash_area  # pyright: ignore[reportAttributeAccessIssue]
    return found


def first_memory(board, chosen, config):
    """Memory of a box that starts: its cable, its wait after a power cut, what its parts are made for."""
    facts = board.facts
    rows = (claims.standing("cable", facts.cable_ma, Ref("board", "cable", 0)),)
    hold_ms = random_below(chosen.restart_spread_s + 1) * 1000 if config.get("is_power_return") else 0
    kit = Kit(facts.contactor_operations, facts.leakage_retry == "ul", random_below(1 << 30))
    return decide.first_memory(board.now_ms(), rows, (0, hold_ms), kit)


def left_behind(stores, place, journal, fed):
    """(Settings, code of what was wrong with them, Replay of the ledger) of the last start; as last_start.read()."""
    from firmware.services import last_start

    found = last_start.read(stores, place, journal, fed)
    del sys.modules["firmware.services.last_start"], sys.modules["firmware.services.ledger_replay"]
    del services.last_start, services.ledger_replay  # pyright: ignore[reportAttributeAccessIssue]
    return found


def resumed(replay, memory):
    """Memory that counts on from a Replay of the ledger."""
    from firmware.services import ledger_start

    made = ledger_start.resumed(memory, replay.found)
    del sys.modules["firmware.services.ledger_start"], services.ledger_start  # pyright: ignore[reportAttributeAccessIssue]
    return made


class App:
    """One wallbox: board, control loop and services; its public names are all that a service may ask of the rest."""

    def __init__(self, config):
        """config: dict of what this box is: box, board_path, data_dir, mqtt_host …, see docs/config.md."""
        self.config = with_own_page(config)
        self.box = config["box"]
        self.random_below = random_below
        # The board comes first: its constructor holds the contactor open before anything else is tried.
        self.board, own_words = board_of(config)
        self.fed = watchdog_of(config, False)
        self.log, self.journal = EventLog(), Journal(area_of(config))
        self.fed()
        chosen, memory, uncounted, troubles = self._taken_over()
        self.now_ms = self.board.now_ms
        self.inbox = Inbox()
        self.submit = self.inbox.put
        self.loop = ControlLoop(self.board, chosen, memory, self.inbox)
        self.loop.sink, self.loop.feed = self._events, self.fed
        gate.watch(self.loop)
        self.health = Health(self.tell, self.now_ms)
        if hasattr(gc, "mem_free"):  # a PC's Python has no end to its memory
            self.loop.starve = self.health.shed
        self.phrases = PhraseBook(config.get("words_path") or __file__.rpartition("app")[0] + WORDS_FILE)
        self.version = VERSION
        self.connections = Connections(self)
        self.notices = []  # codes of words_en.txt that the owner's page shows until a restart
        for name, code in troubles:
            if code:
                self.notice(name, "stored." + code)
        for name, words in (
            ("board", own_words),
            ("ledger", uncounted and self.phrases.phrase("ledger." + uncounted)[0]),
        ):
            if words:
                self.tell(name, words)

    def _taken_over(self):
        """(Settings, Memory, code of the ledger, other codes) of the last start; ledger and stores go on with it."""
        config = self.config
        gate.watch(None)
        self.store = SettingsStore(config["data_dir"], self.journal)
        self.state = StateStore(config["data_dir"], self.journal)
        folder = config["data_dir"].rstrip("/") + "/"
        place = folder, self.board.facts.history_days
        self.last_time = LastTime(folder, self.board.now_ms, self.journal)
        stores = self.store, self.state, self.last_time
        chosen, trouble, replay = left_behind(stores, place, self.journal, self.fed)
        chosen = settings.fitted(chosen, self.board.facts.phases)
        memory = resumed(replay, first_memory(self.board, chosen, config))
        self.ledger = Ledger(folder, replay.found, self.journal)
        self.ledger.newest, self.ledger.is_ahead = replay.newest, replay.is_ahead
        memory, lost = self.state.restored(memory, bool(config.get("is_power_return")))
        self.fed()
        told = ("settings", trouble), ("state", lost), ("storage", config.get("storage_code"))
        return chosen, memory, replay.found.words, told

    def settings(self):
        """Settings in force."""
        return self.loop.settings

    def moment(self):
        """What an acknowledgement says of this moment; 0 W before the first tick."""
        power_w = self.loop.readings.power_mw // 1000 if self.loop.readings else 0
        return Moment(self.board.now_ms(), self.board.wall_s(), power_w)

    def context(self, word_number):
        """What the contract's parser must know of the box."""
        chosen = self.loop.settings
        measured_mv = max(self.loop.readings.voltages_mv) if self.loop.readings else 0
        voltage_mv = max(measured_mv, chosen.nominal_mv)
        return grid_contract.Context(
            self.board.now_ms(), self.board.wall_s(), voltage_mv, chosen.phases, word_number, chosen.plain_may_bind
        )

    def view(self):
        """What a status is made of, as it stands at this moment."""
        loop, clock, ledger = self.loop, self.connections.clock, self.ledger
        quality = clock.quality() if clock is not None else ""
        kept = self.board.boot_epoch_ms(), self.phrases.phrase, quality, ledger.wh, ledger.session_wall_s
        return status.View(self.box, VERSION, loop.memory, loop.readings, loop.settings, *kept)

    def network(self):
        """Dict of "network", which the owner's page alone is told."""
        made = self.connections.status(self.phrases.phrase)
        made["worst_late_ms"] = self.loop.worst_late_ms
        made["notices"] = [self.phrases.phrase(code) for code in self.notices]
        return made

    def status(self, with_network):
        """The whole state as a dict."""
        made = status.status(self.view())
        if with_network:
            made["network"] = self.network()
        return made

    def status_parts(self):
        """Functions () -> dict that together give what status(True) gives."""
        view = self.view()
        yield from [lambda part=part: part(view) for part in status.PARTS]
        yield lambda: {"network": self.network()}

    def tell(self, name, words):
        """Note trouble of a service, and say it on the console."""
        self.log.put(self.board.now_ms(), Event("service", (name, words)))
        print("ebb:", name, words)

    def notice(self, name, code):
        """Tell trouble by its code, once, and show it on the page until the next start."""
        if code not in self.notices:
            self.notices.append(code)
            self.tell(name, self.phrases.phrase(code)[0])

    def _events(self, events):
        """Events of a tick: into the log, and to the grid."""
        now_ms = self.board.now_ms()
        for event in events:
            self.log.put(now_ms, event)
            if self.config.get("tells_log"):
                print("log:", now_ms, event.code, *[word_of(one) for one in event.args])
        if self.connections.mqtt is not None:
            self.connections.mqtt.events(events)

    async def _tell_heap(self):
        """Print the live heap now and then, for a harness that asks for it."""
        while True:
            await asyncio.sleep(HEAP_EVERY_S)
            begun_us = time.ticks_us()
            gc.collect()
            print("live_heap: %d B in %d us" % (gc.mem_alloc(), time.ticks_diff(time.ticks_us(), begun_us)))

    async def _tick(self):
        """The tick for ever; after crashes in a row only once the owner has said so."""
        if self.config.get("is_safe"):
            self.tell("safe_mode", "three restarts in a row: the contactor stays open")
            await self.loop.rest()
            self.forget_crashes()
        await self.loop.run()

    def restart(self):
        """Start the chip anew on purpose, which is no crash."""
        import machine

        from firmware import stored_numbers

        try:
            stored_numbers.set_number("planned", 1)
        except (ImportError, OSError):
            pass  # a PC has no such memory; and a chip that cannot note it counts one crash
        machine.reset()

    def forget_crashes(self):
        """This start counts as a good one."""
        from firmware import stored_numbers

        try:
            stored_numbers.set_number("crashes", 0)
        except (ImportError, OSError) as error:
            self.tell("crashes", str(error))
        sys.modules.pop("starter", None)

    async def _run_well(self):
        """Ten minutes without a crash end the count (faults.md X1), once the coil is off."""
        await asyncio.sleep(WELL_AFTER_S)
        await gate.opened()
        self.forget_crashes()

    async def run(self):
        """Tick first; then what connects the box to the world, a part at a time."""
        keep_found(BUILT_IN)
        self.connections.start_radio()
        self.fed()
        tick = asyncio.create_task(self._tick())
        self.health.add("state", lambda: self.state.run(self))
        self.health.add("journal", lambda: self.journal.run(gate.may_touch_files))
        self.health.add("storage", Storage(self).run)
        if self.config.get("has_watchdog"):
            self._well = asyncio.create_task(self._run_well())
        if self.config.get("tells_heap") and hasattr(gc, "mem_alloc"):
            self._heap = asyncio.create_task(self._tell_heap())
        await self.connections.start()
        if hasattr(firmware, "feeds"):
            firmware.feeds.clear()  # pyright: ignore[reportAttributeAccessIssue]  a slot's archive has it (main.py)
        self.loop.feed = watchdog_of(self.config, True)  # from here on nothing but the tick feeds it
        await tick


def run(config):
    """Run the box for ever; whatever ends it leaves every output at rest."""
    try:
        asyncio.run(App(config).run())
    finally:
        if Board.last is not None:
            Board.last.rest()
