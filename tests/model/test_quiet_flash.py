"""While the coil is on the whole firmware asks nothing of littlefs or NVS, and a cut takes 20 s of energy at most."""

import random

import pytest

from host_tools import bootstrap, chip, quiet_flash

SEED = random.SystemRandom().randrange(1 << 30)
TURN_US = 5000  # issue 11: flash in one turn of the loop, by the data sheet's worst values
pytestmark = pytest.mark.needs_chip
ALWAYS = ["200", "200", "409", "409", "200", "409", "409", "409"]  # status, ten sessions, and the log in memory


def test_the_flash_is_quiet_while_the_coil_is_on(tmp_path):
    found = quiet_flash.told(tmp_path, SEED)
    print(f"seed {SEED}: {found}")
    assert found["charging"]["asked"] == ALWAYS and found["charging"]["changed"] == ["200"]
    assert found["asked"]["asked"] == ["200"] * 8, "with the car gone everything can be read"
    assert found["charging"]["wh"] > 3000 and found["records"]["names"] == ["flight-1.bin"]
    cut = found["cut"]
    assert 0 <= cut["lost_ms"] <= 20_000 and not cut["shown_fell"] and cut["offset_s"] == 7200
    assert cut["kept"] == ["limit-0", "limit-1", "limit-2", "limit-3"]
    assert found["reset"]["restarts"] == [False], "the car had let go before"
    assert not [name for name in found["reset"]["names"] if name.startswith(("sessions", "quarters", "log", "flight"))]
    spy = found["spy"]
    assert not [name for name in spy if name.startswith(("file", "number"))], spy
    assert spy["ring_programs"] > 200 and "ring_erases" not in spy and spy["most_us"] <= TURN_US


def planted(tmp_path, path, old, new):
    """Counts of the spy for a firmware with one change."""
    text = (bootstrap.ROOT / path).read_text()
    assert old in text
    sources = chip.firmware_sources({path: text.replace(old, new)})
    return quiet_flash.told(tmp_path, SEED, chip.compiled(sources, "quiet_flash"))["spy"]


def test_a_gate_that_stands_open_is_found_out(tmp_path):
    spy = planted(tmp_path, "firmware/services/flash_gate.py", "        loop = self._loop\n", "        loop = None\n")
    assert spy["file_programs"] > 50 and spy["number_writes"] >= 1 and spy["most_us"] > TURN_US
