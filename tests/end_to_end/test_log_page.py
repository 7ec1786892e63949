"""The owner reads the event log of a running box, over a power cut too; nobody else does, and nobody writes into it."""

import json
import urllib.error
import urllib.request

from running import RunningDemo


def fetched(demo, path, token):
    """(status, type, text) of the page's call."""
    request = urllib.request.Request(demo.ready["web"].rstrip("/") + path)
    if token:
        request.add_header("Authorization", "Bearer " + token)
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, answer.headers["Content-Type"], answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.headers["Content-Type"], error.read().decode()


def tried(demo, password):
    """Status of a login."""
    body = json.dumps({"password": password}).encode()
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(demo.ready["web"].rstrip("/") + "/api/login", body, headers)
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


def test_a_charge_and_a_break_in_are_told(tmp_path):
    folder = tmp_path / "box"
    with RunningDemo("--data", str(folder), "--speed", "2") as demo:
        token = demo.ready["owner_token"]
        assert tried(demo, "x\r\n2026-11-21T00:00:00Z alarm fault S2") == 401
        demo.charge()
        status, backup = demo.call("web", "/api/backup", Authorization="Bearer " + token)
        assert status == 200
        assert demo.call("web", "/api/backup", dict(backup, owner_only=True), Authorization="Bearer " + token)[0] == 200
        octets = {"Content-Type": "application/octet-stream", "Authorization": "Bearer " + token}
        update = urllib.request.Request(demo.ready["web"].rstrip("/") + "/api/update", b"no update", octets)
        try:
            urllib.request.urlopen(update, timeout=60)
            raise AssertionError("what is no update was taken")
        except urllib.error.HTTPError as error:
            assert error.code == 400
        since_ms = demo.world()["now_ms"]
        demo.world({"faults": {"diode_missing": True}})
        demo.wait_edge("coil", False, since_ms)

        def entries(query=""):
            status, kind, text = fetched(demo, "/api/log?format=jsonl" + query, token)
            assert (status, kind) == (200, "application/x-ndjson")
            return [json.loads(line) for line in text.splitlines()]

        demo.wait(lambda: [one for one in entries() if one["tag"] == "S2"], "the fault is told")
        demo.wait(lambda: entries()[0]["code"] != "later", "a second after the coil the whole log may be read")
        codes = [(one["code"], one["tag"]) for one in entries()]
        assert codes[0][0] == "start" and ("security", "wrong_login") in codes and ("state", "idle") in codes
        assert [one["seq"] for one in entries()] == list(range(1, len(entries()) + 1))
        kept = [(one["code"], one["tag"]) for one in entries("&stream=security")]
        told = [("security", "wrong_login"), ("backup", "made"), ("backup", "restored"), ("update_refused", "no_slot")]
        assert kept[1:] == told and kept[0][0] == "start"
        # The first minute writes nothing (faults.md P2); then the fault is on flash and outlives the power.
        demo.wait(lambda: (folder / "log-1.bin").exists(), "the log is on flash", 60)
        for is_on in (False, True):
            assert demo.call("bench", "/power", {"is_on": is_on})[0] == 200

        def is_back():
            try:
                return [one for one in entries() if one["start"] == 2]
            except OSError:
                return False  # the box is still starting

        demo.wait(is_back, "the second start is told")
        told = entries()
        assert ("fault", "S2", 1) in [(one["code"], one["tag"], one["start"]) for one in told]
        assert sorted(one["seq"] for one in told) == [one["seq"] for one in told]
        status, kind, text = fetched(demo, "/api/log", token)
        assert (status, kind) == (200, "text/plain; charset=utf-8")
        assert len(text.splitlines()) >= len(told) and " alarm fault S2 [#" in text
        for wrong, code in (("/api/log", 401), ("/api/log?format=jsonl", 401)):
            assert fetched(demo, wrong, "")[0] == code
        for wrong in ("/api/log?format=html", "/api/log?stream=../settings", "/api/log?format="):
            assert fetched(demo, wrong, token)[0] == 400
