"""The system clock on a virtual chip that begins in 2000: an encrypted broker, a time server, power cuts, a browser."""

import contextlib
import http.client
import json
import shutil
import time

import pytest
from chips import RunningChip, free_port
from name_server import UdpServer, ntp_reply, silent

from firmware.wire import ntp
from host_tools.certificates import certificates
from host_tools.device import build, install
from host_tools.device.prompt import Prompt
from host_tools.mosquitto import Mosquitto
from host_tools.sim import rtc_file
from host_tools.sim.fake_machine import UNTIL_2000_S
from host_tools.sim.serial_chip import ACCESS_POINTS

pytestmark = pytest.mark.needs_chip
IN_2000 = "the certificate validity starts in the future"
SETTINGS = {"wifi_ssid": ACCESS_POINTS[0][0], "wifi_password": ACCESS_POINTS[0][1]}
TIME_SERVER = "127.0.0.9"


@pytest.fixture(scope="module")
def flashed(tmp_path_factory):
    """Folder of the flash of a chip with the firmware and a joined Wi-Fi, and the /box.json on it."""
    folder = tmp_path_factory.mktemp("flashed") / "chip"
    box = {"box": "garage", "owner_token": "t", "web_host": "127.0.0.1", "web_port": free_port()}
    box.update({"ntp_hosts": [TIME_SERVER], "ntp_port": free_port()})
    with RunningChip(folder) as chip, Prompt(chip.port) as prompt:
        install.install(prompt, build.made("reference").files, lambda path, number, of: None)
        prompt.put("/box.json", json.dumps(box).encode())
        prompt.soft_reset()  # boot.py mounts /data
        prompt.put("/data/settings.json", json.dumps(SETTINGS).encode())
    return folder, box


class ClockBox:
    """A chip at the moment of power-on, its encrypted broker and its time server, which is silent until told."""

    def __init__(self, flashed, folder, speed=1):
        shutil.copytree(flashed[0], folder / "chip")
        self.folder, self.box, self.speed = folder, dict(flashed[1]), speed
        self.times = UdpServer(lambda payload: self.reply(payload), TIME_SERVER, self.box["ntp_port"])
        self.reply = silent

    def __enter__(self):
        authority, certificate, key = certificates(self.folder, "localhost")
        lines = ("allow_anonymous true", f"certfile {certificate}", f"keyfile {key}")
        self._kept = contextlib.ExitStack()
        broker = Mosquitto(self.folder, lines).start()
        self._kept.callback(broker.stop)
        self._kept.enter_context(self.times)
        self.box.update({"mqtt_host": "localhost", "mqtt_port": broker.port, "mqtt_ca_path": "/ca.der"})
        self.chip = self._kept.enter_context(RunningChip(self.folder / "chip", speed=self.speed))
        with Prompt(self.chip.port) as prompt:
            prompt.put("/ca.der", authority)
            prompt.put("/box.json", json.dumps(self.box).encode())
        self.power_cut()
        return self

    def __exit__(self, *_):
        self._kept.close()

    def power_cut(self):
        """The supply goes and comes: the chip's clock is in 2000 again."""
        self.chip.power_cut()
        self.chip.wait_runs()

    def call(self, method, path, body=None, token="t"):
        """(status, JSON) of a call to the page."""
        line = http.client.HTTPConnection("127.0.0.1", self.box["web_port"], timeout=20)
        headers = {"Authorization": "Bearer " + token, "Content-Type": "application/json"}
        line.request(method, path, None if body is None else json.dumps(body), headers)
        answer = line.getresponse()
        return answer.status, json.loads(answer.read())

    def status(self):
        """GET /api/status, {} while the page does not answer."""
        try:
            return self.call("GET", "/api/status")[1]
        except OSError:
            return {}

    def broker_words(self):
        """What the page says of the broker."""
        return self.status().get("network", {}).get("mqtt_words", "")

    def wait_connected(self, for_s=30):
        """Until the broker has greeted the box."""
        self.chip.wait(lambda: self.broker_words() == "Connected to the broker.", "the encrypted broker", for_s)

    def wait_refused(self):
        """Until TLS has refused the certificate as one of the future."""
        self.chip.wait(lambda: IN_2000 in self.broker_words().lower(), IN_2000, 30)

    def notices(self):
        """Sentences on the owner's page."""
        return [words for words, _ in self.status().get("network", {}).get("notices", [])]

    def chip_s(self):
        """What the chip's own clock tells."""
        return rtc_file.wall_s(self.chip.chip.rtc)


