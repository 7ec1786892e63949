"""The app: the only file that knows every part, and ties them together."""

import asyncio
import gc
import os
import sys
import time

from firmware import drivers, services
from firmware.connections import Connections
from firmware.core import claims, decide
from firmware.core.records import Event, Kit, Ref
from firmware.drivers.board import Board
from firmware.services.control_loop import ControlLoop
from firmware.services.event_log import EventLog
from firmware.services.health import Health
from firmware.services.inbox import Inbox
from firmware.services.ledger import Ledger
from firmware.services.phrase_book import PhraseBook
from firmware.services.settings_store import SettingsStore
from firmware.services.state_store import StateStore
from firmware.wire import grid_contract, status
from firmware.wire.acknowledgement import Moment

VERSION = "0.1.0"
HEAP_EVERY_S = 5
WELL_AFTER_S = 600
WORDS_FILE = "words_en.txt"  # beside this module


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


def first_memory(board, chosen, config):
    """Memory of a box that starts: its cable, its wait after a power cut, what its parts are made for."""
    facts = board.facts
    rows = (claims.standing("cable", facts.cable_ma, Ref("board", "cable", 0)),)
    hold_ms = random_below(chosen.restart_spread_s + 1) * 1000 if config.get("is_power_return") else 0
    kit = Kit(facts.contactor_operations, facts.leakage_retry == "ul", random_below(1 << 30))
    return decide.first_memory(board.now_ms(), rows, (0, hold_ms), kit)


def resumed(folder, facts, memory):
    """(Ledger of a folder, Memory that counts on from it, code of what was wrong with it)."""
    from firmware.services import ledger_start

    start = ledger_start.found(folder, facts.history_days)
    memory = ledger_start.resumed(memory, start)
    del sys.modules["firmware.services.ledger_start"], services.ledger_start  # pyright: ignore[reportAttributeAccessIssue]
    return Ledger(folder, start), memory, start.words


class App:
    """One wallbox: board, control loop and services; its public names are all that a service may ask of the rest."""

    def __init__(self, config):
        """config: dict of what this box is: box, board_path, data_dir, mqtt_host …, see docs/config.md."""
        self.config = config
        self.box = config["box"]
        self.random_below = random_below
        # The board comes first: its constructor holds the contactor open before anything else is tried.
        self.board, own_words = board_of(config)
        self.log = EventLog()
        self.store = SettingsStore(config["data_dir"])
        chosen, trouble = self.store.load()
        self.state = StateStore(config["data_dir"])
        memory = first_memory(self.board, chosen, config)
        self.ledger, memory, uncounted = resumed(config["data_dir"].rstrip("/") + "/", self.board.facts, memory)
        memory, lost = self.state.restored(memory, bool(config.get("is_power_return")))
        self.now_ms = self.board.now_ms
        self.inbox = Inbox()
        self.submit = self.inbox.put
        self.loop = ControlLoop(self.board, chosen, memory, self.inbox)
        self.loop.sink = self._events
        self.health = Health(self.tell, self.now_ms)
        if hasattr(gc, "mem_free"):  # a PC's Python has no end to its memory
            self.loop.starve = self.health.shed
        self.phrases = PhraseBook(__file__.rpartition("app")[0] + WORDS_FILE)
        self.version = VERSION
        self.connections = Connections(self)
        if config.get("has_watchdog"):
            # Before any service is started; from here on only a living tick keeps the chip up.
            from firmware.drivers.watchdog import Watchdog

            self.loop.feed = Watchdog().feed
        self.notices = []  # codes of words_en.txt that the owner's page shows until a restart
        for name, code in (("settings", trouble), ("state", lost)):
            if code:
                self.notice(name, "stored." + code)
        for name, words in (
            ("board", own_words),
            ("ledger", uncounted and self.phrases.phrase("ledger." + uncounted)[0]),
        ):
            if words:
                self.tell(name, words)

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

    def status(self, with_network):
        """The whole state as a dict."""
        network = None
        if with_network:
            network = self.connections.status(self.phrases.phrase)
            network["worst_late_ms"] = self.loop.worst_late_ms
            network["notices"] = [self.phrases.phrase(code) for code in self.notices]
        loop = self.loop
        view = status.View(
            self.box,
            VERSION,
            loop.memory,
            loop.readings,
            loop.settings,
            self.board.boot_epoch_ms(),
            network,
            self.phrases.phrase,
        )
        made = status.status(view)
        made["energy_wh"] = self.ledger.wh  # what flash has: no power cut takes it back (bench.md)
        if made["session"] and self.ledger.session_wall_s:
            made["session"]["started_at"] = self.ledger.session_wall_s
        return made

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
        import starter

        try:
            starter.set_number(starter.memory(), "planned", 1)
        except (ImportError, OSError):
            pass  # a PC has no such memory; and a chip that cannot note it counts one crash
        machine.reset()

    def forget_crashes(self):
        """This start counts as a good one."""
        import starter

        try:
            starter.forget_crashes()
        except (ImportError, OSError) as error:
            self.tell("crashes", str(error))
        del sys.modules["starter"]

    async def _run_well(self):
        """Ten minutes without a crash end the count (faults.md X1)."""
        await asyncio.sleep(WELL_AFTER_S)
        self.forget_crashes()

    async def run(self):
        """Tick first; then what connects the box to the world."""
        self.connections.start_radio()
        tick = asyncio.create_task(self._tick())
        self.health.add("state", lambda: self.state.run(self))
        if self.config.get("has_watchdog"):
            self._well = asyncio.create_task(self._run_well())
        if self.config.get("tells_heap") and hasattr(gc, "mem_alloc"):
            self._heap = asyncio.create_task(self._tell_heap())
        self.connections.start()
        await tick


def run(config):
    """Run the box for ever."""
    asyncio.run(App(config).run())
