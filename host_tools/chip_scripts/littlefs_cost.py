"""Runs on the interpreter: littlefs_cost.py READSIZE BLOCKS QUARTERS SESSIONS LOGS SECURITY OPERATIONS SEED.

The longest single call into littlefs with the files of a box whose history is full, all in its one folder, while it
stores. One call of Python (open, write, close, rename, remove, listdir) cannot be split: of each kind the one with most
reads and that with most erases. Lines "NAME_KIND: reads programs erases bytes_read", and the files of the folder.
"""

import gc
import os
import random
import sys

import ram_flash
import vfs

READ_B, BLOCKS, QUARTERS, SESSIONS, LOGS, SECURITY, OPERATIONS, SEED = [int(word) for word in sys.argv[1:9]]
PROGRAM_B, PAGE_B = 32, 256
GEOMETRY = {"readsize": READ_B, "progsize": PROGRAM_B, "lookahead": READ_B}
FOLDER = "/data/"
QUARTER_FILE_B, SESSION_FILE_B, LOG_FILE_B, FLIGHT_FILE_B = 255 * 64, 123 * 33, 4096, 100_000
SINGLE = (
    "settings.json",
    "settings.old",
    "state.0",
    "state.1",
    "ledger-0.bin",
    "ledger-1.bin",
    "last_time",
    "issuers.json",
    "guesses.bin",
)
A_FILE = 200  # operations from one full file to the next


class Counted(ram_flash.Flash):
    """Counts the commands of a real flash."""

    def __init__(self, blocks):
        super().__init__(blocks)
        self.counts = [0, 0, 0, 0]  # reads, programs, erases, bytes read

    def readblocks(self, number, buffer, offset=0):
        self.counts[0] += 1
        self.counts[3] += len(buffer)
        ram_flash.Flash.readblocks(self, number, buffer, offset)

    def writeblocks(self, number, buffer, offset=0):
        self.counts[1] += (offset % PAGE_B + len(buffer) + PAGE_B - 1) // PAGE_B
        ram_flash.Flash.writeblocks(self, number, buffer, offset)

    def ioctl(self, operation, argument):
        if operation == 6:
            self.counts[2] += 1
        return ram_flash.Flash.ioctl(self, operation, argument)


flash = Counted(BLOCKS)
vfs.VfsLfs2.mkfs(flash, **GEOMETRY)
vfs.mount(vfs.VfsLfs2(flash, **GEOMETRY), "/data")
random.seed(SEED)
most = {}


def called(kind, call, *values):
    """What a call gives; it is remembered where none of its kind took more."""
    before = list(flash.counts)
    found = call(*values)
    made = tuple([flash.counts[index] - before[index] for index in range(4)])
    for name, key in ((kind + "_reads", made[0]), (kind + "_erases", made[2] * 10_000 + made[0])):
        if name not in most or key > most[name][0]:
            most[name] = (key, made)
    return found


def written(name, mode, data):
    """As flash_files writes: three calls; opening for reading or adding is told apart from making a file."""
    file = called("create" if mode == "wb" else "open", open, FOLDER + name, mode)
    called("write", file.write, data)
    called("close", file.close)


def write_whole(name, data):
    """As flash_files.write_whole."""
    written(name + ".new", "wb", data)
    called("rename", os.rename, FOLDER + name + ".new", FOLDER + name)


class Row:
    """Numbered files, as record_files.py and log_segments.py keep them."""

    def __init__(self, prefix, count, file_b, record_b):
        self.prefix, self.file_b, self.record_b = prefix, file_b, record_b
        self.first, self.last = 0, count - 1
        for number in range(count):
            with open(FOLDER + self.name(number), "wb") as file:
                file.write(bytes(file_b if number < self.last else record_b))

    def name(self, number):
        return "%s%d.bin" % (self.prefix, number)

    def append(self):
        """One record."""
        called("stat", os.stat, FOLDER + self.name(self.last))
        written(self.name(self.last), "ab", bytes(self.record_b))

    def turn(self):
        """The newest is full: the next begins, and the oldest goes."""
        with open(FOLDER + self.name(self.last), "wb") as file:
            file.write(bytes(self.file_b))
        self.last += 1
        written(self.name(self.last), "wb", bytes(self.record_b))
        called("remove", os.remove, FOLDER + self.name(self.first))
        self.first += 1

    def read(self):
        """A record of the history, wherever it lies."""
        name = self.name(random.randrange(self.first, self.last + 1))
        file = called("open", open, FOLDER + name, "rb")
        called("seek", file.seek, random.randrange(self.file_b))
        called("read", file.read, self.record_b)
        file.close()


for name in SINGLE:
    write_whole(name, bytes(800))
rows = [Row("log-", LOGS, LOG_FILE_B - 64, 64), Row("security-", SECURITY, LOG_FILE_B - 64, 64)]
rows += [Row("quarters-", QUARTERS, QUARTER_FILE_B, 64), Row("sessions-", SESSIONS, SESSION_FILE_B, 33)]
for name in ("flight-1.bin", "flight-2.bin"):
    with open(FOLDER + name, "wb") as file:
        file.write(bytes(FLIGHT_FILE_B))
gc.collect()
for number in range(OPERATIONS):
    row = rows[random.randrange(len(rows))]
    kind = random.randrange(8)
    if kind < 3:
        write_whole("ledger-%d.bin" % (number & 1), bytes(90))
    elif kind == 3:
        write_whole("state.%d" % (number & 1), bytes(random.randrange(500, 6000)))
    elif kind < 6:
        row.append()
    else:
        row.read()
    if number % A_FILE == A_FILE - 1:
        row.turn()
        called("listdir", os.listdir, FOLDER[:-1])
for name in sorted(most):
    print("littlefs_%s: %d %d %d %d" % ((name,) + most[name][1]))
print("littlefs_files: %d" % len(os.listdir(FOLDER[:-1])))
