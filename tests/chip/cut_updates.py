"""Runs on MicroPython: cut_updates.py FOLDER STEP [BUG]; an update into a littlefs, cut at every byte of its coming.

Each byte that has come leaves the flash as the operations up to it did: every one of these, not begun, done in part and
done, and then a start with the real starter, which must find the old version or the new one, whole. Prints counts.
"""

import hashlib
import json
import random
import sys

import vfs

FOLDER, STEP, BUG = sys.argv[1], int(sys.argv[2]), sys.argv[3] if len(sys.argv) > 3 else ""
BLOCK_B, BLOCKS = 4096, 96
REPEATS = 12 if STEP > 1 else 200  # updates that come once more after a cut
UNCUT = 1 << 29  # flash operations, more than any update needs
FAILED = -5  # EIO; a device never raises


class Flash:
    """NOR flash in memory that writes down what is done to it: (kind, at, bytes or None)."""

    def __init__(self, memory):
        self.memory = memory
        self.done = None
        self.left = UNCUT

    def readblocks(self, block, buffer, offset=0):
        at = block * BLOCK_B + offset
        memoryview(buffer)[:] = memoryview(self.memory)[at : at + len(buffer)]
        return 0

    def _put(self, at, octets):
        if self.left <= 0:
            return FAILED
        self.left -= 1
        if self.done is not None:
            self.done.append((at, bytes(octets)))
        memoryview(self.memory)[at : at + len(octets)] = octets
        return 0

    def writeblocks(self, block, buffer, offset=0):
        return self._put(block * BLOCK_B + offset, buffer)

    def ioctl(self, number, block):
        if number == 4:
            return BLOCKS
        if number == 5:
            return BLOCK_B
        return self._put(block * BLOCK_B, ERASED) if number == 6 else 0


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
        Store.numbers[key] = number

    def commit(self):
        pass


class Timer:
    ONE_SHOT = 0

    def __init__(self, number):
        pass

    def init(self, mode=0, period=0, callback=None):
        pass


class Chip:
    """What the starter asks of `machine` and `esp32`."""

    NVS = Store
    Timer = Timer


ERASED = b"\xff" * BLOCK_B
sys.modules["machine"] = sys.modules["esp32"] = Chip

import starter  # noqa: E402

from firmware.services import updater  # noqa: E402
from firmware.services.slot_writer import SlotWriter  # noqa: E402

starter.note = lambda words: None
PATH = list(sys.path)


def read(name):
    with open(FOLDER + "/" + name, "rb") as file:
        return file.read()


OLDEST, OLD, NEW, MODULUS = read("oldest"), read("old"), read("new"), read("modulus")
BOX = ("reference", (1, 0, 0), 0, MODULUS)


def mounted(flash):
    vfs.mount(vfs.VfsLfs2(flash), "/")


def installed(octets, root):
    """Put an update into a slot, as the tool does over USB."""
    code = taken(updater.Updater(root, BOX, len(octets)), octets, None)
    if code != "stored":
        raise ValueError(code)


def taken(one, octets, at_op):
    """Code of an update; at_op: list that gets, for each flash operation, how many bytes had come."""
    at = wanted = 0
    while not one.outcome:
        piece = octets[at : at + wanted]
        at += wanted
        wanted = one.advance(piece)
        if at_op is not None:
            while len(at_op) < len(flash.done):
                at_op.append(at)
    return one.outcome


def started(manifests):
    """Name of the version that the next start finds, "" for none and "mixed" for what is none of them."""
    sys.path[:] = PATH
    mounted(flash)
    try:
        starter._choose_slot()
        root = sys.path[0]
        if root not in ("/a", "/b"):
            return ""
        with open(root + "/manifest.json", "rb") as file:
            found = file.read()
        name = manifests.get(hashlib.sha256(found).digest(), "mixed")
        for row in json.loads(found)["files"]:
            if starter.sha256_of(root + "/" + row["path"]) != row["sha256"]:
                name = "mixed"
        return name
    finally:
        sys.path[:] = PATH
        vfs.umount("/")


def manifest_digest(octets):
    """SHA-256 of an update's manifest."""
    length = int.from_bytes(octets[50:54], "big")
    return hashlib.sha256(octets[64 : 64 + length]).digest()


