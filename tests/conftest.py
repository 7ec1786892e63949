"""Puts the project and the unit tests' samples on the path, and fake pins and a fake radio under the drivers."""

import os
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SHOWN = 240  # characters of a line
for folder in (ROOT, *(ROOT / "tests" / name for name in ("unit", "end_to_end", "model"))):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))

from host_tools.sim import fake_machine, fake_network  # noqa: E402 - the path comes first

sys.modules.setdefault("machine", fake_machine)
sys.modules.setdefault("network", fake_network)


@pytest.fixture(autouse=True)
def fresh_tally(monkeypatch):
    """What earlier tests wrote takes nothing from the writes that this one's box may make in a minute."""
    from firmware.services import flash_files

    monkeypatch.setattr(flash_files, "tally", flash_files.Tally())


@pytest.fixture(autouse=True)
def same_modules():
    """A box that ran in this process forgets modules; a bug planted in one of them would then reach nobody."""
    before = [(name, module) for name, module in sys.modules.items() if name.startswith("firmware.")]
    yield
    for name, module in before:
        if sys.modules.get(name) is not module:
            package, _, own_name = name.rpartition(".")
            sys.modules[name] = module
            setattr(sys.modules[package], own_name, module)


def pytest_addoption(parser):
    """--shots FOLDER: keep a picture of every page that the browser test sees; --lives FOLDER: lives that failed."""
    parser.addoption("--shots", default="", help="folder for screenshots of the pages")
    parser.addoption("--lives", default=str(ROOT / ".cache" / "lives"), help="folder for random lives that went wrong")


def pytest_terminal_summary(terminalreporter):
    """Seeds and counts of what was drawn at random, of tests that passed too: who sees a run can run it again."""
    terminalreporter.write_sep("-", "drawn at random")
    for report in terminalreporter.stats.get("passed", ()):
        for line in report.capstdout.splitlines():
            if "seed" in line.lower():
                terminalreporter.write_line(f"{report.nodeid.split('/')[-1]}: {line.strip()}"[:SHOWN])


def pytest_collection_modifyitems(items):
    """`test --without-chip` goes on without the real interpreter; where it is missing otherwise, the tests fail."""
    if os.environ.get("EBB_WITHOUT_CHIP"):
        left_out = pytest.mark.skip(reason="`test --without-chip` was asked for")
        for item in items:
            if item.get_closest_marker("needs_chip"):
                item.add_marker(left_out)
