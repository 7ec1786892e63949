"""Runs on MicroPython: cut_images.py FOLDER STEP [BUG]; an update with an app image, cut inside every step of its way.

The way goes from the first byte over the choice, the reset, the boot loader and the starter to the end of the trial.
Each operation on file system, app partition, record of OTA and number store is not begun, done in part and done; then
come the boot loader's model and the real starter, three times without a trial that passes. Prints counts.

Files of the folder whose name ends in .case are updates that end in a no: their codes are printed instead.
"""

import asyncio
import hashlib
import json
import os
import random
import sys
from collections import namedtuple

import app_images
import vfs

FOLDER, STEP, BUG = sys.argv[1], int(sys.argv[2]), sys.argv[3] if len(sys.argv) > 3 else ""
BLOCK_B, BLOCKS, APP_BLOCKS = 4096, 48, 8
ERASED = b"\xff" * BLOCK_B
PLACES = 2
MOST_RESETS = 5  # of one start, before it counts as none


class Reset(Exception):
    """machine.reset()."""


class Flash:
    """NOR flash in memory whose operations are written down: (device, at, bytes)."""

    def __init__(self, blocks):
        self.memory = bytearray(ERASED * blocks)
        self.size_b = blocks * BLOCK_B
        self.weak_at = -1  # from this byte on one bit does not stay erased

    def read(self, at, count):
        return bytes(self.memory[at : at + count])

    def _put(self, at, octets):
        log.append((self, at, octets))
        apply(self, at, octets, len(octets))
        return 0

    def erase(self, sector):
        return self._put(sector * BLOCK_B, ERASED)

    def program(self, at, octets):
        made = bytes([octets[index] & self.memory[at + index] for index in range(len(octets))])
        if at <= self.weak_at < at + len(octets):
            made = made[: self.weak_at - at] + bytes((made[self.weak_at - at] ^ 1,)) + made[self.weak_at - at + 1 :]
        return self._put(at, made)

    def readblocks(self, block, buffer, offset=0):
        at = block * BLOCK_B + offset
        memoryview(buffer)[:] = memoryview(self.memory)[at : at + len(buffer)]
        return 0

    def writeblocks(self, block, buffer, offset=0):
        return self.program(block * BLOCK_B + offset, bytes(buffer))

    def ioctl(self, number, block):
        if number == 4:
            return self.size_b // BLOCK_B
        if number == 5:
            return BLOCK_B
        return self.erase(block) if number == 6 else 0


class Store:
    """The chip's own small store: one number is old or new."""

    numbers = {}

    def __init__(self, name):
        pass

    def get_i32(self, key):
        if key not in Store.numbers:
            raise OSError(key)
        return Store.numbers[key]

    def set_i32(self, key, number):
        log.append((None, key, number))
        Store.numbers[key] = number

    def commit(self):
        pass


class Partition:
    """As esp32.Partition."""

    BOOT, RUNNING, TYPE_APP, TYPE_DATA = 0, 1, 0, 1
    places = PLACES

    def __init__(self, which):
        self._index = running if which == 1 else which - 2
        self.readblocks = apps[self._index].readblocks
        self.writeblocks = apps[self._index].writeblocks
        self.ioctl = apps[self._index].ioctl

    def info(self):
        size_b = apps[self._index].size_b
        return (0, 0x10 + self._index, 0x10000 + self._index * size_b, size_b, "ota_%d" % self._index, False)

    def get_next_update(self):
        if Partition.places == 0:
            raise OSError(2)
        return Partition(2 + (self._index + 1) % Partition.places)

    def set_boot(self):
        ota.set_boot(self._index)

    @classmethod
    def mark_app_valid_cancel_rollback(cls):
        ota.mark_valid()


class Timer:
    ONE_SHOT = 0

    def __init__(self, number):
        pass

    def init(self, mode=0, period=0, callback=None):
        Chip.callback = callback


class Chip:
    """What the starter asks of `machine` and `esp32`."""

    NVS, Partition, Timer = Store, Partition, Timer
    SOFT_RESET = 5
    callback = None

    @staticmethod
    def reset_cause():
        return 1

    @staticmethod
    def reset():
        raise Reset()


def apply(device, at, octets, count):
    """The first bytes of an operation; all or nothing of a number."""
    if device is None:
        if count:
            Store.numbers[at] = octets
        return
    memoryview(device.memory)[at : at + count] = memoryview(octets)[:count]


