"""The retained state follows the car also where no state of the box changes, and a loose plug floods nobody."""

import json

from test_mqtt_changes_no_setting import App

from firmware.core.records import Event
from firmware.services.mqtt_client import MqttConfig
from firmware.services.mqtt_service import MqttService
from host_tools.sim.box import Box

REST = {"session": None, "currents_ma": [0, 0, 0], "faults": [], "held_by": "", "held_until": 0}
REST |= dict.fromkeys(("power_w", "energy_wh", "limit_ma", "offered_ma"), 0)


class Client:
    """Takes what is published; connected all the time."""

    is_connected = True

    def __init__(self):
        self.states = []

    def status(self):
        return self

    def publish(self, topic, payload, qos, is_retained):
        if topic.endswith("/state"):
            assert is_retained and qos == 1
            self.states.append(json.loads(payload)["letter"])


class Told(App):
    """An App whose state is its letter."""

    letter = "B"

    def status(self, is_owner):
        return {**REST, "letter": self.letter}


def started():
    """(box, app, service, client) a second after its first state."""
    box = Box("polite", 0)
    app = Told(box)
    service = MqttService(MqttConfig("", 0, "a", None, 20, None, b"", 2304, 300), app)
    client = service.client = Client()
    box.run_ms(1000)
    service._tell()
    box.run_ms(1100)
    service._tell()
    assert client.states == ["B"]
    return box, app, service, client


def test_a_car_that_leaves_a_faulted_box_is_told_within_a_second():
    box, app, service, client = started()
    app.letter = "A"
    service.events((Event("letter", ("B", "A")),))
    for _ in range(20):
        box.run_ms(50)
        service._tell()
    assert client.states == ["B", "A"]


def test_a_loose_plug_is_told_once_a_second():
    box, _, service, client = started()
    begun_ms = box.now_ms()
    for _ in range(200):
        service.events((Event("letter", ("B", "A")), Event("letter", ("A", "B"))))
        box.run_ms(50)
        service._tell()
    for_s = (box.now_ms() - begun_ms) // 1000
    assert for_s - 1 <= len(client.states) - 1 <= for_s + 1
