"""Runs on the interpreter, started in the built tree, which becomes its file system: boot.py, slot, a hundred ticks."""

import asyncio.stream  # noqa: F401 - asyncio is frozen on the chip
import sys
from collections import namedtuple

import fake_machine
import vfs

TREE, HAS_PAGE = sys.argv[1], sys.argv[2] == "True"


class Silent:
    """A world in which nothing happens, which notes the pins that were driven."""

    driven = []

    def read_pin(self, pin):
        return 0

    def set_pin(self, pin, level):
        self.driven.append((pin, level))

    def set_pwm(self, pin, duty_u16):
        pass

    def read_uv(self, pin):
        return 1_300_000


class Store:
    """The chip's own memory, new."""

    def __init__(self, name):
        self.numbers = {}

    def get_i32(self, key):
        if key not in self.numbers:
            raise OSError(key)
        return self.numbers[key]

    def set_i32(self, key, number):
        self.numbers[key] = number

    def commit(self):
        pass


class Partition:
    """A chip without a data partition."""

    TYPE_DATA = 1

    @staticmethod
    def find(kind, label):
        return []


class Dog:
    """A watchdog that never bites."""

    def __init__(self, timeout=0):
        pass

    def feed(self):
        pass


fake_machine.world = Silent()
fake_machine.WDT = Dog
sys.modules["machine"] = fake_machine
sys.modules["esp32"] = namedtuple("esp32", ("NVS", "Partition"))(Store, Partition)
vfs.umount("/")
vfs.mount(vfs.VfsPosix(TREE), "/")
sys.path[:] = ["", ".frozen"]

import boot  # noqa: E402, F401 - as the chip does

print("coil:", Silent.driven)
import starter  # noqa: E402

config = starter.config_of("/box.json")
print("slot:", sys.path[0])
# This interpreter finds modules in the mounted tree but reads them where it was started: only "a" is right for both.
if sys.path[0] != ".frozen":
    sys.path[0] = "a"
from firmware import app  # noqa: E402

box = app.App(config)
for _ in range(100):
    box.loop.tick()
if HAS_PAGE:
    from firmware.services import web_service  # noqa: F401
print("started:", app.__file__, box.board.facts.name, box.status(False)["words"])
