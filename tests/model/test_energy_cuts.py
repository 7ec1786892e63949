"""Energy over power cuts, small: each takes under a minute of energy, the count never falls, and a ledger that would
lose more is found out.
"""

import pytest

from firmware.services import ledger
from firmware.services.ledger_replay import Replay
from host_tools.power_cuts import energy
from host_tools.power_cuts.energy import EnergyLife
from host_tools.power_cuts.life import Broken

SEED = 20261121


@pytest.fixture
def often(monkeypatch):
    """Outages every few minutes, of a few cuts each."""
    monkeypatch.setattr(energy, "MEAN_MS", 240_000)
    monkeypatch.setattr(energy, "CUTS_AN_OUTAGE", 2)
    life = EnergyLife(SEED)
    life.box.loop.settings = life.box.loop.settings._replace(restart_spread_s=10)
    return life


def test_each_cut_takes_under_a_minute(often):
    counts = often.run(20)
    print(f"\nenergy over cuts {counts}, seed {SEED}")
    assert counts["cuts"] == 20 and counts["in_write"] > 0
    assert counts["most_lost_ms"] <= 60_000
    assert counts["true_mwh"] > 3_000_000
    assert 0 < counts["stored_mwh"] < counts["true_mwh"]


def test_a_ledger_that_saves_too_seldom_is_found_out(often, monkeypatch):
    monkeypatch.setattr(ledger, "SAVE_MS", 150_000)
    with pytest.raises(Broken, match="lost where"):
        often.run(20)


def test_a_start_that_does_not_ask_the_journal_is_found_out(often, monkeypatch):
    monkeypatch.setattr(Replay, "take", lambda self, kind, octets: None)
    with pytest.raises(Broken, match="I5"):
        often.run(20)
