"""Runs on an interpreter with the firmware frozen in it: live heap once each of its modules, named, is imported."""

import gc
import sys

here = sys.path.pop(0)
__import__("asyncio.core")
sys.path.insert(0, here)
import asyncio.stream  # noqa: E402, F401 - part of every image
import json  # noqa: E402, F401

import esp32  # noqa: E402, F401 - the virtual chip's own modules are not the firmware's
import fake_machine  # noqa: E402
import machine  # noqa: E402, F401
import network  # noqa: E402, F401
import ntptime  # noqa: E402, F401

fake_machine.world = None
gc.collect()
before = gc.mem_alloc()
for name in sys.argv[1:]:
    if name != "microdot.sse":  # lacks a part of microdot that no board carries; nothing of the firmware asks for it
        __import__(name)
gc.collect()
print("frozen_import_everything: %d B" % (gc.mem_alloc() - before))
