"""Journal and files together on one flash: a box stores with its coil on and off, and loses its supply again and again.

Each start looks at all that it finds: what was certain is there, nothing is mixed, counted twice or made up (judge.py).
"""

import random

from firmware.core import claims, decide, faults, settings
from firmware.core.records import Active, Claim, Energy, Event, Faults, Ref, Refusal
from firmware.services import flash_files, ledger, log_store
from firmware.services.flash_gate import gate
from host_tools.power_cuts import stores
from host_tools.power_cuts.judge import LATCHES, LOOKS_MS, STREAMS, Judge
from host_tools.power_cuts.life import NOON_S, SMALL, Broken
from host_tools.power_cuts.stores import FOLDER, Stores

# Operations: a second cut while the box starts, one somewhere in its life, or after a charge that fills the journal.
CUTS_IN = (8, 8, 8, 150, 150, 150, 150, 900)
MOST_STEPS = 900
STEP_MS, MWH_A_SECOND = 1000, 3000
ASLEEP_MS = 300_000  # a car that wants nothing


class Outputs:
    """Whether the coil is on."""

    is_contactor_closed = False


class Loop:
    """What the services ask of the control loop and of the board."""

    def __init__(self, now_ms, wall_s):
        self.start_ms, self.start_s = now_ms, wall_s
        self.coil_on_ms = -1_000_000
        self.board = self
        self.turns = None

    def now_ms(self):
        """Of the turns, once there are some."""
        return self.turns.now_ms if self.turns else self.start_ms

    def wall_s(self):
        """UTC seconds, or None."""
        return None if self.start_s is None else self.start_s + (self.now_ms() - self.start_ms) // 1000

    def boot_epoch_ms(self):
        """Nobody tells this box how long it was off."""


