"""Starts the firmware on the virtual chip: connect the pins to the plant, then boot.py and main.py as a chip would."""

import gc
import json
import sys

if sys.implementation.name == "micropython":
    # asyncio's C part counts the interpreter's own ticks: it must not meet the ones of this folder's `time`.
    here = sys.path.pop(0)
    __import__("asyncio.core")
    sys.path.insert(0, here)

with open(sys.argv[1]) as file:
    CONFIG = json.load(file)
sys.path[:0] = CONFIG["paths"]

import chip_clock  # noqa: E402 - the paths come first

chip_clock.speed = CONFIG["speed"]
chip_clock.is_wall = CONFIG["is_wall_clock"]
chip_clock.dns_port = CONFIG.get("dns_at", 0)

import fake_machine  # noqa: E402

if sys.implementation.name != "micropython":
    import cpython_chip

    cpython_chip.install(chip_clock)

from link_world import LinkWorld  # noqa: E402

chip_clock.world = LinkWorld(CONFIG["link_port"])
chip_clock.world.keep_reading_through(tuple(CONFIG["quiet_pins"]))
fake_machine.world = chip_clock.world


if sys.implementation.name == "micropython":
    import chip_asyncio
    import chip_rtc

    fake_machine.clock = chip_clock.rtc = chip_rtc.Rtc(CONFIG["rtc_path"], CONFIG["is_rtc_felt"], chip_clock.speed)

    chip_asyncio.install()
    # The interpreter's own frozen modules are not the firmware's: they are loaded before the harness is weighed.
    for name in ("asyncio.stream", "asyncio.funcs", "asyncio.event", "json", "struct"):
        __import__(name)
    gc.collect()
    print("harness_heap: %d B" % gc.mem_alloc())

import boot  # noqa: E402,F401 - as the chip does
import main  # noqa: E402,F401 - runs for ever
