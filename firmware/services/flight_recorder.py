"""The flight recorder: after a fault that opens or locks, the last minute of ticks goes to flash in small steps."""

import asyncio
import os

from firmware.services import flash_files, flight_ring
from firmware.services.flash_gate import gate

STEP_B = 512  # written at once; then the tick has its turn
STEP_S = 0.02
LOOK_S = 0.5
AFTER_MS = 1000  # what followed the fault belongs to it
KEPT = 2
MOST_AN_HOUR = 4  # 4 × 100 kB an hour for ever wear out no flash
HOUR_MS = 3_600_000
PREFIX, SUFFIX, PART = "flight-", ".bin", ".part"


class FlightRecorder:
    """Notes the ticks of one App and keeps the newest records as flight-<number>.bin beside its settings."""

    def __init__(self, app, seconds):
        """app: the App; seconds: how far back a record reaches. Errors: MemoryError."""
        self._app = app
        self._folder = app.config["data_dir"].rstrip("/") + "/"
        self._made_ms = []
        self.ring = flight_ring.FlightRing(app.loop, seconds)
        app.loop.note = self._note
        self.phrase = app.phrases.phrase

    def _note(self, before, readings, asked, made):
        """The control loop calls this each tick; whatever goes wrong here ends the recording and nothing else."""
        try:
            self.ring.note(before, readings, asked, made)
        except Exception as error:
            self._app.loop.note = None
            self._app.tell("recorder", "%s: %s" % (type(error).__name__, error))

    def numbers(self):
        """Numbers of the records on flash, oldest first."""
        found = []
        for name in os.listdir(self._folder):
            digits = name[len(PREFIX) : -len(SUFFIX)]
            if name == PREFIX + digits + SUFFIX and digits.isdigit():
                found.append(int(digits))
        return sorted(found)

    def path(self, number):
        """Path of a record."""
        return "%s%s%d%s" % (self._folder, PREFIX, number, SUFFIX)

    async def run(self):
        """Write a record after each fault worth one, for ever. Errors: OSError of a full or broken flash."""
        while True:
            await asyncio.sleep(LOOK_S)
            fault = self.ring.fault
            now_ms = self._app.now_ms()
            if fault is not None and now_ms - fault[1] >= AFTER_MS:
                if self._may_write(now_ms):
                    await self._kept(fault)
                self.ring.fault = None

    async def _kept(self, fault):
        """Write the record of a fault; in a frame of its own, for what it holds would stay until the next fault."""
        held = self.ring.held()
        try:
            await self._write(held, flight_ring.about(self._app, fault[0], fault[1]))
        finally:
            flight_ring.freed(held)
            self.ring.fault = None

    def _may_write(self, now_ms):
        """Whether the hour has room for one more; counted from the attempt, so that a full flash is not tried on."""
        self._made_ms = [at_ms for at_ms in self._made_ms if now_ms - at_ms < HOUR_MS]
        if len(self._made_ms) >= MOST_AN_HOUR:
            return False
        self._made_ms.append(now_ms)
        return True

    async def _write(self, held, about):
        """One record, whole or not at all; the oldest goes once the new one stands. While the coil is on it waits."""
        await gate.opened()
        numbers = self.numbers()
        number = numbers[-1] + 1 if numbers else 1
        file = flash_files.Growing(self._folder + PREFIX + PART)
        try:
            for piece in flight_ring.pieces(held, about):
                view = memoryview(piece)
                for at in range(0, len(view), STEP_B):
                    file.write(view[at : at + STEP_B])
                    await asyncio.sleep(STEP_S)
                    await gate.opened()
        finally:
            file.close()
        flash_files.rename(self._folder + PREFIX + PART, self.path(number))
        for old in numbers[: len(numbers) + 1 - KEPT]:
            flash_files.remove(self.path(old))
        self._app.tell("recorder", "flight-%d.bin tells what came before %s" % (number, about["fault"]))


def add_to(keep, app, seconds):
    """Start the recorder of an App with `keep` (name, run), and return it; None where memory is short."""
    try:
        recorder = FlightRecorder(app, seconds)
    except MemoryError:
        app.tell("recorder", "there is no memory for the last %d s" % seconds)
        return None
    keep("recorder", recorder.run)
    return recorder
