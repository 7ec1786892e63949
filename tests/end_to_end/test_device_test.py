"""The unit tests on the virtual chip with the heap of a small board; a planted failure; nothing is left behind."""

import os
import re
import shutil
import signal
import threading
import time

import pytest
from chips import RunningChip, installed

from host_tools.device import unit_tests
from host_tools.device.prompt import Prompt


@pytest.fixture(scope="module")
def chip(tmp_path_factory):
    with RunningChip(tmp_path_factory.mktemp("tested") / "chip", heap="512k") as running:
        installed(running)
        yield running


@pytest.fixture
def planted(tmp_path, monkeypatch):
    """The folder of the unit tests, with one more that fails and one that cannot be imported."""
    folder = tmp_path / "unit"
    shutil.copytree(unit_tests.UNIT, folder)
    head = "import unittest\n\n\nclass Planted(unittest.TestCase):\n"
    (folder / "test_planted.py").write_text(head + "    def test_red(self):\n        self.assertEqual(1, 2)\n")
    (folder / "test_broken.py").write_text("import no_such_module\n")
    (folder / "test_ends.py").write_text("raise KeyboardInterrupt\n")
    (folder / "test_waits.py").write_text("print('planted:', 'it waits')\nwhile True:\n    pass\n")
    monkeypatch.setattr(unit_tests, "UNIT", folder)


def left_behind(chip):
    """Whether /test is still on the board, which starts anew at this moment."""
    chip.wait_runs()
    with Prompt(chip.port) as prompt:
        there = prompt.run("import os\nprint('test' in os.listdir('/'))")
        prompt.restart()
    return there != "False\n"


def test_all_unit_tests_pass_and_the_firmware_runs_again(chip, capsys):
    assert unit_tests.run(["--port", chip.port]) == 0
    said = capsys.readouterr().out
    names = [
        name
        for name in sorted(path.stem for path in unit_tests.UNIT.glob("test_*.py"))
        if name not in unit_tests.ON_A_PC
    ]
    assert re.findall(r"(?m)^(test_\w+): [1-9]\d* passed, 0 failed$", said) == names
    assert len(names) >= 30 and re.search(r"(?m)^[1-9]\d\d passed, 0 failed$", said)
    for figure in (r"tick_mean: [1-9]\d* us", r"tick_p99_9: [1-9]\d* us", r"gc_collect_ms: \d+\.\d\d"):
        assert re.search(figure, said), figure
    chip.wait(lambda: chip.link.fed_at_us is not None, "the firmware runs again")
    assert not left_behind(chip)


SLOW_BOOT = b"import time\ntime.sleep(%d)\n"
SLOW_S = 9  # one that hashes its slot for long; 5 s were too short a wait once (docs/decisions/0015)


def test_a_board_that_starts_slowly_is_waited_for(chip, capsys):
    with Prompt(chip.port) as prompt:
        whole = prompt.read("/boot.py")
        prompt.put("/boot.py", SLOW_BOOT % SLOW_S + whole)
    begun_s = time.monotonic()
    assert unit_tests.run(["--port", chip.port, "pilot"]) == 0, capsys.readouterr().err
    assert time.monotonic() - begun_s > SLOW_S
    chip.wait_runs()
    with Prompt(chip.port) as prompt:
        prompt.put("/boot.py", whole)
        prompt.restart()


def test_a_planted_failure_has_its_name_and_the_others_run_on(chip, planted, capsys):
    assert unit_tests.run(["--port", chip.port, "planted", "broken", "test_pilot"]) == 1
    said = capsys.readouterr().out
    assert "FAILED test_planted Planted.test_red" in said and "FAILED test_broken" in said
    assert "no_such_module" in said and re.search(r"test_pilot: \d+ passed, 0 failed", said)
    assert not left_behind(chip)


def test_ctrl_c_and_a_break_in_the_middle_leave_nothing_behind(chip, planted, capsys):
    assert unit_tests.run(["--port", chip.port, "ends"]) == 1  # an error that ends the run on the board
    assert "KeyboardInterrupt" in capsys.readouterr().err
    assert not left_behind(chip)

    def press():
        chip.wait_said("planted: it waits")
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=press)
    thread.start()
    assert unit_tests.run(["--port", chip.port, "waits"]) == 1
    thread.join()
    assert "stopped" in capsys.readouterr().err
    assert not left_behind(chip)


def test_a_name_that_is_none(chip, capsys):
    assert unit_tests.run(["--port", chip.port, "no_such_test"]) == 2
    assert "there is no unit test 'test_no_such_test'" in capsys.readouterr().err
