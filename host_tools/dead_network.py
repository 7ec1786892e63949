"""Hours of a dead network in simulated time: names, broker and TLS fail in turn while a car comes and goes."""

import asyncio
import random
import selectors

from firmware.services import control_loop, mqtt_link
from firmware.services.mqtt_client import MqttClient, MqttConfig
from firmware.services.tls_gate import TlsGate
from host_tools.sim import world
from host_tools.sim.box import Box

WATCHDOG_MS = 2000  # faults.md X3
TROUBLES = ("no names", "no route", "silent broker", "slow TLS that fails", "slow TLS, then dropped")
HANDSHAKE_MS = (400, 1200)  # micropython.md, the chip
HOUR_S = 3600


class PlantTime(selectors.DefaultSelector):
    """Waiting lets the plant's time pass; nothing here is a real socket."""

    plant = None

    def select(self, timeout=None):
        """Nothing ever arrives."""
        if timeout is None or timeout > 0:
            self.plant.advance_to(self.plant.now_us + max(1, round((1 if timeout is None else timeout) * 1_000_000)))
        return []


class PlantLoop(asyncio.SelectorEventLoop):
    """An event loop on the plant's clock."""

    def __init__(self, plant):
        selector = PlantTime()
        selector.plant = plant
        self.plant = plant
        super().__init__(selector)

    def time(self):
        """Seconds of the plant."""
        return self.plant.now_us / 1_000_000


class NoCollection:
    """In the place of `gc` in the control loop."""

    @staticmethod
    def collect():
        """Nothing."""


class Pipe:
    """A connection over which a broker may greet and then fall silent."""

    def write(self, payload):
        pass

    async def drain(self):
        pass

    def close(self):
        pass

    async def wait_closed(self):
        pass

    async def read(self, count):
        await asyncio.sleep(random.Random(count).uniform(5, 60))
        return b""


class DeadNetwork:
    """One run; counts what must not happen."""

    def __init__(self, seed, has_cutoff):
        self.chance = random.Random(seed)
        self.box = Box("polite", seed)
        self.plant = self.box.plant
        self.trouble = TROUBLES[0]
        self.handshakes = 0
        self.handshakes_closed = 0
        self.closings = 0
        self.worst_gap_ms = 0
        self.resets = 0

        class Facts:
            tick_ms = 23
            has_hardware_cutoff = has_cutoff

        self.box.board.facts = Facts

    async def address_of(self, host):
        """Names, when there are any."""
        if self.trouble == "no names":
            await asyncio.sleep(8)
            raise OSError("no name server answers for " + host)
        return "10.0.0.1"

    async def open_connection(self, host, port, **options):
        """TCP to a broker in trouble."""
        if self.trouble == "no route":
            await asyncio.sleep(self.chance.uniform(0.01, 3))
            raise OSError(113)
        await asyncio.sleep(self.chance.uniform(0.005, 0.2))
        if self.trouble == "silent broker":
            await asyncio.sleep(60)
        return Pipe(), Pipe()

    async def encrypted(self, pair, config):
        """A handshake: the whole chip stands still."""
        self.handshakes += 1
        self.handshakes_closed += self.plant.is_coil_on
        self.plant.advance_to(self.plant.now_us + self.chance.randint(*HANDSHAKE_MS) * 1000)
        if self.trouble == "slow TLS that fails":
            raise OSError("TLS handshake failed")
        return pair

    async def _watch(self):
        """The watchdog's view: how long no tick came."""
        last_ms = self.box.now_ms()
        tick = self.box.loop.tick

        def watched():
            nonlocal last_ms
            gap_ms = self.box.now_ms() - last_ms
            self.worst_gap_ms = max(self.worst_gap_ms, gap_ms)
            self.resets += gap_ms > WATCHDOG_MS
            last_ms = self.box.now_ms()
            was_on = self.plant.is_coil_on
            tick()
            self.closings += self.plant.is_coil_on and not was_on

        self.box.loop.tick = watched

    async def _life(self, hours):
        """The car comes and goes, and the network's trouble changes."""
        end_us = self.plant.now_us + hours * HOUR_S * 1_000_000
        self.trouble = "slow TLS that fails"  # first, so that the shortest life has a handshake in it
        while self.plant.now_us < end_us:
            world.change(self.plant, {"car": {"is_plugged": True, "wants_charge": True}})
            await asyncio.sleep(self.chance.uniform(300, 1500))
            world.change(self.plant, {"car": {"wants_charge": self.chance.random() < 0.5}})
            await asyncio.sleep(self.chance.uniform(60, 600))
            world.change(self.plant, {"car": {"is_plugged": self.chance.random() < 0.3}})
            await asyncio.sleep(self.chance.uniform(5, 120))
            self.trouble = self.chance.choice(TROUBLES)

    async def _run(self, hours):
        await self._watch()
        now_ms = self.box.board.now_ms
        config = MqttConfig("broker.example", 8883, "box", None, 20, None, b"authority", 2304, 300)
        tools = (now_ms, self.chance.randrange, self.address_of, TlsGate(self.box.loop, now_ms, lambda: None))
        client = MqttClient(config, lambda *message: None, ("cmd",), tools)
        tasks = [asyncio.create_task(work) for work in (self.box.loop.run(), client.run())]
        await self._life(hours)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def run(self, hours):
        """Play it; self after."""
        loop = PlantLoop(self.plant)
        patched = (mqtt_link.encrypted, asyncio.open_connection, control_loop.gc)
        mqtt_link.encrypted, asyncio.open_connection = self.encrypted, self.open_connection
        control_loop.gc = NoCollection  # the PC collects by itself, and a hundred times slower
        try:
            loop.run_until_complete(self._run(hours))
        finally:
            mqtt_link.encrypted, asyncio.open_connection, control_loop.gc = patched
            loop.close()
        return self


def report(hours, seed):
    """Print the figures of both kinds of board; True when nothing that must not happen did."""
    is_good = True
    print(f"dead_network_seed: {seed} seed")
    for name, has_cutoff in (("with_cutoff", True), ("without_cutoff", False)):
        made = DeadNetwork(seed, has_cutoff).run(hours)
        for figure, value, unit in (
            ("hours", hours, "h"),
            ("handshakes", made.handshakes, "handshakes"),
            ("handshakes_while_closed", made.handshakes_closed, "handshakes"),
            ("worst_gap", made.worst_gap_ms, "ms"),
            ("resets", made.resets, "resets"),
            ("closings", made.closings, "closings"),
            ("hot_openings", made.plant.hot_openings, "openings"),
        ):
            print(f"dead_network_{name}_{figure}: {value} {unit}")
        is_good = is_good and not made.resets and not made.plant.hot_openings
        is_good = is_good and (made.handshakes_closed == 0 if not has_cutoff else made.handshakes > 0)
    return is_good
