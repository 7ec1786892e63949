"""The heartbeat of the wallbox: sense, decide, ask the interlock, act, remember, and wait for the next tick."""

import asyncio
import gc

from firmware.core import decide, interlock
from firmware.core.records import Decision, Event, Outputs

# Garbage of a tick is under 1 kB, and a collection costs more than a tick's decision: 28 ms of 300 kB live by the chip
# file's worst values. So the next one comes when such ticks have used what is free, but within these numbers of ticks;
# where services use more, the interpreter collects by itself.
GC_EVERY_TICKS, GC_MOST_TICKS = 8, 160
GC_FREE_B = 1024  # of free memory for each tick between two collections
LOW_B = 8192  # eight ticks of garbage: with less, services give theirs back before a tick fails (faults.md X4)
LATE_STEP_MS, LATE_STEPS = 2, 64  # later ticks are counted with the last
NEVER_MS = 1 << 20
WORDS_MOST = 96  # characters of an error kept in the event

OPEN = Outputs(False, "high", 1000, "red", False)  # made now, for a tick without memory to make it


def crash_event(error):
    """Event that says what went wrong in the tick, and where: ("ValueError: …", "File …, in …")."""
    return Event("crash", (("%s: %s" % (type(error).__name__, error))[:WORDS_MOST], place_of(error)))


def place_of(error):
    """Last line of the traceback that names a file; "" where even that fails (out of memory)."""
    try:
        import io
        import sys

        text = io.StringIO()
        sys.print_exception(error, text)  # pyright: ignore[reportArgumentType]  any stream does
        told = text.getvalue()  # pyright: ignore[reportAttributeAccessIssue]  the chip's stub lacks it
        lines = [line.strip() for line in told.split("\n") if line.strip().startswith("File ")]
        return lines[-1][:WORDS_MOST]
    except Exception:  # telling must never be worse than what is told
        return ""


