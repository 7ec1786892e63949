"""Runs on the interpreter: what the flight recorder adds to a tick, and the memory it takes."""

import gc

import tick_cost
import utime as time  # not the virtual chip's, which leaves garbage of its own

from firmware.core.records import Decision

TICKS = 4000
SECONDS = 60


class Facts:
    tick_ms = tick_cost.TICK_MS


class Board:
    facts = Facts


class Loop:
    """What the recorder reads of a control loop."""

    def __init__(self, box):
        self.board = Board
        self.settings = box.chosen


box = tick_cost.Box(0)
gc.collect()
before = gc.mem_alloc()
from firmware.services.flight_ring import FlightRing  # noqa: E402 - its memory is what is measured

ring = FlightRing(Loop(box), SECONDS)
gc.collect()
print("recorder_heap: %d B for %d s" % (gc.mem_alloc() - before, SECONDS))
found = [0] * TICKS
garbage = 0
for index in range(-100, TICKS):
    memory = box.memory
    # Noise on every channel, as a box has it: nothing but the energy and the moment changes in Memory.
    readings = tick_cost.reading(memory.now_ms + Facts.tick_ms, memory.outputs, 6000 + index % 13, 15_800 + index % 97)
    box.tick(readings)
    made = Decision(box.memory, box.memory.outputs, ())
    if index % 50 == 0:
        gc.collect()
    gc.disable()
    held = gc.mem_alloc()
    start_us = time.ticks_us()
    ring.note(memory, readings, (), made)
    for_us = time.ticks_diff(time.ticks_us(), start_us)
    if index >= 0:
        found[index] = for_us
        garbage = max(garbage, gc.mem_alloc() - held)
    gc.enable()
found.sort()
print("recorder_mean: %d.%02d us" % (sum(found) // TICKS, sum(found) * 100 // TICKS % 100))
print("recorder_median: %d us" % found[TICKS // 2])
print("recorder_p99_9: %d us" % found[TICKS * 999 // 1000])
print("recorder_garbage: %d B" % garbage)
