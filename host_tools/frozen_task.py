"""Task `chip-frozen`: MicroPython made here with the firmware frozen into it, and the memory that it takes.

What a maker's own image does with the heap (hardware/micropython), on the PC's port of the same interpreter.
"""

import argparse
import asyncio
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from host_tools import bootstrap, budgets, chip, frozen_chip
from host_tools.device import boards, slot
from host_tools.sim import world
from host_tools.whole import Whole

WHOLE_B, CONTROL_B = 150 * 1024, 48 * 1024
BOARD, SMALL = "reference", "compact"
CHARGE_S = 12  # of the control part, two tellings of its heap and more


def on_frozen(board, script, arguments=()):
    """Lines that a script of chip_scripts prints on an interpreter with a board's firmware. Errors: chip.NoChip."""
    folder = bootstrap.ROOT / "host_tools"
    sim = folder / "sim"
    env = {**os.environ, "MICROPYPATH": f"{sim / 'chip'}:{sim / 'serial'}:{sim}:.frozen"}
    command = [*frozen_chip.of_board(board), "-X", "heapsize=512k", str(folder / "chip_scripts" / script), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, env=env)
    if done.returncode:
        raise SystemExit(f"chip-frozen: {script} failed:\n{done.stdout}{done.stderr}")
    return done.stdout.splitlines()


class ControlPart(Whole):
    """The small board: no page; MQTT over TLS, a car that charges, and commands that fill what the box remembers."""

    def __init__(self, folder):
        super().__init__(folder, 0, CHARGE_S, True)
        self.seen = threading.Event()

    def _spectator(self):
        """A client that sees the box come online."""
        client = paho.Client(CallbackAPIVersion.VERSION2)
        client.tls_set(str(self.folder / "ca.pem"))
        client.on_message = lambda *_: self.seen.set()
        client.on_connect = lambda *_: client.subscribe("ebb/1/box/garage/state", 1)
        client.connect("localhost", self.broker.port)
        client.loop_start()
        return client

    async def run(self):
        """Everything; returns the largest live heap in bytes while the car charged."""
        self.prepare(("--no-page", "--board", SMALL))
        client, tasks = None, []
        try:
            client = self._spectator()
            await self.demo.start()
            tasks = [asyncio.create_task(self._listen(time.monotonic()))]
            await self._until(self.seen.is_set, "TLS session")
            world.change(self.demo.plant, {"car": {"is_plugged": True}})
            await self._until(lambda: self.demo.plant.is_coil_on, "the car is charged")
            tasks.append(asyncio.create_task(self._grid()))
            await self.is_filled.wait()
            self.heaps.clear()
            await asyncio.sleep(self.grid_least_s)
            await self._until(lambda: self.heaps, "the box tells its heap")
            return max(row[1] for row in self.heaps)
        finally:
            for task in tasks:
                task.cancel()
            await self.demo.stop()
            if client is not None:
                client.loop_stop()
            self.broker.stop()


def module_names(board):
    """Dotted names of every module that a board's image has frozen in it, in order."""
    sources, _ = slot.frozen_sources(boards.loaded(board), slot.wheels(boards.loaded(board)))
    return sorted(path.removesuffix(".py").removesuffix("/__init__").replace("/", ".") for path in sources)


def imported_b():
    """Bytes that stay in the heap once everything is imported. Errors: chip.NoChip."""
    return int(budgets.number_of(on_frozen(BOARD, "frozen_cost.py", module_names(BOARD)), "frozen_import_everything"))


def control_part_b():
    """Bytes of the control part once it ticks, nothing connected. Errors: chip.NoChip."""
    lines = on_frozen(SMALL, "heap_cost.py", (str(boards.path_of(BOARD)),))
    return int(budgets.number_of(lines, "heap_control_part"))


def with_mqtt_b():
    """Bytes of the control part of the small board that charges and speaks MQTT over TLS. Errors: chip.NoChip."""
    with tempfile.TemporaryDirectory(prefix="ebb-frozen-") as folder:
        return asyncio.run(ControlPart(Path(folder)).run())


def whole_b(minutes):
    """Bytes of the whole firmware in use. Errors: chip.NoChip."""
    with tempfile.TemporaryDirectory(prefix="ebb-frozen-") as folder:
        return asyncio.run(Whole(folder, minutes, is_frozen=True).run())["heap_whole"][0]


def run(argv):
    """Run the task; exit 0 only when every figure is within its goal, 2 where no such interpreter can be made."""
    parser = argparse.ArgumentParser(prog="python3 -m host_tools chip-frozen", description=__doc__.split("\n")[0])
    parser.add_argument("--whole-minutes", type=float, default=2, help="real minutes of the whole firmware (0: none)")
    options = parser.parse_args(argv)
    rows = [("import_everything", imported_b, 0), ("control_part_at_start", control_part_b, CONTROL_B)]
    rows.append(("control_part_with_mqtt", with_mqtt_b, CONTROL_B))
    if options.whole_minutes:
        rows.append(("whole", lambda: whole_b(options.whole_minutes), WHOLE_B))
    is_good = True
    try:
        print("chip: " + chip.described(frozen_chip.of_board(BOARD)) + ", the firmware frozen into it", flush=True)
        for name, found, goal in rows:
            value = found()
            print(f"frozen_{name}: {value} B" + (f" (goal {goal} B)" if goal else ""), flush=True)
            is_good = is_good and (not goal or value <= goal)
    except chip.NoChip as missing:
        print(f"ebb: {missing}", file=sys.stderr)
        return 2
    return 0 if is_good else 1
