"""A box to which nobody tells the time: page and light say so after ten minutes, over no fault and no charge."""

import asyncio

import pytest
from test_services_fail import whole

from firmware.services.wall_clock import RANK_BROWSER, SLACK_S
from host_tools.sim import fake_machine

NOW_S = 1_800_000_000
WORDS = "Nobody has told the box the time of day"


def notices(box):
    return [words for words, _ in box.app.status(True)["network"]["notices"]]


async def lights(box, for_s):
    """Colours seen in so long, with the share of time in ms."""
    seen = {}
    for _ in range(for_s * 50):
        seen[box.plant.led] = seen.get(box.plant.led, 0) + 20
        await asyncio.sleep(0.02)
    return seen


def test_after_ten_minutes_page_and_light_say_so_and_a_browser_ends_it(tmp_path):
    async def story(box):
        await asyncio.sleep(590)
        assert notices(box) == [] and await lights(box, 5) == {"off": 5000}
        await box.until(lambda: notices(box) == [WORDS], "the page says so", 20)
        seen = await lights(box, 60)
        print("lights in 60 s:", seen)
        assert set(seen) == {"off", "blue"} and 600 <= seen["blue"] <= 2400, seen
        assert box.app.connections.clock.offer(NOW_S, RANK_BROWSER)
        assert notices(box) == [] and box.app.status(True)["clock"]["is_set"]
        await asyncio.sleep(1)
        assert await lights(box, 20) == {"off": 20_000}

    whole(tmp_path, 1).play(story)


@pytest.mark.parametrize("fault", ("earth_lost", None))
def test_the_light_of_a_fault_and_of_a_charge_stays_as_it_is(tmp_path, fault):
    async def story(box):
        box.change(car={"is_plugged": True})
        await box.until(lambda: box.plant.is_coil_on, "charging")
        if fault:
            box.change(faults={fault: True})
        await asyncio.sleep(620)
        assert notices(box) == [WORDS]
        assert set(await lights(box, 20)) == {"red" if fault else "green"}

    whole(tmp_path, 1).play(story)


def test_the_chips_own_clock_is_never_before_the_build(monkeypatch, tmp_path):
    monkeypatch.setattr(fake_machine, "clock", None)

    async def story(box):
        await box.until(lambda: box.app.connections.clock, "the services run")
        assert fake_machine.RTC().datetime()[:3] == (2026, 11, 1)
        box.app.connections.clock.offer(NOW_S, RANK_BROWSER)
        assert fake_machine.RTC().datetime()[:7] == (2027, 1, 15, 4, 8, 0, 0)

    whole(tmp_path, 1).play(story)


def test_the_time_that_was_told_to_a_box_that_charges_is_the_floor_of_the_next_start(tmp_path):
    async def charging(box):
        await asyncio.sleep(61)  # in the first minute nothing is written
        box.change(car={"is_plugged": True})
        await box.until(lambda: box.plant.is_coil_on, "charging")
        assert box.app.connections.clock.offer(NOW_S, RANK_BROWSER)
        await asyncio.sleep(10)
        assert box.plant.is_coil_on and not (tmp_path / "last_time").exists()
        assert box.app.last_time.is_ahead and await box.app.journal.stored()

    async def after_the_cut(box):
        assert NOW_S <= box.app.last_time.last_s <= NOW_S + 10
        await box.until(lambda: box.app.connections.clock, "the services run")
        assert box.app.connections.clock.floor_s == box.app.last_time.last_s - SLACK_S
        await asyncio.sleep(75)
        assert int((tmp_path / "last_time").read_text().split()[0]) == box.app.last_time.last_s
        assert not box.app.last_time.is_ahead

    whole(tmp_path, 1).play(charging)
    whole(tmp_path, 2).play(after_the_cut)
    whole(tmp_path, 3).play(lambda box: after_the_checkpoint(box))


async def after_the_checkpoint(box):
    await asyncio.sleep(1)
    assert NOW_S <= box.app.last_time.last_s <= NOW_S + 10 and not box.app.last_time.is_ahead
