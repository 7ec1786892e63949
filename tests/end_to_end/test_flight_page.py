"""A fault in the demo leaves a flight record, which the owner can fetch and a developer can decide anew."""

import subprocess
import sys
import urllib.error
import urllib.request

from running import ROOT, RunningDemo, runtime


def fetched(demo, path, token):
    """(status, headers, bytes) of the page's call."""
    request = urllib.request.Request(demo.ready["web"].rstrip("/") + path)
    if token:
        request.add_header("Authorization", "Bearer " + token)
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read()


def replayed(*options):
    """(exit code, stdout) of the task."""
    command = [sys.executable, "-m", "host_tools", "replay", *map(str, options)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    return done.returncode, done.stdout


def test_a_broken_diode_is_recorded(tmp_path):
    folder = tmp_path / "box"
    with RunningDemo("--data", str(folder)) as demo:
        token = demo.ready["owner_token"]
        assert fetched(demo, "/api/flight", token)[::2] == (200, b'{"records": []}')
        demo.charge()
        since_ms = demo.world()["now_ms"]
        demo.world({"faults": {"diode_missing": True}})
        demo.wait_edge("coil", False, since_ms)
        path = folder / "flight-1.bin"
        demo.wait(path.exists, "the record is on flash")
        code, said = replayed(path)
        assert code == 0, said[-1000:]
        assert "faults S2 latched" in said and "state charging" in said
        # What the build makes of the tables for a board has the same digest as the tables here.
        assert "note: the tables" not in said
        assert said.splitlines()[-1].startswith("no difference in ")
        assert replayed(path, "--runtime", runtime()) == (0, said)
        assert demo.status()["network"]["worst_late_ms"] < 500
        # The owner gets the same bytes; nobody else gets any.
        status, headers, octets = fetched(demo, "/api/flight/1", token)
        assert (status, octets) == (200, path.read_bytes())
        assert int(headers["Content-Length"]) == len(octets)
        assert fetched(demo, "/api/flight", token)[2] == b'{"records": [{"number": 1, "size_b": %d}]}' % len(octets)
        for wrong in ("/api/flight", "/api/flight/1"):
            assert fetched(demo, wrong, "")[0] == 401
        for wrong in ("/api/flight/2", "/api/flight/999999999999"):
            assert fetched(demo, wrong, token)[0] == 404
        for wrong in ("/api/flight/settings", "/api/flight/../settings", "/api/flight/-1"):
            assert fetched(demo, wrong, token)[0] == 404


def test_a_small_board_records_nothing(tmp_path):
    folder = tmp_path / "box"
    with RunningDemo("--data", str(folder), "--no-page", "--heap", "256k") as demo:
        demo.charge()
        since_ms = demo.world()["now_ms"]
        demo.world({"faults": {"diode_missing": True}})
        demo.wait_edge("coil", False, since_ms)
        demo.wait(lambda: demo.world()["now_ms"] > since_ms + 4000, "time goes on")
    assert not list(folder.glob("flight-*"))
