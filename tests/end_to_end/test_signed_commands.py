"""Signed mode on the real interpreter against a real broker: keys of the tool, texts of another JWS library."""

import json
import shutil
import subprocess
import sys
import time

import pytest
from joserfc import jws
from joserfc.jwk import OctKey, RSAKey
from running import ROOT, RunningDemo, Subscriber, publish

from firmware.drivers import flash_area
from firmware.services.journal import Journal
from firmware.wire import journal_record
from host_tools.grid import keys

BOX = "garage"
OWN, GROUP = f"ebb/1/box/{BOX}/cmd", "ebb/1/group/north/cmd"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Keys of two issuers and of the box, made by the command."""
    made = tmp_path_factory.mktemp("keys")
    for issuer in ("dso1", "market2"):
        command = [sys.executable, "-m", "host_tools", "grid", "keys", "--issuer", issuer, "--box", BOX]
        subprocess.run([*command, "--out", str(made)], cwd=ROOT, check=True, capture_output=True)
    return made


class Issuer:
    """Signs commands, as a programme's platform would."""

    def __init__(self, folder, name):
        self.name = name
        self.key = RSAKey.import_key((folder / (name + keys.PRIVATE)).read_text())
        self.own = OctKey.import_key(bytes.fromhex((folder / (BOX + keys.SECRET)).read_text()))
        self.seq = 0

    def fields(self, name, **more):
        """A pause of ten minutes with the next number."""
        self.seq += 1
        now_s = int(time.time())
        made = {"id": name, "kind": "pause", "duration_s": 600, "issuer": self.name, "seq": self.seq}
        return {**made, "issued_at": now_s, "expires_at": now_s + 300, **more}

    def text(self, fields, alg="PS256", **head):
        """Compact form."""
        key = self.own if alg == "HS256" else self.key
        return jws.serialize_compact({"alg": alg, **head}, json.dumps(fields).encode(), key, algorithms=[alg])


def steps(heard):
    """[(issuer, id, step, reason)] of the acknowledgements heard."""
    found = [json.loads(payload) for topic, payload in heard.lines() if topic.endswith("/ack")]
    return [(ack["issuer"], ack["id"], ack["step"], ack["reason"]) for ack in found]


def is_connected(demo):
    """Whether the box answers and has its broker; a box that starts answers nothing yet."""
    try:
        return demo.status()["network"]["mqtt_is_connected"]
    except OSError:
        return False


def saved_seqs(data):
    """The numbers in the newest state file, and in the journal behind it."""
    files = [json.loads(path.read_bytes()) for path in data.glob("state.[01]")]
    found = list(max(files, key=lambda one: one["seq"])["seqs"]) if files else []
    copy = shutil.copy(data / flash_area.FILE, data.parent / "journal")
    for kind, octets in Journal(flash_area.FileArea(str(copy), flash_area.FILE_SECTORS)).values():
        if kind == journal_record.STATE:
            found += [change[1] for change in json.loads(octets)[3:] if change[0] == "q"]
    return found


