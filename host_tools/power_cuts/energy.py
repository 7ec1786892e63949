"""Energy over power cuts: plant, whole core, journal and files on one flash; what is stored and what flowed."""

import random
from collections import deque

from firmware.core import claims, decide
from firmware.core.records import Ref
from firmware.services import ledger
from firmware.services.control_loop import ControlLoop
from host_tools import jobs
from host_tools.power_cuts import stores
from host_tools.power_cuts.life import Broken
from host_tools.sim import world
from host_tools.sim.box import CABLE_MA, WALL_S, Box, Facts
from host_tools.soak.wrapping_board import WrappingBoard

CUTS_AN_OUTAGE = 50  # the supply comes and goes before it stays
HOUR_MS = 3_600_000
MEAN_MS = HOUR_MS  # from one outage to the next
BROWN_OUT_MS = (50, 12_000)
MOST_LOST_S = 60  # I5: one save interval
METER_PERMILLE = 10
SLACK_MWH = 2000
MWH_UJ = 3_600_000


class EnergyLife:
    """One box with a car that always wants more; counts: what was stored, what flowed, what each cut took."""

    def __init__(self, seed):
        self.chance = random.Random(seed)
        self.chip = stores.chip_of(self.chance)
        self.box = Box("polite", seed & 0xFFFF)
        self.plant = self.box.plant
        self.box.watch = self._watch
        names = "cuts", "in_write", "in_start", "ticked_ms", "stored_mwh", "true_mwh", "most_lost_ms"
        self.counts = dict.fromkeys(names, 0)
        self.seconds = deque(maxlen=MOST_LOST_S + 1)  # plant's energy at each of the last seconds
        self.shown_wh = 0
        self._boot()
        world.change(self.plant, {"car": {"is_plugged": True, "wants_charge": True}})

    def _boot(self):
        """The firmware starts from what flash has; a cut in that shows nobody anything. Errors: Broken."""
        chance = self.chance
        self.board = WrappingBoard(self.plant, Facts)
        rows = (claims.standing("cable", CABLE_MA, Ref("board", "cable", 0)),)
        hold_ms = chance.randrange(self.box.loop.settings.restart_spread_s + 1) * 1000
        first = decide.first_memory(self.board.now_ms(), rows, (0, hold_ms))
        self.chip.power_on(chance.choice((0, 1, 2, 3)))
        self.stores = stores.Stores(self.chip, self.board, first)
        if self.chip.is_dead:
            self.counts["in_start"] += 1
            self.chip.power_on(0)
            self.stores = stores.Stores(self.chip, self.board, first)
        self.chip.power_on(0)
        head, words = self.stores.replay.found.head, self.stores.replay.found.words
        if words:
            raise Broken(f"the ledger says '{words}'")
        self.stored_mwh = head.wh * 1000 + head.mwh
        self.box.inbox.take()
        self.stores.submit = self.box.inbox.put
        self.box.board = self.board
        self.box.loop = ControlLoop(self.board, self.box.loop.settings, self.stores.memory, self.box.inbox)
        self.board.set_wall_s(WALL_S + self.plant.now_us // 1_000_000)
        self.stores.begin(self.box.loop)
        self.look_ms = self.board.now_ms() + ledger.LOOK_S * 1000

    def _watch(self):
        """The services' turns; a supply that fails inside an operation ends the run."""
        now_ms = self.board.now_ms()
        self.stores.run_to(now_ms)
        if now_ms < self.look_ms or self.chip.is_dead:
            return
        self.look_ms = now_ms + ledger.LOOK_S * 1000
        self.plant.settle_energy()
        self.seconds.append(self.plant.energy_uj)
        self.shown_wh = max(self.shown_wh, self.stores.ledger.wh)

    def run(self, cuts):
        """So many cuts, in outages of several. Errors: Broken."""
        try:
            while self.counts["cuts"] < cuts:
                is_outage = self.counts["cuts"] % CUTS_AN_OUTAGE == 0
                for_ms = int(self.chance.expovariate(1 / MEAN_MS)) if is_outage else self.chance.randint(*BROWN_OUT_MS)
                self._charge(for_ms)
                self._cut()
            self.plant.settle_energy()
            self.counts["stored_mwh"] = self.stored_mwh
            self.counts["true_mwh"] = int(self.plant.energy_uj / MWH_UJ)
        finally:
            self.stores.turns.end()
            stores.take_away()
        return self.counts

    def _charge(self, for_ms):
        """Tick for so long, or until the supply fails inside a write."""
        begun_us = self.plant.now_us
        end_ms = begun_us // 1000 + for_ms
        while self.plant.now_us // 1000 < end_ms and not self.chip.is_dead:
            left_ms = end_ms - self.plant.now_us // 1000
            if left_ms < 120_000 and not self.chip.cut_in and self.chance.random() < 0.5:
                self.chip.cut_in = self.chance.randint(1, 12)
            self.box.run_ms(min(left_ms, 20_000))
        self.counts["ticked_ms"] += (self.plant.now_us - begun_us) // 1000

    def _cut(self):
        """The supply fails at this instant, and is back after a while. Errors: Broken."""
        meter = self.box.loop.memory.energy
        counted_mwh = meter.wh * 1000 + meter.mwh
        self.counts["cuts"] += 1
        self.counts["in_write"] += self.chip.is_dead
        self.stores.turns.end()
        self.plant.settle_energy()
        now_uj = self.plant.energy_uj
        world.change(self.plant, {"mains": {"is_on": False}})
        self.plant.advance_to(self.plant.now_us + self.chance.randint(1, 600) * 100_000)
        world.change(self.plant, {"mains": {"is_on": True}})
        self._boot()
        lost_mwh = counted_mwh - self.stored_mwh
        minute_mwh = (now_uj - self.seconds[0]) / MWH_UJ if self.seconds else 0
        if lost_mwh < 0 or lost_mwh > minute_mwh * (1 + METER_PERMILLE / 1000) + SLACK_MWH:
            raise Broken(f"I5: {lost_mwh} mWh lost where {minute_mwh:.0f} flowed in the last minute")
        if self.stored_mwh // 1000 < self.shown_wh:
            raise Broken(f"I5: {self.shown_wh} Wh were shown, {self.stored_mwh // 1000} are stored")
        self.counts["most_lost_ms"] = max(self.counts["most_lost_ms"], self._lost_ms(now_uj, lost_mwh * MWH_UJ))

    def _lost_ms(self, now_uj, lost_uj):
        """How far back the lost energy began to flow."""
        for back, uj in enumerate(reversed(self.seconds)):
            if now_uj - uj >= lost_uj:
                return back * 1000
        return MOST_LOST_S * 1000


def work(job):
    """Counts of one job (seed, cuts); with a find its words are under "find"."""
    seed, cuts = job
    life = EnergyLife(seed)
    try:
        life.run(cuts)
    except Broken as error:
        return {**life.counts, "find": f"seed {seed}, cut {life.counts['cuts']}: {error}"}
    return life.counts


def planned(seed, count):
    """[(name, (seed of the job, cuts))], two outages a job."""
    size = 2 * CUTS_AN_OUTAGE
    parts = [(at, min(size, count - at)) for at in range(0, count, size)]
    return [(f"{at}-{cuts}", (seed * 1_000_003 + at, cuts)) for at, cuts in parts]


def report(seed, found, seconds):
    """Print the figures, one a line; returns whether the goals are met."""
    cuts, in_write, in_start, ticked_ms, stored_mwh, true_mwh = (
        sum(one[name] for one in found)
        for name in ("cuts", "in_write", "in_start", "ticked_ms", "stored_mwh", "true_mwh")
    )
    finds = [one["find"] for one in found if "find" in one]
    off_permille = 1000 * (true_mwh - stored_mwh) / max(1, true_mwh)
    print(f"energy_cuts_seed: {seed}")
    print(f"energy_cuts: {cuts} cuts, {in_write} of them inside a write, {in_start} more in a start")
    print(f"energy_cuts_ticked: {ticked_ms / HOUR_MS:.1f} h")
    print(f"energy_cuts_true: {true_mwh // 1000} Wh")
    print(f"energy_cuts_stored: {stored_mwh // 1000} Wh")
    print(f"energy_cuts_off: {off_permille:.2f} permille of the plant's truth")
    print(f"energy_cuts_most_lost: {max(one['most_lost_ms'] for one in found) / 1000:.0f} s of energy at one cut")
    print(f"energy_cuts_finds: {len(finds)}")
    for words in finds[:12]:
        print("  " + words)
    columns = {"runs": cuts, "ticks": ticked_ms // Facts.tick_ms, "finds": len(finds), "seconds": round(seconds)}
    jobs.logged("energy_cuts", seed, columns)
    return not finds and abs(off_permille) <= METER_PERMILLE
