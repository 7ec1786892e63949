"""One long life of one box: cars come and go, the grid speaks in wall-clock times, the clock lies, the power fails."""

import json
import pickle
import random
from collections import Counter

from firmware.core import claims, decide, settings
from firmware.core.records import Ref, Refusal
from firmware.services.control_loop import ControlLoop
from firmware.wire import grid_contract
from host_tools.sim import world
from host_tools.sim.box import CABLE_MA, Box, Facts
from host_tools.sim.car import CHARACTERS
from host_tools.sim.oracle import Broken, Oracle
from host_tools.soak import moves
from host_tools.soak.outside import HOUR_MS, TOLD_WITHIN_S, Outside, told_s
from host_tools.soak.sent import Sent
from host_tools.soak.wrapping_board import WrappingBoard

WIRING_MA = 16_000
JUMP_MS = 3 * HOUR_MS  # well under the six days in which the clock must be asked
TOLD_EVERY_MS = 6 * HOUR_MS
MEAN_GAP_MS = 34 * HOUR_MS
BEFORE_ODD_MS = (60_000, 240_000)
AFTER_ODD_MS = 120_000
SESSION_S = (900, 8000)
GONE_MS = 40_000  # the longest hold after a car has gone is 30 s
CARS = tuple(name for name in CHARACTERS if name not in ("ventilation", "sleepy"))


