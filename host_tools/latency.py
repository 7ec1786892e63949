"""Latency of a pause: from the client's PUBLISH to the pilot edge on the wire, taken outside the firmware."""

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
import urllib.request

from host_tools import latency_simulated
from host_tools.mosquitto import Mosquitto

PAUSE_S = 5
EDGE_WAIT_S = 3.0
READY_WAIT_S = 60.0


class Box:
    """One virtual wallbox in its own processes, as a user starts it, with a client beside it."""

    def __init__(self, extra):
        """extra: further arguments for `demo`."""
        import paho.mqtt.client as paho  # not where deadlines are swept: PyPy has none

        command = [sys.executable, "-m", "host_tools", "demo", "--json", "--no-browser"]
        command += ["--web", "0", "--bench", "0", "--mqtt", "0", "--wall-clock", *extra]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"latency: demo ended with {self.process.wait()} before it was ready")
        self.ready = json.loads(line)
        host, port = self.ready["mqtt"].rsplit(":", 1)
        version = paho.CallbackAPIVersion.VERSION2  # pyright: ignore[reportPrivateImportUsage]  as paho's own examples
        self.client = paho.Client(version, client_id=f"cloud-{random.getrandbits(32):08x}")
        self.client.connect(host, int(port))
        self.client.loop_start()

    def close(self):
        """Stop the client and the box."""
        self.client.loop_stop()
        self.client.disconnect()
        self.process.terminate()
        self.process.wait(20)

    def call(self, path, body=None):
        """JSON of one bench call; body None is a GET."""
        encoded = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            self.ready["bench"].rstrip("/") + path, encoded, {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)

    def wait_world(self, is_reached, words):
        """The world once is_reached(world); an error in words after a minute."""
        end = time.monotonic() + READY_WAIT_S
        while time.monotonic() < end:
            world = self.call("/world")
            if is_reached(world):
                return world
            time.sleep(0.1)
        raise SystemExit(f"latency: the box did not get to {words}: {world}")

    def clock_offset_ms(self):
        """Plant ms minus monotonic ms: the largest of 20 lower bounds, so that a latency is never taken too short."""
        best = float("-inf")
        for _ in range(20):
            now_ms = self.call("/world")["now_ms"]
            # The answer was made before it arrived, so this difference is at most the true one.
            offset = now_ms - time.monotonic() * 1000
            best = max(best, offset)
        return best

    def pause(self, number):
        """Latency in ms of one pause of 5 s; None when no edge came."""
        command = {"id": f"latency-{number}", "kind": "pause", "duration_s": PAUSE_S, "resume": "now"}
        offset_ms = self.clock_offset_ms()
        since_ms = int(self.call("/world")["now_ms"])
        sent_ms = time.monotonic() * 1000 + offset_ms
        self.client.publish(f"ebb/1/box/{self.ready['box']}/cmd", json.dumps(command), qos=1)
        end = time.monotonic() + EDGE_WAIT_S
        while time.monotonic() < end:
            time.sleep(0.2)
            for edge in self.call(f"/trace?since_ms={since_ms}")["edges"]:
                if edge["name"] == "pilot_mode" and edge["value"] == "high" and edge["at_ms"] >= sent_ms - 50:
                    return edge["at_ms"] - sent_ms
        return None


def is_offering(world):
    """The pilot offers current."""
    return world["pins"]["pilot_mode"] == "pwm"


def is_charging(world):
    """Current flows through the closed contactor."""
    return world["pins"]["is_contactor_closed"] and max(world["currents_ma"]) > 3000


def plugged_pauses(count, extra, chance):
    """Latencies of `count` pauses of one box with a car that is plugged in and does not ask for power (letter B)."""
    box = Box(extra)
    found = []
    try:
        box.call("/world", {"car": {"is_plugged": True, "wants_charge": False}})
        for number in range(count):
            box.wait_world(is_offering, "an offer")
            time.sleep(chance.uniform(0.2, 0.7))
            found.append(box.pause(number))
            if number % 20 == 19:
                print(f"letter B: {number + 1} of {count}", file=sys.stderr, flush=True)
    finally:
        box.close()
    return found