class ControlLoop:
    """Owns Memory and the interlock's Guard; everything else only sees copies of them."""

    def __init__(self, board, settings, memory, inbox):
        """board: the seam (sense, act, now_ms, facts); settings: Settings; memory: first Memory; inbox: Inbox."""
        self.board = board
        self.settings = settings
        self.memory = memory
        self.readings = None
        self.guard = interlock.first_guard(memory.now_ms)
        self.inbox = inbox
        self.sink: Callable[[Events], None] | None = None  # called after acting, never before
        # of the flight recorder: Memory before, Readings or None, commands, Decision; called after acting
        self.note: Callable[[Memory, Readings | None, tuple[Command, ...], Decision], None] | None = None
        self.feed: Callable[[], None] | None = None  # of the watchdog: called after each tick and by nothing else
        self.starve: Callable[[], None] | None = None  # called after a collection that left little
        self.untold = 0
        self.worst_late_ms = 0
        self.late_counts = [0] * LATE_STEPS  # ticks by lateness, for device prove
        self.coil_on_ms = memory.now_ms - NEVER_MS  # moment of the last tick with a closed contactor (flash_gate.py)
        self._to_collect = GC_EVERY_TICKS  # ticks until the next collection
        self._free_b = self._since = 0  # bytes that the last one left, ticks since then

    def tick(self):
        """One tick. An exception opens the contactor, is told with its place, and never leaves this function."""
        before, readings, asked = self.memory, None, ()
        try:
            self.readings = readings = self.board.sense()
            asked = self.inbox.take()
            made = decide.decide(before, readings, asked, self.settings)
            is_refused = before.outputs.is_contactor_closed and not self.guard.may_close
            self.guard = interlock.permit(self.guard, readings, made.outputs, self.settings.is_ventilated)
            if is_refused:
                # A no stands until decide() opens too: no contactor opens for one tick only.
                self.guard = interlock.refused(self.guard)
            self.board.act(self._permitted(made.outputs, is_refused and readings.is_relay_pin_high))
        except Exception as error:  # the one catch of the tick (architecture, faults: programming error)
            made = self._survived(error, asked)
            if made is None:
                return
        self.memory = made.memory
        if made.outputs.is_contactor_closed:
            self.coil_on_ms = made.memory.now_ms
        try:
            if self.note is not None:
                self.note(before, readings, asked, made)
            if made.events and self.sink is not None:
                self.sink(made.events)
        except Exception:  # telling is no part of the tick: what cannot be told must not open a contactor
            self.untold += 1

    def _survived(self, error, asked):
        """Decision after an exception; None when there is not even memory for that, and the contactor is open."""
        try:
            if isinstance(error, MemoryError):
                for command in asked:  # a pause must not be lost with the tick that took it
                    self.inbox.put(command)
            return self._crashed(error)
        except MemoryError:
            # Memory says "closed" and the relay pin is low: the next tick that has room finds that as X3.
            self.board.act(OPEN)
            return None

    def _permitted(self, outputs, is_stuck):
        """Outputs with the contactor open unless the interlock agrees.

        is_stuck: the relay pin is high though the interlock drove it low in the tick before. decide() does not see
        that: the leakage sensor is asked to trip here (faults.md K4).
        """
        if not outputs.is_contactor_closed or self.guard.may_close:
            return outputs
        return Outputs(False, outputs.pilot_mode, outputs.duty_permille, outputs.led_pattern, is_stuck)

    def _crashed(self, error):
        """Decision after an exception: contactor open now, fault X1; the error is an event with type and words."""
        made = decide.after_crash(self.memory, self.board.now_ms())
        events = made.events + (crash_event(error),)
        try:
            self.board.act(made.outputs)
        except Exception as second:  # the pins themselves fail: the lease lapses in hardware (faults.md X3)
            events += (crash_event(second),)
        return Decision(made.memory, made.outputs, events)

    async def run(self):
        """Tick for ever, on the grid of the board's tick length; a late tick is not made up for."""
        tick_ms = self.board.facts.tick_ms
        next_ms = self.board.now_ms()
        while True:
            self.tick()
            if self.feed is not None:
                self.feed()
            self._to_collect -= 1
            self._since += 1
            if not self._to_collect:
                self._collect()
            elif self.starve is not None and self._to_collect % GC_EVERY_TICKS == 0:
                self._probe()
            next_ms += tick_ms
            late_ms = self.board.now_ms() - next_ms
            step = min(max(late_ms, 0) // LATE_STEP_MS, LATE_STEPS - 1)
            self.late_counts[step] = min(self.late_counts[step] + 1, NEVER_MS)  # a small int for ever
            if late_ms > 0:
                self.worst_late_ms = max(self.worst_late_ms, late_ms)
                next_ms += late_ms
                await asyncio.sleep(0)
            else:
                # A coroutine of the standard library: 0 ms or more, never a busy wait.
                await asyncio.sleep(-late_ms / 1000)

    def _probe(self):
        """Look between two collections whether twice LOW_B are there in one piece: eight ticks may use half of it."""
        try:
            probe: list[object] = [None] * (LOW_B // 2)
            probe.clear()  # which gives them back at once
        except MemoryError:
            self._collect()

    def _collect(self):
        """Collect garbage on purpose; where little is left, the services give way before the tick does."""
        gc.collect()
        free_b = gc.mem_free() if self.starve is not None else 0
        self._to_collect = max(GC_EVERY_TICKS, min(GC_MOST_TICKS, free_b // GC_FREE_B))
        used_b = max(0, self._free_b - free_b) * GC_EVERY_TICKS // max(1, self._since)
        self._free_b, self._since = free_b, 0
        if self.starve is not None and free_b < LOW_B + used_b:
            try:
                self.starve()
            except MemoryError:
                pass  # not even memory to say so: the next collection tries again

    async def rest(self):
        """Safe mode: sense and keep the contactor open, decide nothing, until the owner clears the fault (X1)."""
        for _ in range(3):
            self.memory = decide.after_crash(self.memory, self.board.now_ms()).memory
        while True:
            try:
                self.readings = self.board.sense()
                self.board.act(self.memory.outputs)
            except Exception as error:  # even sensing may be what crashed; the lease lapses by itself
                print("ebb: resting:", error)
            if self.feed is not None:
                self.feed()
            for command in self.inbox.take():
                if command.source == "owner" and command.kind == "clear_fault":
                    self.inbox.put(command)
                    return
            await asyncio.sleep(self.board.facts.tick_ms / 1000)
