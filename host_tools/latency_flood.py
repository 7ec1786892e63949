"""Latency of a pause while a flood of messages is delivered to the same box (faults.md N4)."""

import random
import subprocess
import sys
import tempfile
import time

import paho.mqtt.client as paho

from host_tools import latency
from host_tools.mosquitto import Mosquitto

RATE = 1000
GOAL_P99_MS, GOAL_MOST_MS = 250, 1000
PAUSE_EVERY_S = 9  # of pausing, holding x1, the restart hold and offering again
WARM_S = 2


class Listener:
    """A second client with the same subscription: what it hears, the broker delivers to the box as well."""

    def __init__(self, port, box):
        version = paho.CallbackAPIVersion.VERSION2  # pyright: ignore[reportPrivateImportUsage]  as paho's own examples
        self.count = 0
        self.client = paho.Client(version, client_id="listener")
        self.client.on_message = self._heard
        self.client.connect("127.0.0.1", port)
        self.client.subscribe([(f"ebb/1/box/{box}/cmd", 0), (f"ebb/1/box/{box}/set/+", 0)])
        self.client.loop_start()

    def _heard(self, *_):
        self.count += 1

    def close(self):
        """Listen no more."""
        self.client.loop_stop()
        self.client.disconnect()


def flooded(port, box, for_s, seed):
    """The process that floods a box."""
    command = [sys.executable, "-m", "host_tools.flood", "--port", str(port), "--box", box]
    command += ["--rate", str(RATE), "--for-s", str(for_s), "--seed", str(seed)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def pauses(port, options, chance):
    """(latencies of options.flood pauses, messages heard, seconds of flood); None for a pause without an edge."""
    with tempfile.TemporaryDirectory() as folder:
        extra = ["--seed", str(options.seed), "--broker", f"127.0.0.1:{port}", "--data", folder + "/box"]
        box = latency.Box([*extra, "--runtime", options.runtime])
        listener = Listener(port, box.ready["box"])
        found = []
        try:
            box.call("/world", {"car": {"is_plugged": True, "wants_charge": False}})
            box.wait_world(latency.is_offering, "an offer")
            for_s = WARM_S + PAUSE_EVERY_S * options.flood
            begun_s = time.monotonic()
            flood = flooded(port, box.ready["box"], for_s, options.seed)
            time.sleep(WARM_S)
            for number in range(options.flood):
                box.wait_world(latency.is_offering, "an offer in the flood")
                time.sleep(chance.uniform(0.05, 0.5))
                found.append(box.pause(number))
            elapsed_s = time.monotonic() - begun_s
            heard = listener.count
            flood.terminate()
            flood.wait(10)
            return found, heard, min(elapsed_s, for_s)
        finally:
            listener.close()
            box.close()


def report(options):
    """Print the figures; True when every pause was obeyed in time."""
    chance = random.Random(options.seed)
    with tempfile.TemporaryDirectory() as folder:
        broker = Mosquitto(folder).start()
        try:
            found, heard, for_s = pauses(broker.port, options, chance)
        finally:
            broker.stop()
    print(f"flood_delivered: {heard} messages")
    print(f"flood_rate: {heard / for_s:.0f} messages/s")
    times = latency.figures("pause_to_x1_flood", found)
    return (
        bool(times)
        and len(times) == len(found)
        and times[-1] <= GOAL_MOST_MS
        and (latency.percentile(times, 990) <= GOAL_P99_MS)
    )
