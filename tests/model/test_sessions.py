"""Charging sessions of the whole firmware on a timed flash: no lease lapses, and one that does is seen."""

import random
import sys
from pathlib import Path

import pytest

from host_tools import bootstrap, sessions
from host_tools.device import chips

SEED = random.SystemRandom().randrange(1 << 30)
PLANTED = 400  # files read in one turn: some 5,000 commands of 128 B
sys.path.insert(0, str(bootstrap.ROOT / "host_tools" / "sim" / "serial"))
import flash_time  # noqa: E402 - its folder comes first


@pytest.fixture(scope="module")
def box(tmp_path_factory):
    """Folder of a box that was set up."""
    folder = tmp_path_factory.mktemp("box")
    sessions.prepared(folder)
    return Path(folder)


@pytest.mark.needs_chip
def test_no_session_ends_by_a_lapsed_lease(box):
    found = sessions.added([sessions.lived(box, 3, SEED, "worst")])
    print(f"seed {SEED}, {found}")
    assert found["closings"] == found["pauses"] == found["sessions"] == 3
    assert found["views"] > 60 and found["messages"] > 50
    assert (found["lapses"], found["x3"], found["hot_openings"]) == (0, 0, 0)
    assert all(is_reached for _, is_reached in sessions.goals(found)), sessions.goals(found)


@pytest.mark.needs_chip
def test_flash_work_with_the_coil_on_is_seen(box):
    found = sessions.lived(box, 1, SEED, "worst", PLANTED)
    print(f"seed {SEED}, {found}")
    assert found["turn_us_on"] > 200_000 and found["lapses"] and found["x3"] and found["hot_openings"]


def clock():
    """(FlashTime by the classic chip's worst values, list of what it let pass in us)."""
    passed = []
    return flash_time.FlashTime(chips.flash_times(chips.loaded("esp32"), "worst"), passed.append), passed


def test_a_read_costs_its_command_and_its_bytes():
    flash, passed = clock()
    flash.read(1024)
    flash.read(0)
    assert passed == [114 + 97, 114] and (flash.reads, flash.commands(), flash.busy_us) == (2, 2, sum(passed))


@pytest.mark.parametrize(
    ("at", "count", "pages"), ((0, 1, 1), (0, 256, 1), (0, 257, 2), (255, 1, 1), (255, 2, 2), (100, 512, 3))
)
def test_each_page_is_a_command_of_its_own(at, count, pages):
    flash, passed = clock()
    flash.program(at, count)
    assert flash.programs == pages and passed == [pages * (199 + 3000)]


def test_an_erase_takes_what_the_data_sheet_says():
    flash, passed = clock()
    flash.erase()
    assert passed == [199 + 400_000] and flash.erases == 1


def test_shares_of_lateness():
    assert sessions.share({0: 99, 50: 1}, 990) == 0
    assert sessions.share({0: 98, 20: 1, 50: 1}, 990) == 20
    assert sessions.share({}, 990) == 0


def test_results_add_up_and_the_worst_turn_stays():
    one = dict.fromkeys((*sessions.SUMS, *sessions.MOSTS, "x3"), 1) | {
        "late_on": {0: 2},
        "late_off": {},
        "worst_turn": "a",
    }
    more = {**one, "turn_us_on": 9, "worst_turn": "b", "late_on": {"0": 1, "7": 1}}
    total = sessions.added([one, more])
    assert (total["x3"], total["turn_us_on"], total["worst_turn"]) == (2, 9, "b")
    assert total["late_on"] == {0: 3, 7: 1}
    assert [bool(is_reached) for _, is_reached in sessions.goals(total)] == [False, False, False, True, True, True]


def test_without_a_tick_no_lateness_is_good():
    total = dict.fromkeys((*sessions.SUMS, *sessions.MOSTS, "x3"), 0) | {"late_on": {}, "late_off": {}}
    assert [bool(is_reached) for _, is_reached in sessions.goals(total)] == [True, True, True, False, False, True]