def charging_pauses(count, extra, chance):
    """Latencies of one pause each on `count` freshly started boxes with a charging car."""
    found = []
    for number in range(count):
        box = Box(extra)
        try:
            box.call("/world", {"car": {"is_plugged": True, "wants_charge": True}})
            box.wait_world(is_charging, "charging")
            time.sleep(chance.uniform(0.2, 1.2))
            found.append(box.pause(number))
        finally:
            box.close()
        print(f"charging: {number + 1} of {count}", file=sys.stderr, flush=True)
    return found


def percentile(sorted_values, permille):
    """Nearest-rank percentile of sorted values."""
    return sorted_values[min(len(sorted_values) - 1, -(-len(sorted_values) * permille // 1000) - 1)]


def figures(name, found):
    """Print the figures of one series; its sorted latencies in ms."""
    times = sorted(value for value in found if value is not None)
    print(f"{name}_count: {len(found)} pauses")
    print(f"{name}_unanswered: {len(found) - len(times)} pauses")
    for label, permille in (("p50", 500), ("p99", 990), ("max", 1000)) if times else ():
        print(f"{name}_{label}: {percentile(times, permille):.1f} ms")
    return times


def report(name, found):
    """Print the figures of one series; True when every pause was answered and the goals are met."""
    times = figures(name, found)
    return bool(times) and len(times) == len(found) and percentile(times, 990) <= 100 and times[-1] <= 500


def real_time(options):
    """Run the real-time series against running demos; True when the goals are met."""
    chance = random.Random(options.seed)
    with tempfile.TemporaryDirectory() as folder:
        broker = Mosquitto(folder).start()
        try:
            extra = ["--seed", str(options.seed), "--broker", f"127.0.0.1:{broker.port}", "--data", folder + "/box"]
            extra += ["--runtime", options.runtime]
            is_met = report("pause_to_x1_plugged", plugged_pauses(options.plugged, extra, chance))
            return report("pause_to_x1_charging", charging_pauses(options.charging, extra, chance)) and is_met
        finally:
            broker.stop()


def run(argv):
    """Task `latency`: real-time and simulated figures, one a line; exit 0 only when every goal is met."""
    parser = argparse.ArgumentParser(prog="python3 -m host_tools latency", description=__doc__)
    parser.add_argument("--plugged", type=int, default=200, help="pauses of a plugged car in letter B")
    parser.add_argument("--charging", type=int, default=20, help="pauses of a charging car, each on a fresh box")
    parser.add_argument("--offsets", type=int, default=1000, help="phase offsets of the simulated sweep")
    parser.add_argument(
        "--flood", type=int, nargs="?", const=100, default=0, metavar="N", help="only N pauses under 1000 messages/s"
    )
    parser.add_argument("--runtime", choices=("micropython", "cpython"), default="micropython")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--deadlines", action="store_true", help="sweep the deadlines of the fault table instead")
    parser.add_argument("--trials", type=int, default=10_000, help="trials of each deadline")
    parser.add_argument("--rows", nargs="*", default=[], metavar="ID", help="only deadlines whose name begins so")
    parser.add_argument("--continue", dest="keep_going", action="store_true", help="go on where a sweep was broken off")
    options = parser.parse_args(argv)
    if options.deadlines:
        from host_tools.deadlines import report as deadlines

        options.has_processes = True
        return 0 if deadlines.report(options) else 1
    print(f"latency_seed: {options.seed} seed")
    if options.flood:
        from host_tools import latency_flood

        return 0 if latency_flood.report(options) else 1
    is_met = True
    if options.offsets:
        is_met = latency_simulated.report(options.seed, options.offsets)
    if options.plugged or options.charging:
        is_met = real_time(options) and is_met
    return 0 if is_met else 1
