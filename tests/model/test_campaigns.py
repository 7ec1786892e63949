"""Campaigns in small: single faults of charging states, random sequences with the commit as seed, healthy days."""

from pathlib import Path

import pytest

from firmware.core import offer, units
from host_tools.faults import campaign, healthy, moves, sequence, states, story, task

RUNS = 600
STORIES = sorted((Path(__file__).parent / "stories").glob("*.scenario"))  # what campaigns found, shrunk


@pytest.fixture(scope="module")
def stored():
    return states.stored()


def broken(progress):
    """What a campaign found, as the story of the first find."""
    finds = progress.finds()
    if not finds:
        return ""
    short = story.shrunk(finds[0].story, finds[0].words)
    return f"{progress.counts['finds']} finds; the first:\n{story.told(short, finds[0].words)}"


def ran(plan, made):
    """Progress of a whole plan, in this process."""
    progress = campaign.Progress(plan, is_quiet=True)
    campaign.run(plan, made, progress, workers=1)
    return progress


def test_enough_states(stored):
    assert len(stored) >= 50
    assert len({state.name for state in stored}) == len(stored)
    assert sum(state.is_on for state in stored) >= 50
    assert all(state.is_on for state in stored if state.name.startswith("charging"))
    assert set(campaign.PAIR_STATES) <= {state.name for state in stored}


def test_single_faults_of_charging_states(stored):
    few = [state for state in stored if state.name.endswith("(2)") and state.name.startswith(("charging", "stopping"))]
    progress = ran(campaign.plan_of("single", 0, few), few)
    assert progress.counts["runs"] == len(few) * len(moves.SINGLES) >= 1000
    assert not progress.counts["finds"], broken(progress)


def test_random_sequences(stored):
    seed = task.seed_of_commit()
    print(f"seed {seed}")
    progress = ran(campaign.plan_of("random", seed, stored, RUNS), stored)
    counts = progress.counts
    print(f"{counts['runs']} sequences, {counts['ticks']} ticks, {counts['finds']} finds")
    assert counts["on_at_first_fault"] >= 0.8 * counts["with_fault"]
    assert counts["ticks"] >= 160 * RUNS
    assert counts["long"] == 1
    assert not counts["finds"], broken(progress)


def test_interrupted_campaign_goes_on_with_the_same_sequences(stored, tmp_path, monkeypatch):
    monkeypatch.setattr(campaign, "CHUNK", 20)
    plan = campaign.plan_of("random", 5, stored, 50)
    whole = ran(plan, stored)
    path = tmp_path / "random.json"
    first = campaign.Progress(plan, path, is_quiet=True)
    campaign.set_up(plan, stored)
    first.tell(20, *campaign.chunk((0, 20)))
    first.keep()
    second = campaign.Progress(plan, path, is_quiet=True).resumed()
    assert second.done == 20
    campaign.run(plan, stored, second, workers=1)
    assert second.counts == whole.counts
    assert not campaign.Progress(plan._replace(seed=6), path).resumed().done


def test_a_find_shrinks_to_a_story_that_breaks_again(monkeypatch, stored):
    monkeypatch.setattr(units, "STOP_LIMIT_MS", 60_000)
    monkeypatch.setattr("firmware.core.interlock.X1_MOST_MS", 70_000)
    state = next(state for state in stored if state.name == "charging, stubborn (1)")
    lines = ((20, "fault adc_noise on"), (300, "the car is full"), (40, "grid pauses for 30 s, resume now"))
    outcome = sequence.played(state.frozen, sequence.Sequence(state, (*lines, (10, "house nonsense 1")), 3680))
    assert outcome.words.startswith("I1: coil on for 6")
    short = story.shrunk(story.story_of(outcome.life), outcome.words)
    assert [line for _, line in short.moves] == ["plug in", "grid pauses for 30 s, resume now"]
    text = story.told(short, outcome.words)
    assert story.kind_of(story.played(story.read(text))) == story.kind_of(outcome.words)
    monkeypatch.undo()
    assert story.played(short) == ""


def test_every_fault_of_the_control_side_is_a_single():
    from host_tools.sim.plant import FAULTS

    others = "flash_full flash_io_error wifi_down broker_down dns_dead clock_wrong".split()
    assert sorted(moves.FAULTS) == sorted(set(FAULTS) - set(others))


def test_healthy_days_trip_nothing():
    counts, trips = healthy.ran(24 * len(healthy.CARS), 3, 0.006)
    assert not trips
    assert counts["closings"] >= len(healthy.CARS)
    assert counts["calendar_ms"] >= len(healthy.CARS) * 86_000_000


def test_healthy_days_notice_a_trip(monkeypatch):
    reference_ma = offer.reference_ma
    monkeypatch.setattr(offer, "reference_ma", lambda told, now_ms: reference_ma(told, now_ms) // 2)
    monkeypatch.setattr(healthy, "CARS", ["polite"])
    _, trips = healthy.ran(24, 3, 0.006)
    assert any("trip" in words for words in trips)


def test_healthy_days_notice_a_fault_that_opens_nothing(monkeypatch):
    monkeypatch.setattr("firmware.core.conditions.LOW_HALF_MV", (-11_900, -11_000))
    monkeypatch.setattr(healthy, "CARS", ["polite"])
    _, trips = healthy.ran(24, 3, 0.006)
    assert any("S9" in words for words in trips)


def test_a_story_keeps_its_settings():
    changes = {"wiring_limit_ma": 10_000, "phases": 1, "is_ventilated": True, "restart_spread_s": 5}
    told = story.told(story.Story(("ventilation", 3, changes), ((23, "plug in"), (9000, "plug out"))), "nothing")
    assert story.read(told) == story.Story(("ventilation", 3, changes), ((23, "plug in"), (9000, "plug out")))


@pytest.mark.parametrize("path", STORIES, ids=[path.stem for path in STORIES])
def test_what_a_campaign_once_found(path):
    assert story.played(story.read(path.read_text())) == ""
