"""Runs on the interpreter: whole_soak.py CONFIG; the whole firmware for hours of simulated time, its heap each hour.

CONFIG: path of a JSON file with what host_tools/whole_soak.py writes. One line an hour, and the counts at the end.
"""

import asyncio.stream  # noqa: F401 - the interpreter's own modules are not the firmware's
import gc
import json
import os
import random
import sys

import soak_world
import vfs
from soak_peers import Broker, Viewer

with open(sys.argv[1]) as file:
    CONFIG = json.load(file)
QUIET_S = 40  # before a look at the heap: no viewer, no command
LOOKS = 5  # the least of so many, for the collector takes what lies on the C stack for live
PAGES = ("/api/status", "/api/status", "/", "/api/settings", "/api/log", "/api/flight", "/api/flight/1", "/api/backup")
COMMANDS = 70  # more than core/commands.py keeps
PAUSES_AN_HOUR, VIEWS_AN_HOUR = 4, 30
WALL_S = 1_795_176_000
BLOCKS = 512

now = soak_world.installed()
random.seed(CONFIG["seed"])
chance = random.randrange
sys.modules["ntptime"] = soak_world.OutsideTime(now, WALL_S)
import fake_machine  # noqa: E402

fake_machine.world = soak_world.Silent()
sys.modules["machine"] = fake_machine
flash = soak_world.FileFlash(CONFIG["flash_path"], BLOCKS)
vfs.VfsLfs2.mkfs(flash)
vfs.mount(vfs.VfsLfs2(flash), "/flash")
os.mkdir("/flash/data")
broker, viewer = Broker(), Viewer(CONFIG["web_port"], CONFIG["owner_token"])
gc.collect()
HARNESS_B = gc.mem_alloc()

from firmware import app  # noqa: E402
from firmware.core.records import Readings  # noqa: E402
from firmware.drivers import flash_area  # noqa: E402

RING = flash_area.FileArea(CONFIG["flash_path"] + ".ring", flash_area.FILE_SECTORS)  # beside the littlefs, not in it
app.area_of = lambda config: RING


def started():
    """(App, Car) on a board that is not measured."""
    box = app.App(CONFIG)
    facts = list(box.board.facts)
    facts[1] = CONFIG["tick_ms"]
    box.board.facts = type(box.board.facts)(*facts)
    car = soak_world.Car(box.board, chance, Readings)
    box.board.sense, box.board.act = car.sense, car.act
    return box, car


async def used(car, hour, for_s):
    """A box in use for so long: commands, views, a broker that drops, a fault a day."""
    spans = []
    for number in range(PAUSES_AN_HOUR):
        spans.append((chance(for_s), "pause", hour * PAUSES_AN_HOUR + number))
    for _ in range(VIEWS_AN_HOUR):
        spans.append((chance(for_s), "view", chance(len(PAGES) + 3)))
    if hour % 3 == 1:
        spans.append((chance(for_s), "drop", 0))
    # Under load once, then without a car: three under load are W2, and each tick then remembers a warning as well.
    if hour == 5 or (hour > 24 and hour % 24 == 7):
        spans.append((chance(for_s), "fault", 0))
    spans.sort()
    begun_ms = now.passed_ms
    for at_s, kind, number in spans:
        await asyncio.sleep_ms(max(0, begun_ms + at_s * 1000 - now.passed_ms))
        if kind == "pause":
            asked = {"id": "peak-%d" % number, "kind": "pause", "duration_s": 20 + chance(60), "resume": "now"}
            await broker.publish(json.dumps(asked).encode())
        elif kind == "drop":
            await broker.drop()
        elif kind == "fault":
            # Earth is lost for three seconds: the box opens, writes a flight record and goes on 30 s later.
            car.is_earth_ok = False
            await asyncio.sleep_ms(3000)
            car.is_earth_ok = True
        else:
            await viewed(number)


async def filled():
    """The box remembers the last commands: growing up to there is no leak."""
    for number in range(COMMANDS):
        await broker.publish(json.dumps({"id": "first-%d" % number, "kind": "resume"}).encode())
        await asyncio.sleep_ms(1000)


async def viewed(number):
    """One thing that an owner does."""
    if number < len(PAGES):
        await viewer.asked(PAGES[number])
    elif number == len(PAGES):
        await viewer.asked("/api/settings", {"utc_offset_s": 900 * chance(8)}, "PATCH")
    elif number == len(PAGES) + 1:
        await viewer.asked("/api/login", {"password": ("right", "wrong")[chance(2)]})
        await viewer.broken_off()
    else:
        await viewer.asked("/api/command", {"kind": "limit", "limit_ma": 6000 + 1000 * chance(9), "for_s": 120})


async def looked():
    """Least live heap of a few looks, without the harness."""
    least = 1 << 29
    for _ in range(LOOKS):
        await asyncio.sleep_ms(1000)
        gc.collect()
        least = min(least, gc.mem_alloc())
    return least - HARNESS_B


async def lived():
    """All hours; a car is there for three of four."""
    await asyncio.start_server(broker.serve, "127.0.0.1", CONFIG["mqtt_port"])
    box, car = started()
    planted = []
    task = asyncio.create_task(box.run())
    await asyncio.sleep_ms(2000)
    await filled()
    begun_s = now.passed_ms // 1000
    for hour in range(CONFIG["hours"]):
        end_s = begun_s + (hour + 1) * CONFIG["hour_s"]
        car.is_plugged = hour % 4 != 3
        await used(car, hour, CONFIG["hour_s"] - QUIET_S - LOOKS)
        await asyncio.sleep_ms(max(0, (end_s - LOOKS) * 1000 - now.passed_ms))
        if CONFIG["leak_b"]:
            planted.append(bytes(CONFIG["leak_b"]))
        heap_b = await looked()
        print("hour: %d heap: %d B erases: %d" % (hour + 1, heap_b, flash.erases))
        if task.done():
            raise ValueError("the box ended")
    connected = box.status(True)["network"]["mqtt_is_connected"]
    counts = (box.ledger.wh, car.closings, broker.sessions, broker.taken, broker.sent, box.health.failures, connected)
    print("wh: %d closings: %d sessions: %d taken: %d sent: %d failures: %d connected: %d" % counts)
    print("answers: " + json.dumps(viewer.codes))


asyncio.run(lived())
