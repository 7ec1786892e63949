"""A whole simulated wallbox: plant, board, control loop and inbox, as fast as the PC can."""

import pickle
import random

from firmware.core import claims, decide, settings
from firmware.core.records import Command, Ref, Refusal
from firmware.services.control_loop import ControlLoop
from firmware.services.inbox import Inbox
from firmware.wire import grid_contract
from host_tools.sim.fast_board import FastBoard
from host_tools.sim.plant import Plant

WALL_S = 1_795_190_400  # 2026-11-20 16:00 UTC, the time of day at plant time 0
CABLE_MA = 32_000


class Facts:
    """What the fast board's users ask of the facts."""

    tick_ms = 23


class Box:
    """Plant on the fast seam with the firmware's own control loop; deterministic by seed."""

    def __init__(self, character, seed, **changes):
        """changes: settings beside a wiring limit of 16 A."""
        self.plant = Plant(seed, changes.get("phases", 3), character)
        self.board = FastBoard(self.plant, Facts)
        self.chance = random.Random(seed)
        chosen = settings.changed(settings.defaults(), {"wiring_limit_ma": 16_000, **changes})
        if isinstance(chosen, Refusal):
            raise ValueError(chosen.words)
        rows = (claims.standing("cable", CABLE_MA, Ref("board", "cable", 0)),)
        self.inbox = Inbox()
        self.loop = ControlLoop(self.board, chosen, decide.first_memory(0, rows, (0, 0)), self.inbox)
        self.events = []
        self.loop.sink = self._told
        self.watch = None  # function () called after each tick
        self.sent = 0
        self.tick_at_us = 0  # moment of the next tick

    def frozen(self):
        """This box as bytes, with all that is planned; pickle.loads makes a box of them that goes on by itself."""
        return pickle.dumps(self, pickle.HIGHEST_PROTOCOL)

    def _told(self, events):
        """Keep what the loop tells; a method of the box and not of its list, so that a copy keeps its own."""
        self.events.extend(events)

    def now_ms(self):
        """Plant time in ms."""
        return self.plant.now_us // 1000

    def run_ms(self, for_ms):
        """Tick for at least for_ms."""
        plant = self.plant
        self.run_to_us(plant.now_us + for_ms * 1000)
        plant.advance_to(self.tick_at_us)

    def run_to_us(self, end_us):
        """Tick until exactly this moment, which may lie between two ticks; what is due then has not ticked yet."""
        plant, tick, watch, tick_us = self.plant, self.loop.tick, self.watch, Facts.tick_ms * 1000
        due_us = self.tick_at_us
        while due_us < end_us:
            plant.advance_to(due_us)
            tick()
            if watch is not None:
                watch()
            # What the board does within a tick takes time on some seams: the next tick follows the end of this one.
            due_us = plant.now_us + tick_us
            self.tick_at_us = due_us
        plant.advance_to(end_us)

    def grid(self, payload, scope="box"):
        """Send bytes as the grid would; returns the Refusal, or None when a command was taken."""
        self.sent += 1
        measured_mv = max(self.loop.readings.voltages_mv) if self.loop.readings else 230_000
        context = grid_contract.Context(
            self.board.now_ms(),
            WALL_S + self.now_ms() // 1000,
            measured_mv,
            self.loop.settings.phases,
            self.sent,
            False,
        )
        made = grid_contract.parse(grid_contract.Message(scope, payload, False), context)
        if isinstance(made, Refusal):
            return made
        self.inbox.put(grid_contract.drawn(made, self.chance.randrange))
        return None

    def owner(self, kind, limit_ma=0, for_s=None):
        """Press a button on the owner's page."""
        now_ms = self.board.now_ms()
        until_ms = None if for_s is None else now_ms + for_s * 1000
        self.inbox.put(Command(kind, "owner", limit_ma, now_ms, until_ms, Ref("owner", "page", 0), "", 0, None, ""))
