"""Runs on the interpreter: quiet_flash.py CONFIG; a spy on the flash of a whole box looks while the coil is on.

The whole firmware on the interpreter's own littlefs in simulated time, with the journal's area apart. A car charges
for an hour and a half; a broker sends commands, an owner reads and changes what he can; earth is lost once; the supply
fails in the middle; and the button asks for a factory reset. One line of counts a part.
"""

import asyncio.stream  # noqa: F401 - the interpreter's own modules are not the firmware's
import json
import os
import random
import sys

import soak_world
import vfs
from soak_peers import Broker, Viewer

with open(sys.argv[1]) as file:
    CONFIG = json.load(file)
WALL_S = 1_795_176_000
BLOCKS = 512
# By data sheet at worst: a read of up to 128 B, a program of up to 64 B (W25Q32JV: 3 ms a page), an erase of a sector.
READ_US, PROGRAM_US, ERASE_US = 100, 3000, 400_000
TURN_US = 5000

now = soak_world.installed()
random.seed(CONFIG["seed"])
chance = random.randrange
sys.modules["ntptime"] = soak_world.OutsideTime(now, WALL_S)
import fake_machine  # noqa: E402

fake_machine.world = soak_world.Silent()
sys.modules["machine"] = fake_machine


class Spy:
    """Counts what the flash is asked for while the coil is on; turn by turn of the loop."""

    def __init__(self):
        self.car = None
        self.found = {}
        self.turn_us = self.most_us = 0
        self.is_dead = False

    def is_on(self):
        return self.car is not None and self.car.is_closed()

    def note(self, what, us):
        """One operation; "files" and "numbers" may have none of any kind but reads."""
        if self.is_dead:
            raise OSError(5)
        if self.is_on():
            self.found[what] = self.found.get(what, 0) + 1
            self.turn_us += us

    def turn_over(self):
        """The next task's turn begins."""
        self.most_us = max(self.most_us, self.turn_us)
        self.turn_us = 0


spy = Spy()
queue = asyncio.core._io_queue
wait = queue.wait_io_event


def wait_io_event(wait_ms):
    spy.turn_over()
    wait(wait_ms)


queue.wait_io_event = wait_io_event