def test_the_certificate_is_refused_before_the_time_and_accepted_right_after(flashed, tmp_path):
    with ClockBox(flashed, tmp_path) as box:
        box.wait_refused()
        assert ntp.BUILT_S <= box.chip_s() < ntp.BUILT_S + 600, "the floor from the build"
        assert not box.status()["clock"]["is_set"]
        box.reply = ntp_reply()
        box.wait_connected()
        assert abs(box.chip_s() - time.time()) < 120
        assert abs(box.status()["clock"]["wall_s"] - time.time()) < 120


def test_the_time_is_asked_for_right_after_joining(flashed, tmp_path):
    with ClockBox(flashed, tmp_path) as box:
        box.reply = ntp_reply()
        begun_s = time.monotonic()
        box.power_cut()
        box.chip.wait(lambda: box.status().get("clock", {}).get("is_set"), "the time", 30)
        print("time_after_power_on: %.1f s" % (time.monotonic() - begun_s))
        box.wait_connected(15)


def test_the_last_known_time_is_enough_after_a_power_cut_and_nothing_earlier_is_believed(flashed, tmp_path):
    with ClockBox(flashed, tmp_path, speed=3) as box:
        box.reply = ntp_reply()
        box.wait_connected()
        box.chip.live(75)  # in the first minute after a start nothing is written that can wait
        box.reply = silent
        box.power_cut()
        box.wait_connected()
        assert not box.status()["clock"]["is_set"]
        assert time.time() - 300 < box.chip_s() < time.time() + 300
        assert box.status()["clock"]["quality"] == "never"
        box.reply = ntp_reply(ntp.BUILT_S + 60)
        box.chip.wait(lambda: any("earlier time" in words for words in box.notices()), "an earlier time is told", 120)
        assert not box.status()["clock"]["is_set"] and box.chip_s() > time.time() - 300
        assert box.call("POST", "/api/time", {"wall_s": int(time.time())}, token="wrong")[0] == 401
        assert not box.status()["clock"]["is_set"]
        status, said = box.call("POST", "/api/time", {"wall_s": ntp.BUILT_S - 1})
        assert (status, said["code"]) == (409, "early_time")
        assert box.call("POST", "/api/time", {"wall_s": "now"})[0] == 400, "and no browser"
        box.reply = silent  # it would tell the earlier time again
        now_s = int(time.time())
        assert box.call("POST", "/api/time", {"wall_s": now_s}) == (200, {"is_taken": True})
        assert abs(box.status()["clock"]["wall_s"] - now_s) < 60
        box.chip.wait(lambda: box.status() and box.notices() == [], "the notice is gone", 20)


def test_a_false_year_2090_neither_counts_nor_ends_every_start_after_it(flashed, tmp_path):
    """Whoever answers for the time server may say anything; MicroPython 1.24 reckons no date beyond 2068."""
    with ClockBox(flashed, tmp_path, speed=3) as box:
        box.wait_refused()
        now_s = int(time.time())
        assert box.call("POST", "/api/time", {"wall_s": now_s}) == (200, {"is_taken": True})
        asked = []
        box.reply = lambda payload: asked.append(1) or ntp_reply(3_790_000_000)(payload)
        box.chip.wait(lambda: asked, "the time is asked for", 120)
        box.chip.live(75)  # in the first minute after a start nothing is written that can wait
        assert abs(box.status()["clock"]["wall_s"] - now_s) < 600
        box.power_cut()
        box.wait_connected(60)
        assert abs(box.chip_s() - now_s) < 600


def test_the_clock_goes_on_over_a_restart_that_is_no_power_cut(flashed, tmp_path):
    with ClockBox(flashed, tmp_path) as box:
        box.reply = ntp_reply()
        box.wait_connected()
        box.reply = silent
        with Prompt(box.chip.port) as prompt:
            prompt.restart()
        box.chip.wait(lambda: len(box.chip.chip.resets) > 2, "a restart")
        box.chip.wait_runs()
        box.wait_connected()
        assert not box.status()["clock"]["is_set"] and abs(box.chip_s() - time.time()) < 120


def test_a_chip_of_which_nobody_sets_the_clock_lives_in_2000(tmp_path):
    with RunningChip(tmp_path) as chip, Prompt(chip.port) as prompt:
        asked = "import time, machine\nprint(machine.RTC().datetime()[:5], time.gmtime()[:4], time.time() < 100)"
        assert prompt.run(asked).strip() == "(2000, 1, 1, 5, 0) (2000, 1, 1, 0) True"
        prompt.run("import machine\nmachine.RTC().datetime((2027, 3, 1, 0, 12, 30, 5, 0))")
        found = prompt.run("import time, machine\nprint(machine.RTC().datetime()[:6], time.gmtime()[:5])").strip()
        assert found == "(2027, 3, 1, 0, 12, 30) (2027, 3, 1, 12, 30)"
        assert rtc_file.wall_s(chip.chip.rtc) > UNTIL_2000_S + 27 * 365 * 86_400
