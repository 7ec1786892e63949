"""The whole firmware on the virtual chip: TLS, two viewers and a grid; its live heap and its longest stall."""

import asyncio
import json
import re
import ssl
import tempfile
import time
import urllib.request
from pathlib import Path

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from firmware.core import commands
from host_tools import demo as demo_task
from host_tools.bench.virtual_box import Demo
from host_tools.certificates import certificates
from host_tools.mosquitto import Mosquitto
from host_tools.sim import world

HEAP_B = 320 * 1024
FILLED_S = 75  # the flight recorder holds on to the Memory of 13 moments, the first 65 s anew every 5 s
VIEW_EVERY_S = 1
COMMAND_EVERY_S = 7
FETCHES = 40
REST_S = 3
FILL_S = 0.03
GRID_LEAST_S = 30  # pauses come for so long, however short the run
STARTS = 3  # an empty chip, its prompt anew with /data there, and with the firmware on its flash
# How much slower a 160 MHz ESP32 is: RSA-3072 takes 0.1–0.2 s there and about 2 ms on a PC (grid contract, signed).
CHIP_FACTOR = (50, 100)


class Whole:
    """One run: demo --serial against a mosquitto with TLS."""

    def __init__(self, folder, minutes, grid_least_s=GRID_LEAST_S, is_frozen=False):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.minutes = minutes
        self.grid_least_s = grid_least_s
        self.is_frozen = is_frozen
        authority, certificate, key = certificates(self.folder, "localhost")
        (self.folder / "ca.der").write_bytes(authority)
        (self.folder / "ca.pem").write_text(ssl.DER_cert_to_PEM_cert(authority))
        self.lines = ("allow_anonymous true", f"certfile {certificate}", f"keyfile {key}")
        self.broker = Mosquitto(self.folder, self.lines)
        self.demo = None
        self.views = [0, 0]  # of each viewer
        self.pauses = 0
        self.is_filled = asyncio.Event()
        self.filled_s = 0
        self.heaps = []  # (s since the start, live heap in B, us of gc.collect)

    def _fetch(self, path):
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.demo.web_port}{path}", headers={"Authorization": "Bearer " + self.demo.token}
        )
        with urllib.request.urlopen(request, timeout=10) as found:
            return found.read()

    def state(self):
        """GET /api/status."""
        return json.loads(self._fetch("/api/status"))

    async def _view(self, viewer):
        """A page that is open."""
        while True:
            await asyncio.to_thread(self._fetch, "/api/status")
            self.views[viewer] += 1
            await asyncio.sleep(VIEW_EVERY_S)

    async def _grid(self):
        """A pause of three seconds now and then, over TLS."""
        client = paho.Client(CallbackAPIVersion.VERSION2)
        client.tls_set(str(self.folder / "ca.pem"))
        client.connect("localhost", self.broker.port)
        client.loop_start()
        try:
            # The box remembers the last commands: growing up to there is no leak, and full is the case to weigh.
            for number in range(commands.SEEN_KEPT):
                resume = {"id": f"warm-{number}", "kind": "resume"}
                client.publish("ebb/1/box/garage/cmd", json.dumps(resume), 1)
                await asyncio.sleep(FILL_S)
            self.is_filled.set()
            while True:
                self.pauses += 1
                command = {"id": f"c{self.pauses}", "kind": "pause", "duration_s": 3, "resume": "now"}
                client.publish("ebb/1/box/garage/cmd", json.dumps(command), 1)
                await asyncio.sleep(COMMAND_EVERY_S)
        finally:
            client.loop_stop()
            client.disconnect()

    async def _listen(self, begun_s):
        """The heap as the firmware tells it."""
        seen = 0
        while True:
            said = self.demo.firmware.console()
            found = re.findall(r"live_heap: (\d+) B in (\d+) us", said)
            if len(found) and found[-1] != seen:
                seen = found[-1]
                self.heaps.append((time.monotonic() - begun_s, int(seen[0]) - self._harness_b(), int(seen[1])))
            await asyncio.sleep(1)

    def _harness_b(self):
        """What of the heap was the virtual chip's before the firmware began."""
        (path,) = self.folder.rglob("harness_b.txt")
        return int(path.read_text())

    def prepare(self, more=()):
        """Start the broker, and make the demo that will use it; more: options of it."""
        self.broker.start()
        options = ["--serial", "--no-browser", "--web", "0", "--bench", "0", "--wall-clock"]
        options += ["--broker", f"127.0.0.1:{self.broker.port}", "--data", str(self.folder / "box")]
        options += [*["--frozen"] * self.is_frozen, *more]
        self.demo = Demo(demo_task.parser().parse_args(options))
        self.demo.config.update({"mqtt_host": "localhost", "ca_path": str(self.folder / "ca.der"), "tells_heap": True})

    async def run(self):
        """Everything; returns {name: (value, unit)}."""
        self.prepare()
        begun_s = time.monotonic()
        tasks = []
        try:
            await self.demo.start()
            tasks = [asyncio.create_task(work) for work in (self._view(0), self._view(1), self._listen(begun_s))]
            await self._until(lambda: self.state()["network"]["mqtt_is_connected"], "TLS session")
            world.change(self.demo.plant, {"car": {"is_plugged": True}})
            await self._until(lambda: self.demo.plant.is_coil_on, "the car is charged")
            found = await self._stalls()
            tasks.append(asyncio.create_task(self._grid()))
            await self.is_filled.wait()
            self.filled_s = time.monotonic() - begun_s
            await asyncio.sleep(max(self.minutes * 60 - (time.monotonic() - begun_s), self.grid_least_s))
            for task in tasks:
                if task.done():
                    task.result()
            return {**self._heap_figures(), **found, **self._counts()}
        finally:
            for task in tasks:
                task.cancel()
            await self.demo.stop()
            self.broker.stop()

    async def _until(self, is_reached, words, for_s=60):
        end = time.monotonic() + for_s
        while time.monotonic() < end:
            try:
                if await asyncio.to_thread(is_reached):
                    return
            except (OSError, ValueError):
                pass  # not up yet
            await asyncio.sleep(0.2)
        raise SystemExit(f"whole: not within {for_s} s: {words}:\n{self.demo.firmware.console()}")

    async def _stalls(self):
        """Longest gap between two heartbeats while charging: at rest, under 40 fetches, in a TLS handshake."""
        plant = self.demo.plant
        found = {}
        plant.worst_gap_us = 0
        await asyncio.sleep(REST_S)
        found["stall_at_rest"] = (plant.worst_gap_us / 1000, "ms")
        plant.worst_gap_us = 0
        for _ in range(FETCHES):
            await asyncio.to_thread(self._fetch, "/")
        found["stall_under_page_fetches"] = (plant.worst_gap_us / 1000, "ms")
        plant.worst_gap_us = 0
        openings = len(plant.opened_with_ma)
        self.broker.stop()
        self.broker.start()
        await self._until(lambda: self.state()["network"]["mqtt_is_connected"], "TLS again while charging")
        found["stall_under_tls"] = (plant.worst_gap_us / 1000, "ms")
        found["openings_by_tls"] = (len(plant.opened_with_ma) - openings, "openings")
        return found

    def _counts(self):
        """What was served and obeyed, and what must not have happened."""
        mode, paused, opened, fell = "", 0, 0, 0
        for _, name, value in self.demo.plant.edges:
            if name == "pilot_mode":
                paused += (mode, value) == ("pwm", "high")
                mode = value
            elif name == "coil" and not value:
                # A car that is asked to let go sees x1 first: a coil that falls under PWM lost its heartbeat.
                opened, fell = opened + (mode == "high"), fell + (mode == "pwm")
        return {
            "page_views": (sum(self.views), "views"),
            "pauses_sent": (self.pauses, "commands"),
            "pauses_obeyed": (paused, "edges to x1"),
            "openings_by_pauses": (opened, "openings"),
            "openings_by_stalls": (fell, "openings"),
            "restarts": (len(self.demo.firmware.resets) - STARTS, "starts"),
        }

    def _heap_figures(self):
        """Live heap, its growth over the last 90 % of the time but not before FILLED_S, the time of a collection."""
        end_s = self.heaps[-1][0]
        from_s = max(end_s * 0.1, self.filled_s + 10, FILLED_S)
        late = [row for row in self.heaps if row[0] >= min(from_s, end_s * 0.5)]
        part = max(len(late) // 5, 1)
        first, last = min(row[1] for row in late[:part]), min(row[1] for row in late[-part:])
        collects_us = sorted(row[2] for row in self.heaps)
        return {
            "heap_whole": (max(row[1] for row in late), "B"),
            "heap_of_harness": (self._harness_b(), "B, apart"),
            "heap_growth": (last - first, "B once the flight recorder is full"),
            "gc_collect": (collects_us[len(collects_us) // 2] / 1000, "ms"),
            "heap_samples": (len(self.heaps), "samples"),
        }


def report(minutes):
    """Print every figure; True when the heap is within its budget and does not grow."""
    with tempfile.TemporaryDirectory(prefix="ebb-whole-") as folder:
        found = asyncio.run(Whole(folder, minutes).run())
    for name, (value, unit) in found.items():
        print(f"{name}: {value:.1f} {unit}" if isinstance(value, float) else f"{name}: {value} {unit}")
    low, high = (found["gc_collect"][0] * factor for factor in CHIP_FACTOR)
    print(f"gc_collect_on_a_chip: {low:.0f}–{high:.0f} ms (estimate: {CHIP_FACTOR[0]}–{CHIP_FACTOR[1]} times the PC's)")
    return found["heap_whole"][0] <= HEAP_B and found["heap_growth"][0] <= 0
