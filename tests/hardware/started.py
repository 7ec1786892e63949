"""Runs on the interpreter: the built tree is the whole file system, boot.py chooses the slot, the app ticks from it."""

import sys
from collections import namedtuple

import asyncio.stream  # noqa: F401 - asyncio is frozen on the chip
import fake_machine
import machine
import vfs

TREE, HAS_PAGE = sys.argv[1], sys.argv[2] == "page"


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
machine.WDT = Dog
sys.modules["esp32"] = namedtuple("esp32", ("NVS", "Partition"))(Store, Partition)
vfs.umount("/")
vfs.mount(vfs.VfsPosix(TREE), "/")
sys.path[:] = ["", ".frozen"]

import boot  # noqa: E402, F401 - as the chip does

print("coil:", Silent.driven)
import starter  # noqa: E402

config = starter.config_of("/box.json")
from firmware import app  # noqa: E402

box = app.App(config)
for _ in range(100):
    box.loop.tick()
if HAS_PAGE:
    from firmware.services import web_service  # noqa: F401
print("started:", sys.path[0], app.__file__, box.phrases.phrase("state.idle"), box.board.facts.name)
