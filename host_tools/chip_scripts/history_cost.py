"""Runs on the interpreter: how long a step of the owner's history blocks, on a VfsLfs2 in memory; its heap."""

import gc
import os
import sys
import time

import ram_flash
import vfs

from firmware.services import ledger_start
from firmware.services.ledger import Ledger
from firmware.wire import ledger_record

BLOCKS = 96
FILES = 12  # of quarter hours
OTHERS = 150  # names that lie beside them, as in a full history
RUNS = 5
NOON_QUARTER = 1_994_640


class App:
    """What the history asks of the App."""

    def __init__(self):
        self.ledger = Ledger("/flash/data/", ledger_start.found("/flash/data/", 40))


def fill():
    """A flash with history on it."""
    flash = ram_flash.Flash(BLOCKS)
    vfs.VfsLfs2.mkfs(flash)
    vfs.mount(vfs.VfsLfs2(flash), "/flash")
    os.mkdir("/flash/data")
    minutes = (ledger_record.MOST_MWH,) * ledger_record.MINUTES
    for number in range(FILES):
        with open("/flash/data/quarters-%d.bin" % number, "wb") as file:
            for index in range(ledger_start.QUARTERS_IN_FILE):
                seq = number * ledger_start.QUARTERS_IN_FILE + index
                made = ledger_record.Quarter(seq, NOON_QUARTER + seq, seq, 0, minutes)
                file.write(ledger_record.packed_quarter(made))
    for number in range(OTHERS):
        with open("/flash/data/other-%d.bin" % number, "wb") as file:
            file.write(b"x")


def steps_us(app, query):
    """[us of each step] of GET /api/energy, collections apart."""
    body, _ = history_stream.opened(app, "/api/energy", query)
    found = []
    while True:
        gc.collect()
        begun_us = time.ticks_us()
        piece = next(body._pieces, None)
        found.append(time.ticks_diff(time.ticks_us(), begun_us))
        if piece is None:
            return found


fill()
box = App()
gc.collect()
before = gc.mem_alloc()
from firmware.services import history_stream  # noqa: E402

gc.collect()
print("history_code: %d B" % (gc.mem_alloc() - before))
for name, query in (("quarters", ""), ("minutes", "step_s=60"), ("none", "from=1&to=2")):
    # The least of several runs for each step: what else the PC did meanwhile is no time of the box.
    runs = [steps_us(box, query) for _ in range(RUNS)]
    times_us = sorted([min([run[index] for run in runs]) for index in range(len(runs[0]))])
    print("history_step_%s_p99: %d us" % (name, times_us[len(times_us) * 99 // 100]))
    print("history_step_%s_max: %d us, of %d" % (name, times_us[-1], len(times_us)))
gc.collect()
before = gc.mem_alloc()
body, _ = history_stream.opened(box, "/api/energy", "step_s=60")
most = 0
for _ in body._pieces:
    gc.collect()
    most = max(most, gc.mem_alloc() - before)
print("history_heap: %d B" % most)
assert "firmware.services.history_stream" in sys.modules
