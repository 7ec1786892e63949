"""Task `demo`: the virtual wallbox in real time, until Ctrl-C."""

import argparse
import asyncio
import contextlib
import json
import os
import secrets
import signal
import socket
import sys
import time
import urllib.request
from pathlib import Path

from host_tools import bootstrap, chip
from host_tools.sim.car import CHARACTERS

PLANT_STEP_S = 0.005
READY_S = 30


class CannotStart(Exception):
    """One clear line; exit 2."""


def parser():
    """Options of bench.md."""
    made = argparse.ArgumentParser(prog="python3 -m host_tools demo", description=__doc__)
    made.add_argument("--web", type=int, default=8080, metavar="PORT", help="owner's page (0: any free port)")
    made.add_argument("--bench", type=int, default=8081, metavar="PORT", help="page to play the car")
    made.add_argument("--mqtt", type=int, default=1883, metavar="PORT", help="port of the embedded broker")
    made.add_argument("--broker", metavar="HOST:PORT", help="use this broker instead of the embedded one")
    made.add_argument("--runtime", choices=("micropython", "cpython"), help="default: MicroPython where it can be had")
    made.add_argument("--speed", type=int, default=1, metavar="N", help="simulated seconds a second")
    made.add_argument("--data", metavar="DIR", help="the device's flash (default: .cache/demo)")
    made.add_argument("--box", default="garage", metavar="ID", help="name of the box")
    made.add_argument("--board", default="reference", metavar="NAME", help="a file of hardware/boards")
    made.add_argument("--car", default="polite", metavar="CHARACTER", help=" ".join(CHARACTERS))
    made.add_argument("--seed", type=int, default=0)
    made.add_argument("--heap", default="1m", help="heap of the MicroPython interpreter, as 256k")
    made.add_argument("--no-page", action="store_true", help="leave the owner's page out, as on a small board")
    made.add_argument("--no-browser", action="store_true", help="do not open a browser")
    made.add_argument("--json", action="store_true", help="say what is ready as one line of JSON")
    return made


