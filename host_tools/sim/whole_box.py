"""The whole App with all its services on a plant, in simulated time: real drivers, a virtual radio, a dead network."""

import asyncio
import sys
import types

from host_tools import bootstrap
from host_tools.dead_network import NoCollection, PlantLoop
from host_tools.sim import fake_network, true_board, world
from host_tools.sim.pin_world import PinWorld
from host_tools.sim.plant import Plant

HOME = ("home", "correct-horse", -50)


class NoConsole:
    """A serial line on which nobody speaks."""

    def open(self):
        """Nothing."""

    def close(self):
        """Nothing."""

    def read(self):
        """Nothing was said."""
        return b""

    def heard(self):
        """Nobody asks."""
        return b""

    def write(self, payload):
        """Nobody hears it."""


class WholeBox:
    """One App; what happens to it is played by a coroutine function given to play()."""

    def __init__(self, folder, seed, **config):
        """folder: of the box's files; config: beside what every box has. Errors: as App."""
        from firmware.drivers import board_facts
        from firmware.services import control_loop

        path = bootstrap.ROOT / "hardware" / "boards" / "reference.json"
        facts = board_facts.loaded(path)
        self.plant = Plant(seed, facts.phases)
        self.pins = PinWorld(self.plant, facts)
        true_board.install(self.pins)
        self.air = fake_network.World(lambda: self.plant.now_us // 1000)
        self.air.access_points = [HOME]
        fake_network.world = self.air
        sys.modules["network"] = fake_network
        sys.modules.setdefault("micropython", types.ModuleType("micropython")).kbd_intr = lambda number: None
        from firmware import app
        from firmware.drivers import console

        self._real = (console, "Console", console.Console), (control_loop, "gc", control_loop.gc)
        console.Console = NoConsole
        control_loop.gc = NoCollection  # the PC collects by itself, and a hundred times slower
        plain = {"box": "a1", "ap_secret": "a-secret-of-its-own", "board_path": str(path), "data_dir": str(folder)}
        self.loop = PlantLoop(self.plant)
        self.app = app.App({**plain, **config})
        self.told = []
        self.app.tell = self.app.health._tell = lambda name, words: self.told.append((self.now_ms(), name, words))
        self._sense = self.app.board.sense
        self.app.board.sense = self._sensed

    def _sensed(self):
        """One tick's readings; the plant has moved on by the time they took."""
        readings = self._sense()
        self.pins.settle()
        return readings

    def now_ms(self):
        """Plant time in ms."""
        return self.plant.now_us // 1000

    def change(self, **parts):
        """POST /world."""
        world.change(self.plant, parts)

    async def until(self, is_reached, words, for_s=60):
        """Wait in simulated time. Errors: AssertionError in words."""
        end_ms = self.now_ms() + for_s * 1000
        while not is_reached():
            assert self.now_ms() < end_ms, f"not within {for_s} s: {words}; {self.told[-5:]}"
            await asyncio.sleep(0.01)

    def play(self, story):
        """Run the app with story(self) beside it, which ends it."""

        async def both():
            task = asyncio.create_task(self.app.run())
            try:
                await story(self)
                assert not task.done(), task
            finally:
                for one in asyncio.all_tasks() - {asyncio.current_task()}:
                    one.cancel()
                await asyncio.sleep(0)

        try:
            self.loop.run_until_complete(both())
        finally:
            self.loop.close()
            for module, name, real in self._real:
                setattr(module, name, real)
        return self