log = []
files, record, apps, running = Flash(BLOCKS), Flash(2), [Flash(APP_BLOCKS) for _ in range(PLACES)], 0
ota = app_images.Ota(record, apps)
sys.modules["machine"] = sys.modules["esp32"] = Chip

import starter  # noqa: E402

from firmware import image_writer, update_trial, updates  # noqa: E402
from firmware.core.records import Memory  # noqa: E402
from firmware.services import updater  # noqa: E402

said = []
starter.note = said.append
PATH = list(sys.path)


def read(name):
    with open(FOLDER + "/" + name, "rb") as file:
        return file.read()


NAMES = ("oldest", "old", "new")
IMAGES = {hashlib.sha256(read(name + ".image")).digest(): name for name in NAMES}
LENGTHS = [len(read(name + ".image")) for name in NAMES]
FROZEN = {name: read(name + ".frozen").decode() for name in NAMES}
UPDATE, MODULUS = read("new.update"), read("modulus")
CASES = {name: read(name) for name in sorted(os.listdir(FOLDER)) if name.endswith(".case")}
BOX = ("reference", (1, 1, 0), 1, MODULUS)


def image_of(index):
    """Name of the image that lies whole in a partition, "" for none."""
    for length_b in LENGTHS:
        name = IMAGES.get(hashlib.sha256(apps[index].read(0, length_b)).digest())
        if name:
            return name
    return ""


def frozen_of_running():
    """As starter.image(): what the image that runs tells of itself."""
    return (FROZEN.get(image_of(running), "none"), True) if is_own else ("", True)


is_own = True
starter.image = frozen_of_running


def mounted():
    vfs.mount(vfs.VfsLfs2(files), "/")


def taken(octets):
    """(Updater, code) of an update that comes."""
    one = updater.Updater("/b", BOX, len(octets), starter.fits, updates.image_for)
    at = wanted = 0
    while not one.outcome:
        piece = octets[at : at + wanted]
        if len(piece) < wanted:
            one.give_up("cut_short")
            break
        at += wanted
        wanted = one.advance(piece)
    code = one.outcome
    if code == "stored":
        code = updates.chosen(one, "b")
    if code != "stored" and one.has_begun:
        for _ in one.clear():
            pass
    return one, code


def version_of_slot():
    """Version of the chosen slot, by its frozen modules; "" for none, "mixed" of one that is not whole."""
    letter = starter.slot()
    if not letter:
        return ""
    with open("/%s/manifest.json" % letter) as file:
        found = json.load(file)
    for row in found["files"]:
        if starter.sha256_of("/%s/%s" % (letter, row["path"])) != row["sha256"]:
            return "mixed"
    for name in NAMES:
        if FROZEN[name] == found["frozen"]:
            return name
    return "mixed"


def started():
    """Name of the version that power brings up, "" for none, "mixed" where image and slot are not of one version."""
    global running
    for _ in range(MOST_RESETS):
        index = ota.boot()
        if index is None:
            return ""
        running = index
        image = image_of(index)
        booted.append(image)
        sys.path[:] = PATH
        Chip.callback = None
        mounted()
        try:
            starter._choose_slot()
            if BUG == "valid at once" and Store.numbers["slot"] & starter.IMAGE:
                ota.mark_valid()
            slot = version_of_slot()
        except Reset:
            continue
        finally:
            sys.path[:] = PATH
            vfs.umount("/")
        return slot if slot == image or not slot else "mixed"
    return ""


Loop = namedtuple("Loop", ("memory",))


class App:
    """What the trial asks of a box on which all is well."""

    def __init__(self):
        self.loop = self
        faults = namedtuple("Faults", ("active",))(())
        claims = namedtuple("Claims", ("rows",))(())
        self.memory = Memory(0, None, None, claims, faults, None, None, None, None, None, None)

    def now_ms(self):
        return 0


class Trial:
    """In place of Updates."""

    is_over = False

    def running(self):
        return updater.running("/" + starter.slot())

    def trial_over(self):
        Trial.is_over = True


async def well(app):
    return True


def tested(loop):
    return True