class Watched:
    """A block device or an area of flash, each call of which the spy sees."""

    def __init__(self, inner, name):
        self._inner, self._name = inner, name
        self.sectors = getattr(inner, "sectors", 0)

    def readblocks(self, number, buffer, offset=0):
        spy.note(self._name + "_reads", READ_US * (1 + len(buffer) // 128))
        self._inner.readblocks(number, buffer, offset)

    def writeblocks(self, number, buffer, offset=0):
        spy.note(self._name + "_programs", PROGRAM_US)
        self._inner.writeblocks(number, buffer, offset)

    def ioctl(self, operation, argument):
        if operation == 6:
            spy.note(self._name + "_erases", ERASE_US)
        return self._inner.ioctl(operation, argument)

    def read_into(self, at, buffer):
        spy.note(self._name + "_reads", READ_US)
        self._inner.read_into(at, buffer)

    def program(self, at, octets):
        spy.note(self._name + "_programs", PROGRAM_US)
        self._inner.program(at, octets)

    def erase(self, sector):
        spy.note(self._name + "_erases", ERASE_US)
        self._inner.erase(sector)


class Starter:
    """Stands in for starter.py, and for the chip's own store."""

    SLOTS = ("a", "b")

    def slot(self):
        return ""

    def memory(self):
        return self

    def number_of(self, store, key):
        spy.note("number_reads", READ_US)
        return 1

    def set_number(self, store, key, number):
        spy.note("number_writes", ERASE_US)

    def forget_crashes(self):
        spy.note("number_writes", ERASE_US)


flash = Watched(soak_world.FileFlash(CONFIG["flash_path"], BLOCKS), "file")
vfs.VfsLfs2.mkfs(flash)
vfs.mount(vfs.VfsLfs2(flash), "/flash")
os.mkdir("/flash/data")
broker, viewer = Broker(), Viewer(CONFIG["web_port"], CONFIG["owner_token"])

from firmware import app  # noqa: E402
from firmware.core.records import Readings  # noqa: E402

try:
    from firmware.drivers import flash_area

    RING = Watched(flash_area.FileArea(CONFIG["flash_path"] + ".ring", flash_area.FILE_SECTORS), "ring")
    app.area_of = lambda config: RING
except ImportError:
    pass  # a firmware without a journal is looked at too


class Car(soak_world.Car):
    """Knows whether the coil is on."""

    def is_closed(self):
        return self._outputs is not None and self._outputs.is_contactor_closed


def started():
    """(App, its Car); the supply is back."""
    sys.modules["starter"] = Starter()
    spy.is_dead, spy.car = False, None
    box = app.App(CONFIG)
    facts = list(box.board.facts)
    facts[1] = CONFIG["tick_ms"]
    box.board.facts = type(box.board.facts)(*facts)
    car = Car(box.board, chance, Readings)
    box.board.sense, box.board.act = car.sense, car.act
    spy.car = car
    return box, car


async def until(is_reached, words, for_s=120):
    """Wait in simulated time. Errors: ValueError in words."""
    for _ in range(for_s * 10):
        if is_reached():
            return
        await asyncio.sleep_ms(100)
    raise ValueError("not within %d s: %s" % (for_s, words))


async def codes(rows):
    """Status codes of these calls, one after the other."""
    made = []
    for path, body, method in rows:
        viewer.codes = {}
        await viewer.asked(path, body, method)
        made += list(viewer.codes)
    return made


def told(name, **counts):
    print(name + ": " + json.dumps(counts))


READS = [
    ("/api/status", None, "GET"),
    ("/api/sessions?last=10", None, "GET"),
    ("/api/energy", None, "GET"),
    ("/api/sessions.csv", None, "GET"),
    ("/api/log", None, "GET"),
    ("/api/flight", None, "GET"),
    ("/api/flight/1", None, "GET"),
    ("/api/issuers", None, "GET"),
]


async def charging(box, car):
    """An hour and a half of charging with everything at work."""
    await until(car.is_closed, "it charges")
    asked = await codes(READS)
    await asyncio.sleep_ms(200_000)
    changed = await codes([("/api/settings", {"utc_offset_s": 7200}, "PATCH")])
    for number in range(4):
        row = {"id": "limit-%d" % number, "kind": "limit", "limit_ma": 8000 + 1000 * number, "duration_s": 7200}
        await broker.publish(json.dumps(row).encode())
        await asyncio.sleep_ms(300_000)
    await broker.publish(b'{"id": "peak", "kind": "pause", "duration_s": 60, "resume": "now"}')
    await until(lambda: not car.is_closed(), "the pause is obeyed")
    await until(car.is_closed, "it charges on", 200)
    await asyncio.sleep_ms(3_000_000)
    told("charging", asked=asked, changed=changed, wh=box.ledger.wh, **spy.found)


async def run(story):
    """One life of the box, which ends with its story."""
    box, car = started()
    task = asyncio.create_task(box.run())
    well = asyncio.create_task(box._run_well())
    try:
        await asyncio.sleep_ms(75_000)
        await story(box, car)
    finally:
        spy.is_dead = True
        for one in [task, well] + [row[0] for row in box.health._kept]:
            one.cancel()
        await asyncio.sleep_ms(2000)
        spy.is_dead, spy.car = False, None
        vfs.umount("/flash")
        vfs.mount(vfs.VfsLfs2(flash), "/flash")


left = {}


async def cut_in_mid_session(box, car):
    """The supply fails while it charges."""
    car.is_plugged = True
    await charging(box, car)
    energy, power_mw = box.loop.memory.energy, box.loop.readings.power_mw
    left["counted_mwh"], left["mwh_a_second"] = energy.wh * 1000 + energy.mwh, power_mw // 3600
    left["shown_wh"] = box.ledger.wh


async def after_it(box, car):
    """What the next start knows, a fault while it charges, and a factory reset while it charges."""
    energy = box.loop.memory.energy
    lost_mwh = left["counted_mwh"] - energy.wh * 1000 - energy.mwh
    kept = [row.ref.id for row in box.loop.memory.claims.rows if row.source == "grid"]
    told(
        "cut",
        lost_ms=lost_mwh * 1000 // max(1, left["mwh_a_second"]),
        shown_fell=box.ledger.wh < left["shown_wh"],
        kept=kept,
        offset_s=box.settings().utc_offset_s,
    )
    car.is_plugged = True
    await until(car.is_closed, "it charges")
    await asyncio.sleep_ms(700_000)
    car.is_earth_ok = False
    await asyncio.sleep_ms(3000)
    car.is_earth_ok = True
    await until(car.is_closed, "it charges again")
    await asyncio.sleep_ms(60_000)
    car.is_plugged = False
    await asyncio.sleep_ms(120_000)
    told("records", names=[name for name in os.listdir("/flash/data") if name.startswith("flight-")])
    told("asked", asked=await codes(READS), wh=box.ledger.wh, **spy.found)
    car.is_plugged = True
    await until(car.is_closed, "it charges for the reset")
    await asyncio.sleep_ms(100_000)
    from firmware.services import factory_reset

    restarts = []
    box.restart = lambda: restarts.append(car.is_closed())
    await factory_reset.run(box)
    told("reset", restarts=restarts, names=sorted(os.listdir("/flash/data")))


async def lived():
    await asyncio.start_server(broker.serve, "127.0.0.1", CONFIG["mqtt_port"])
    await run(cut_in_mid_session)
    await run(after_it)
    told("spy", most_us=spy.most_us, **spy.found)


asyncio.run(lived())