class Life:
    """One box from its first hour to its last. kept: what saved() gave, to go on from there."""

    def __init__(self, seed, hours, has_cuts, session_s=SESSION_S):
        self.chance = random.Random(f"{seed}:{has_cuts}")
        self.seed, self.has_cuts, self.session_s = seed, has_cuts, session_s
        self.outside = Outside(hours)
        self.counts = Counter()
        self.most = Counter()
        self.told_at_ms = -TOLD_EVERY_MS
        self._build()
        self.boot(0, 0)

    def _build(self):
        """A new plant with nobody plugged in, and its oracle."""
        self.box = Box("polite", self.chance.getrandbits(32), wiring_limit_ma=WIRING_MA)
        self.plant = self.box.plant
        self.oracle = Oracle(self.plant, WIRING_MA)
        self.sent = Sent(self.oracle)
        self.box.watch = self.oracle.watch

    def boot(self, wh, hold_ms):
        """The firmware starts with a lifetime counter of wh and a wait of hold_ms."""
        board = WrappingBoard(self.plant, Facts)
        rows = (claims.standing("cable", CABLE_MA, Ref("board", "cable", 0)),)
        memory = decide.first_memory(board.now_ms(), rows, (wh, hold_ms))
        self._run_on(board, self.box.loop.settings, memory)

    def _run_on(self, board, chosen, memory):
        box = self.box
        box.board = board
        box.loop = ControlLoop(board, chosen, memory, box.inbox)
        box.loop.sink = self._told

    def _told(self, events):
        for event in events:
            if event.code == "crash":
                raise Broken(f"I8: {event.args}")
            if event.code in ("fault", "refused"):
                self.counts[f"{event.code} {event.args[0] if event.code == 'fault' else event.args[1]}"] += 1

    # to stop and to go on: only between two cars, when nothing is under way in the plant

    def saved(self):
        """Bytes of all that goes on from here."""
        loop, plant = self.box.loop, self.plant
        plant.settle_energy()
        kept = (loop.memory, loop.guard, loop.settings, self.box.board.clock, self.box.sent)
        outside = (plant.now_us, plant.energy_uj, self.oracle.told_wh, self.sent.kept())
        return pickle.dumps((kept, outside, self.chance.getstate(), self.counts, self.most, self.told_at_ms))

    def resume(self, saved):
        """Go on from saved bytes."""
        kept, outside, state, self.counts, self.most, self.told_at_ms = pickle.loads(saved)
        self._build()
        self.plant.now_us, self.plant.energy_uj, self.oracle.told_wh, kept_rows = outside
        self.sent.put(kept_rows)
        self.plant._flow_at_us = self.plant.now_us
        self.plant.heartbeat_at_us = self.plant.now_us - 10**6
        memory, guard, chosen, clock, self.box.sent = kept
        self._run_on(WrappingBoard(self.plant, Facts, clock), chosen, memory)
        self.box.loop.guard = guard
        self.chance.setstate(state)

    # time

    def now_ms(self):
        """Plant milliseconds."""
        return self.plant.now_us // 1000

    def run(self, for_ms):
        """Tick for that long, and see that the box's time is the true one."""
        begun_us = self.plant.now_us
        self.box.run_ms(for_ms)
        self.counts["ticked ms"] += (self.plant.now_us - begun_us) // 1000
        board = self.box.board
        if abs(board.now_ms() - board.true_ms()) > 1:
            raise Broken(f"X6: {board.now_ms()} ms since boot, in truth {board.true_ms()}")

    def idle_until(self, at_ms):
        """Jump with plant and clock together to a moment; a few ticks after each jump."""
        while self.now_ms() < at_ms:
            self.plant.advance_to(min(at_ms, self.now_ms() + JUMP_MS) * 1000)
            self.run(1000)
            if self.has_cuts and self.chance.random() < 0.004:
                self.cut(self.chance.randint(1, 7200))
            if self.now_ms() - self.told_at_ms >= TOLD_EVERY_MS:
                self.tell_time()

    def tell_time(self):
        """A server answers: what the firmware makes of it is the world's time, in any era."""
        world_s = self.outside.world_s(self.now_ms())
        seconds = told_s(world_s, bytes(self.chance.randrange(256) for _ in range(8)))
        if seconds is None:
            raise Broken(f"T1: the time {world_s} is not understood")
        self.box.board.set_wall_s(seconds)
        self.told_at_ms = self.now_ms()
        self.counts["times told"] += 1
        self.see_time()
        offset_s = self.outside.utc_offset_s(self.now_ms())
        if self.box.loop.settings.utc_offset_s != offset_s:
            self.box.loop.settings = settings.changed(self.box.loop.settings, {"utc_offset_s": offset_s})
            self.counts["offsets changed"] += 1

    def see_time(self):
        """The box's wall clock, once told right, stays right. Errors: Broken."""
        world_s, wall_s = self.outside.world_s(self.now_ms()), self.box.board.wall_s()
        if wall_s is None or abs(wall_s - world_s) > TOLD_WITHIN_S:
            raise Broken(f"T1: the box has {wall_s}, the world {world_s}")

    def grid(self, fields):
        """A command of the grid, parsed at the box's own time; what it lowers is told to the oracle."""
        box, board = self.box, self.box.board
        box.sent += 1
        fields = {"id": f"s{box.sent}", "resume": "now", **fields}
        context = grid_contract.Context(board.now_ms(), board.wall_s(), 230_000, 3, box.sent, False)
        made = grid_contract.parse(grid_contract.Message("box", json.dumps(fields).encode(), False), context)
        self.counts["commands"] += 1
        if isinstance(made, Refusal):
            # The contract's integers end at 2^31 − 1, and with them its times of day.
            late = " after 2^31 s" if (board.wall_s() or 0) >= 1 << 31 else ""
            self.counts[f"refused {made.code}{late}"] += 1
            return
        command = grid_contract.drawn(made, self.chance.randrange)
        if box.inbox.put(command) is None and command.kind == "limit":
            ahead_ms = self.now_ms() - board.now_ms()
            self.sent.limit(command.from_ms + ahead_ms, command.until_ms + ahead_ms, command.limit_ma)

    def change(self, wanted):
        """Something around the box changes at this instant."""
        self.sent.noticed()
        world.change(self.plant, wanted)
        self.sent.noticed()

    def cut(self, off_s):
        """The supply fails and comes back: claims and the time of day are lost, the energy counter is not."""
        wh = self.box.loop.memory.energy.wh
        self.change({"mains": {"is_on": False}})
        self.plant.advance_to(self.plant.now_us + off_s * 1_000_000)
        self.sent.forgotten()
        self.box.inbox.take()
        self.change({"mains": {"is_on": True}})
        self.oracle.restarted()
        self.boot(wh, self.chance.randrange(self.box.loop.settings.restart_spread_s + 1) * 1000)
        self.counts["power cuts"] += 1
        self.told_at_ms = -TOLD_EVERY_MS
        self.run(2000)

    # the life

    def live(self, until_ms):
        """Cars come and go until then. Errors: Broken."""
        while self.now_ms() < until_ms:
            arrival_ms = self.now_ms() + int(self.chance.expovariate(1 / MEAN_GAP_MS))
            odd_ms = self.outside.next_odd_ms(self.now_ms())
            for_ms = self.chance.randint(*self.session_s) * 1000
            if odd_ms is not None and arrival_ms + for_ms > odd_ms:
                arrival_ms = max(self.now_ms(), odd_ms - self.chance.randint(*BEFORE_ODD_MS))
                for_ms = max(for_ms, odd_ms - arrival_ms + AFTER_ODD_MS)
            self.idle_until(min(arrival_ms, self.outside.end_ms))
            if arrival_ms < self.outside.end_ms:
                self.session(self.now_ms() + for_ms)

    def session(self, until_ms):
        """A car comes, stays until then, and goes."""
        self.counts["sessions"] += 1
        begun_on, begun_ms = self.oracle.ticks_on, self.now_ms()
        self.tell_time()
        self.change({"car": {"character": self.chance.choice(CARS)}})
        self.change({"car": {"is_plugged": True, "wants_charge": True}})
        is_held = self.sent.is_held()
        self.run(15_000)
        while self.now_ms() < until_ms:
            self.chance.choices(moves.MOVES, moves.WEIGHTS)[0](self)
            self.run(self.chance.randint(5, min(300, self.session_s[1] // 4)) * 1000)
            self.weigh()
        self.change({"car": {"is_plugged": False}})
        self.run(GONE_MS)
        self.oracle.tell(self.box.loop.memory.energy.wh)
        has_power = self.oracle.ticks_on > begun_on
        self.counts["sessions with power"] += has_power
        self.counts["sessions in a pause"] += is_held and not has_power
        self.counts["wraps with a car"] += sum(begun_ms < at_ms < self.now_ms() for at_ms in self.outside.wraps_ms)

    def weigh(self):
        """The most that Memory ever held."""
        memory = self.box.loop.memory
        for name, value in (
            ("claims", len(memory.claims.rows)),
            ("seen", len(memory.seen)),
            ("fault counts", len(memory.faults.counts)),
            ("faults pending", len(memory.faults.pending)),
            ("faults active", len(memory.faults.active)),
            ("bytes pickled", len(pickle.dumps(memory))),
        ):
            self.most[name] = max(self.most[name], value)
