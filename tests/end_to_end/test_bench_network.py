"""The bench's faults of the network do what they say, and the car charges on through each of them."""

import json
import socket
import time
import urllib.error

import pytest
from running import RunningDemo, publish

TOPIC = "ebb/1/box/garage/cmd"


@pytest.fixture
def demo(mosquitto, tmp_path):
    options = ("--broker", f"127.0.0.1:{mosquitto.port}", "--broker-name", "broker.example")
    with RunningDemo(*options, "--data", str(tmp_path / "box")) as made:
        made.port = mosquitto.port
        yield made


def fault(demo, **faults):
    demo.world({"faults": faults})


def network(demo):
    return demo.status()["network"]


def is_page_there(demo):
    """Whether the page answers within 2 s."""
    host, port = demo.ready["web"].rstrip("/").removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), 2) as link:
        link.settimeout(2)
        link.sendall(b"GET /healthz HTTP/1.0\r\n\r\n")
        try:
            return b"200" in link.recv(100)
        except TimeoutError:
            return False


def opened_since(demo, since_ms):
    return [value for _, name, value in demo.edges(since_ms) if name == "coil"]


def test_each_fault_of_the_network(demo):
    demo.charge()
    begun_ms = demo.world()["now_ms"]
    demo.wait(lambda: network(demo)["mqtt_is_connected"], "the broker is found by its name")
    # The broker dies: told at once, charging goes on, and it is found again.
    fault(demo, broker_down=True)
    demo.wait(lambda: not network(demo)["mqtt_is_connected"], "the loss is told", 5)
    publish(demo.port, TOPIC, json.dumps({"id": "late", "kind": "limit", "limit_ma": 8000, "duration_s": 60}))
    demo.live(2)
    assert demo.world()["pins"]["duty_permille"] > 150
    fault(demo, broker_down=False)
    demo.wait(lambda: network(demo)["mqtt_is_connected"], "the broker is back", 40)
    demo.wait(lambda: demo.world()["pins"]["duty_permille"] <= 133, "what waited at the broker is obeyed", 10)
    # Wi-Fi goes: nothing gets through in either way, not even the page; what was sent arrives with it.
    assert is_page_there(demo)
    fault(demo, wifi_down=True)
    assert not is_page_there(demo)
    publish(demo.port, TOPIC, json.dumps({"id": "held", "kind": "pause", "duration_s": 60, "resume": "now"}))
    demo.live(2)
    assert opened_since(demo, begun_ms) == []
    back_ms = demo.world({"faults": {"wifi_down": False}})["now_ms"]
    demo.wait_edge("pilot_mode", "high", back_ms, 5)
    demo.wait_edge("coil", False, back_ms, 10)
    assert is_page_there(demo)


def test_a_clock_that_is_wrong_and_names_that_nobody_knows(demo):
    demo.charge()
    demo.wait(lambda: network(demo)["mqtt_is_connected"], "the broker is found by its name")
    begun_ms = demo.world()["now_ms"]
    now_s = time.time()
    fault(demo, clock_wrong=True)
    demo.wait(lambda: demo.status()["clock"]["wall_s"] > now_s + 600_000_000, "20 years ahead", 15)
    publish(demo.port, TOPIC, json.dumps({"id": "x", "kind": "pause", "duration_s": 60, "expires_at": int(now_s) + 99}))
    demo.live(1)
    assert opened_since(demo, begun_ms) == [], "that command is twenty years too old"
    fault(demo, clock_wrong=False)
    demo.wait(lambda: abs(demo.status()["clock"]["wall_s"] - now_s) < 3600, "right again", 15)
    assert opened_since(demo, begun_ms) == []
    # A box that starts while no name server answers: it charges, and finds its broker when one does.
    fault(demo, dns_dead=True)
    assert demo.call("bench", "/power", {"is_on": False})[0] == 200
    assert demo.call("bench", "/power", {"is_on": True})[0] == 200

    def told():
        try:
            return "no name server answers for broker.example" in network(demo)["mqtt_words"]
        except (OSError, urllib.error.URLError):
            return False

    demo.wait(told, "nobody knows the name", 40)
    token = "Bearer " + demo.ready["owner_token"]
    assert demo.call("web", "/api/command", {"kind": "charge_now"}, Authorization=token)[0] == 202
    demo.charge()
    fault(demo, dns_dead=False)
    demo.wait(lambda: network(demo)["mqtt_is_connected"], "the broker is found", 60)
    assert demo.status()["state"] == "charging"
