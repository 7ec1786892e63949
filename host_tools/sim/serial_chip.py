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
from host_tools.device import chips
from host_tools.sim import boot_loader, rtc_file

PWRON, HARD, WATCHDOG, SOFT = 1, 2, 3, 5  # machine.reset_cause()
ACCESS_POINTS = (("home", "home-secret", -50), ("neighbour", "other-secret", -80))
PARTITIONS = (("vfs", 2 * 1024 * 1024), ("data", 1024 * 1024))
SIM = bootstrap.ROOT / "host_tools" / "sim"
PATHS = [str(SIM / "serial"), str(SIM / "chip"), str(SIM)]
WATCH_S = 0.02
TAKEN_S = 2  # a program takes a Ctrl-C within
INSIST_S = 1  # one that asks its plant for nothing is not told of it so
HEAP = "1m"
VERSION = (1, 25, 0)  # what sys.implementation says


class SerialChip:
    """One chip; `port` is what a tool opens. Its pins end in a LinkServer's world."""

    def __init__(self, folder, link, quiet_pins, heap=HEAP, flash_times=None, interpreter=None):
        """folder: its flash, kept between runs; link: a started LinkServer; flash_times: of host_tools/device/chips.py,
        None for a flash that takes no time; interpreter: command prefix of another one. Errors: chip.NoChip.
        """
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.link = link
        self.rtc = self.folder.resolve() / "rtc.txt"  # its clock: machine.RTC, time.time() and what TLS believes
        command, self._clock = chip.with_own_clock(interpreter or chip.interpreter(), self.rtc)
        self.command = [*command, "-X", f"heapsize={heap}", str(SIM / "serial" / "chip_boot.py")]
        self.config = {
            "paths": PATHS,
            "speed": link.real_time.speed,
            "is_wall_clock": link.real_time.clock.is_wall,
            "link_port": link.port,
            "quiet_pins": list(quiet_pins),
            "folder": str(self.folder.resolve()),
            "rtc_path": str(self.rtc),
            "is_rtc_felt": bool(self._clock),
            "partitions": PARTITIONS,
            "flash_times": flash_times,
            "access_points": ACCESS_POINTS,
            "version": VERSION,
            "has_network": True,
            "app_b": 0,  # of each app partition of an own image; 0: a stock one
            "running": 0,
            "rom_at": boot_loader.ROM_AT,
        }
        self.is_module("esp32s3", True)
        self._master, self._slave = pty.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self.port = os.ttyname(self._slave)
        self.resets = []  # causes of all starts, oldest first
        self.images = []  # which app partition each of them started, where the chip has two
        self.console = bytearray()  # what the chip said, the last 64 kB of it
        self.is_raw = False
        self._process = None
        self._waiting = bytearray()  # typed, and not handed over yet
        self._tasks: list[asyncio.Task] = []
        self._wanted = None
        self._interrupted, self._interrupted_s = (0, 0), 0.0  # (process, states of the link), when

    def is_module(self, kind, has_psram):
        """Which module it is, before it starts. kind: a chip as board files name it. Errors: chips.BadChip."""
        self.config["machine"] = f"Virtual ebb module with {kind.upper()}"
        self.config["memory"] = chips.memory(chips.loaded(kind))
        self.config["has_psram"] = has_psram

    async def start(self):
        """Power on."""
        asyncio.get_running_loop().add_reader(self._master, self._typed)
        self.link.on_reset = self._asked
        self.link.on_ctrl_c = self._hand_over
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
        self.link.is_busy = self.link.has_ctrl_c = False  # until boot.py runs nothing can be interrupted
        self._waiting.clear()
        self._wanted = None
        if self.config["app_b"] and cause != SOFT:
            self.config["running"] = boot_loader.ota(self.folder, self.config["app_b"]).boot()
            self.images.append(self.config["running"])
        path = self.folder / "chip.json"
        path.write_text(json.dumps({**self.config, "cause": cause, "is_raw": self.is_raw}))
        if cause == PWRON:
            rtc_file.power_on(self.rtc)
        env = {name: value for name, value in os.environ.items() if name != "MICROPYPATH"} | self._clock
        self._process = await asyncio.create_subprocess_exec(
            *self.command,
            str(path),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=env,
            start_new_session=True,
        )
        self.link.real_time.clock.follow(self._process.pid)
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
            await asyncio.sleep(WATCH_S)
            if self._process is None or self._wanted == "off":
                continue
            self.link.real_time.settle()
            cause = self._wanted
            if cause is None and self.link.is_starved():
                cause = WATCHDOG
            if cause is None and self._process.returncode is not None:
                self.console += b"virtual chip: its interpreter ended with %d\r\n" % self._process.returncode
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
        self._waiting += typed
        self._hand_over()

    def _hand_over(self):
        """What was typed behind a Ctrl-C is for whoever comes after the program that it ends."""
        process = self._process
        if self._waiting and not self.link.has_ctrl_c and process is not None and process.returncode is None:
            process.stdin.write(bytes(self._waiting))
            self._waiting.clear()

    def _interrupt(self, process):
        """Ctrl-C: the program hears of it with what it asks next, between two bytecodes as on the chip.

        A signal is the last resort: the interpreter of a PC raises at any instruction, and inside a collection its heap
        stays locked. None follows it before the program said that it goes on otherwise, or for a while.
        """
        now_s = time.monotonic()
        if self._interrupted == (process.pid, self.link.states) and now_s - self._interrupted_s < TAKEN_S:
            return
        self._interrupted, self._interrupted_s = (process.pid, self.link.states), now_s
        self.link.has_ctrl_c = True
        asyncio.get_running_loop().call_later(INSIST_S, self._insist, process)

    def _insist(self, process):
        """Ctrl-C to a program that has not asked for anything since."""
        if not self.link.has_ctrl_c or process is not self._process:
            return
        self.link.has_ctrl_c = False
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGINT)
        self._hand_over()

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
