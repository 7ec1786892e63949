"""The journal on a flash that tears honestly, small: nothing is lost, and a ring that would lose something is found."""

import random

import pytest

from firmware.drivers.flash_area import RINGS, PartitionArea
from firmware.services import journal_start
from firmware.services.journal import Journal
from firmware.wire import journal_record
from host_tools.device import chips
from host_tools.power_cuts.flash_chip import BLOCK, PLACE, FlashChip
from host_tools.power_cuts.life import Broken
from host_tools.power_cuts.ring_life import RingLife
from host_tools.sim.serial.flash_time import FlashTime

SEED = 20261130
CUTS = 1500


def test_nothing_is_lost_or_comes_back():
    counts = RingLife(SEED).run(CUTS)
    print(f"\nring cuts {counts}, seed {SEED}")
    assert counts["cuts"] == CUTS and counts["in_erase"] > CUTS // 60 and counts["full"]
    assert counts["second"] > CUTS // 10 and counts["writes"] > CUTS


class TimedArea(PartitionArea):
    """An area without content; what it takes is counted by a chip's worst values."""

    def __init__(self, sectors, times):
        self.octets = bytearray(sectors * BLOCK)
        self.time = FlashTime(times, lambda us: None)
        self.sectors = sectors

    def read_into(self, at, buffer):
        self.time.read(len(buffer))
        buffer[:] = self.octets[at : at + len(buffer)]

    def program(self, at, octets):
        self.time.program(at % BLOCK, len(octets))
        self.octets[at : at + len(octets)] = octets

    def erase(self, sector):
        self.time.erase()
        self.octets[sector * BLOCK : (sector + 1) * BLOCK] = b"\xff" * BLOCK


@pytest.mark.parametrize("sectors", [sectors for _, sectors in RINGS])
def test_a_box_whose_flash_was_just_divided_soon_gives_current(sectors):
    for name in chips.names():
        area = TimedArea(sectors, chips.flash_times(chips.loaded(name)))
        made, seconds = Journal(area), {}
        while made.step(True):
            if not made.is_nearly_full():
                seconds.setdefault("gives current", area.time.busy_us / 1e6)
        seconds["all erased"] = area.time.busy_us / 1e6
        print(f"\n{name}, {sectors} sectors: {seconds}")
        assert seconds["gives current"] < 12 < 22 < seconds["all erased"] and not made.is_nearly_full()


def not_settled(self, slots, touched):
    """The last slot is believed as it reads now."""
    self._at = min(touched + 1, journal_record.SLOTS)


genuine_end = journal_start.end_of


def blank_is_erased(area, sector, base_seq, header):
    """A sector that reads all ones is taken for erased, with or without its mark."""
    start = genuine_end(area, sector, base_seq, header)
    behind = (sector + start.header.ahead + 1) % area.sectors
    if behind != start.header.tail and not list(journal_start.slots_in(area, behind)):
        opened, tail, ahead, checkpoint_seq, sectors = start.header
        start = start._replace(header=journal_record.Header(opened, tail, ahead + 1, checkpoint_seq, sectors))
    return start


PLANTED = (
    (Journal, "_settle", not_settled, "twice|values|differ"),
    (journal_start, "end_of", blank_is_erased, "half-erased"),
    (journal_record, "place_from", lambda place, seq, is_header: place, "twice|values|differ"),
)


@pytest.mark.parametrize("owner, name, planted, words", PLANTED, ids=[row[1] for row in PLANTED])
def test_a_planted_bug_is_found(monkeypatch, owner, name, planted, words):
    monkeypatch.setattr(owner, name, planted)
    with pytest.raises(Broken, match=words):
        for number in range(20):
            RingLife(SEED + number).run(CUTS)


def test_a_torn_operation_leaves_what_a_cell_may():
    """Bits that waver, places that show nothing and were tried, blocks that read all ones and fall later."""
    seen = set()
    chance = random.Random(SEED)
    for _ in range(300):
        chip = FlashChip(2, chance)
        chip.power_on(1)
        data = bytes(range(PLACE))
        assert chip.prog(None, 0, 64, data) < 0
        chip.power_on(0)
        first, second = chip.read(None, 0, 64, PLACE), chip.read(None, 0, 64, PLACE)
        assert all(octet | one == octet for octet, one in zip(first, data))  # no bit fell that was not to fall
        seen.add("wavers" if first != second else "blank" if first == b"\xff" * PLACE else "reads alike")
        chip.prog(None, 0, 64, bytes(PLACE))
        assert chip.over_written == 1 and chip.read(None, 0, 64, PLACE) == bytes(PLACE)
        chip.power_on(1)
        assert chip.erase(None, 0) < 0
        chip.power_on(0)
        if bytes(chip.buffer[:BLOCK]) == b"\xff" * BLOCK:
            for _ in range(50):
                chip.power_on(0)
            seen.add("falls later" if bytes(chip.buffer[:BLOCK]) != b"\xff" * BLOCK else "stays")
        chip.prog(None, 0, 0, b"x" * PLACE)
        assert chip.unsound == 1
        assert chip.erase(None, 0) == 0 and not chip.half_erased and not chip.weak.get(2) and not chip.tried
    assert seen >= {"wavers", "blank", "reads alike", "falls later"}
