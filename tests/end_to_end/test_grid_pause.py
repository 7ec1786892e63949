"""The main job on the real interpreter against a real broker: charge, pause, let go, open, and on by itself."""

import csv
import json
import re

from running import ROOT, RunningDemo, Subscriber, publish


def steps(heard):
    """[(id, step, reason)] of the acknowledgements heard."""
    found = [json.loads(payload) for topic, payload in heard.lines() if topic.endswith("/ack")]
    return [(ack["id"], ack["step"], ack["reason"]) for ack in found]


def state(heard):
    """The newest retained state heard."""
    return [json.loads(payload) for topic, payload in heard.lines() if topic.endswith("/state")][-1]


def value(heard, name):
    """The newest text heard of a plain scalar."""
    return [payload for topic, payload in heard.lines() if topic.endswith("/value/" + name)][-1]


def test_a_pause_from_a_real_broker(mosquitto, tmp_path):
    heard = Subscriber(mosquitto.port, "ebb/1/#")
    options = (
        "--broker",
        f"127.0.0.1:{mosquitto.port}",
        "--heap",
        "256k",
        "--no-page",
        "--data",
        str(tmp_path / "box"),
    )
    with RunningDemo(*options) as demo:
        demo.charge()
        topic = f"ebb/1/box/{demo.ready['box']}/cmd"
        since_ms = demo.world()["now_ms"]
        command = '{"id": "peak-1", "kind": "pause", "duration_s": 9}'
        publish(mosquitto.port, topic, command)
        x1_ms = demo.wait_edge("pilot_mode", "high", since_ms)
        publish(mosquitto.port, topic, command)
        off_ms = demo.wait_edge("coil", False, since_ms)
        # The car let go before the coil fell.
        let_go_ms = demo.wait_edge("current_ma", 0, x1_ms)
        assert x1_ms < let_go_ms < off_ms < x1_ms + 3000
        demo.wait(lambda: ("peak-1", "done", "") in steps(heard), "the pause ends by itself, and says so")
        assert 8.5 <= (demo.world()["now_ms"] - x1_ms) / 1000 <= 15
        # What the grid opened closes for the grid no sooner than a minute later (a toggling grid is damped); a car that
        # is plugged in anew need not wait.
        demo.wait(lambda: state(heard)["held_by"] == "damping", "the contactor rests")
        assert 30 <= state(heard)["held_for_s"] <= 60
        demo.world({"car": {"is_plugged": False}})
        # Half a second without the car ends what belonged to it; the scalar tells it at once, the whole state need not.
        demo.wait(lambda: value(heard, "held_by") != "damping", "the box sees that the car is gone")
        demo.charge()
        assert demo.wait_edge("coil", True, off_ms) > off_ms + 5000
        assert steps(heard).count(("peak-1", "received", "")) == 1
        assert ("peak-1", "duplicate", "") in steps(heard)
        assert steps(heard).index(("peak-1", "applied", "")) < steps(heard).index(("peak-1", "done", ""))
        publish(mosquitto.port, topic, "pause")
        demo.wait_edge("pilot_mode", "high", demo.world()["now_ms"] - 50)
        demo.wait(lambda: state(heard)["held_by"] == "grid", "the grid holds it")
        publish(mosquitto.port, topic, "resume")
        demo.wait(lambda: state(heard)["grid"]["events"] == [] and state(heard)["held_by"] == "damping", "it is lifted")
        assert state(heard)["box"] == demo.ready["box"] and "network" not in state(heard)
        console = (tmp_path / "box" / "console.txt").read_text()
        if demo.ready["runtime"] == "micropython":
            harness = int(re.findall(r"harness_heap: (\d+)", console)[-1])
            whole = int(re.findall(r"live_heap: (\d+)", console)[-1])
            budgets = {row["name"]: int(row["value"]) for row in csv.DictReader((ROOT / "docs" / "budgets.csv").open())}
            found = whole - harness - budgets["heap_keeping"]
            print(f"\nheap_control_running: {found} B (goal 98304 B, heap of 256 kB, harness and keeping apart)")
            # It is over its goal (docs/decisions/0018); it may not grow.
            assert found <= budgets["heap_control_running"] * 105 // 100
    demo_gone = [payload for name, payload in heard.lines() if name.endswith("/online")]
    heard.close()
    assert demo_gone[0] == "1"


def test_bad_commands_change_nothing_and_are_answered(mosquitto, tmp_path):
    heard = Subscriber(mosquitto.port, "ebb/1/box/garage/ack")
    with RunningDemo("--broker", f"127.0.0.1:{mosquitto.port}", "--data", str(tmp_path / "box")) as demo:
        demo.charge()
        since_ms = demo.world()["now_ms"]
        topic = "ebb/1/box/garage/cmd"
        for payload in (
            "nonsense",
            '{"id": "a", "kind": "pause", "duration_s": true}',
            '{"id": "b", "kind": "pause", "duration_s": 60, "id": "c"}',
            '{"id": "d", "kind": "fly", "duration_s": 60}',
            '{"id": "e", "kind": "pause", "duration_s": 60, "expires_at": 5}',
            '{"id": "f", "kind": "heartbeat", "failsafe_w": 1, "every_s": 60}',
            "x" * 1500,
        ):
            publish(mosquitto.port, topic, payload)
        publish(mosquitto.port, topic, "x" * 5000)
        publish(mosquitto.port, "ebb/1/box/garage/set/enable", "maybe")
        wanted = [
            ("", "rejected", "bad_json"),
            ("a", "rejected", "bad_field"),
            ("", "rejected", "bad_field"),
            ("d", "rejected", "unknown_kind"),
            ("e", "rejected", "expired"),
            ("f", "rejected", "not_allowed"),
            ("", "rejected", "too_big"),
        ]
        demo.wait(lambda: all(one in steps(heard) for one in wanted), lambda: f"{wanted} among {steps(heard)}")
        demo.wait(lambda: demo.status()["network"]["mqtt_is_connected"], "the connection is back after a monster", 60)
        names = {name for _, name, _ in demo.edges(since_ms)}
        assert "pilot_mode" not in names and "coil" not in names
        assert demo.status()["state"] == "charging"
    heard.close()