def free_port(wanted, name):
    """The wanted loopback port, or a free one for 0. Errors: CannotStart when it is taken."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", wanted))
        except (OSError, OverflowError):
            raise CannotStart(
                f"port {wanted} for {name} is in use or not allowed; choose another with --{name}."
            ) from None
        return probe.getsockname()[1]


def broker_address(text):
    """(host, port) of a given broker that answers. Errors: CannotStart."""
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit() or not 0 < int(port) < 65536:
        raise CannotStart(f"--broker wants HOST:PORT, not '{text}'.")
    try:
        socket.create_connection((host, int(port)), 5).close()
        return socket.gethostbyname(host), int(port)
    except OSError as error:
        raise CannotStart(f"no broker answers at {text} ({error.strerror or error}).") from None


class Demo:
    """Everything that runs: plant, bench, broker, firmware."""

    def __init__(self, options):
        from firmware.drivers import board_facts
        from host_tools.bench.firmware_process import FirmwareProcess
        from host_tools.sim.link_server import LinkServer, RealTime
        from host_tools.sim.pin_world import PinWorld
        from host_tools.sim.plant import Plant

        self.options = options
        if options.car not in CHARACTERS:
            raise CannotStart(f"there is no car '{options.car}'; there are {', '.join(CHARACTERS)}.")
        if not 1 <= options.speed <= 1000:
            raise CannotStart("--speed is 1 to 1000.")
        board_path = bootstrap.ROOT / "hardware" / "boards" / f"{options.board}.json"
        if "/" in options.board or not board_path.exists():
            raise CannotStart(f"there is no board '{options.board}' in hardware/boards.")
        facts = board_facts.loaded(board_path)
        self.web_port = free_port(options.web, "web")
        self.bench_port = free_port(options.bench, "bench")
        self.is_embedded = not options.broker
        self.mqtt = (
            ("127.0.0.1", free_port(options.mqtt, "mqtt")) if self.is_embedded else broker_address(options.broker)
        )
        self.plant = Plant(options.seed, facts.phases, options.car)
        self.real_time = RealTime(self.plant, options.speed)
        self.link = LinkServer(self.real_time, PinWorld(self.plant, facts))
        self.password = secrets.token_hex(4)
        self.token = secrets.token_hex(16)
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
        return {
            "box": self.options.box,
            "board_path": str(board_path),
            "data_dir": str(folder),
            "web_host": "127.0.0.1",
            "web_port": 0 if self.options.no_page else self.web_port,
            "mqtt_host": self.mqtt[0],
            "mqtt_port": self.mqtt[1],
            "owner_password": self.password,
            "owner_token": self.token,
            "quiet_pins": [facts.pins.peak_reset],
            "has_outside_time": True,
            "tells_heap": True,
            "speed": self.options.speed,
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
        self.firmware = self.FirmwareProcess(self.config, runtime, self.options.heap)
        self.firmware.start(False)
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
            with urllib.request.urlopen(f"http://127.0.0.1:{self.web_port}/healthz", timeout=2) as found:
                return found.status == 200
        except OSError:
            return False

    def _ask_state(self):
        """State of the firmware for the bench page, or None."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.web_port}/api/status", headers={"Authorization": "Bearer " + self.token}
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
                self.firmware.start(True)
            self.state = None if self.options.no_page else await asyncio.to_thread(self._ask_state)

    def power(self, is_on):
        """POST /power: cut or restore the supply at this instant."""
        if is_on == self.is_on:
            return
        self.is_on = is_on
        if is_on:
            self.plant.set_supply(True)
            self.firmware.start(True)
        else:
            self.plant.set_supply(False)
            self.firmware.cut()
            self.link.drop()

    async def stop(self):
        """Stop every process by its id."""
        for task in self.tasks:
            task.cancel()
        if self.firmware is not None:
            self.firmware.cut()
        if self.broker is not None and self.broker.returncode is None:
            self.broker.send_signal(signal.SIGTERM)
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self.broker.wait(), 4)
            if self.broker.returncode is None:
                self.broker.kill()

    def ready(self):
        """What the --json line says."""
        return {
            "ready": True,
            "web": f"http://127.0.0.1:{self.web_port}/",
            "bench": f"http://127.0.0.1:{self.bench_port}/",
            "mqtt": f"{self.mqtt[0]}:{self.mqtt[1]}",
            "box": self.options.box,
            "owner_password": self.password,
            "owner_token": self.token,
            "runtime": self.firmware.runtime,
        }


def default_runtime():
    """MicroPython wherever it can be had."""
    try:
        chip.interpreter()
        return "micropython"
    except chip.NoChip as missing:
        bootstrap.say(f"{missing} The firmware runs on CPython.")
        return "cpython"


def told(demo):
    """What a person reads when everything is up."""
    ready = demo.ready()
    what = ready["runtime"]
    if what == "micropython":
        what = chip.described(chip.interpreter())
    port = ready["mqtt"].rpartition(":")[2]
    return f"""
ebb: a virtual wallbox is running (firmware on {what}).

  play the car    {ready["bench"]}
  owner's page    {ready["web"]}   password {ready["owner_password"]}
  be the grid     mosquitto_pub -p {port} -t ebb/1/box/{ready["box"]}/cmd -m pause
                  mosquitto_pub -p {port} -t ebb/1/box/{ready["box"]}/cmd -m resume
                  mosquitto_sub -p {port} -t 'ebb/1/#' -v

Plug the car in on the bench page, then send the pause. Ctrl-C ends everything.
"""


async def serve(options):
    """Run one demo until a signal."""
    demo = Demo(options)
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    try:
        await demo.start()
        print(json.dumps(demo.ready()) if options.json else told(demo), flush=True)
        if not options.no_browser and not options.json and os.environ.get("DISPLAY"):
            import webbrowser

            webbrowser.open(demo.ready()["bench"])
        await stop.wait()
    finally:
        await demo.stop()


def run(argv):
    """Run the task; exit 2 with one clear line when it cannot start."""
    options = parser().parse_args(argv)
    sys.path.insert(0, str(bootstrap.ROOT))
    from host_tools.sim import fake_machine

    sys.modules.setdefault("machine", fake_machine)
    try:
        asyncio.run(serve(options))
    except (CannotStart, chip.NoChip, ValueError) as error:
        print(f"ebb: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 0
    return 0