def passed():
    """The trial of the version that runs is over."""
    sys.path[:] = PATH
    sys.path.insert(0, "/b")
    mounted()
    try:
        asyncio.run(update_trial.run(Trial(), App()))
    finally:
        sys.path[:] = PATH
        vfs.umount("/")


update_trial.TRIED_S, update_trial.is_answering, update_trial.has_passed = 0, well, tested


def kept():
    """Everything that power leaves as it is, to be put back."""
    return [bytes(one.memory) for one in [files, record] + apps], dict(Store.numbers)


def put_back(state):
    """The box of begin(), which runs the old image."""
    global running
    running = 0
    for device, octets in zip([files, record] + apps, state[0]):
        device.memory[:] = octets
    Store.numbers = dict(state[1])


def small():
    """What a start may change: the record of OTA and the numbers."""
    return bytes(record.memory), dict(Store.numbers)


def small_back(state):
    record.memory[:] = state[0]
    Store.numbers = dict(state[1])


def plant():
    """Bugs that the cuts must find."""
    if BUG == "number behind":

        def chosen(one, other):
            one.image.choose()
            starter.set_number(Store("ebb"), "slot", starter.SLOTS.index(other) | starter.START | one.image.place())
            return "stored"

        updates.chosen = chosen
    elif BUG == "chosen first":
        real = image_writer.ImageWriter.written

        def written(self, octets):
            if not self._at:
                self.choose()  # the image that lies there is whole: an older one
            yield from real(self, octets)

        image_writer.ImageWriter.written = written
    elif BUG == "slot first":

        def is_image_kept(starter):
            starter.set_number(Store("ebb"), "slot", 1)
            starter.set_number(Store("ebb"), "security", 2)
            image_writer.confirm()
            return True

        update_trial.is_image_kept = is_image_kept
    elif BUG == "not read back":

        def checked(self, sha256):
            yield ""

        image_writer.ImageWriter.checked = checked
    elif BUG == "no reset":
        starter._reset = lambda: None
    elif BUG == "own partition":
        real_found = image_writer.found

        def found(frozen, image_b):
            made = real_found(frozen, image_b)
            made._partition = Partition(Partition.RUNNING)
            return made

        image_writer.found = found


def bad(words, where):
    counts["bad"] += 1
    if counts["bad"] < 6:
        print("bad:", words, "at", where, "log", said[-3:])


def judged(where, may_be_new):
    """Three starts without a pass: old or new, and old for good where the new one has not passed."""
    booted.clear()
    before = None
    for turn in range(3):
        name = started()
        counts["starts"] += 1
        is_valid = ota.state() == app_images.VALID
        number = Store.numbers.get("slot", 0)
        counts[name if name in ("old", "new") else "none"] += 1
        if name not in ("old", "new") or (name == "new" and not may_be_new):
            bad("%s starts" % (name or "nothing"), where)
        elif before == "old" and name == "new":
            bad("the new one comes back", where)
        elif name == "new" and not is_valid and not number & starter.TRIAL:
            bad("the new one runs without a trial", where)
        elif name == "old" and Store.numbers.get("security", 0) > 1:
            bad("the old one runs with the new one's security version", where)
        elif name == "new" and not is_valid and turn:
            bad("a second start on trial", where)
        before = name
    if [image for image in booted if image not in ("old", "new")]:
        bad("the boot loader started %s" % booted, where)