def planted():
    """Bugs that the cuts must find."""
    if BUG == "unchecked":
        # The slot is switched at the beginning, and a manifest is taken for a whole slot.
        def security_of(letter):
            try:
                with open("/%s/manifest.json" % letter) as file:
                    return json.loads(file.read()).get("security", 0)
            except (OSError, ValueError):
                return -1

        def clear(self):
            Store.numbers["slot"] = 1
            return iter(())

        starter.security_of = security_of
        SlotWriter.clear = clear


def judged(name, allowed, where):
    counts["starts"] += 1
    if name not in allowed:
        counts["bad"] += 1
        if counts["bad"] < 5:
            print("bad:", name, "where", allowed, "was allowed, at", where)
    counts[name if name in counts else "none"] += 1


counts = {"bytes": 0, "operations": 0, "starts": 0, "old": 0, "new": 0, "none": 0, "second": 0, "again": 0, "bad": 0}
flash = Flash(bytearray(ERASED * BLOCKS))
vfs.umount("/")
vfs.VfsLfs2.mkfs(flash)
mounted(flash)
installed(OLD, "/a")
installed(OLDEST, "/b")
vfs.umount("/")
BEGUN = bytes(flash.memory)
MANIFESTS = {manifest_digest(OLDEST): "oldest", manifest_digest(OLD): "old", manifest_digest(NEW): "new"}
Store.numbers = {"slot": 0}
if started(MANIFESTS) != "old":
    raise ValueError("the old version does not start")
NUMBERS = dict(Store.numbers)
planted()

# One update, undisturbed, with every operation written down.
flash.done, at_op = [], []
mounted(flash)
code = taken(updater.Updater("/a" if BUG == "own slot" else "/b", BOX, len(NEW)), NEW, at_op)
vfs.umount("/")
DONE, flash.done = flash.done, None
AFTER = dict(Store.numbers)
counts["operations"] = len(DONE)
# A cut after each byte leaves the flash as the operations up to it did: every one of these states is looked at here.
counts["bytes"] = len(NEW) + 1
if code != "stored" or at_op[-1] != len(NEW):
    raise ValueError(code)

flash.memory[:] = BEGUN
for index in range(0, len(DONE)):
    at, octets = DONE[index]
    if index % STEP == 0:
        # Not begun, and done in part; done is the next one's "not begun".
        for part in (0, len(octets) // 4, len(octets) // 2, len(octets) - 1):
            before = bytes(flash.memory[at : at + len(octets)])
            memoryview(flash.memory)[at : at + part] = octets[:part]
            Store.numbers = dict(AFTER if BUG == "unchecked" and at_op[index] > 2000 else NUMBERS)
            judged(started(MANIFESTS), ("old",), (index, part, at_op[index]))
            memoryview(flash.memory)[at : at + len(before)] = before
    memoryview(flash.memory)[at : at + len(octets)] = octets

# All of it is there, and not chosen yet; then chosen, and started twice on trial without a pass.
Store.numbers = dict(NUMBERS)
judged(started(MANIFESTS), ("old",), "end")
Store.numbers["slot"] = 1 | starter.START
for allowed in ("new", "new", "old", "old"):
    judged(started(MANIFESTS), (allowed,), "trial")

# After a cut comes the same update once more: cut again at random, and at last whole.
if not BUG:
    chance = random
    chance.seed(int.from_bytes(MODULUS[:3], "big"))
    for _ in range(REPEATS):
        cut = chance.randrange(len(DONE))
        flash.memory[:] = BEGUN
        for at, octets in DONE[:cut]:
            memoryview(flash.memory)[at : at + len(octets)] = octets
        for second in (chance.randrange(len(DONE)), UNCUT):
            Store.numbers = dict(NUMBERS)
            flash.left = second
            mounted(flash)
            code = taken(updater.Updater("/b", BOX, len(NEW)), NEW, None)
            flash.left = 0
            vfs.umount("/")
            flash.left = UNCUT
            if code == "stored":
                Store.numbers["slot"] = 1 | starter.START
                counts["again"] += 1  # the cut one too, when it needed fewer operations than the first had
            else:
                counts["second"] += 1
                if second == UNCUT:
                    counts["bad"] += 1
                    print("bad: an update after a cut is not taken:", code)
            judged(started(MANIFESTS), ("new",) if code == "stored" else ("old",), (cut, second, code))
print(" ".join("%s: %d" % pair for pair in sorted(counts.items())))
