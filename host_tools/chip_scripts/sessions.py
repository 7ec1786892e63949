"""Runs on the interpreter: sessions.py CONFIG; boot.py and main.py from a timed flash, and charging sessions on it.

CONFIG: path of a JSON file with what host_tools/sessions.py writes. Lines "name: number" at the end.
"""

import asyncio.stream  # noqa: F401 - the interpreter's own modules are not the firmware's
import gc
import json
import os
import random
import sys

with open(sys.argv[1]) as file:
    CONFIG = json.load(file)
sys.path[:0] = CONFIG["paths"]

import esp32  # noqa: E402 - the paths come first
import fake_machine  # noqa: E402
import flash_image  # noqa: E402
import flash_time  # noqa: E402
import micropython  # noqa: E402
import network  # noqa: E402
import sessions_world  # noqa: E402
import soak_world  # noqa: E402
import start_marks  # noqa: E402
import vfs  # noqa: E402
from soak_peers import Broker, Viewer  # noqa: E402

WALL_S = 1_795_176_000
BROWSED = ("/api/status", "/api/status", "/api/status", "/api/status", "/", "/api/settings", "/api/log", "/api/history")
PUT_B = 1024  # host_tools/device/prompt.py
REQUEST_TURNS = 10  # it is read in some hundred, line by line
CLOSES_S, OPENS_S, RESUMES_S = 60, 12, 120
LET_GO_S = 3


class Micropython:
    """`micropython` of a chip whose Ctrl-C nobody types."""

    const = staticmethod(lambda value: value)
    kbd_intr = staticmethod(lambda byte: None)
    mem_info = micropython.mem_info
    heap_lock, heap_unlock = micropython.heap_lock, micropython.heap_unlock


def set_up():
    """The box's first start, which takes no time: firmware and box.json on its flash, /data as boot.py makes it."""
    flash = esp32.partitions["vfs"]
    counted = flash_image.times = flash_time.FlashTime(CONFIG["flash"], lambda us: None)
    vfs.VfsLfs2.mkfs(flash)
    vfs.mount(vfs.VfsLfs2(flash), "/flash")
    for path in CONFIG["files"]:
        put("/flash/" + path, CONFIG["tree"] + "/" + path)
    print("installed %d %d %d %d" % (counted.reads, counted.programs, counted.erases, counted.read_b))
    flash_image.times = None
    vfs.umount("/flash")
    on_flash()
    run_file("boot.py")
    with open("/data/settings.json", "w") as file:
        file.write(json.dumps(CONFIG["settings"]))


def on_flash():
    """The host's file system goes away, and the chip's has the box.json of this run."""
    vfs.umount("/")
    vfs.mount(vfs.VfsLfs2(esp32.partitions["vfs"]), "/")
    with open("/box.json", "w") as file:
        file.write(json.dumps(CONFIG["box"]))


def put(path, source):
    """A file of the host onto the flash, with its folders."""
    for at in range(len("/flash/"), len(path)):
        if path[at] == "/":
            try:
                os.mkdir(path[:at])
            except OSError:
                pass
    with open(source, "rb") as file:
        data = file.read()
    with open(path, "wb") as file:
        for at in range(0, len(data), PUT_B):
            file.write(data[at : at + PUT_B])
    with open(path, "rb") as file:  # as device flash compares it
        while file.read(PUT_B):
            pass


def run_file(path):
    """A file of the flash, in the names that boot.py and main.py share."""
    with open(path, "rb") as file:
        source = file.read().decode()
    exec(compile(source, path, "exec"), NAMES)


