"""The part of `device prove` that asks the running firmware: lateness of its tick under load, TLS, Wi-Fi, writes.

The firmware measures itself and answers over the cable (firmware/services/cable_proof.py); no car may be plugged in.
"""

import socket
import time
import urllib.error
import urllib.request

import serial

from firmware.services import control_loop
from firmware.wire import memory_floor
from host_tools.device import prove_report as report
from host_tools.device import watch
from host_tools.device.esptool_call import Trouble
from host_tools.device.settings import Box

SETTLE_S = 10  # until every service is loaded
REST_S, FLOOD_S = 10, 10
FETCHES, WRITES = 20, 5
FETCH_S, REACHED_S = 10, 5
NOTHING = "Nothing was measured."
AWAY_S = 120  # for an answer that comes once the box is back
P99_MS, MOST_MS = 20, 100  # goals of host_tools/sessions.py, there with the coil on
BACK_MS = 60_000  # goal of host_tools/rejoin.py
FLOOD_EVERY_S = 0.005
GOAL = "the project's goal"


def place_of(text, option):
    """(host, port) of a text. Errors: Trouble."""
    host, _, port = text.rpartition(":")
    if not host or not port.isascii() or not port.isdigit() or not 0 < int(port) < 65536:
        raise Trouble(f"{option} wants HOST:PORT, not '{text}'. {NOTHING}", code=2)
    return host, int(port)


def check(page, broker):
    """Refuse what cannot be, before the firmware is stopped. Errors: Trouble."""
    if page is not None:
        place_of(page, "--page")
    if broker is not None:
        try:
            socket.create_connection(place_of(broker, "--broker"), REACHED_S).close()
        except OSError as error:
            raise Trouble(f"no broker answers at {broker} ({error.strerror or error}). {NOTHING}", code=2) from None


def expanded(counts):
    """[ms] of a row of counts, each as the least of its step."""
    return [index * control_loop.LATE_STEP_MS for index, count in enumerate(counts) for _ in range(count)]


class Running:
    """Figures of a box that runs, through what proof adds and skips."""

    def __init__(self, box, proof, page, broker):
        """box: Box of settings.py; proof: has figures and skip(what, why); page, broker: "host:port" or None."""
        self._box, self._proof = box, proof
        self._page, self._broker = page, broker

    def _asked(self, what, for_s=15):
        """What the box tells. Errors: Trouble."""
        values, refusal = self._box.ask({"prove": what}, for_s)
        if refusal:
            raise Trouble(f"the box does not answer to this: {refusal['words'] or refusal['code']}.")
        return values.get("prove")

    def _late(self, when, work):
        """Lateness of the tick while work() is done; where that gives a reason, it was not asked."""
        what = f"lateness of the tick, {when}"
        self._asked("late")
        why = work()
        if why:
            self._proof.skip(what, why)
            return
        found = sorted(expanded(self._asked("late")))
        self._proof.figures.append(report.figure(what, "ms", found, (MOST_MS, GOAL)))
        row = [found[len(found) * 99 // 100]]
        self._proof.figures.append(report.figure(f"lateness of 99 in 100 ticks, {when}", "ms", row, (P99_MS, GOAL)))

    def make(self):
        """Ask everything. Errors: Trouble."""
        time.sleep(SETTLE_S)
        self._late("at rest", lambda: time.sleep(REST_S))
        self._late("with writes", self._write)
        self._late("with the page", self._fetch)
        self._late("with MQTT", self._flood)
        self._late("with the broker anew", self._reconnect)
        memory = self._asked("memory")
        if memory is None:
            self._proof.skip("memory after a connection to the broker", "this interpreter does not tell it")
        else:
            floor = (memory_floor.LEAST_B, "the firmware's floor")
            self._proof.figures.append(
                report.figure("IDF least free, after all of that", "B", [memory[2]], floor, True)
            )
        back_ms = self._asked("wifi", AWAY_S)
        what = "Wi-Fi again after it was left"
        if back_ms is None:
            self._proof.skip(what, "the box is in no Wi-Fi, or did not find it again in 90 s")
        else:
            self._proof.figures.append(report.figure(what, "ms", [back_ms], (BACK_MS, GOAL)))

    def _write(self):
        found = [self._asked("write") for _ in range(WRITES)]
        if None in found:
            return "the box could not store its settings ('device doctor' says why), or did 20 times since its start"
        self._proof.figures.append(report.figure("settings stored once more", "ms", found))
        return None

    def _fetch(self):
        where = self._page
        if where is None:
            told = self._asked("page")
            if not told or not told[0]:
                return "the box serves no page, or is in no Wi-Fi; --page says where it is"
            where = f"{told[0]}:{told[1]}"
        found = []
        for _ in range(FETCHES):
            begun_s = time.monotonic()
            try:
                with urllib.request.urlopen(f"http://{where}/", timeout=FETCH_S) as answer:
                    answer.read()
            except (OSError, ValueError) as error:
                if isinstance(error, urllib.error.HTTPError):
                    continue  # a board without the page's file answers all the same
                return "its page cannot be reached from this PC; --page says where it is"
            found.append(round((time.monotonic() - begun_s) * 1000))
        if found:
            self._proof.figures.append(report.figure("the page, whole", "ms", found))
        return None

    def _flood(self):
        if self._broker is None:
            return "--broker says where the box's broker is"
        import paho.mqtt.client as paho
        from paho.mqtt.enums import CallbackAPIVersion

        host, port = place_of(self._broker, "--broker")
        client = paho.Client(CallbackAPIVersion.VERSION2)
        try:
            client.connect(host, port)
        except OSError:
            return "that broker cannot be reached from this PC"
        client.loop_start()
        end_s = time.monotonic() + FLOOD_S
        while time.monotonic() < end_s:
            client.publish("ebb/1/all/cmd", "nonsense", 0)  # refused by each box that hears it
            time.sleep(FLOOD_EVERY_S)
        client.disconnect()
        client.loop_stop()
        return None

    def _reconnect(self):
        back_ms = self._asked("mqtt", AWAY_S)
        if back_ms is None:
            return "the box has no broker, or did not find it again in 90 s"
        self._proof.figures.append(report.figure("the broker again", "ms", [back_ms]))
        return None


def make(port, proof, page, broker):
    """Add what the running firmware tells to a proof. Errors: Trouble."""
    line = watch.opened(port)
    try:
        Running(Box(line), proof, page, broker).make()
    except (OSError, serial.SerialException) as error:
        raise Trouble(f"the board's line broke off ({error}).") from None
    finally:
        watch.close(line)