class TogetherLife:
    """Starts, stores, is cut, and is looked at; counts tell how often what was met."""

    def __init__(self, seed):
        self.chance = random.Random(seed)
        self.chip = stores.chip_of(self.chance)
        self.judge = Judge()
        self.wall_s = NOON_S
        self.is_up = self.is_late = False  # whether the start came to its end, and the life beyond its first minute
        self.counts = {"cuts": 0, "inside": 0, "in_erase": 0, "second": 0, "writes": 0, "operations": 0}
        self.counts |= {"in_files": 0, "in_journal": 0, "checkpoints": 0, "full": 0}
        self.genuine = flash_files.write_whole, flash_files.append, log_store.STREAMS

    def run(self, cuts):
        """So many cuts. Errors: Broken."""
        flash_files.write_whole = self._recorded(self.genuine[0])
        flash_files.append = self._recorded(self.genuine[1])
        log_store.STREAMS = STREAMS
        try:
            while self.counts["cuts"] < cuts:
                self.is_up = self.boot()
                if self.is_up:
                    self.live()
                self.cut()
        finally:
            flash_files.write_whole, flash_files.append, log_store.STREAMS = self.genuine
            self.box.turns.end()
            stores.take_away()
        return self.counts

    def _recorded(self, genuine):
        """A storing function whose bytes are noted, before and after."""

        def write(path, data):
            if not self.chip.is_dead:
                self.judge.note(path[len(FOLDER) :], bytes(data), False)
            genuine(path, data)
            self.judge.note(path[len(FOLDER) :], bytes(data), True)
            self.counts["writes"] += 1

        return write

    def _put(self, kind, octets):
        """As Journal.put(), noted."""
        is_put = self.genuine_put(kind, octets)
        if is_put:
            self.judge.put(kind, bytes(octets))
        return is_put

    def boot(self):
        """Whether the start came to its end; the supply may fail in it. Errors: Broken."""
        chance = self.chance
        self.chip.power_on(chance.randint(1, chance.choice(CUTS_IN)))
        self.writes_before = self.counts["writes"]
        self.wall_s += chance.randrange(1, 4000)
        # Nothing happens in a first minute: half of the lives begin behind it.
        self.loop = Loop(chance.choice((0, ledger.QUIET_MS - 1000)), None if chance.random() < 0.2 else self.wall_s)
        cable = (claims.standing("cable", 32_000, Ref("board", "cable", 0)),)
        try:
            self.box = box = Stores(self.chip, self.loop, decide.first_memory(self.loop.start_ms, cable, (0, 0)))
        except OSError as error:
            raise Broken(f"cannot be mounted: {error}") from None
        if self.chip.is_dead:
            return False
        self.loop.turns = box.turns
        for name, kept in SMALL.items():
            (box.replay.found.quarters if name == "quarters-" else box.replay.found.sessions).most = kept
        self.judge.look(box, self.is_late)
        self.genuine_put, box.journal.put = box.journal.put, self._put
        self.genuine_save, box.store.save = box.store.save, self._save
        self.genuine_checkpoint, box.journal.checkpoint = box.journal.checkpoint, self._checkpoint
        self.loop.memory = box.memory._replace(outputs=Outputs())
        self.loop.settings = box.chosen
        box.begin(self.loop)
        return True

    def _save(self, chosen):
        """As SettingsStore.save(), noted."""
        value = self.judge.values["settings"]
        number = self.judge.settings.index(chosen)
        value.most = max(value.most, number)
        self.genuine_save(chosen)
        if gate.may_touch_files() or not self.box.store._is_lost:
            value.put(number, gate.may_touch_files())

    def _checkpoint(self):
        """As Journal.checkpoint(); what follows are erases and their marks, where the supply likes to fail."""
        if not self.genuine_checkpoint():
            return False
        self.counts["checkpoints"] += 1
        if self.chance.random() < 0.4:
            self.chip.cut_in = self.chance.randint(1, 12)
        return True

    def live(self):
        """Until the supply fails. Errors: Broken."""
        self.is_plugged = self.is_on = self.is_late = False
        late_ms = 0  # of turns behind the first minute: what waited for that is put first
        self.is_calm = self.chance.random() < 0.3  # one long charge, which fills the journal
        self.claim_until_ms = None
        box = self.box
        for _ in range(MOST_STEPS):
            self._second()
            box.run_to(self.loop.now_ms() + STEP_MS)
            if self.chip.is_dead:
                return
            late_ms += STEP_MS * (self.loop.now_ms() > ledger.QUIET_MS)
            self.is_late = late_ms > LOOKS_MS + STEP_MS
            if box.journal.is_stored():
                self.judge.settle()
            if box.told:
                raise Broken(f"with power on: {box.told}")
            if self.is_on and sum(self.chip.erases) != self.erases:
                raise Broken("an erase with the coil on")
        self.chip.is_dead = True  # a cut at rest
        self.chip.was_inside = self.chip.was_erase = False
        self.chip.was_in = -1

    def _second(self):
        """What has flowed in the last turns of the services, and what happens before the next ones."""
        chance, loop, box = self.chance, self.loop, self.box
        now_ms = loop.now_ms()
        if self.is_on:
            self.judge.flows(STEP_MS, MWH_A_SECOND * STEP_MS // 1000)
        self._obey(now_ms)
        if chance.random() < (0.003 if self.is_calm else 0.03):
            self.is_plugged = not self.is_plugged
            self._session(now_ms)
        is_wanted = self.is_plugged and self.claim_until_ms is None
        if self.is_on and (not is_wanted or chance.random() < (0.002 if self.is_calm else 0.02)):
            self.is_on = False
        elif not self.is_on and is_wanted and chance.random() < 0.2:
            self.is_on = True
        if self.is_on:
            loop.coil_on_ms = now_ms
        if chance.random() < 0.03 and box.storage._paused_ms is None:  # two of them, and it would have given up
            box.turns.now_ms += ASLEEP_MS
            now_ms = loop.now_ms()
            loop.coil_on_ms = now_ms if self.is_on else loop.coil_on_ms
        loop.memory.outputs.is_contactor_closed = self.is_on
        self.erases = sum(self.chip.erases)
        energy = loop.memory.energy
        energy = energy._replace(wh=self.judge.mwh // 1000, mwh=self.judge.mwh % 1000)
        loop.memory = loop.memory._replace(now_ms=now_ms, energy=energy)
        self._happens(now_ms)
        if box.ledger.is_ahead and not self.is_on and chance.random() < 0.05:
            self.chip.cut_in = chance.randint(1, 40)  # while files get what the journal has

    def _obey(self, now_ms):
        """The box's own pause, as the control loop would make it: gentle, and for a time."""
        for command in self.box.commands:
            self.counts["full"] += command.kind == "limit"
            self.claim_until_ms = command.until_ms if command.kind == "limit" else None
            self._claims()
        self.box.commands.clear()
        if self.claim_until_ms is not None and now_ms >= self.claim_until_ms:
            self.claim_until_ms = None
            self._claims()

    def _claims(self):
        """Claims of the loop with or without the box's own pause."""
        rows = tuple(row for row in self.loop.memory.claims.rows if row.source != "store")
        if self.claim_until_ms is not None:
            rows += (Claim("store", 0, 0, self.claim_until_ms, Ref("box", "store", 0), "", 0, "", 0),)
        self.loop.memory = self.loop.memory._replace(claims=claims.first_claims(rows, self.loop.now_ms()))

    def _session(self, now_ms):
        """The car came or left."""
        energy = self.loop.memory.energy
        session = (energy.wh, energy.mwh, now_ms) if self.is_plugged else (None, 0, 0)
        energy = Energy(energy.wh, energy.mwh, 0, session[0], session[1], session[2])
        self.loop.memory = self.loop.memory._replace(energy=energy)

    def _happens(self, now_ms):
        """Settings, commands, the clock and events by chance."""
        chance, box, loop = self.chance, self.box, self.loop
        if chance.random() < 0.03:
            self._change()
        if chance.random() < 0.05 and not self.chip.is_dead:
            self._command(now_ms)
        wall_s = loop.wall_s()
        if wall_s is not None:
            self.wall_s = max(self.wall_s, wall_s)
            if (chance.random() < 0.01 or box.last_time.may_bring()) and not self.chip.is_dead:
                box.last_time.keep(wall_s)
        everyday = (
            ("service", ("clock", "set")),
            ("security", ("login", "here", 1)),
            ("security", ("wrong_login", "there")),
        )
        for code, args in everyday:
            if chance.random() < 0.1:
                box.log.put(now_ms, Event(code, args))

    def _change(self):
        """Settings that nobody had yet; with the coil on a full journal may refuse them."""
        known, loop = self.judge.settings, self.loop
        number = len(known)
        made = settings.changed(
            loop.settings, {"wiring_limit_ma": 6000 + number % 700 * 100, "restart_spread_s": number % 1800}
        )
        if isinstance(made, Refusal) or made in known:
            return
        known.append(made)
        try:
            self.box.store.save(made)
            loop.settings = made
        except OSError:
            if not self.chip.is_dead:  # else they may be there
                known.pop()
                if gate.may_touch_files():
                    raise Broken("settings are not taken with power on") from None

    def _command(self, now_ms):
        """A command that is remembered, with a latch of the same number."""
        value = self.judge.values["state"]
        value.most += 1
        memory, ref = self.loop.memory, Ref("dso", f"n{value.most}", 0)
        rows = tuple(row for row in memory.claims.rows if row.source != "grid")
        rows += (Claim("grid", 8000, now_ms, None, ref, "market", 0, "", 0),)
        active = (Active(LATCHES[value.most % len(LATCHES)], True, 0),)
        self.loop.memory = memory._replace(
            claims=claims.first_claims(rows, now_ms),
            faults=Faults((), active, (), faults.strongest(active)),
            seen=(memory.seen + (ref,))[-8:],
        )

    def cut(self):
        """The supply has failed."""
        counts = self.counts
        counts["cuts"] += 1
        counts["inside"] += self.chip.was_inside
        counts["in_erase"] += self.chip.was_erase
        counts["second"] += counts["writes"] == self.writes_before
        counts["operations"] = self.chip.operations
        counts["in_files"] += 0 <= self.chip.was_in < stores.FILES
        counts["in_journal"] += self.chip.was_in >= stores.FILES
        counts["most_lost_ms"] = self.judge.most_lost_ms
        self.box.turns.end()