class Peers:
    """Plant, broker and viewers around the box, and the story that they play."""

    def __init__(self, plant, costs):
        self.plant, self.costs = plant, costs
        self.broker = ChargedBroker(costs)
        self.viewer = ChargedViewer(costs)
        self.counts = {name: 0 for name in ("sessions", "closings", "pauses", "resumed", "views", "never_closed")}
        self.is_over = False

    async def run(self):
        """All sessions; then the box is switched off."""
        await asyncio.start_server(self.broker.serve, "127.0.0.1", CONFIG["box"]["mqtt_port"])
        if marks is not None:
            await marks.until_up(self.viewer, judge)
        await self._until(lambda: self.plant.pilot_mode == "high", CLOSES_S)
        for _ in range(CONFIG["warm_s"]):
            await asyncio.sleep_ms(1000)
        viewers = [asyncio.create_task(self._view()) for _ in range(2)]
        for number in range(CONFIG["sessions"]):
            await self._session(number)
        self.is_over = True
        for task in viewers:
            task.cancel()
        await asyncio.sleep_ms(0)

    async def _session(self, number):
        """A polite car comes, is charged, is paused by the grid, perhaps goes on, lets go and leaves."""
        car, counts = self.plant.car, self.counts
        counts["sessions"] += 1
        car.plug(True)
        if not await self._until(lambda: self.plant.is_coil_on, CLOSES_S):
            counts["never_closed"] += 1
        counts["closings"] += self.plant.is_coil_on
        await asyncio.sleep_ms(8000)
        for _ in range(CONFIG["planted"]):
            with open("/a/manifest.json", "rb") as file:
                file.read()
        await asyncio.sleep_ms(14_000 + random.randrange(10_000))
        pause = {"id": "peak-%d" % number, "kind": "pause", "duration_s": 10, "resume": "now"}
        await self.broker.publish(json.dumps(pause).encode())
        counts["pauses"] += await self._until(lambda: not self.plant.is_coil_on, OPENS_S)
        if number % 4 == 3 and await self._until(lambda: self.plant.is_coil_on, RESUMES_S):
            counts["resumed"] += 1
            await asyncio.sleep_ms(3000 + random.randrange(5000))
        car.want(False)  # the driver unlocks the plug: the car lets go first
        await self._until(lambda: not self.plant.is_coil_on, OPENS_S)
        await asyncio.sleep_ms(LET_GO_S * 1000)
        car.plug(False)
        car.want(True)
        await asyncio.sleep_ms(2000 + random.randrange(4000))

    async def _until(self, is_reached, for_s):
        """Whether it came within so long."""
        end_ms = now.passed_ms + for_s * 1000
        while not is_reached():
            if now.passed_ms >= end_ms:
                return False
            await asyncio.sleep_ms(50)
        return True

    async def _view(self):
        """A page that is open, and somebody who looks around now and then."""
        while True:
            await asyncio.sleep_ms(700 + random.randrange(600))
            self.counts["views"] += 1
            try:
                await self.viewer.asked(BROWSED[random.randrange(len(BROWSED))])
            except OSError:
                pass  # the box is busy with its own start


class ChargedBroker(Broker):
    """Each message costs the box its time."""

    def __init__(self, costs):
        super().__init__()
        self._costs = costs

    def _answer(self, first, body, writer):
        self._costs.message()
        Broker._answer(self, first, body, writer)

    async def publish(self, payload):
        """A command for the box, QoS 1."""
        self._costs.message()
        await Broker.publish(self, payload)


class ChargedViewer(Viewer):
    """Each answer costs the box its time by its length; what was written in one turn is read in one."""

    piece_b = 8192

    def __init__(self, costs):
        Viewer.__init__(self, CONFIG["box"]["web_port"], CONFIG["box"]["owner_token"])
        self._costs = costs

    async def asked(self, path, body=None, method="POST"):
        """One request; the number of bytes of its answer."""
        sessions_world.asked_for[0] = path
        for _ in range(REQUEST_TURNS):
            self._costs.request(REQUEST_TURNS)
            await asyncio.sleep_ms(0)
        return await Viewer.asked(self, path, body, method)

    def heard(self, count, path):
        """A piece of an answer."""
        self._costs.page(count, path == "/")


def loaded(name, module):
    """A module of the firmware was loaded: the one that reads a hundred times a tick is stood in for."""
    if marks is not None:
        marks.loaded(name)
    if name == "firmware" and hasattr(module, "Stream"):
        costs.charge_pieces(module.Stream)
    if hasattr(module, "CurrentSensor"):  # a build merges modules
        module.CurrentSensor = sessions_world.Currents


