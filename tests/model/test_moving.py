"""The data partition of an older firmware is divided over power cuts: every file is there as it was; on VfsLfs2."""

import pytest

from host_tools.power_cuts import on_chip

SEED, CUTS = 20261130, 600


@pytest.mark.needs_chip
def test_nothing_is_lost_while_the_flash_is_divided():
    counts = on_chip.moving_work((SEED, CUTS))
    print(f"\nmoving cuts {counts}, seed {SEED}")
    assert "find" not in counts and counts["cuts"] >= CUTS
    assert counts["inside"] > CUTS // 5 and counts["lives"] > CUTS // 20


@pytest.mark.needs_chip
def test_a_planted_bug_is_found():
    assert on_chip.moving_work((SEED, CUTS), "whole_first")["find"]


@pytest.mark.needs_chip
def test_a_box_whose_flash_fails_meanwhile_takes_itself_for_no_new_one():
    assert on_chip.counted("moving_fails.py", on_chip.MOVING_HEAP, (0,))["locked"] == 4


@pytest.mark.needs_chip
def test_a_division_that_came_to_its_end_takes_no_newer_file_away():
    counts = on_chip.counted("moving_again.py", on_chip.MOVING_HEAP, (0,))
    assert counts["newer"] == counts["lives"] == counts["clean"] == 40 and counts["journals"] == 120, counts
