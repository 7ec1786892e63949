"""Without a network the car charges on local rules, and what the grid asked for runs to its end (faults.md N1, N2)."""

import asyncio

from test_services_fail import whole

from host_tools.sim import fake_machine

BACK_MS = 60_000  # faults.md N1


def offered(box):
    return box.plant.pilot_mode == "pwm"


def test_wifi_that_flaps_and_comes_back(monkeypatch, tmp_path):
    resets = []
    monkeypatch.setattr(fake_machine, "reset", lambda: resets.append(1), raising=False)

    async def story(box):
        box.change(car={"is_plugged": True})
        await box.until(lambda: max(box.plant.currents_ma) > 5000, "charging")
        await box.until(lambda: box.app.connections.wifi.status().state == "joined", "on the Wi-Fi")
        box.plant.edges.clear()
        joins = len(box.air.joins)
        box.air.faults["flapping"] = True
        await asyncio.sleep(240)
        tried = len(box.air.joins) - joins
        box.air.faults.update(flapping=False, down=True)
        await asyncio.sleep(180)
        box.air.faults["down"] = False
        back_ms = box.now_ms()
        await box.until(lambda: box.app.connections.wifi.status().state == "joined", "back on the Wi-Fi", 60)
        assert box.now_ms() - back_ms <= BACK_MS
        assert 3 <= tried <= 60, "it tries, and not without pause"
        assert [edge for edge in box.plant.edges if edge[1] in ("coil", "pilot_mode")] == []
        assert resets == [] and not box.app.loop.memory.faults.active

    whole(tmp_path, 1).play(story)


def test_a_pause_ends_by_itself_though_the_broker_is_gone(tmp_path):
    async def story(box):
        box.change(car={"is_plugged": True})
        await box.until(lambda: max(box.plant.currents_ma) > 5000, "charging")
        payload = b'{"id": "p", "kind": "pause", "duration_s": 90, "resume": "now"}'  # longer than the damping
        box.app.connections.mqtt._take("ebb/1/box/a1/cmd", payload, False)
        begun_ms = box.now_ms()
        await box.until(lambda: not offered(box), "the pause is obeyed", 1)
        box.air.faults["down"] = True
        await box.until(lambda: not box.plant.is_coil_on, "opened", 5)
        while box.now_ms() < begun_ms + 89_900:
            await asyncio.sleep(0.05)
            assert not offered(box) and not box.plant.is_coil_on
        await box.until(lambda: offered(box), "it ends by itself", 2)
        await box.until(lambda: max(box.plant.currents_ma) > 5000, "and charging goes on", 30)
        assert not box.app.connections.mqtt.client.status().is_connected

    whole(tmp_path, 2).play(story)
