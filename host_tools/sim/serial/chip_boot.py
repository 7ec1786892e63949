"""What runs before boot.py on the virtual chip: pins to the plant, flash at /, then boot.py, main.py and the prompt."""

import gc
import json
import sys
from collections import namedtuple

# asyncio's C part counts the interpreter's own ticks: it must not meet the `time` of the virtual chip.
here = sys.path.pop(0)
__import__("asyncio.core")
sys.path.insert(0, here)

with open(sys.argv[1]) as file:
    CONFIG = json.load(file)
sys.path[:0] = CONFIG["paths"]

import chip_clock  # noqa: E402 - the paths come first

chip_clock.speed = CONFIG["speed"]
chip_clock.is_wall = CONFIG["is_wall_clock"]

import chip_rtc  # noqa: E402
import fake_machine  # noqa: E402
import fake_network  # noqa: E402
from link_world import LinkWorld  # noqa: E402

chip_clock.world = LinkWorld(CONFIG["link_port"])
chip_clock.world.keep_reading_through(tuple(CONFIG["quiet_pins"]))
fake_machine.world = chip_clock.world
fake_machine.cause = CONFIG["cause"]
fake_machine.clock = chip_clock.rtc = chip_rtc.Rtc(CONFIG["rtc_path"], CONFIG["is_rtc_felt"], chip_clock.speed)

for name in (
    "asyncio.stream",
    "asyncio.funcs",
    "asyncio.event",
    "asyncio.lock",
    "json",
    "struct",
    "ntptime",
    "machine",
):
    __import__(name)

import time  # noqa: E402

import chip_asyncio  # noqa: E402
import chip_memory  # noqa: E402
import esp32  # noqa: E402
import flash_image  # noqa: E402
import flash_time  # noqa: E402
import micropython  # noqa: E402
import network  # noqa: E402
import repl  # noqa: E402
import vfs  # noqa: E402

chip_asyncio.install()
if CONFIG["flash_times"]:
    flash_image.times = flash_time.FlashTime(CONFIG["flash_times"], flash_time.stand_still)
for label, size in CONFIG["partitions"]:
    esp32.partitions[label] = flash_image.FlashFile(CONFIG["folder"] + "/" + label + ".img", size)
if CONFIG["app_b"]:
    import own_image
    import rom

    apps = [flash_image.FlashFile(CONFIG["folder"] + "/ota_%d.img" % index, CONFIG["app_b"]) for index in range(2)]
    record = flash_image.FlashFile(CONFIG["folder"] + "/otadata.img", 2 * flash_image.SECTOR)
    own_image.built(apps, record, CONFIG["running"])
esp32.opened(CONFIG["folder"] + "/nvs.json")
network.made(CONFIG["access_points"], time.ticks_ms)


class Micropython:
    """`micropython` with a kbd_intr() that the bench knows of: while it is off, Ctrl-C is a byte like others."""

    const = staticmethod(lambda value: value)
    mem_info = micropython.mem_info
    heap_lock = getattr(micropython, "heap_lock", None)
    heap_unlock = getattr(micropython, "heap_unlock", None)

    @staticmethod
    def kbd_intr(byte):
        """-1 for none."""
        chip_clock.world.tell_state(byte >= 0)


sys.modules["micropython"] = Micropython

CORRUPTED = """The filesystem appears to be corrupted. If you had important data there, you
may want to make a flash snapshot to try to recover it."""


def mount():
    """As the stock image does: a blank partition is formatted, a broken one ends in a loop that says so."""
    flash = esp32.partitions["vfs"]
    vfs.umount("/")
    try:
        vfs.mount(vfs.VfsLfs2(flash), "/")
    except OSError:
        if not flash.is_blank():
            chip_clock.world.tell_state(True)
            while True:
                print(CORRUPTED)
                __import__("time").sleep_ms(3000)
        vfs.VfsLfs2.mkfs(flash)
        vfs.mount(vfs.VfsLfs2(flash), "/")
        with open("/boot.py", "w") as file:
            file.write("# This file is executed on every boot (including wake-boot from deepsleep)\n")


def run_file(path, names):
    """Run a file of the flash, if it is there; an error is printed, Ctrl-C ends it and is a byte before and after.

    Whether it came to its end, or was not there: the chip runs main.py only after such a boot.py.
    """
    try:
        file = open(path, "rb")
    except OSError:
        return True
    has_ended = False
    try:
        source = file.read().decode()
        world.tell_state(True)
        exec(compile(source, path, "exec"), names)
        has_ended = True
    except SystemExit:
        raise repl.SoftReset()
    except BaseException as error:
        sys.print_exception(error)
    return not rest() and has_ended


def rest():
    """No program runs. Whether a Ctrl-C came just before: it was for the program, which has ended meanwhile."""
    try:
        world.tell_state(False)
    except KeyboardInterrupt:
        world.tell_state(False)
        return True
    return False


Implementation = namedtuple("Implementation", ("name", "version", "_machine", "_mpy"))


class Sys:
    """The module `sys` as the chip's own interpreter has it: only what it says of itself differs."""

    def __init__(self, real):
        self._real = real
        known = real.implementation
        self.implementation = Implementation(known[0], tuple(CONFIG["version"]), CONFIG["machine"], known._mpy)

    def __getattr__(self, name):
        return getattr(self._real, name)


NAMES = {"__name__": "__main__"}
sys.argv[:] = []
sys.path[:] = ["", ".frozen", "/lib"]  # as py/runtime.c and ports/esp32/main.c make it
sys.modules["sys"] = Sys(sys)
world = chip_clock.world
chip_memory.built(CONFIG["memory"], CONFIG["has_psram"], tuple(CONFIG["version"]) < (1, 27))
chip_memory.stood_in((flash_image.FlashFile, "readblocks", 1), (LinkWorld, "_end_of_tick", 16))
fake_network.world.memory = chip_memory
esp32.idf_heap_info = chip_memory.idf_heap_info
if not CONFIG["has_network"]:
    del sys.modules["network"]  # an image that was built without it
gc.collect()
with open(CONFIG["folder"] + "/harness_b.txt", "w") as weighed:  # what of the heap is not the firmware's
    weighed.write(str(gc.mem_alloc()))
try:
    mount()
    if CONFIG["app_b"]:
        vfs.mount(rom.Rom(own_image.apps[own_image.running], CONFIG["rom_at"]), "/rom")
        sys.path.append("/rom")  # stands for ".frozen", in which this interpreter keeps its own
    if run_file("boot.py", NAMES) and not CONFIG["is_raw"]:
        run_file("main.py", NAMES)
    prompt = repl.Prompt(NAMES, world.tell_state)
    if CONFIG["is_raw"]:
        prompt.raw()
    while True:
        prompt.friendly()
except repl.SoftReset:
    sys.stdout.buffer.write(b"MPY: soft reboot\r\n")
    world.soft_reset()
