"""The cases of tests/unit/test_real_world.py over the whole sweeps of their numbers."""

import sys

import pytest

from host_tools import bootstrap

sys.path.append(str(bootstrap.ROOT / "tests" / "unit"))

import samples  # noqa: E402
import test_real_world  # noqa: E402


@pytest.fixture(autouse=True)
def whole(monkeypatch):
    """No number of a sweep is left out."""
    monkeypatch.setattr(samples, "is_whole", True)


def test_some_is_less_than_all(monkeypatch):
    monkeypatch.setattr(samples, "is_whole", False)
    assert samples.some(range(0, 960, 23)) == [0, 460, 943]
    monkeypatch.setattr(samples, "is_whole", True)
    assert samples.some(range(3, 9)) == [3, 4, 5, 6, 7, 8]


def cases():
    """(name, class, name of the test) of each case."""
    for kind in vars(test_real_world).values():
        if isinstance(kind, type) and issubclass(kind, test_real_world.unittest.TestCase):
            for name in test_real_world.unittest.defaultTestLoader.getTestCaseNames(kind):
                yield pytest.param(kind, name, id=f"{kind.__name__}-{name}")


@pytest.mark.parametrize(("kind", "name"), cases())
def test_case(kind, name):
    getattr(kind(name), name)()
