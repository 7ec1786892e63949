"""One wallbox for one measurement: every edge with its microsecond, on the fast seam or through the real drivers."""

import random
import sys

from host_tools.sim import fake_machine, world
from host_tools.sim.box import Box

TICK_US = (21_000, 27_000)  # what a board file may say (architecture, one tick)
START_MS = 60_000
SETTLE_MS = 3500  # from mains at the car to its full current
WARM_MS = 12_000  # the mains must have been right for 10 s before a start (requirements §2)
BOARDS = ("reference", "burst")
warm = {}


class NoStart(Exception):
    """The wallbox did not get to where the measurement begins."""


class Trial:
    """A box that runs tick by tick; edges: [(at_us, name, value)] of wires, enable pin and told faults."""

    def __init__(self, row, seam, seed):
        """seed: text; gives the hertz, the tick's length and all offsets."""
        self.chance = random.Random(seed)
        self.row = row
        hertz = self.chance.choice((50, 60))
        number = self.chance.getrandbits(32)
        changes = {"nominal_hz": hertz, **row.settings}
        if seam == "fast":
            self._fast(number, changes)
        else:
            self._true(number, changes)
        self.plant.frequency_mhz = self.plant.mains.nominal_mhz = hertz * 1000
        self.edges = []
        self._watch_edges()
        self._warm((seam, hertz, str(sorted(row.settings.items()))))

    def _fast(self, number, changes):
        box = Box(self.row.character, number, **changes)
        self.plant, self.loop, self.inbox = box.plant, box.loop, box.inbox
        self.tick_us = self.chance.randint(*TICK_US)
        self.clock = None
        self.offset_us = 0

    def _true(self, number, changes):
        sys.modules["machine"] = fake_machine
        from host_tools import latency_simulated

        board = self.chance.choice(BOARDS)
        made = latency_simulated.wallbox(number, self.row.character, board, changes)
        self.plant, _, self.inbox, self.loop = made
        self.tick_us = latency_simulated.TICK_US
        self.clock = self.loop.board.board._clock
        self.offset_us = self.plant.now_us

    def _watch_edges(self):
        """Note what the plant traces and the enable pin, with microseconds, and the faults that the box tells."""
        plant = self.plant
        trace, set_coil_enable = plant.trace, plant.set_coil_enable

        def traced(name, value):
            self.edges.append((plant.now_us, name, value))
            trace(name, value)

        def enabled(is_high):
            self.edges.append((plant.now_us, "enable", is_high))
            set_coil_enable(is_high)

        def told(events):
            for event in events:
                if event.code in ("fault", "warning", "crash"):
                    self.edges.append((plant.now_us, event.code, str(event.args[0])))

        plant.trace, plant.set_coil_enable = traced, enabled
        self.loop.sink = told

    def _warm(self, key):
        """Begin where a box of this kind has idled for 12 s: nothing is plugged in, so only Memory has a past."""
        if key not in warm:
            self.run(WARM_MS)
            warm[key] = (self.loop.memory, self.loop.guard, self.plant.now_us - self.offset_us)
            return
        self.loop.memory, self.loop.guard, now_us = warm[key]
        self.plant.now_us += now_us
        self.plant.heartbeat_at_us = self.plant.now_us - 10**6
        if self.clock is not None:
            self.clock.now_ms()
        self.run(100 + self.chance.randrange(100))

    def run(self, for_ms, is_over=None):
        """Tick for that long, or until is_over(); whether it was."""
        plant, tick, tick_us = self.plant, self.loop.tick, self.tick_us
        end_us = plant.now_us + for_ms * 1000
        while plant.now_us < end_us:
            begun_us = plant.now_us
            tick()
            if is_over is not None and is_over():
                return True
            plant.advance_to(max(plant.now_us, begun_us + tick_us))
        return False

    def change(self, wanted):
        """Change the world now."""
        world.change(self.plant, wanted)

    def charge(self):
        """Plug in and wait until the car draws its full current. Errors: NoStart."""
        self.change({"car": {"is_plugged": True}})
        if not self.run(START_MS, lambda: self.plant.is_coil_on):
            raise NoStart(f"{self.row.name}: not charging after {START_MS} ms")
        self.run(SETTLE_MS)
        if not self.plant.is_coil_on:
            raise NoStart(f"{self.row.name}: opened by itself")

    def first(self, since_us, edge):
        """Moment in us of the first edge (name, value or function of it) since then, or None."""
        name, wanted = edge
        for at_us, found, value in self.edges:
            if at_us >= since_us and found == name and (wanted(value) if callable(wanted) else value == wanted):
                return at_us
        return None

    def measured(self):
        """Microseconds from the stimulus, or from the edge that begins the deadline, to the reaction; None: never.

        The stimulus comes at an instant that no tick knows of. Errors: NoStart.
        """
        row = self.row
        row.begin(self)
        seen = {}

        def act():
            seen["at_us"] = self.plant.now_us
            row.act(self)

        self.edges.clear()
        self.plant.later(self.chance.randrange(self.tick_us), act)
        self.run(row.most_ms, lambda: "at_us" in seen and self._ended(seen["at_us"]) is not None)
        since_us, end_us = self._since(seen["at_us"]), self._ended(seen["at_us"])
        if row.never is not None:
            self.run(row.most_ms if end_us is None else row.most_ms // 4)
            if self.first(seen["at_us"], row.never) is not None:
                return None
        return None if end_us is None else end_us - since_us

    def _since(self, at_us):
        return at_us if self.row.since is None else self.first(at_us, self.row.since)

    def _ended(self, at_us):
        since_us = self._since(at_us)
        return None if since_us is None else self.first(since_us, self.row.edge)
