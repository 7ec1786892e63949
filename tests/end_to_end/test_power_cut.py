"""The plug is pulled on the running firmware: a grid pause holds on, its id stays known, the settings stay."""

import json
import time
import urllib.request

from running import RunningDemo, Subscriber, publish

from firmware.wire.ledger_record import Head, Quarter, Session, packed_head, packed_quarter, packed_session

TOTAL_WH = 1_234_567


def steps(heard):
    """[(id, step)] of the acknowledgements heard."""
    found = [json.loads(payload) for topic, payload in heard.lines() if topic.endswith("/ack")]
    return [(ack["id"], ack["step"]) for ack in found]


def cut(demo):
    """Power off, and on again after a moment; the page answers again."""
    for is_on in (False, True):
        assert demo.call("bench", "/power", {"is_on": is_on})[0] == 200
        time.sleep(0.5)

    def answers():
        try:
            return demo.status()
        except (OSError, AssertionError):
            return None

    return demo.wait(answers, "the page answers after the cut", 60)


def test_a_pause_outlives_the_plug(mosquitto, tmp_path):
    heard = Subscriber(mosquitto.port, "ebb/1/#")
    with RunningDemo("--broker", f"127.0.0.1:{mosquitto.port}", "--data", str(tmp_path / "box")) as demo:
        token = {"Authorization": "Bearer " + demo.ready["owner_token"]}
        assert demo.call("web", "/api/settings", {"wiring_limit_ma": 13_000}, method="PATCH", **token)[0] == 200
        demo.charge()
        topic = f"ebb/1/box/{demo.ready['box']}/cmd"
        command = '{"id": "peak-7", "kind": "pause", "duration_s": 3000}'
        publish(mosquitto.port, topic, command)
        demo.wait(lambda: ("peak-7", "applied") in steps(heard), "the pause is obeyed")
        time.sleep(0.5)
        status = cut(demo)
        assert [event["id"] for event in status["grid"]["events"]] == ["peak-7"]
        assert demo.call("web", "/api/settings", **token)[1]["wiring_limit_ma"] == 13_000
        assert status["network"]["notices"] == [] and status["wear"]["operations"] == 1
        demo.wait(lambda: demo.status()["network"]["mqtt_is_connected"], "the broker is back", 60)
        publish(mosquitto.port, topic, command)
        demo.wait(lambda: ("peak-7", "duplicate") in steps(heard), "the same id is known")
        assert not demo.world()["pins"]["is_coil_on"]
        # A restart is no way around it, and its end is no new one: resumed by its issuer, the car may charge.
        publish(mosquitto.port, topic, "resume")
        demo.wait(lambda: demo.status()["grid"]["events"] == [], "it is lifted")
    heard.close()


def test_damaged_settings_are_said_on_the_page_and_a_backup_goes_round(tmp_path):
    folder = tmp_path / "box"
    folder.mkdir()
    (folder / "settings.json").write_text('{"wiring_limit_ma": 16000')
    with RunningDemo("--data", str(folder)) as demo:
        notices = demo.status()["network"]["notices"]
        assert len(notices) == 1 and "6 A" in notices[0][0], notices
        token = {"Authorization": "Bearer " + demo.ready["owner_token"]}
        shown = demo.call("web", "/api/settings", **token)[1]
        assert (shown["wiring_limit_ma"], shown["locked_until_allowed"]) == (6000, True)
        status, backup = demo.call("web", "/api/backup", **token)
        assert status == 200 and backup["settings"]["wiring_limit_ma"] == 6000
        assert demo.call("web", "/api/backup")[0] == 401
        assert demo.call("web", "/api/backup", {**backup, "crc": "0"}, **token)[1]["code"] == "bad_backup"
        status, told = demo.call("web", "/api/backup", backup, **token)
        assert (status, told["left_out"]) == (200, []) and told["words"].endswith("in force.")
        demo.world({"car": {"is_plugged": True}})
        demo.wait(lambda: demo.status()["held_by"] == "lock", "no car charges before its owner allows it")


def lived(folder):
    """Let the box have charged before: three sessions, a quarter hour, and one session that goes on."""
    folder.mkdir()
    minutes = (0,) * 15
    for name, octets in (
        ("sessions-0.bin", b"".join(packed_session(Session(n, 1 + n, 2 + n, 60, n, 0, n + 1, 0)) for n in range(3))),
        ("quarters-0.bin", packed_quarter(Quarter(0, 1_994_640, TOTAL_WH, 0, (*minutes[1:], 90_000)))),
        (
            "ledger-0.bin",
            packed_head(Head(8, 1, TOTAL_WH - 90, 0, 3, TOTAL_WH - 5000, 0, 1, 60, 0, 1_994_640, minutes)),
        ),
    ):
        (folder / name).write_bytes(octets)


def test_the_button_held_for_ten_seconds_resets_the_running_box(tmp_path):
    folder = tmp_path / "box"
    lived(folder)
    with RunningDemo("--data", str(folder)) as demo:
        token = {"Authorization": "Bearer " + demo.ready["owner_token"]}
        assert len(demo.call("web", "/api/sessions", **token)[1]["sessions"]) >= 3
        assert demo.status()["energy_wh"] == TOTAL_WH
        assert (
            demo.call("web", "/api/settings", {"restart_spread_s": 7, "groups": "a"}, method="PATCH", **token)[0] == 200
        )
        demo.charge()
        demo.world({"panel": {"button_is_pressed": True}})
        demo.live(12)
        demo.world({"panel": {"button_is_pressed": False}})

        def spread_s():
            try:
                return demo.call("web", "/api/settings", **token)[1].get("restart_spread_s")
            except (OSError, ValueError):
                return None

        demo.wait(lambda: spread_s() == 600, "the box has started anew, with the factory's settings", 60)
        assert demo.call("web", "/api/settings", **token)[1]["groups"] == ""
        assert not (folder / "settings.json").exists() and not (folder / "settings.old").exists()
        assert demo.status()["wear"]["hot_openings"] == 0
        # What is personal of the energy has gone too; the meter's total goes on.
        assert demo.call("web", "/api/sessions", **token)[1]["sessions"] == []
        found = demo.call("web", "/api/energy", **token)[1]
        assert (found["undated_mwh"], found["unreadable"]) == (0, 0)
        assert sum(one["mwh"] for one in found["energy"]) < 1_000_000, "what has flowed since the reset"
        assert TOTAL_WH <= demo.status()["energy_wh"] < TOTAL_WH + 1000
        session = demo.status()["session"]
        assert session is None or session["wh"] < 1000
        log = urllib.request.Request(demo.ready["web"].rstrip("/") + "/api/log?stream=security", headers=token)
        with urllib.request.urlopen(log, timeout=30) as answer:
            assert [line.split()[2] for line in answer.read().decode().splitlines()][:2] == ["start", "reset"]
        demo.wait(lambda: demo.world()["pins"]["is_coil_on"], "a new owner's car charges", 60)
