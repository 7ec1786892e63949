"""PyPy and CPython compute the same: same seed, same counts; and only what computes is started under PyPy."""

import json
import shutil
import subprocess
import sys

import pytest

from host_tools import bootstrap, fast

SEED = 20261121
COUNTS = f"""
import json
from host_tools import hostile_port
from host_tools.faults import campaign, healthy, states
made = states.stored()
progress = campaign.Progress(campaign.plan_of("random", {SEED}, made, 40), is_quiet=True)
campaign.run(progress.plan, made, progress, workers=1)
hours = healthy.ran(24, {SEED}, 0.0005)
print(json.dumps([progress.counts, hours, hostile_port.batch(({SEED}, 0, 150))], sort_keys=True))
"""


def counts_of(program):
    """What the campaigns in small count under an interpreter."""
    done = subprocess.run([program, "-c", COUNTS], cwd=bootstrap.ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_both_interpreters_count_the_same():
    program = shutil.which(fast.PROGRAM)
    assert program, f"{fast.PROGRAM} is not there: {fast.PACKAGE} of Debian"
    ours = counts_of(sys.executable)
    assert ours[0]["runs"] == 40 and ours[1][0]["closings"] and ours[2]["counts"]["ticks"]
    assert counts_of(program) == ours


@pytest.mark.parametrize(
    ("argv", "is_so"),
    (
        (["faults", "--pairs"], True),
        (["soak", "--hours", "3"], True),
        (["soak", "--whole"], False),
        (["hostile"], True),
        (["fuzz", "--count", "9"], True),
        (["fuzz", "--guided", "9"], False),
        (["latency", "--deadlines", "--trials", "5"], True),
        (["latency"], False),
        (["test", "faults"], False),
        ([], False),
    ),
)
def test_only_what_computes_is_started_again(argv, is_so):
    assert fast.is_simulated(argv) is is_so


def test_without_pypy_it_goes_on_and_says_so(monkeypatch, capsys):
    monkeypatch.setattr(fast.shutil, "which", lambda program: None)
    fast.ensure(["hostile"])
    assert "apt-get install pypy3" in capsys.readouterr().err


def test_the_table_of_figures_names_the_interpreter():
    assert fast.name() == "cpython " + sys.version.split()[0]
