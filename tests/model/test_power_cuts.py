"""Power cuts on a real littlefs, small: nothing is lost, and a ledger that would lose something is found out."""

import random
import re

import pytest

from firmware.services import flash_files, ledger, ledger_start, make_room
from host_tools.power_cuts import lfs_files, on_chip, tearing
from host_tools.power_cuts.flash_chip import FlashChip
from host_tools.power_cuts.life import Broken, Life

SEED = 20261121
CUTS = 2000  # on the interpreter, 10 s
MORE_CUTS = 8000  # 18 s


def test_nothing_is_lost_or_mixed():
    counts = Life(SEED).run(MORE_CUTS)
    print(f"\npower cuts {counts}, seed {SEED}")
    assert counts["cuts"] == MORE_CUTS
    assert counts["inside"] > MORE_CUTS // 5
    assert counts["in_erase"] > MORE_CUTS // 20
    assert counts["second"] > MORE_CUTS // 5


@pytest.mark.needs_chip
def test_nothing_is_lost_on_the_interpreter_s_own_littlefs():
    counts = on_chip.work((SEED, CUTS))
    print(f"\npower cuts on VfsLfs2 {counts}, seed {SEED}")
    assert "find" not in counts and counts["cuts"] == CUTS
    assert counts["inside"] > CUTS // 5 and counts["in_erase"] > CUTS // 40 and counts["second"] > CUTS // 5


@pytest.mark.needs_chip
@pytest.mark.parametrize("bug, words", (("in_place", "neither|says"), ("counted_twice", "sum")))
def test_a_planted_bug_is_found_there(bug, words):
    assert re.search(words, on_chip.work((SEED, CUTS), bug)["find"])


def written_in_place(path, data):
    """Without another name to write under first."""
    with flash_files.open(path, "wb") as file:
        file.write(data[: len(data) // 2])
    with flash_files.open(path, "wb") as file:
        file.write(data)


def forgetful_write(self, now_ms, wall_s):
    """The head before the records that it no longer holds."""
    if self._is_changed and now_ms >= self._save_at_ms:
        return self.save(now_ms, wall_s)
    return genuine_write(self, now_ms, wall_s)


genuine_write = ledger.Ledger._write

PLANTED = (
    (flash_files, "write_whole", written_in_place, "neither|cannot be read|says"),
    (ledger_start, "without_minutes", lambda head, quarter: head, "records|sum|stored"),
    (ledger_start, "without_session", lambda head, session: head, "records|sum|stored|session"),
    (ledger.Ledger, "_write", forgetful_write, "records|sum|stored|session"),
)


@pytest.mark.parametrize("owner, name, planted, words", PLANTED, ids=[row[1] for row in PLANTED])
def test_a_planted_bug_is_found(monkeypatch, owner, name, planted, words):
    monkeypatch.setattr(owner, name, planted)
    with pytest.raises(Broken, match=words):
        Life(SEED).run(CUTS)


@pytest.fixture
def life():
    """A box with its ledger on a littlefs, and nothing cut."""
    made = Life(SEED)
    made.boot()
    made.chip.power_on(0)
    for _ in range(40):
        made.step()
    yield made
    lfs_files.take_away()


def stored(life):
    """(trouble, whether all energy is on flash) after the ledger has tried to write."""
    life.ledger._is_changed = True
    for _ in range(6):
        life.ledger._save_at_ms = life.ledger._write_at_ms = 0
        life.ledger.step(life.now_ms, life.wall_s, life.meter)
    head = ledger_start.found("/", 40).head
    return life.ledger.trouble, (head.wh, head.mwh) == (life.meter.wh, life.meter.mwh)


def with_energy(life):
    """Life with 5 Wh more than flash knows of."""
    life.meter = life.meter._replace(wh=life.meter.wh + 5)
    return life


def test_a_flash_that_refuses(life):
    life.chip.refuses = -5
    assert stored(with_energy(life)) == ("broken", False)
    life.chip.refuses = 0
    life.files = lfs_files.LfsFiles(life.chip)  # the library of the PC asserts that one does after an error
    life.files.put_under()
    assert stored(life) == ("", True)


def test_a_full_flash(life):
    number = 0
    with pytest.raises(OSError, match="28"):
        while True:
            number += 1
            flash_files.append(f"/flight-{number % 3}.bin", b"x" * 1000)
    for _ in range(100):  # a head needs no block of its own, so the count is stored on a full flash too
        assert stored(with_energy(life)) == ("", True)
    life.ledger.quarters.most = (255, 2)  # as on a board: a file grows beyond that
    found = "", True
    for _ in range(16):  # records beyond what lies in the folder itself (512 B) do
        life.ledger._close_quarter()
        found = stored(with_energy(life))
        if found[0]:
            break
    assert found == ("full", True)
    assert make_room.drop_oldest("/") == "flight-0.bin"
    assert stored(with_energy(life)) == ("", True)
    assert not life.ledger._waiting


def test_an_operation_is_torn_in_each_way():
    """Where a littlefs lies bits read alike, and nothing is watched; test_ring_cuts has the journal's."""
    chance = random.Random(SEED)
    check_kinds(tearing.counted(lambda: lfs_files.chip_of(2, chance)))


@pytest.mark.needs_chip
def test_the_flash_on_the_interpreter_tears_alike():
    check_kinds(on_chip.counted("torn_kinds.py", on_chip.HEAP, (SEED,)))


def check_kinds(found):
    """Each kind is met, and no bit rose that a program does not raise."""
    assert found.pop("rose") == 0
    assert set(found) == set(tearing.KINDS[:-1]) and min(found.values()) >= 5, found


def test_what_littlefs_cannot_stand_is_in_the_model(monkeypatch):
    """Bits that read differently each time. The day this passes the excuse in docs/durability.md goes."""
    monkeypatch.setattr(lfs_files, "chip_of", FlashChip)
    monkeypatch.setattr(FlashChip, "_watch", lambda self, block, start, data: None)
    with pytest.raises((Broken, AssertionError, OSError)):
        Life(SEED).run(CUTS)