def parts_of(device, octets):
    """How many bytes of an operation are done when power goes."""
    if device is None:
        return (0,)
    return sorted(set((0, 1, 4, 26, len(octets) // 2, len(octets) - 1)) & set(range(len(octets))))


def cut_everywhere(operations, first_new, chance):
    """Cut inside each operation of the way; the last of them are done at the end."""
    for index, (device, at, octets) in enumerate(operations):
        if index % STEP == 0 or device in (record, None):
            for part in parts_of(device, octets):
                before = None if device is None else device.read(at, len(octets))
                state = small()
                apply(device, at, octets, part)
                torn = small()
                log.clear()
                where = (index, part, operations[index][1], "of", len(operations))
                judged(where, index >= first_new)
                again = list(log)
                if chance.random() < 0.2 or device in (record, None):
                    twice(torn, again, where, index >= first_new)
                small_back(state)
                if device is not None:
                    memoryview(device.memory)[at : at + len(octets)] = before
        apply(device, at, octets, 1 if device is None else len(octets))


def twice(torn, operations, where, may_be_new):
    """Power goes a second time, inside the starts that follow: each of their operations."""
    small_back(torn)
    for device, at, octets in operations:
        for part in parts_of(device, octets):
            state = small()
            apply(device, at, octets, part)
            counts["second"] += 1
            judged((where, "then", at, part), may_be_new)
            small_back(state)
        apply(device, at, octets, 1 if device is None else len(octets))


def begin():
    """A box on the old version in slot a and ota_0, with an older one in slot b and ota_1, that has started once."""
    vfs.VfsLfs2.mkfs(files)
    mounted()
    for root, name in (("/a", "old"), ("/b", "oldest")):
        one, octets = updater.Updater(root, ("reference", (0, 0, 0), 0, MODULUS), len(SLOTS[name])), SLOTS[name]
        at = wanted = 0
        while not one.outcome:
            at, wanted = at + wanted, one.advance(octets[at : at + wanted])
        if one.outcome != "stored":
            raise ValueError(one.outcome)
    vfs.umount("/")
    for device, name in zip(apps, ("old", "oldest")):
        device.memory[: len(IMAGE_OCTETS[name])] = IMAGE_OCTETS[name]
    Store.numbers = {"slot": 0}
    if started() != "old" or ota.state() != app_images.VALID:
        raise ValueError("the old version does not start")


def refused(name, octets):
    """Code of an update that ends in a no; what power brings up must be as before."""
    global is_own
    is_own, Partition.places = not name.startswith("stock"), {"factory": 0, "one": 1}.get(name.split(".")[0], PLACES)
    if name.startswith("weak"):
        apps[1].weak_at = 5000
    if name.startswith("few"):
        apps[1].size_b = BLOCK_B * 2
    mounted()
    before = dict(Store.numbers)
    log.clear()
    _, code = taken(octets)
    vfs.umount("/")
    kinds = {"app" if one in apps else "record" if one is record else "files" for one, _, _ in log if one}
    written = "+".join(sorted(kinds))
    is_own, Partition.places, apps[1].weak_at, apps[1].size_b = True, PLACES, -1, BLOCK_B * APP_BLOCKS
    if code == "stored" or before.get("slot") != Store.numbers.get("slot"):
        bad("stored " + code, name)
    judged(name, False)
    return "%s %s" % (code, written or "nothing")


counts = {"operations": 0, "starts": 0, "old": 0, "new": 0, "none": 0, "second": 0, "bad": 0}
booted = []
SLOTS = {name: read(name + ".slot") for name in NAMES}
IMAGE_OCTETS = {name: read(name + ".image") for name in NAMES}
vfs.umount("/")
begin()
BEGUN = kept()
plant()
for name in sorted(CASES):
    put_back(BEGUN)
    print("case %s %s" % (name, refused(name, CASES[name])))

# The whole way once, undisturbed, with every operation written down.
put_back(BEGUN)
log.clear()
mounted()
_, code = taken(UPDATE)
vfs.umount("/")
if code != "stored":
    raise ValueError(code)
first_new = max([index for index, row in enumerate(log) if row[0] is record]) + 1
if started() != "new" or (ota.state() == app_images.VALID and not BUG):
    bad("after the update comes not the new one on trial", "the way")
else:
    passed()
    if not Trial.is_over:
        bad("the trial does not end", "the way")
DONE = list(log)
counts["operations"] = len(DONE)
put_back(BEGUN)
cut_everywhere(DONE, first_new, random)
judged("end", True)
if started() != "new" or Store.numbers != {"slot": 1, "security": 2}:
    bad("at the end stands %s" % Store.numbers, "end")

# Its own slot is damaged before the first start: the image has nothing to run, and the old one comes back.
put_back(BEGUN)
mounted()
taken(UPDATE)
with open("/b/firmware/file00.mpy", "wb") as file:
    file.write(b"x")
vfs.umount("/")
judged("damaged slot", False)

# The seventh minute is over, and it has not passed.
put_back(BEGUN)
mounted()
taken(UPDATE)
vfs.umount("/")
if started() != "new":
    bad("no trial", "seventh minute")
try:
    Chip.callback(None)
    bad("no reset", "seventh minute")
except Reset:
    pass
judged("seventh minute", False)
print(" ".join("%s: %d" % pair for pair in sorted(counts.items())))
