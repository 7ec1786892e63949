"""The virtual wallbox as a whole: plant, bench, broker and firmware, brought up, kept up and stopped."""

import asyncio
import contextlib
import json
import secrets
import signal
import sys
import time
import urllib.request
from pathlib import Path

from firmware.wire import secret
from host_tools import bootstrap, chip
from host_tools.bench.ports import CannotStart, broker_address, free_port
from host_tools.grid import keys
from host_tools.sim.car import CHARACTERS

PLANT_STEP_S = 0.005
READY_S = 30
INSTALLER_CODE = "demo-installer"  # the same in every demo; a real box gets one of its own (device provision)


class Demo:
    """Everything that runs: plant, bench, broker, firmware."""

    def __init__(self, options):
        from firmware.drivers import board_facts
        from host_tools.bench.air import Air, Way
        from host_tools.bench.firmware_process import FirmwareProcess
        from host_tools.device import boards
        from host_tools.sim.link_server import LinkServer, RealTime
        from host_tools.sim.pin_world import PinWorld
        from host_tools.sim.plant import Plant

        self.options = options
        if options.car not in CHARACTERS:
            raise CannotStart(f"there is no car '{options.car}'; there are {', '.join(CHARACTERS)}.")
        if options.serial and (options.speed != 1 or options.runtime == "cpython"):
            raise CannotStart("--serial is the real interpreter in real time: no --speed, no --runtime cpython.")
        if options.frozen and not options.serial:
            raise CannotStart("--frozen is for the virtual chip: give --serial too.")
        if not 1 <= options.speed <= 1000:
            raise CannotStart("--speed is 1 to 1000.")
        try:
            board_path = boards.path_of(options.board)
        except boards.BadBoard as error:
            raise CannotStart(str(error)) from None
        facts = board_facts.loaded(board_path)
        self.web_port = free_port(options.web, "web")
        self.bench_port = free_port(options.bench, "bench")
        self.inner_web = ("127.0.0.1", free_port(0, "web"))
        self.is_embedded = not options.broker
        self.mqtt = (
            ("127.0.0.1", free_port(options.mqtt, "mqtt")) if self.is_embedded else broker_address(options.broker)
        )
        self.plant = Plant(options.seed, facts.phases, options.car)
        self.real_time = RealTime(self.plant, options.speed, options.wall_clock)
        self.link = LinkServer(self.real_time, PinWorld(self.plant, facts))
        self.password = secrets.token_hex(4)
        self.token = secrets.token_hex(16)
        # The box reaches its broker, and its owner the page, through the air: the bench's faults take it away.
        self.air = Air(
            self.plant.faults,
            (Way(free_port(0, "mqtt"), self.mqtt, "broker_down"), Way(self.web_port, self.inner_web, "")),
        )
        self.broker = None
        self.is_on = True
        self.state = None
        self.tasks = []
        self.FirmwareProcess = FirmwareProcess
        self.config = self._config(facts, board_path)
        self.firmware = None

    def _config(self, facts, board_path):
        """config.json of the virtual box."""
        folder = Path(self.options.data or bootstrap.ROOT / ".cache" / "demo" / self.options.box)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            if not (folder / "settings.json").exists():
                # A wired-up box, so that the first charge is worth looking at; a real one starts at 6 A.
                offset_s = time.localtime().tm_gmtoff // 900 * 900
                (folder / "settings.json").write_text(
                    json.dumps({"wiring_limit_ma": 16000, "phases": facts.phases, "utc_offset_s": offset_s})
                )
        except OSError as error:
            raise CannotStart(f"--data {folder} cannot be used: {error.strerror}.") from None
        self.is_signed = keys.taught(folder, self.options.keys, self.options.box)
        # What is asked by a name costs the box memory, so only where a name is wanted.
        names = {"dns_servers": ["127.0.0.1"], "dns_at": self.air.names.port} if self.options.broker_name else {}
        return {
            **names,
            "box": self.options.box,
            "board_path": str(board_path),
            "data_dir": str(folder),
            "web_host": "127.0.0.1",
            "web_port": 0 if self.options.no_page else self.inner_web[1],
            "mqtt_host": self.options.broker_name or "127.0.0.1",
            "mqtt_port": self.air.ways[0].port,
            "owner_password": self.password,
            "owner_token": self.token,
            "installer_code": secret.kept(INSTALLER_CODE, secrets.token_bytes(16)),
            "quiet_pins": [facts.pins.peak_reset],
            "has_outside_time": True,
            "tells_heap": True,
            "speed": self.options.speed,
            "is_wall_clock": self.options.wall_clock,
        }

    async def start(self):
        """Bring everything up until every port answers. Errors: CannotStart, chip.NoChip."""
        from host_tools.bench.server import BenchServer

        runtime = self.options.runtime or default_runtime()
        await self.link.start()
        self.config["link_port"] = self.link.port
        if self.is_embedded:
            await self._start_broker()
        bench = BenchServer(self.real_time, self.power, lambda: self.state)
        self.tasks.append(asyncio.create_task(bench.app.start_server("127.0.0.1", self.bench_port)))
        self.tasks.append(asyncio.create_task(self._plant()))
        self.tasks.append(asyncio.create_task(self.air.run()))
        if self.options.serial:
            from host_tools.bench.serial_firmware import SerialFirmware

            self.firmware = SerialFirmware(self.config, self.link, self.options.board, self.options.frozen)
            await self.firmware.prepare()
        else:
            self.firmware = self.FirmwareProcess(self.config, runtime, self.options.heap)
            self.link.on_reset = self._reset
            self._start_firmware(False)
        await self._wait_ready()
        self.tasks.append(asyncio.create_task(self._watch()))

    async def _start_broker(self):
        """The embedded broker in its own process."""
        self.broker = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "host_tools.bench.broker",
            "--port",
            str(self.mqtt[1]),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            cwd=bootstrap.ROOT,
            start_new_session=True,
        )
        line = await asyncio.wait_for(self.broker.stdout.readline(), READY_S)
        if b"ready" not in line:
            raise CannotStart("the embedded broker did not start.")

    async def _plant(self):
        """The world goes on between the firmware's reads."""
        while True:
            self.real_time.settle()
            await asyncio.sleep(PLANT_STEP_S)

    async def _wait_ready(self):
        """Until the firmware ticks and its page answers. Errors: CannotStart."""
        end = time.monotonic() + READY_S
        while time.monotonic() < end:
            if not self.firmware.is_running():
                raise CannotStart("the firmware did not start:\n" + self.firmware.console())
            if self.plant.pilot_mode == "high" and (self.options.no_page or await asyncio.to_thread(self._answers)):
                return
            await asyncio.sleep(0.05)
        raise CannotStart("the firmware did not get ready:\n" + self.firmware.console())

    def _answers(self):
        """Whether the owner's page answers."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.inner_web[1]}/healthz", timeout=2) as found:
                return found.status == 200
        except OSError:
            return False

    def _ask_state(self):
        """State of the firmware for the bench page, or None."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.inner_web[1]}/api/status", headers={"Authorization": "Bearer " + self.token}
        )
        try:
            with urllib.request.urlopen(request, timeout=2) as found:
                return json.load(found)["state"]
        except (OSError, ValueError, KeyError):
            return None

    async def _watch(self):
        """Keep the firmware up as a supply and a watchdog would, and know its state for the bench page."""
        while True:
            await asyncio.sleep(1)
            if self.is_on and not self.firmware.is_running():
                bootstrap.say("the firmware stopped and is started again:\n" + self.firmware.console()[-400:])
                self.link.drop()
                self._start_firmware(True)
            self.state = None if self.options.no_page else await asyncio.to_thread(self._ask_state)

    def power(self, is_on):
        """POST /power: cut or restore the supply at this instant."""
        if is_on == self.is_on:
            return
        self.is_on = is_on
        if is_on:
            self.plant.set_supply(True)
            self._start_firmware(True)
        else:
            self.plant.set_supply(False)
            self.firmware.cut()
            self.link.drop()

    def _reset(self, which):
        """The firmware starts itself anew."""
        self.firmware.cut()
        self.link.drop()
        self._start_firmware(False)

    def _start_firmware(self, is_power_return):
        """Power on; the clock stands while its process waits for a core."""
        self.firmware.start(is_power_return)
        if not self.options.serial:  # a virtual chip says by itself which process it is
            self.real_time.clock.follow(self.firmware.process.pid)

    async def stop(self):
        """Stop every process by its id."""
        for task in self.tasks:
            task.cancel()
        if self.options.serial and self.firmware is not None:
            await self.firmware.stop()
        elif self.firmware is not None:
            self.firmware.cut()
        if self.broker is not None and self.broker.returncode is None:
            self.broker.send_signal(signal.SIGTERM)
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self.broker.wait(), 4)
            if self.broker.returncode is None:
                self.broker.kill()

    def ready(self):
        """What the --json line says."""
        serial = {"serial": self.firmware.port} if self.options.serial else {}
        return {
            "ready": True,
            "web": f"http://127.0.0.1:{self.web_port}/",
            "bench": f"http://127.0.0.1:{self.bench_port}/",
            "mqtt": f"{self.mqtt[0]}:{self.mqtt[1]}",
            "box": self.options.box,
            "owner_password": self.password,
            "owner_token": self.token,
            "installer_code": INSTALLER_CODE,
            "runtime": self.firmware.runtime,
            "is_signed": self.is_signed,
            **serial,
        }


def default_runtime():
    """MicroPython wherever it can be had."""
    try:
        chip.interpreter()
        return "micropython"
    except chip.NoChip as missing:
        bootstrap.say(f"{missing} The firmware runs on CPython.")
        return "cpython"
