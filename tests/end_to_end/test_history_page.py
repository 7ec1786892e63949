"""The owner fetches a year of history from a running box, which charges on; nobody else gets any of it."""

import csv
import io
import json
import urllib.error
import urllib.request

from running import RunningDemo

from firmware.wire import ledger_record

NEW_YEAR_S = 1_577_836_800  # 2020-01-01 00:00 UTC
SESSIONS_IN_FILE, QUARTERS_IN_FILE = 123, 255
SESSIONS, QUARTERS = 450, 3000  # both of 4.5 MWh


def fetched(demo, path, token):
    """(status, headers, text) of the page's call."""
    request = urllib.request.Request(demo.ready["web"].rstrip("/") + path)
    if token:
        request.add_header("Authorization", "Bearer " + token)
    try:
        with urllib.request.urlopen(request, timeout=120) as answer:
            return answer.status, answer.headers, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read().decode()


def stored(folder):
    """Let a box have lived for a while: SESSIONS of 10 kWh, QUARTERS of 1,500 Wh; one of each is garbled."""
    folder.mkdir()
    for name, count, most in (("sessions", SESSIONS, SESSIONS_IN_FILE), ("quarters", QUARTERS, QUARTERS_IN_FILE)):
        for first in range(0, count, most):
            octets = bytearray(b"".join(record(name, number) for number in range(first, min(first + most, count))))
            if first == 0:
                octets[70] ^= 1  # of the third session, the second quarter hour
            (folder / f"{name}-{first // most}.bin").write_bytes(octets)


def record(name, number):
    """Bytes of one record."""
    if name == "quarters":
        minutes = (100_000,) * ledger_record.MINUTES
        quarter_no = NEW_YEAR_S // 900 + number
        return ledger_record.packed_quarter(ledger_record.Quarter(number, quarter_no, number * 1500 + 1500, 0, minutes))
    from_s, wh = NEW_YEAR_S + number * 86_400 // 2, number * 10_000
    made = ledger_record.Session(number, from_s, from_s + 7200, 7200, wh, 0, wh + 10_000, 0)
    return ledger_record.packed_session(made)


def test_the_history_of_a_box_that_has_charged(tmp_path):
    folder = tmp_path / "box"
    stored(folder)
    with RunningDemo("--data", str(folder), "--speed", "2") as demo:
        token = demo.ready["owner_token"]
        for path in ("/api/energy", "/api/sessions", "/api/sessions.csv", "/api/sessions?last=1"):
            assert fetched(demo, path, "")[0] == 401
        demo.charge()
        demo.wait(lambda: demo.status()["session"]["wh"] >= 20, "20 Wh have flowed", 60)
        for path in ("/api/energy", "/api/sessions", "/api/sessions.csv"):  # what lies in files waits (faults.md X3)
            status, _, text = fetched(demo, path, token)
            assert status == 409 and json.loads(text)["code"] == "charging"
        status, _, text = fetched(demo, "/api/sessions?last=1", token)
        assert (status, [one["number"] for one in json.loads(text)["sessions"]]) == (200, [SESSIONS - 1])
        demo.world({"car": {"wants_charge": False}})
        demo.wait(lambda: fetched(demo, "/api/sessions", token)[0] == 200, "the car has let go, and files may be read")
        found = {path: fetched(demo, path, token) for path in ("/api/energy", "/api/sessions", "/api/sessions.csv")}
        assert [answer[0] for answer in found.values()] == [200, 200, 200]
        energy = json.loads(found["/api/energy"][2])
        wanted = [NEW_YEAR_S + number * 900 for number in range(QUARTERS) if number != 1]
        long_ago = [one for one in energy["energy"] if one["at"] <= wanted[-1]]
        since = f"/api/energy?from={wanted[-1] + 900}"
        running = demo.wait(lambda: json.loads(fetched(demo, since, token)[2])["energy"], "the quarter hour that runs")
        assert 0 < running[0]["mwh"] < 1_000_000
        assert ([one["at"] for one in long_ago], energy["unreadable"]) == (wanted, 1)
        assert {one["mwh"] for one in long_ago} == {1_500_000}
        query = f"?step_s=60&from={NEW_YEAR_S + 2_000_000}&to={NEW_YEAR_S + 2_003_600}"
        minutes = json.loads(fetched(demo, "/api/energy" + query, token)[2])["energy"]
        assert len(minutes) == 60 and {one["mwh"] for one in minutes} == {100_000}
        sessions = json.loads(found["/api/sessions"][2])
        assert [one["number"] for one in sessions["sessions"]] == [*range(2), *range(3, SESSIONS)]
        assert sessions["unreadable"] == 1
        headers, text = found["/api/sessions.csv"][1:]
        assert headers["Content-Disposition"] == 'attachment; filename="ebb-sessions.csv"'
        rows = list(csv.DictReader(io.StringIO(text, newline="")))
        assert (rows[0]["started_utc"], rows[-1]["number"]) == ("2020-01-01 00:00:00", "unreadable 1")
        assert [int(row["energy_wh"]) for row in rows[:-1]] == [10_000] * (SESSIONS - 1)
        for wrong in ("/api/energy?from=yesterday", "/api/sessions?last=0", "/api/sessions.csv?form=xlsx"):
            status, _, text = fetched(demo, wrong, token)
            told = json.loads(text)
            assert status == 400 and told["code"] == "bad_field" and told["words"].endswith("."), wrong
        charged(demo, token)


def charged(demo, token):
    """What is charged now is the newest session once the car has left."""
    before = demo.status()["session"]
    demo.world({"car": {"is_plugged": False}})

    def newest():
        (last,) = json.loads(fetched(demo, "/api/sessions?last=1", token)[2])["sessions"]
        return last if last["number"] == SESSIONS else None

    last = demo.wait(newest, "the session is stored", 120)
    assert last["wh"] >= before["wh"] and last["duration_s"] >= before["duration_s"]
    assert last["meter_to_wh"] - last["meter_from_wh"] in (last["wh"], last["wh"] + 1)
    assert last["started_at"] == before["started_at"]
