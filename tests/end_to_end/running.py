"""A running demo and a real mosquitto for end-to-end tests: started on free ports, stopped by process id."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


def runtime():
    """The interpreter of the firmware: the real one, unless the whole run was told to go without."""
    return "cpython" if os.environ.get("EBB_WITHOUT_CHIP") else "micropython"


class Patience:
    """So many seconds of the clock that the box lives by, which stands while the PC is busy elsewhere."""

    WALL = 8  # times as long by the wall clock: a box that hangs is told

    def __init__(self, now_s, for_s):
        """now_s: function () of that clock."""
        self._now_s, self._for_s = now_s, for_s
        self._wall_s, self._begun_s = time.monotonic(), now_s()

    def lasts(self):
        """Whether there is some left."""
        wall_s = time.monotonic() - self._wall_s
        if wall_s < self._for_s:
            return True
        return wall_s < self.WALL * self._for_s and self._now_s() - self._begun_s < self._for_s


class RunningDemo:
    """`python3 -m host_tools demo --json` with its ports and calls."""

    def __init__(self, *options, uses=None):
        command = [sys.executable, "-m", "host_tools", "demo", "--json", "--no-browser", "--web", "0", "--bench", "0"]
        command += ["--mqtt", "0", "--runtime", uses or runtime(), *options]
        self.process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.speed = int(options[options.index("--speed") + 1]) if "--speed" in options else 1
        line = self.process.stdout.readline()
        assert line, self.process.stderr.read()
        self.ready = json.loads(line)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        self.process.wait(60)
        self.process.stdout.close()
        self.process.stderr.close()

    def call(self, where, path, body=None, **headers):
        """(status, body) of a JSON call to "web" or "bench"; GET without a body."""
        method = headers.pop("method", "GET" if body is None else "POST")
        encoded = None if body is None else (body if isinstance(body, bytes) else json.dumps(body).encode())
        request = urllib.request.Request(self.ready[where].rstrip("/") + path, encoded, method=method)
        request.add_header("Content-Type", "application/json")
        for name, value in headers.items():
            request.add_header(name.replace("_", "-"), value)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read() or b"null")

    def world(self, change=None):
        """GET or POST /world."""
        status, body = self.call("bench", "/world", change)
        assert status == 200, body
        return body

    def status(self):
        """GET /api/status as the demo's owner."""
        status, body = self.call("web", "/api/status", Authorization="Bearer " + self.ready["owner_token"])
        assert status == 200, body
        return body

    def edges(self, since_ms=0):
        """[(at_ms, name, value)] of /trace."""
        _, body = self.call("bench", f"/trace?since_ms={since_ms}")
        return [(edge["at_ms"], edge["name"], edge["value"]) for edge in body["edges"]]

    def wait(self, is_reached, words, for_s=30):
        """What is_reached() gives once it is true; an error with the trace else. words: or a function of no values."""
        patience = Patience(lambda: self.world()["now_ms"] / 1000 / self.speed, for_s)
        while patience.lasts():
            found = is_reached()
            if found:
                return found
            time.sleep(0.1)
        words = words() if callable(words) else words
        raise AssertionError(f"not within {for_s} s: {words}; edges {self.edges()[-12:]}; {self.last_words()}")

    def last_words(self):
        """What the box says of itself, for whoever reads why it waits."""
        try:
            return self.status()
        except (AssertionError, OSError) as error:
            return repr(error)

    def live(self, for_s):
        """Let so many seconds of the box's own clock pass."""
        end_ms = self.world()["now_ms"] + for_s * 1000
        self.wait(lambda: self.world()["now_ms"] >= end_ms, "time passes", for_s / self.speed + 5)

    def wait_edge(self, name, value, since_ms=0, for_s=30):
        """Moment in ms of the first such edge since since_ms."""

        def found():
            for at_ms, edge, level in self.edges(since_ms):
                if edge == name and level == value:
                    return (at_ms,)
            return None

        return self.wait(found, f"{name} {value}", for_s)[0]

    def charge(self):
        """Plug in and wait until current flows."""
        self.world({"car": {"is_plugged": True}})
        self.wait(lambda: max(self.world()["currents_ma"]) > 5000, "current flows")


def publish(port, topic, payload, *options):
    """Send with mosquitto_pub, as a person at the grid would."""
    command = ["mosquitto_pub", "-h", "127.0.0.1", "-p", str(port), "-t", topic, "-m", payload, "-q", "1", *options]
    subprocess.run(command, check=True, timeout=60)


class Subscriber:
    """mosquitto_sub in the background; lines are (topic, payload)."""

    def __init__(self, port, topic):
        command = ["mosquitto_sub", "-h", "127.0.0.1", "-p", str(port), "-t", topic, "-v", "-q", "1"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        os.set_blocking(self.process.stdout.fileno(), False)
        self.text = ""

    def lines(self):
        """Everything heard so far."""
        try:
            self.text += os.read(self.process.stdout.fileno(), 1 << 20).decode()
        except BlockingIOError:
            pass
        return [tuple(line.split(" ", 1)) for line in self.text.splitlines() if " " in line]

    def close(self):
        """Stop listening."""
        self.process.terminate()
        self.process.wait(10)
        self.process.stdout.close()