def test_only_what_is_signed_counts_and_numbers_outlive_a_power_cut(mosquitto, folder, tmp_path):
    heard = Subscriber(mosquitto.port, "ebb/1/#")
    data = tmp_path / "box"
    data.mkdir()
    (data / "settings.json").write_text('{"wiring_limit_ma": 16000, "phases": 3, "groups": "north"}')
    options = ("--broker", f"127.0.0.1:{mosquitto.port}", "--data", str(data), "--keys", str(folder))
    dso, market = Issuer(folder, "dso1"), Issuer(folder, "market2")

    def told(*wanted):
        demo.wait(lambda: wanted in steps(heard), lambda: f"{wanted} among {steps(heard)}")

    with RunningDemo(*options) as demo:
        assert demo.ready["is_signed"]
        demo.charge()
        since_ms = demo.world()["now_ms"]
        # Nobody's, somebody else's, and a shared key where none may be.
        publish(mosquitto.port, OWN, '{"id": "plain", "kind": "pause", "duration_s": 60, "issuer": "dso1"}')
        publish(mosquitto.port, OWN, "pause")
        publish(mosquitto.port, OWN, dso.text(market.fields("foreign")))
        publish(mosquitto.port, GROUP, dso.text(dso.fields("shared"), "HS256"))
        head, payload, _ = market.text(market.fields("forged")).split(".")
        publish(mosquitto.port, OWN, f"{head}.{payload}." + "A" * 512)
        old = dso.fields("old", expires_at=int(time.time()) - 600, issued_at=int(time.time()) - 660)
        publish(mosquitto.port, OWN, dso.text(old))
        told("market2", "foreign", "rejected", "bad_signature")
        told("dso1", "shared", "rejected", "not_allowed")
        told("market2", "forged", "rejected", "bad_signature")
        told("dso1", "old", "rejected", "expired")
        assert not [one for one in steps(heard) if one[2] != "rejected"]
        assert not {"pilot_mode", "coil"} & {name for _, name, _ in demo.edges(since_ms)}
        # Signed three ways, on the box's own topic and its group's; `emergency` binds.
        limit = dso.text(dso.fields("limit", kind="limit", limit_ma=8000, **{"class": "emergency"}), "RS256")
        publish(mosquitto.port, GROUP, limit)
        told("dso1", "limit", "applied", "")
        pause = market.text(market.fields("pause"), "HS256")
        publish(mosquitto.port, OWN, pause)
        told("market2", "pause", "applied", "")
        publish(mosquitto.port, OWN, pause)
        told("market2", "pause", "duplicate", "")
        held = [one for one in demo.status()["grid"]["events"] if one["id"] == "limit"]
        assert held and held[0]["class"] == "emergency"
        demo.wait(lambda: [market.name, "box", market.seq] in saved_seqs(data), "its number is on flash")
        # Played again after a power cut: what was passed stays passed, though the times are still right.
        demo.call("bench", "/power", {"is_on": False})
        demo.call("bench", "/power", {"is_on": True})
        demo.wait(lambda: is_connected(demo), "the box is back")
        publish(mosquitto.port, OWN, market.text(market.fields("again", seq=market.seq - 1)))
        told("market2", "again", "rejected", "replayed")
        count = steps(heard).count(("market2", "pause", "duplicate", ""))
        publish(mosquitto.port, OWN, pause)
        demo.wait(lambda: steps(heard).count(("market2", "pause", "duplicate", "")) > count, "it is known")
        publish(mosquitto.port, OWN, market.text(market.fields("end", kind="resume"), kid="2026a"))
        told("market2", "pause", "done", "")
    heard.close()


def test_keys_that_cannot_be_used_are_told_in_one_line(folder, tmp_path):
    (tmp_path / "dso1-public.pem").write_text("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n")
    for wrong, words in ((tmp_path / "none", "no file"), (tmp_path, "holds no public key")):
        command = [sys.executable, "-m", "host_tools", "demo", "--json", "--no-browser", "--web", "0", "--bench", "0"]
        command += ["--mqtt", "0", "--data", str(tmp_path / "box"), "--keys", str(wrong)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
        assert done.returncode == 2 and words in done.stderr and len(done.stderr.splitlines()) == 1, done.stderr


def test_the_owner_brings_the_keys_and_takes_them_away(mosquitto, folder, tmp_path):
    options = ("--broker", f"127.0.0.1:{mosquitto.port}", "--data", str(tmp_path / "box"))
    market = Issuer(folder, "market2")
    with RunningDemo(*options) as demo:
        owner = {"Authorization": "Bearer " + demo.ready["owner_token"], "Content_Type": "application/octet-stream"}

        def asked(body=None, **headers):
            return demo.call("web", "/api/issuers", body, **{**owner, **headers})

        def events():
            return [one["id"] for one in demo.status()["grid"]["events"]]

        assert asked() == (200, {"is_signed": False, "issuers": []})
        assert asked(b"{}", Authorization="")[0] == 401
        for body, words in (
            (b"", "no keys of a programme"),
            (b"nonsense", "no keys of a programme"),
            (b'{"keys": [{"issuer": "a", "modulus": "00"}]}', "RSA of 2048 to 3072 bits"),
            (b"[" * 5000, "no keys of a programme"),
            (b" " * 9000, "too long"),
        ):
            status, told = asked(body)
            assert status in (400, 413) and words in told["words"], (body[:20], status, told)
        assert asked() == (200, {"is_signed": False, "issuers": []})
        content = keys.box_file_of(folder, BOX) + b" " * 1000  # longer than what other calls take
        assert asked(content) == (200, {"is_signed": True, "issuers": ["dso1", "market2"]})
        publish(mosquitto.port, OWN, '{"id": "plain", "kind": "pause", "duration_s": 60}')
        publish(mosquitto.port, OWN, market.text(market.fields("signed")))
        demo.wait(lambda: events() == ["signed"], "the signed one counts, at once and alone")
        assert asked(b'{"keys": []}') == (200, {"is_signed": False, "issuers": []})
        publish(mosquitto.port, OWN, '{"id": "plain", "kind": "pause", "duration_s": 60}')
        demo.wait(lambda: "plain" in events(), "plain mode again")
