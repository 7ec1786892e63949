"""The chip's small store takes no more, or cannot be opened: a whole slot starts all the same, and none on trial."""

import hashlib
import importlib.util
import json
import sys
from types import ModuleType
from typing import Any

import pytest

from host_tools import bootstrap

FULL = OSError(-4357, "ESP_ERR_NVS_NOT_ENOUGH_SPACE")


class Store:
    """As esp32.NVS, in a flash that is worn out."""

    numbers: dict[str, int]
    is_worn = cannot_open = False

    def __init__(self, name):
        if Store.cannot_open:
            raise OSError(-4353, "ESP_ERR_NVS_NOT_INITIALIZED")

    def get_i32(self, key):
        if key not in Store.numbers:
            raise OSError(-4354)
        return Store.numbers[key]

    def set_i32(self, key, number):
        if Store.is_worn:
            raise FULL
        Store.numbers[key] = number

    def commit(self):
        pass


class Bitten(Exception):
    """The chip starts anew."""


class Chip:
    """What the starter asks of `machine`."""

    PWRON_RESET, SOFT_RESET = 1, 5
    timers = 0

    class Timer:
        """A trial's end."""

        ONE_SHOT = 0

        def __init__(self, number):
            pass

        def init(self, **how):
            Chip.timers += 1

    class WDT:
        """A watchdog."""

        def __init__(self, timeout):
            self.feed = None

    @staticmethod
    def reset_cause():
        return 1

    @staticmethod
    def unique_id():
        return b"abcdef"

    @staticmethod
    def reset():
        raise Bitten()


@pytest.fixture
def starter(tmp_path, monkeypatch):
    """The starter of a box with two whole slots and without partitions."""
    for letter in "ab":
        (tmp_path / letter).mkdir()
        (tmp_path / letter / "x.mpy").write_bytes(b"x")
        rows = [{"path": "x.mpy", "sha256": hashlib.sha256(b"x").hexdigest()}]
        (tmp_path / letter / "manifest.json").write_text(json.dumps({"files": rows, "security": 1}))
    chip: Any = ModuleType("esp32")
    chip.NVS = Store
    chip.Partition = type("Partition", (), {"TYPE_DATA": 1, "find": staticmethod(lambda kind, label: [])})
    for name, module in (("machine", Chip), ("esp32", chip), ("vfs", ModuleType("vfs"))):
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(Store, "is_worn", False)
    monkeypatch.setattr(Store, "cannot_open", False)
    monkeypatch.setattr(Chip, "timers", 0)
    spec: Any = importlib.util.spec_from_file_location("starter", bootstrap.ROOT / "firmware" / "starter.py")
    made: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    made.open = lambda path, mode="r": open(str(tmp_path) + path if path[2:3] == "/" else path, mode)  # noqa: SIM115  as is
    return made


@pytest.mark.parametrize(
    ("numbers", "letter", "word"),
    (
        ({"slot": 0, "security": 1}, "a", ""),
        ({"slot": 1, "security": 1}, "b", ""),
        ({"slot": 0}, "a", ""),  # its security version cannot be noted
        ({"slot": 1 | 2, "security": 1}, "a", "came_back"),  # the first start of a trial
        ({"slot": 0 | 4, "security": 1}, "b", "came_back"),
        ({"slot": 1 | 6, "security": 1, "crashes": 2, "planned": 1}, "a", "came_back"),
    ),
)
def test_a_store_that_takes_nothing(starter, numbers, letter, word):
    Store.numbers, Store.is_worn = dict(numbers), True
    starter.prepare()
    assert (starter.slot(), Chip.timers) == (letter, 0)
    starter.is_asked_to_stop = lambda: False
    assert starter.config_of("/no/box.json")["update"] == word
    assert Store.numbers == numbers


def test_a_store_that_cannot_be_opened(starter):
    Store.numbers, Store.cannot_open = {}, True
    starter.prepare()
    starter.is_asked_to_stop = lambda: False
    assert (starter.slot(), starter.config_of("/no/box.json")["update"], Chip.timers) == ("a", "", 0)
    assert starter.number_of(starter.memory(), "data") == 1, "nobody knows that this box is new (faults.md F1)"


def test_a_trial_ends_though_nothing_can_be_noted(starter):
    Store.numbers = {"slot": 1 | 2, "security": 1}
    starter.prepare()
    assert (starter.slot(), Store.numbers["slot"], Chip.timers) == ("b", 1 | 4, 1)
    Store.is_worn = True
    with pytest.raises(Bitten):
        starter._end_trial(None)
    sys.path.remove("/b")
    starter.prepare()
    assert starter.slot() == "a"
