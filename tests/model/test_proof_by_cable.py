"""What a running box tells for `device prove`: it leaves its Wi-Fi and comes back; ticks are counted by lateness."""

import pytest

from firmware.services import cable_proof, control_loop, flash_files
from host_tools.device import prove_running
from host_tools.mosquitto import free_port
from host_tools.sim.whole_box import HOME, WholeBox


def test_wifi_is_left_and_found_again(tmp_path):
    async def story(box):
        await box.until(lambda: box.app.connections.wifi is not None, "the radio is on", 10)
        wifi = box.app.connections.wifi
        await box.until(wifi.is_joined, "it is joined", 60)
        await cable_proof.asked(box.app, wifi, "late")
        back_ms = await cable_proof.asked(box.app, wifi, "wifi")
        assert 0 < back_ms < 60_000 and wifi.is_joined()
        counts = await cable_proof.asked(box.app, wifi, "late")
        assert len(counts) == control_loop.LATE_STEPS and sum(counts) > 10
        assert sum(await cable_proof.asked(box.app, wifi, "late")) == 0
        assert await cable_proof.asked(box.app, wifi, "write") >= 0
        for what in ("mqtt", "memory", "nothing", None, {}, [1], 5):  # no broker, a PC, and what nobody asks
            assert await cable_proof.asked(box.app, wifi, what) is None

    box = WholeBox(tmp_path, 0, has_wifi=True, web_host="127.0.0.1", web_port=free_port())
    from firmware.core import settings

    wanted = {"wifi_ssid": HOME[0], "wifi_password": HOME[1]}
    box.app.loop.settings = settings.changed(box.app.loop.settings, wanted)
    box.play(story)


class Full:
    """An App whose flash takes nothing; saves: how often it was asked."""

    saves = 0

    def now_ms(self):
        return 5

    def settings(self):
        return ()

    def save(self, chosen):
        self.saves += 1
        raise OSError(28)

    @property
    def store(self):
        return self


def test_a_flash_that_takes_nothing_gives_no_figure():
    with pytest.raises(StopIteration) as ended:
        cable_proof.asked(Full(), None, "write").send(None)
    assert ended.value.value is None


class Good(Full):
    """One whose flash takes all."""

    def save(self, chosen):
        self.saves += 1


@pytest.mark.parametrize("app", (Good(), Full()), ids=("good", "full"))
def test_the_cable_does_not_wear_the_flash_out(monkeypatch, app):
    monkeypatch.setattr(flash_files, "tally", flash_files.Tally())
    told = []
    for _ in range(200):
        with pytest.raises(StopIteration) as ended:
            cable_proof.asked(app, None, "write").send(None)
        told.append(ended.value.value)
    assert app.saves == cable_proof.MOST_WRITES == 4 * prove_running.WRITES
    assert (
        told[20:] == [None] * 180 and str(cable_proof.MOST_WRITES) in prove_running.Running._write.__code__.co_consts[2]
    )
