"""The installation limit of a running box: what its owner may do alone, and what the whole of MQTT cannot do."""

import json

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
