"""A virtual chip on a serial line with its plant, in a thread of its own, for tests that use tools as a person does."""

import asyncio
import atexit
import contextlib
import functools
import json
import shutil
import socket
import tempfile
import threading
import time
from pathlib import Path

from running import Patience

from host_tools.device import boards, box_file, build, install
from host_tools.device.prompt import Prompt
from host_tools.sim.link_server import LinkServer, RealTime
from host_tools.sim.pin_world import PinWorld
from host_tools.sim.plant import Plant
from host_tools.sim.serial_chip import SerialChip


class RunningChip:
    """`port` is what a tool opens; the plant is `plant`, the chip `chip`."""

    def __init__(self, folder, board="reference", heap="1m", speed=1):
        from firmware.drivers import board_facts

        self.folder, self.heap, self.speed = folder, heap, speed
        path = boards.path_of(board)
        self.facts = board_facts.loaded(path)
        told = json.loads(path.read_text())
        self.kind, self.has_psram, self.has_network = told["chip"], told["has_psram"], True
        self.app_b = 0  # bytes of an app partition of an own image
        self.true_facts = self.facts  # what the parts of this very board do; a test may give others before the start
        self.plant = Plant(1, self.facts.phases, "polite")
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self):
        self._thread.start()
        self.now(self._start())
        return self

    def __exit__(self, *_):
        self.now(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()

    def now(self, work):
        """Result of a coroutine in the chip's thread."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    async def _start(self):
        self.real_time = RealTime(self.plant, self.speed)
        self.link = LinkServer(self.real_time, PinWorld(self.plant, self.true_facts))
        await self.link.start()
        self.chip = SerialChip(self.folder, self.link, (self.facts.pins.peak_reset,), self.heap)
        self.chip.is_module(self.kind, self.has_psram)
        self.chip.config["has_network"] = self.has_network
        self.chip.config["app_b"] = self.app_b
        self.port = self.chip.port
        self._plant_task = asyncio.create_task(self._run_plant())
        await self.chip.start()

    async def _run_plant(self):
        while True:
            self.real_time.settle()
            await asyncio.sleep(0.005)

    async def _stop(self):
        self._plant_task.cancel()
        await self.chip.stop()
        await self.link.close()

    def said(self):
        """What the chip printed, the last 64 kB."""
        return bytes(self.chip.console).decode(errors="replace")

    def wait(self, is_reached, words, for_s=20):
        """Until is_reached() is true; an error with the console else."""
        patience = Patience(lambda: self.plant.now_us / 1_000_000 / self.speed, for_s)
        while patience.lasts():
            if is_reached():
                return
            time.sleep(0.05)
        raise AssertionError(f"not within {for_s} s: {words}; {self.chip.resets}; {self.said()[-1500:]}")

    def live(self, for_s):
        """Let so many seconds of the chip's own clock pass."""
        end_us = self.plant.now_us + for_s * 1_000_000
        self.wait(lambda: self.plant.now_us >= end_us, "time passes", for_s / self.speed + 5)

    def wait_said(self, text, for_s=20):
        """Until the chip has printed a text."""
        self.wait(lambda: text in self.said(), text, for_s)

    def wait_runs(self):
        """Until the firmware runs after a restart: a Ctrl-C before that would stop it before it has begun."""
        time.sleep(0.3)
        self.wait(lambda: self.link.fed_at_us is not None, "the firmware runs")

    def power_cut(self):
        """Pull the plug, and put it back."""
        self.now(self.chip.cut())
        self.now(self.chip.power_on())


@functools.cache
def flash_with_firmware():
    """Folder with the flash of a chip on which the built firmware was installed, made once a run."""
    kept = tempfile.TemporaryDirectory(prefix="ebb-flash-")
    atexit.register(kept.cleanup)
    folder = Path(kept.name) / "chip"
    with RunningChip(folder) as running, Prompt(running.port) as prompt:
        install.install(prompt, built().files, lambda *_: None)
    return folder


@functools.cache
def built():
    """The build that is installed."""
    return build.made("reference")


@contextlib.contextmanager
def box_chip(folder, box=None, speed=1):
    """A RunningChip with the firmware on its flash, not yet started; box: dict of its /box.json, None for none.

    speed: its seconds in one of ours, where a test waits for long times of the firmware.
    """
    shutil.copytree(flash_with_firmware(), folder)
    with RunningChip(folder, speed=speed) as running:
        running.wait_said("boot: ")
        if box is not None:
            write_box(running, box)
        yield running


def write_box(running, box):
    """Put a /box.json on the board."""
    with Prompt(running.port) as prompt:
        prompt.put("/box.json", json.dumps(box).encode())


def read_box(running):
    """The /box.json on the board; its firmware starts again."""
    with box_file.stopped(running.port) as prompt:
        return json.loads(prompt.read("/box.json"))


def free_port():
    """A TCP port on 127.0.0.1 that nobody uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def installed(chip, box=None):
    """Put the built firmware on a running chip, with the dict of a /box.json, and start it."""
    from host_tools.device import build, install
    from host_tools.device.prompt import Prompt

    with Prompt(chip.port) as prompt:
        install.install(prompt, build.made(chip.facts.name).files, lambda *_: None)
        prompt.put("/box.json", json.dumps(box or {"box": "ebb-test"}).encode())
        prompt.restart()
    chip.wait(lambda: len(chip.chip.resets) > 1, "the start after an installation")
    chip.wait_runs()
