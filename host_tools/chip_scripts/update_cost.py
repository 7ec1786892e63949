"""Runs on the interpreter: update_cost.py UPDATE MODULUS BOARD FOLDER; the time of each step of an update, its heap."""

import gc
import os
import sys
import time

UPDATE, MODULUS, BOARD, FOLDER = sys.argv[1:5]

from firmware import app  # noqa: E402, F401 - what an update shares with it is there already

gc.collect()
before = gc.mem_alloc()
from firmware.services import updater  # noqa: E402

gc.collect()
print("update_code_heap: %d B" % (gc.mem_alloc() - before))
before = gc.mem_alloc()
from firmware import updates  # noqa: E402, F401
from firmware.services import announced_update  # noqa: E402, F401

gc.collect()
print("announced_code_heap: %d B" % (gc.mem_alloc() - before))
with open(UPDATE, "rb") as file:
    octets = file.read()
with open(MODULUS, "rb") as file:
    modulus = file.read()
os.mkdir(FOLDER)
one = updater.Updater(FOLDER, (BOARD, (0, 0, 0), 0, modulus), len(octets))
gc.collect()
before = gc.mem_alloc()
at = wanted = most_b = 0
times_us = []
proof_us = 0
while not one.outcome:
    piece = octets[at : at + wanted]
    at += wanted
    begun_us = time.ticks_us()
    wanted = one.advance(piece)
    took_us = time.ticks_diff(time.ticks_us(), begun_us)
    times_us.append((took_us, at))
    gc.collect()  # as the tick does now and then: a collection is not the update's
    if len(times_us) % 16 == 0:
        most_b = max(most_b, gc.mem_alloc() - before - len(times_us) * 24)
times_us.sort()
print("update_outcome: %s" % one.outcome)
print("update_steps: %d" % len(times_us))
print("update_step_median: %d us" % times_us[len(times_us) // 2][0])
print("update_step_p99: %d us" % times_us[len(times_us) * 99 // 100][0])
for took_us, at in reversed(times_us[-3:]):
    print("update_step_most: %d us (at byte %d)" % (took_us, at))
print("update_heap_most: %d B" % most_b)
