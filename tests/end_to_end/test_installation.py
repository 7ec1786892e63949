"""The installation limit of a running box: what its owner may do alone, and what the whole of MQTT cannot do."""

import json
import time

from running import RunningDemo, publish


def test_the_limit_is_lowered_by_the_owner_and_raised_by_nobody_from_afar(mosquitto, tmp_path):
    with RunningDemo("--broker", f"127.0.0.1:{mosquitto.port}", "--data", str(tmp_path / "box")) as demo:
        token = {"Authorization": "Bearer " + demo.ready["owner_token"]}
        code = demo.ready["installer_code"]

        def patched(**changes):
            status, told = demo.call("web", "/api/settings", changes, method="PATCH", **token)
            return status, told.get("code", told.get("wiring_limit_ma"))

        assert patched(wiring_limit_ma=10_000) == (200, 10_000)
        assert patched(wiring_limit_ma=10_100) == (403, "code")
        assert patched(wiring_limit_ma=10_100, installer_code=code) == (403, "button")
        assert patched(is_ventilated=True, installer_code=code) == (403, "button")
        assert patched(wiring_limit_ma=5900, installer_code=code) == (400, "bad_setting")
        assert demo.call("web", "/api/settings", {"wiring_limit_ma": 6000}, method="PATCH")[0] == 401
        demo.charge()
        for topic, payload in (
            ("set/wiring_limit_ma", "32000"),
            ("set/max_current_ma", "32000"),
            ("settings", json.dumps({"wiring_limit_ma": 32_000, "installer_code": code})),
            ("cmd", json.dumps({"id": "a", "kind": "limit", "limit_ma": 32_000, "duration_s": 60})),
            ("cmd", json.dumps({"id": "b", "kind": "settings", "wiring_limit_ma": 32_000, "installer_code": code})),
        ):
            publish(mosquitto.port, "ebb/1/box/garage/" + topic, payload)
        since_ms = demo.world()["now_ms"]
        publish(mosquitto.port, "ebb/1/box/garage/cmd", "pause")
        demo.wait_edge("pilot_mode", "high", since_ms)  # so all that came before it has arrived as well
        status, shown = demo.call("web", "/api/settings", **token)
        assert (status, shown["wiring_limit_ma"], shown["is_ventilated"]) == (200, 10_000, False)
        assert "installer_code" not in shown
        offers = [value for _, name, value in demo.edges() if name == "duty_permille"]
        assert max(duty for duty in offers if duty < 1000) == 166, "10 A; 1000 is x1"
    stored = json.loads((tmp_path / "box" / "settings.json").read_text())
    assert stored["wiring_limit_ma"] == 10_000
    assert code not in (tmp_path / "box" / "config.json").read_text()


def test_the_installer_at_the_box_raises_it(tmp_path):
    with RunningDemo("--data", str(tmp_path / "box")) as demo:
        token = {"Authorization": "Bearer " + demo.ready["owner_token"]}

        def patched(code):
            wanted = {"wiring_limit_ma": 20_000, "installer_code": code}
            status, told = demo.call("web", "/api/settings", wanted, method="PATCH", **token)
            return status, told.get("code", told.get("wiring_limit_ma"))

        assert patched(demo.ready["installer_code"]) == (403, "button")
        demo.world({"panel": {"button_is_pressed": True}})
        time.sleep(0.3)
        demo.world({"panel": {"button_is_pressed": False}})
        time.sleep(0.3)
        assert patched("guessed") == (403, "code")
        assert patched(demo.ready["installer_code"]) == (429, "wait")
        # Nobody else waits: neither the owner's login nor what the owner may change.
        assert demo.call("web", "/api/login", {"password": demo.ready["owner_password"]})[0] == 200
        demo.wait(lambda: patched(demo.ready["installer_code"]) == (200, 20_000), "the right code after its wait", 10)
    assert json.loads((tmp_path / "box" / "settings.json").read_text())["wiring_limit_ma"] == 20_000
