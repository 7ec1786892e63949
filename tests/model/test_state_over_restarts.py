"""A whole box over restarts: what the grid asked for, what locked it and what it counted are still there."""

import asyncio
import json
import random

from firmware.core import faults
from firmware.wire import ledger_record
from host_tools.sim.whole_box import WholeBox

SEED = random.SystemRandom().randrange(1 << 31)


def pause(box, number=1, duration_s=3600):
    """A pause as the grid's own message, through the one parser."""
    from firmware.wire import grid_contract

    body = json.dumps({"id": f"peak-{number}", "kind": "pause", "duration_s": duration_s}).encode()
    made = grid_contract.parse(grid_contract.Message("box", body, False), box.app.context(1))
    assert box.app.submit(grid_contract.drawn(made, lambda count: 0)) is None


def holder(box):
    """Who holds the box."""
    claim = box.app.loop.memory.claims.holder
    return claim.source if claim else ""


def left_s(box):
    """Seconds that the grid's claim has left; None without one."""
    memory = box.app.loop.memory
    found = [row.until_ms for row in memory.claims.rows if row.source == "grid"]
    return (found[0] - memory.now_ms) // 1000 if found else None


def test_a_pause_outlives_a_power_cut(tmp_path):
    print("seed", SEED)

    async def paused(box):
        pause(box)
        await asyncio.sleep(100)
        assert holder(box) == "grid"

    first = WholeBox(tmp_path, SEED).play(paused)
    assert not first.told

    async def after(box):
        assert holder(box) in ("grid", "power_return")
        # Saved at once and again a minute later: of 3,600 s no more than 100 are gone, no fewer than 60.
        assert 3500 <= left_s(box) <= 3540
        heard, sink = [], box.app.loop.sink
        box.app.loop.sink = lambda events: (heard.extend(event.code for event in events), sink(events))
        pause(box)
        await asyncio.sleep(1)
        assert heard.count("duplicate") == 1 and "received" not in heard
        box.change(car={"is_plugged": True})
        await asyncio.sleep(30)
        assert not box.plant.is_coil_on

    WholeBox(tmp_path, SEED + 1, is_power_return=True).play(after)


def test_the_clock_cuts_it_to_its_end(tmp_path):
    """900 s without power, 1,000 s of pause: a set clock ends it 100 s after the start, and ten years back nothing."""

    async def paused(box):
        box.app.board.set_wall_s(1_790_000_000)
        pause(box, 1, 1000)
        await asyncio.sleep(1)

    WholeBox(tmp_path, SEED).play(paused)
    for gap_s, left in ((-315_360_000, (995, 1000)), (900, (95, 101)), (5000, None)):

        async def after(box, gap_s=gap_s, left=left):
            await asyncio.sleep(1)
            assert 995 <= left_s(box) <= 1000, "without a clock it gets the time it had left"
            box.app.board.set_wall_s(1_790_000_000 + gap_s)
            await asyncio.sleep(1)
            assert left_s(box) is None if left is None else left[0] <= left_s(box) <= left[1]

        folder = tmp_path / str(gap_s)
        folder.mkdir()
        for file in tmp_path.glob("state.*"):
            (folder / file.name).write_bytes(file.read_bytes())
        WholeBox(folder, SEED).play(after)


def test_a_leakage_trip_stays_latched_until_the_car_leaves(tmp_path):
    async def tripped(box):
        box.change(car={"is_plugged": True})
        await box.until(lambda: box.plant.is_coil_on, "it charges")
        box.change(faults={"residual_trip": True})
        await box.until(lambda: not box.plant.is_coil_on, "it opens", 1)
        await asyncio.sleep(1)

    WholeBox(tmp_path, SEED).play(tripped)

    async def after(box):
        box.change(car={"is_plugged": True})
        await asyncio.sleep(60)
        assert [faults.FAULTS[one.row][0] for one in box.app.loop.memory.faults.active] == ["S14"]
        assert box.app.loop.memory.wear.operations == 1 and not box.plant.is_coil_on
        box.change(car={"is_plugged": False})
        await asyncio.sleep(2)
        assert box.app.loop.memory.faults.active == ()
        box.change(car={"is_plugged": True})
        await box.until(lambda: box.plant.is_coil_on, "it charges again", 120)

    WholeBox(tmp_path, SEED).play(after)


def test_full_flash_charges_on_and_says_so(tmp_path):
    async def full(box):
        for name in ("state.0.new", "state.1.new"):
            (tmp_path / name).mkdir()
        box.change(car={"is_plugged": True})
        await box.until(lambda: box.plant.is_coil_on, "it charges")
        pause(box, 1, 20)
        await box.until(lambda: not box.plant.is_coil_on, "the pause is obeyed")
        # While the coil was on nobody asked the file system.
        assert box.app.notices == []
        await box.until(lambda: box.app.notices == ["stored.state_fails"], "it is told", 70)
        assert "flash" in box.app.status(True)["network"]["notices"][0][0]

    WholeBox(tmp_path, SEED).play(full)


def test_the_button_held_for_ten_seconds_frees_the_box(tmp_path):
    from firmware.core import settings

    def reset_after(held_s):
        """(box, restarts) after the button was held so long by a person who came while it charged."""
        restarts = []

        async def held(box):
            box.app.restart = lambda: restarts.append(box.plant.is_coil_on)
            box.app.loop.settings = settings.changed(box.app.settings(), {"wifi_ssid": "home", "groups": "a"})
            box.app.store.save(box.app.loop.settings)
            box.change(car={"is_plugged": True})
            await box.until(lambda: box.plant.is_coil_on, "it charges")
            box.change(panel={"button_is_pressed": True})
            await asyncio.sleep(held_s)
            box.change(panel={"button_is_pressed": False})
            await asyncio.sleep(2)

        return WholeBox(tmp_path, SEED).play(held), restarts

    minutes = (0,) * ledger_record.MINUTES
    head = ledger_record.Head(3, 1, 5000, 0, 1, ledger_record.NO_WH, 0, 0, 0, 0, 0, minutes)
    (tmp_path / "ledger-1.bin").write_bytes(ledger_record.packed_head(head))
    (tmp_path / "sessions-1").write_bytes(b"when the owner drove")
    box, restarts = reset_after(8.5)
    assert restarts == [] and box.plant.is_coil_on and (tmp_path / "settings.json").exists()
    box, restarts = reset_after(14)
    assert restarts == [False], "once, and the car had let go before"
    assert box.app.loop.memory.wear.hot_openings == 0
    left = sorted(path.name for path in tmp_path.iterdir() if not path.name.startswith("state."))
    assert left in (["factory_reset.done", "ledger-0.bin"], ["factory_reset.done", "ledger-1.bin"])

    async def after(box):
        await asyncio.sleep(1)
        assert box.app.settings() == settings.defaults() and box.app.notices == []
        assert {row.source for row in box.app.loop.memory.claims.rows} == {"cable"}
        assert box.app.loop.memory.wear.operations >= 1
        assert 5000 < box.app.status(False)["energy_wh"] < 5100 and box.app.loop.memory.energy.session_wh is None

    WholeBox(tmp_path, SEED).play(after)


def test_a_button_that_is_stuck_resets_nothing(tmp_path):
    async def stuck(box):
        box.app.restart = None
        (tmp_path / "settings.json").write_text("{}")
        await asyncio.sleep(30)

    box = WholeBox(tmp_path, SEED)
    box.change(panel={"button_is_pressed": True})
    box.play(stuck)
    assert (tmp_path / "settings.json").exists() and box.app.health.failures == 0
