"""The whole app over restarts: the lifetime counter and the session of a plugged car go on (faults.md I5)."""

from firmware.core import settings
from host_tools.sim.whole_box import WholeBox

MOST_LOST_S = 60


def charged(folder, seed, for_s):
    """One life of a box: a car is there and charges for so long; (status at its first tick, at its end, box)."""
    found = []
    box = WholeBox(folder, seed)
    box.app.loop.settings = settings.changed(box.app.loop.settings, {"wiring_limit_ma": 16_000})
    begun_mwh = box.app.loop.memory.energy.wh * 1000 + box.app.loop.memory.energy.mwh

    async def story(box):
        found.append(box.app.status(True))
        box.change(car={"is_plugged": True})
        await box.until(lambda: max(box.plant.currents_ma) > 5000, "charging")
        end_ms = box.now_ms() + for_s * 1000
        await box.until(lambda: box.now_ms() >= end_ms, "the time is over", for_s + 1)
        found.append(box.app.status(True))

    box.play(story)
    box.plant.settle_energy()
    meter = box.app.loop.memory.energy
    return found[0], found[1], (begun_mwh, meter.wh * 1000 + meter.mwh, meter.session_wh * 1000 + meter.session_mwh)


def test_a_cut_while_charging_loses_under_a_minute(tmp_path):
    _, end, (_, before_mwh, _) = charged(tmp_path, 3, 150)
    power_w = end["power_w"]
    assert power_w > 10_000
    assert end["energy_wh"] > 0
    first, second_end, (after_mwh, _, session_mwh) = charged(tmp_path, 4, 5)
    lost_mwh = before_mwh - after_mwh
    print(f"\nlost {lost_mwh} mWh at {power_w} W, seeds 3 and 4")
    assert 0 <= lost_mwh <= power_w * 1000 * MOST_LOST_S // 3600
    # What was shown never falls, and the session began where it did before the cut.
    assert first["energy_wh"] >= end["energy_wh"]
    assert session_mwh == 0
    assert second_end["session"]["wh"] > after_mwh // 1000
