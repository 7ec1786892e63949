"""Random routers: the box is back in time in every trace, and mistakes that real images punish are found."""

import random

import pytest

from firmware.drivers.wifi import Wifi
from firmware.wire import wifi_plan
from host_tools import jobs, rejoin

SEED = random.SystemRandom().randrange(1 << 31)
PLANTED_SEED = 1  # what must be found is looked for in the same traces each time
COUNT = 300


def test_back_in_time_in_every_trace(capsys):
    assert rejoin.report(COUNT, SEED) == 0, capsys.readouterr().out
    told = capsys.readouterr().out
    assert "rejoin_refused_connects 0\n" in told, "no connect() while the radio joins"
    assert f"rejoin_seed {SEED}" in told and f"rejoin_traces {COUNT}" in told and "rejoin_worst_s" in told


def test_the_command_leaves_a_line(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(jobs, "LOG", tmp_path / "campaigns.csv")
    assert rejoin.run(["--count", "3", "--seed", "5"]) == 0
    assert ",rejoin,5,3," in (tmp_path / "campaigns.csv").read_text()


def late(most):
    """How many of so many traces are back late; a crash counts."""
    return sum(rejoin.late(row) for row in rejoin.batch((PLANTED_SEED, 0, most)))


def half_second(plan, look, now_ms):
    """The old look: whatever is shown half a second after connect() ends the try."""
    if plan.state in ("joining", "trying") and look.number not in (1001, 1010):
        return "failed"
    return real_event(plan, look, now_ms)


def trusting(plan, look, now_ms):
    """A link is a connection."""
    if look.is_linked and plan.state == "joined":
        return ""
    return real_event(plan, look, now_ms)


def never_up(plan, look, now_ms):
    """Waits for a reason that is news, without an end."""
    return real_event(plan._replace(until_ms=now_ms + 1) if plan.state == "joining" else plan, look, now_ms)


real_event = wifi_plan.event


@pytest.mark.parametrize("planted", (half_second, trusting, never_up))
def test_planted_mistakes_of_judging_are_found(monkeypatch, planted):
    monkeypatch.setattr(wifi_plan, "event", planted)
    assert late(40)


@pytest.mark.parametrize(
    ("name", "value"),
    (("WAIT_MOST_MS", 240_000), ("HANDSHAKE", (15, 202, 204)), ("SEEK_MS", 120_000), ("LINK_MS", 2000)),
)
def test_planted_mistakes_of_timing_are_found(monkeypatch, name, value):
    monkeypatch.setattr(wifi_plan, name, value)
    if name == "SEEK_MS":
        monkeypatch.setattr(wifi_plan, "HIDDEN_MS", value)
    assert late(300)


def test_a_driver_that_never_leaves_is_found(monkeypatch):
    monkeypatch.setattr(Wifi, "disconnect", lambda self: None)
    assert late(40)