def report(judge, peers, world):
    """All counts, one a line."""
    counts = dict(peers.counts)
    plant, flash = peers.plant, flash_image.times
    counts["lapses"], counts["hot_openings"] = plant.lapses, plant.hot_openings
    counts["starved"] = world.starved
    counts["first_tick_ms"], counts["start_commands"] = judge.first_tick_ms or 0, judge.start_commands
    counts["between_us"], counts["busy_turns"] = judge.between_us, judge.busy_turns
    for is_on, word in ((True, "on"), (False, "off")):
        counts["turn_us_" + word] = judge.most_turn_us[is_on]
    counts["reads_on"], counts["programs_on"], counts["erases_on"] = judge.on
    counts["reads"], counts["programs"], counts["erases"] = flash.reads, flash.programs, flash.erases
    counts["messages"], counts["heap_b"] = peers.broker.taken, peers.costs.most_b
    counts["simulated_ms"] = now.passed_ms
    for is_on, word in ((True, "on"), (False, "off")):
        late = judge.late[is_on]
        rows = ["%d:%d" % (ms, late[ms]) for ms in range(len(late)) if late[ms]]
        print("late_%s %s" % (word, " ".join(rows)))
    print("worst_turn " + judge.worst_turn)
    print("answers " + json.dumps(peers.viewer.codes))
    print("counts " + json.dumps(counts))


random.seed(CONFIG["seed"])
for label, size in CONFIG["partitions"]:
    esp32.partitions[label] = flash_image.FlashFile(CONFIG["folder"] + "/" + label + ".img", size)
esp32.opened(CONFIG["folder"] + "/nvs.json")
NAMES = {"__name__": "__main__"}
turn = []
now = soak_world.installed(lambda: turn and turn[0]())
network.made((), now.ticks_ms)
plant_module, pin_world = sessions_world.plant_modules()
facts = CONFIG["facts"]
plant = plant_module.Plant(CONFIG["seed"], facts["phases"], "polite")


class Facts:
    """A board file's dict as the wires want it."""

    def __init__(self, rows):
        for name in rows:
            setattr(self, name, Facts(rows[name]) if type(rows[name]) is dict else rows[name])


ticks = []
world = sessions_world.world_class(pin_world, now, ticks)(plant, Facts(facts))
fake_machine.world = world
fake_machine.cause = fake_machine.PWRON_RESET
sys.modules["machine"] = fake_machine
sys.modules["micropython"] = Micropython
sys.modules["ntptime"] = soak_world.OutsideTime(now, WALL_S)
costs = sessions_world.Costs(CONFIG["cpu"], now.pass_us, CONFIG["sizes"])
sessions_world.Currents.plant, sessions_world.Currents.costs = plant, costs
sessions_world.Collector.costs = costs
sys.argv[:] = []
sys.path[:] = ["", "/lib", ".frozen"]
gc.collect()
if CONFIG["is_set_up"]:
    set_up()
    raise SystemExit
peers = Peers(plant, costs)
flash = flash_time.FlashTime(CONFIG["flash"], now.pass_us)
judge = sessions_world.Judge(now, flash, plant)
ticks.append(judge.ticked)
turn.append(judge.turn)
marks = start_marks.Marks(now, flash, world) if CONFIG["is_start"] else None
sys.modules["gc"] = sessions_world.Collector
sessions_world.charge_imports(costs, loaded)
real_run = asyncio.run


def run(box):
    """asyncio.run of the app: ends with the story."""

    async def both():
        judge.begun()
        task = asyncio.create_task(box)
        story = asyncio.create_task(peers.run())
        while not story.done():
            if task.done():
                break
            await asyncio.sleep_ms(500)
        try:
            await (task if task.done() else story)
            report(judge, peers, world)
        except Exception as error:  # main.py would take it for the firmware's own
            sys.print_exception(error)
        raise SystemExit

    real_run(both())


asyncio.run = run
gc.collect()
costs.harness_b = gc.mem_alloc()
on_flash()
flash_image.times = flash
now.pass_us(CONFIG["start_us"])
run_file("boot.py")
if marks is not None:
    marks.mark("boot.py over")
run_file("main.py")
