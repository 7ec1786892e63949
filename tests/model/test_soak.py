"""A long life in small: wraps, odd days, lying clocks and power cuts break no invariant; planted mistakes are found."""

import random

import pytest

from firmware.core import commands
from firmware.wire import ntp
from host_tools import jobs
from host_tools.sim import true_board
from host_tools.sim.oracle import Broken
from host_tools.soak import report
from host_tools.soak.life import Life
from host_tools.soak.outside import HOUR_MS, MOMENTS, Outside, told_s

SEED = random.SystemRandom().randrange(1 << 31)
SHORT_S = (90, 300)
HOURS = 320  # more than one ring of ticks


def test_a_long_life_in_small(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(jobs, "LOG", tmp_path / "campaigns.csv")
    is_good = report.report(HOURS, SEED, False, SHORT_S)
    printed = capsys.readouterr().out
    assert is_good, printed
    assert "soak_unbroken_tick_wraps: 2 wraps" in printed
    assert "soak_invariants_broken: 0 lives" in printed
    assert ",soak 320 h," in (tmp_path / "campaigns.csv").read_text()


def test_a_life_goes_on_where_it_was_broken_off():
    first = Life(SEED, 8, True, SHORT_S)
    first.live(first.outside.end_ms // 2)
    first.plant.settle_energy()
    second = Life(SEED, 8, True, SHORT_S)
    second.resume(first.saved())
    assert second.now_ms() == first.now_ms()
    assert second.box.loop.memory == first.box.loop.memory
    second.live(second.outside.end_ms)
    assert second.counts["sessions"] > first.counts["sessions"]
    assert report.is_good({"counts": second.counts, "most": second.most, "broken": "", **report.ended(second)})


def test_the_calendar_passes_each_odd_moment():
    outside = Outside(80)
    for index, (_, moment_s, offset_s) in enumerate(MOMENTS):
        middle_ms = outside.chapter_ms * index + outside.chapter_ms // 2
        assert outside.world_s(middle_ms) == moment_s
        assert outside.world_s(middle_ms - 1) == moment_s - 1
        assert outside.utc_offset_s(middle_ms) == offset_s
        assert outside.next_odd_ms(middle_ms - HOUR_MS) <= middle_ms
        assert told_s(moment_s - 1, bytes(8)) == moment_s - 1
        assert told_s(moment_s + 1, bytes(8)) == moment_s + 1


@pytest.mark.parametrize(
    ("module", "field", "planted", "words"),
    (
        (true_board, "ticks_diff", lambda later, earlier: later - earlier, "X6"),
        (ntp, "ERA_S", 0, "T1"),
        (commands, "claim_of", None, "I"),
    ),
)
def test_planted_mistakes_are_found(monkeypatch, module, field, planted, words):
    if field == "claim_of":
        made = commands.claim_of
        planted = forgetful(made)
    monkeypatch.setattr(module, field, planted)
    with pytest.raises(Broken, match=words):
        # A short life may have no pause that begins while power is offered: some more have.
        for number in range(6):
            life = Life(SEED + number, HOURS, False, SHORT_S)
            life.live(life.outside.end_ms)


def forgetful(claim_of):
    """claim_of whose claims come 20 s late: what the oracle was told begins before."""

    def late(command):
        claim = claim_of(command)
        return claim._replace(from_ms=claim.from_ms + 20_000)

    return late
