"""Runs on the interpreter: heap_cost.py BOARD_FILE; live heap of the control part, compiled, without the harness."""

import gc
import sys

here = sys.path.pop(0)
__import__("asyncio.core")
sys.path.insert(0, here)
import asyncio.stream  # noqa: E402, F401 - asyncio is frozen on the chip
import json  # noqa: E402, F401

import fake_machine  # noqa: E402


class Silent:
    """A world in which nothing happens."""

    def read_pin(self, pin):
        return 0

    def set_pin(self, pin, level):
        pass

    def set_pwm(self, pin, duty_u16):
        pass

    def read_uv(self, pin):
        return 1_300_000


fake_machine.world = Silent()
gc.collect()
before = gc.mem_alloc()

from firmware import app  # noqa: E402

box = app.App({"box": "garage", "board_path": sys.argv[1], "data_dir": "/nowhere"})
for _ in range(100):
    box.loop.tick()
gc.collect()
print("heap_control_part: %d B" % (gc.mem_alloc() - before))
