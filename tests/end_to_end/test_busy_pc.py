"""A PC with too much to do stops the world and trips nothing; a firmware that stands still by itself loses its coil."""

import contextlib
import subprocess
import sys
import time

import pytest
from running import RunningDemo

LOOPS = 4
CHARGED_MS = 20_000
X3_LAPSED = "X3"


@contextlib.contextmanager
def busy(loops):
    """So many processes that never wait."""
    started = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(loops)]
    try:
        yield
    finally:
        for one in started:
            one.kill()
            one.wait()


def coil_falls(demo):
    """Moments in ms at which the coil went off."""
    return [at_ms for at_ms, name, value in demo.edges() if name == "coil" and not value]


def test_a_busy_pc_trips_nothing(tmp_path):
    with RunningDemo("--data", str(tmp_path / "box")) as demo:
        demo.charge()
        begun_ms, begun_s = demo.world()["now_ms"], time.monotonic()
        with busy(LOOPS):
            demo.wait(lambda: demo.world()["now_ms"] - begun_ms > CHARGED_MS, "it charges on", CHARGED_MS // 1000 + 5)
        took_s = time.monotonic() - begun_s
        print(f"\n{CHARGED_MS / 1000:.0f} s of the box in {took_s:.1f} s beside {LOOPS} loops")
        assert coil_falls(demo) == [] and demo.status()["faults"] == []


@pytest.mark.parametrize("kind", ("loop", "look_up", "flash"))
def test_its_own_stall_is_told(tmp_path, kind):
    with RunningDemo("--data", str(tmp_path / "box")) as demo:
        demo.charge()
        assert demo.call("bench", "/stall", {"kind": "nap"})[0] == 400
        since_ms = demo.world()["now_ms"]
        status, body = demo.call("bench", "/stall", {"kind": kind})
        assert status == 200 and body["stands_still_ms"] >= 400
        fell_ms = demo.wait_edge("coil", False, since_ms)
        assert fell_ms - since_ms < body["stands_still_ms"], "the lease lapses while the program stands still"
        demo.wait(lambda: X3_LAPSED in str(demo.status()["faults"]), "the box says why")
