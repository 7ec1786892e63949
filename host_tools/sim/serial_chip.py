"""The virtual chip on a serial line: the interpreter behind a pseudo-terminal, with flash, resets and a watchdog."""

import asyncio
import contextlib
import json
import os
import pty
import signal
import subprocess
import time
import tty
from pathlib import Path

from host_tools import bootstrap, chip

PWRON, HARD, WATCHDOG, SOFT = 1, 2, 3, 5  # machine.reset_cause()
ACCESS_POINTS = (("home", "home-secret", -50), ("neighbour", "other-secret", -80))
PARTITIONS = (("vfs", 2 * 1024 * 1024), ("data", 1024 * 1024))
SIM = bootstrap.ROOT / "host_tools" / "sim"
PATHS = [str(SIM / "serial"), str(SIM / "chip"), str(SIM)]
WATCH_S = 0.02
LATE_S = 0.1
TAKEN_S = 2  # a program takes a Ctrl-C within
HEAP = "1m"
MACHINE, VERSION = "Virtual ebb module with ESP32S3", (1, 25, 0)  # what sys.implementation says


class SerialChip:
    """One chip; `port` is what a tool opens. Its pins end in a LinkServer's world."""

    def __init__(self, folder, link, quiet_pins, heap=HEAP):
        """folder: its flash, kept between runs; link: a started LinkServer. Errors: chip.NoChip."""
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.link = link
        self.command = [*chip.interpreter(), "-X", f"heapsize={heap}", str(SIM / "serial" / "chip_boot.py")]
        self.config = {
            "paths": PATHS,
            "speed": link.real_time.speed,
            "link_port": link.port,
            "quiet_pins": list(quiet_pins),
            "folder": str(self.folder.resolve()),
            "partitions": PARTITIONS,
            "access_points": ACCESS_POINTS,
            "machine": MACHINE,
            "version": VERSION,
        }
        self._master, self._slave = pty.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self.port = os.ttyname(self._slave)
        self.resets = []  # causes of all starts, oldest first
        self.console = bytearray()  # what the chip said, the last 64 kB of it
        self.is_raw = False
        self._process = None
        self._tasks: list[asyncio.Task] = []
        self._wanted = None
        self._interrupted, self._interrupted_s = (0, 0), 0.0  # (process, states of the link), when

    async def start(self):
        """Power on."""
        asyncio.get_running_loop().add_reader(self._master, self._typed)
        self.link.on_reset = self._asked
        self._tasks = [asyncio.create_task(self._watch())]
        await self._spawn(PWRON)

    async def stop(self):
        """Power off for good."""
        for task in self._tasks:
            task.cancel()
        await self._kill()
        asyncio.get_running_loop().remove_reader(self._master)
        os.close(self._master)
        os.close(self._slave)

    async def cut(self):
        """Power off at this instant."""
        self._wanted = "off"
        await self._kill()

    async def power_on(self):
        """Power on again."""
        self._wanted = None
        await self._spawn(PWRON)

    async def _spawn(self, cause):
        """Start the interpreter; the old one must be gone."""
        while self.link.is_attached:
            await asyncio.sleep(0.005)
        if cause != SOFT:
            self.is_raw = False
            self.link.fed_at_us = None
        self.link.is_busy = False  # until boot.py runs nothing can be interrupted
        self._wanted = None
        path = self.folder / "chip.json"
        path.write_text(json.dumps({**self.config, "cause": cause, "is_raw": self.is_raw}))
        env = {name: value for name, value in os.environ.items() if name != "MICROPYPATH"}
        self._process = await asyncio.create_subprocess_exec(
            *self.command,
            str(path),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=env,
            start_new_session=True,
        )
        self.resets.append(cause)
        self._tasks.append(asyncio.create_task(self._said(self._process)))

    async def _kill(self):
        process, self._process = self._process, None
        if process is not None and process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGKILL)
        if process is not None:
            await process.wait()

    def _asked(self, which):
        """The chip starts itself anew."""
        self._wanted = SOFT if which == 1 else HARD

    async def _watch(self):
        """Resets: asked for, by the watchdog, or because the interpreter died."""
        while True:
            begun_s = time.monotonic()
            await asyncio.sleep(WATCH_S)
            late_s = time.monotonic() - begun_s - WATCH_S
            if self.link.fed_at_us is not None and late_s > LATE_S:
                # The PC stood still, and with it the one who would have read that the watchdog was fed.
                self.link.fed_at_us += int(late_s * self.link.real_time.speed * 1_000_000)
            if self._process is None or self._wanted == "off":
                continue
            self.link.real_time.settle()
            cause = self._wanted
            if cause is None and self.link.is_starved():
                cause = WATCHDOG
            if cause is None and self._process.returncode is not None:
                cause = HARD
            if cause is not None:
                await self._kill()
                await self._spawn(cause)

    def _typed(self):
        """Bytes from whoever holds the port: Ctrl-C ends a running program, the rest waits in line."""
        try:
            typed = os.read(self._master, 4096)
        except (BlockingIOError, OSError):
            return
        process = self._process
        if process is None or process.returncode is not None:
            return
        if self.link.is_busy and b"\x03" in typed:
            typed = typed.replace(b"\x03", b"")
            self._interrupt(process)
        if typed:
            process.stdin.write(typed)

    def _interrupt(self, process):
        """Ctrl-C. MicroPython on a PC ends itself at a second one while the first waits to be taken: none follows it
        before the program said that it goes on otherwise, or for a while.
        """
        now_s = time.monotonic()
        if self._interrupted == (process.pid, self.link.states) and now_s - self._interrupted_s < TAKEN_S:
            return
        self._interrupted, self._interrupted_s = (process.pid, self.link.states), now_s
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGINT)

    async def _said(self, process):
        """Bytes of the chip to the port; what nobody reads is lost, as on a wire."""
        while True:
            said = await process.stdout.read(4096)
            if not said:
                return
            self.console += said
            del self.console[:-65536]
            if b"raw REPL; CTRL-B" in said:
                self.is_raw = True
            if b"virtual ebb chip" in said:
                self.is_raw = False
            await self._sent(said)

    async def _sent(self, said):
        """All of it, unless nobody reads for a second."""
        for _ in range(200):
            try:
                said = said[os.write(self._master, said) :]
            except BlockingIOError:
                await asyncio.sleep(0.005)
            if not said:
                return
