"""Journal and files together on one honestly torn flash, small: nothing is lost, counted twice or mixed, and a box that
would do so is found out.
"""

import pytest

from firmware.services import ledger_replay
from firmware.services.journal import Journal
from firmware.services.ledger import Ledger
from firmware.services.storage import Storage
from firmware.wire import journal_record
from host_tools.power_cuts.judge import LOST_MS
from host_tools.power_cuts.life import Broken
from host_tools.power_cuts.together import TogetherLife

SEED = 20261204
CUTS = 600  # 10 s


def test_nothing_is_lost_mixed_or_counted_twice():
    counts = TogetherLife(SEED).run(CUTS)
    print(f"\ncuts of journal and files {counts}, seed {SEED}")
    assert counts["cuts"] == CUTS and counts["second"] > CUTS // 5 and counts["in_erase"] > CUTS // 40
    assert counts["in_files"] > CUTS // 4 and counts["in_journal"] > CUTS // 4
    assert counts["checkpoints"] > CUTS // 4 and counts["full"]
    assert 15_000 < counts["most_lost_ms"] <= LOST_MS


def copied_again(self):
    """What files have already is not passed over."""
    if self._copied is None:
        self._copied = self._journal.values()
    for kind, octets in self._copied:
        if kind == journal_record.QUARTER or kind == journal_record.SESSION:
            (self.quarters if kind == journal_record.QUARTER else self.sessions).append(octets)
            return True
    return False


genuine_spent = Journal._spent


def live_is_spent(self):
    """Sectors are erased before a checkpoint has said that files hold them."""
    header = self._header
    self._set_header((self._open, header.ahead, header.checkpoint_seq))
    found = genuine_spent(self)
    self._set_header(header[1:4])
    return found


PLANTED = (
    (
        Storage,
        "is_ahead",
        lambda self: False,
        "stored was|had flowed|quarters|sessions|mixed",
    ),  # a checkpoint before the files
    (Ledger, "_copy", copied_again, "quarters|sessions"),
    (Journal, "_spent", live_is_spent, "stored was|had flowed|quarters|sessions|mixed"),
    (ledger_replay, "behind_files", lambda head, quarters, sessions: head, "goes on behind|sum|ended"),
)


@pytest.mark.parametrize("owner, name, planted, words", PLANTED, ids=[row[1] for row in PLANTED])
def test_a_planted_bug_is_found(monkeypatch, owner, name, planted, words):
    monkeypatch.setattr(owner, name, planted)
    with pytest.raises(Broken, match=words):
        TogetherLife(SEED).run(CUTS)


def test_the_start_that_is_cut_is_among_them():
    """A start programs the journal's last slot again: the supply fails there as well, and nobody has seen anything."""
    life = TogetherLife(SEED)
    starts = []
    genuine = life.boot
    life.boot = lambda: starts.append(genuine()) or starts[-1]
    life.run(100)
    assert starts.count(False) > 5
