"""Runs on the interpreter, for sessions.py: when each part of a start is reached, and how long the watchdog waits."""

import asyncio

WARM_MS = 60_000  # a page that does not answer by then never does


class Marks:
    """Lines "mark: ms flash-commands flash-us name" and "step: ms name" of one start."""

    def __init__(self, now, flash, world):
        """now: SimTime; flash: FlashTime; world: what fake_machine calls, which this one listens to."""
        self._now, self._flash = now, flash
        self._fed_ms = None
        self._last = ""  # module that was loaded last
        self._is_up = False
        self.longest = (0, "")
        self._seen = []
        self._set_pin, self._set_watchdog, self._feed = world.set_pin, world.set_watchdog, world.feed
        world.set_pin, world.set_watchdog, world.feed = self.set_pin, self.set_watchdog, self.feed

    def mark(self, name):
        """It is reached, once."""
        if name not in self._seen:
            self._seen.append(name)
            row = (self._now.passed_ms, self._flash.commands(), self._flash.busy_us, name)
            print("mark: %d %d %d %s" % row)

    def set_pin(self, pin, level):
        """The first pins that are driven are the coil's (boot.py)."""
        self._set_pin(pin, level)
        self.mark("coil pins low" if self._seen else "first coil pin low")

    def set_watchdog(self, timeout_ms):
        """Armed, or armed anew."""
        self._step()
        self.mark("watchdog armed for %d ms" % timeout_ms)
        self._set_watchdog(timeout_ms)

    def feed(self):
        """A step is over."""
        self._step()
        self._feed()

    def _step(self):
        now_ms = self._now.passed_ms
        if self._fed_ms is not None and not self._is_up:
            self.longest = max(self.longest, (now_ms - self._fed_ms, "up to " + self._last))
        self._fed_ms = now_ms

    def loaded(self, name):
        """A module is loaded."""
        self._last = name
        if name == "firmware.app":
            self.mark("app loaded")

    async def until_up(self, viewer, judge):
        """Until the page answers; then all figures are told."""
        while self._now.passed_ms < WARM_MS:
            try:
                await viewer.asked("/api/status")
                break
            except OSError:
                await asyncio.sleep_ms(100)
        self.mark("page answers")
        self._step()
        self._is_up = True
        if judge.first_tick_ms is not None:  # a build of before hides the sensor's class, and so its first tick
            print("mark: %d %d 0 first tick" % (judge.first_tick_ms, judge.start_commands))
        print("step: %d %s" % self.longest)
