"""The whole firmware on the 32-bit interpreter in simulated time, small: its heap stays, and a leak would be seen."""

import random

import pytest

from host_tools import whole_soak

SEED = random.SystemRandom().randrange(1 << 30)
LOOKS, LOOK_S = 20, 150
WARM = 8  # looks: by then a fault has come and its record lies on flash
PART = 6
# Half an hour is no day: what is bounded (log, events, commands) still fills up by 100 to 200 B a look, and what the
# collector takes for live differs. Found without a leak: 200 to 1,500 B. Growth of days is for the command to judge.
NOISE_B = 6 * 1024
LEAK_B = 2048  # a look: over 20 kB between the looks that are compared
pytestmark = pytest.mark.needs_chip


def grown(leak_b):
    """(B that the heap has grown from the first looks once warm to the last, counts)."""
    heaps, counts = whole_soak.lived(LOOKS, SEED, hour_s=LOOK_S, leak_b=leak_b)
    print(f"\nseed {SEED}, heaps {heaps}, {counts}")
    return min(heaps[-PART:]) - min(heaps[WARM : WARM + PART]), counts


def test_the_heap_stays():
    found, counts = grown(0)
    assert found <= NOISE_B
    assert counts["failures"] == 0 and counts["connected"] == 1
    assert counts["closings"] >= 5 and counts["sessions"] >= 3 and counts["sent"] >= 100
    assert counts["answers"]["200"] >= 100 and "500" not in counts["answers"]
    assert all(len(code) == 3 and code.isdigit() for code in counts["answers"]), "bytes went to another's socket"


def test_a_planted_leak_is_seen():
    assert grown(LEAK_B)[0] > NOISE_B


def test_growth_is_that_of_the_days():
    level, steep = [1000] * 96, list(range(1000, 1960, 10))
    assert whole_soak.growth(level, 24) == (0, 0, 0)
    slope, error, difference = whole_soak.growth(steep, 24)
    assert round(slope) == 240 and round(error) == 0 and difference == 480
    # A line through 48 hours of 1000 and 1200 in turn is uncertain by 102 / sqrt(48 * 13.9^2) B an hour.
    _, error, _ = whole_soak.growth([1000, 1200] * 48, 24)
    assert 23 < error < 27
