"""The demo as a user meets it: one clear line for what cannot work, the bench's and the owner's calls, a power cut."""

import shlex
import signal
import socket
import subprocess
import sys
import time

import pytest
from running import ROOT, RunningDemo, runtime

from host_tools.grid import keys


def refused(*options):
    """The one line that demo says before it exits with 2."""
    command = [sys.executable, "-m", "host_tools", "demo", "--no-browser", "--web", "0", "--bench", "0", "--mqtt", "0"]
    done = subprocess.run([*command, *options], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2, done
    return done.stderr.strip()


def test_a_port_in_use():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        for name in ("web", "bench", "mqtt"):
            words = refused(f"--{name}", str(taken.getsockname()[1]))
            assert "is in use" in words and f"--{name}" in words and "\n" not in words


@pytest.mark.parametrize(
    ("options", "words"),
    (
        (("--broker", "127.0.0.1:1"), "no broker answers at 127.0.0.1:1"),
        (("--broker", "nowhere"), "--broker wants HOST:PORT"),
        (("--car", "rocket"), "there is no car 'rocket'"),
        (("--board", "../x"), "there is no board"),
        (("--speed", "0"), "--speed is 1 to 1000"),
        (("--data", "/proc/nothing"), "cannot be used"),
    ),
)
def test_what_cannot_work_is_one_line(options, words):
    found = refused(*options)
    assert words in found and "\n" not in found


def test_bench_and_owner(tmp_path):
    with RunningDemo("--data", str(tmp_path / "box")) as demo:
        assert demo.call("bench", "/world", {"car": {"wings": 2}})[0] == 400
        assert demo.call("bench", "/world", b"{nonsense")[0] == 400
        assert demo.call("bench", "/world", {"pins": {"is_coil_on": True}})[0] == 400
        assert demo.call("bench", "/power", {"is_on": "yes"})[0] == 400
        assert demo.call("bench", "/clock", {"wall_s": -1})[0] == 400
        # The owner's page: nothing without a login, nothing from a foreign page.
        token = {"Authorization": "Bearer " + demo.ready["owner_token"]}
        assert demo.call("web", "/api/status")[0] == 401
        assert demo.call("web", "/api/command", {"kind": "pause"})[0] == 401
        assert demo.call("web", "/api/login", {"password": "wrong"})[0] == 401
        status, told = demo.call("web", "/api/login", {"password": "wrong"})
        assert (status, told["words"]) == (429, "Too many wrong passwords; wait 1 s.")
        assert demo.call("web", "/api/command", {"kind": "pause"}, Origin="http://evil.example", **token)[0] == 403
        status, told = demo.call("web", "/api/command", {"kind": "fly"}, **token)
        assert (status, told["code"]) == (400, "unknown_kind")
        status, told = demo.call("web", "/api/settings", {"wiring_limit_ma": 32000}, method="PATCH", **token)
        assert (status, told["code"], told["field"]) == (403, "code", "installer_code")
        status, told = demo.call("web", "/api/settings", {"colour": 1}, method="PATCH", **token)
        assert (status, told["code"]) == (400, "unknown_setting")
        demo.charge()
        since_ms = demo.world()["now_ms"]
        status, told = demo.call("web", "/api/command", {"kind": "pause", "for_s": 3600}, **token)
        assert status == 202 and told["ref"]
        demo.wait_edge("coil", False, since_ms)
        demo.wait(lambda: demo.status()["words"].startswith("Paused by you until"), "the sentence says who and when")
        assert demo.call("web", "/api/command", {"kind": "resume"}, **token)[0] == 202
        demo.wait_edge("coil", True, since_ms)
        # The plug of the bench is pulled: the coil falls at once, the box comes back and waits its random time.
        cut_ms = demo.world()["now_ms"]
        assert demo.call("bench", "/power", {"is_on": False})[0] == 200
        assert demo.wait_edge("coil", False, cut_ms) - cut_ms < 200
        assert demo.call("bench", "/power", {"is_on": True})[0] == 200

        def is_back():
            try:
                return demo.status()["letter"] == "B"
            except OSError:
                return False

        demo.wait(is_back, "the box is back and sees the car")
        assert demo.call("web", "/api/command", {"kind": "charge_now"}, **token)[0] == 202


def test_the_serial_line_of_a_demo(tmp_path):
    keys.made(tmp_path / "keys", "dso1", "garage")
    options = ("--serial", "--data", str(tmp_path / "box"), "--keys", str(tmp_path / "keys"))
    with RunningDemo(*options) as demo:
        port = demo.ready["serial"]
        told = demo.call("web", "/api/issuers", Authorization="Bearer " + demo.ready["owner_token"])
        assert told == (200, {"is_signed": True, "issuers": ["dso1"]}), "the chip's own flash has the keys"
        told = demo.call("web", "/api/settings", Authorization="Bearer " + demo.ready["owner_token"])
        assert told[1]["wiring_limit_ma"] == 16000, told
        demo.charge()
        cut_ms = demo.world()["now_ms"]
        assert demo.call("bench", "/power", {"is_on": False})[0] == 200
        assert demo.wait_edge("coil", False, cut_ms) - cut_ms < 200
        assert demo.call("bench", "/power", {"is_on": True})[0] == 200
        demo.wait_edge("pilot_mode", "high", cut_ms)
        command = [sys.executable, "-m", "mpremote", "connect", f"port:{port}", "resume", "fs", "ls", "/a"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0 and "manifest.json" in done.stdout, done.stdout + done.stderr


def printed_commands(text):
    """(what listens, what pauses, what resumes) as demo prints it, to the letter."""
    lines = [line.partition("mosquitto_") for line in text.splitlines() if "mosquitto_" in line]
    lines = ["".join(found[1:]).strip() for found in lines]
    return tuple(next(line for line in lines if line.endswith(end)) for end in ("-v", "pause", "resume"))


def test_the_printed_commands_reach_the_box_while_somebody_listens(tmp_path):
    """The embedded broker lost each of them without -q 1, once anybody had subscribed."""
    command = [sys.executable, "-m", "host_tools", "demo", "--no-browser", "--web", "0", "--bench", "0", "--mqtt", "0"]
    command += ["--data", str(tmp_path / "box"), "--runtime", runtime()]
    heard = tmp_path / "heard.txt"
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as demo, heard.open("wb") as file:
        listening = None
        try:
            said = ""
            while "Ctrl-C ends everything" not in said:
                said += demo.stdout.readline()
            listens, *sent = printed_commands(said)
            listening = subprocess.Popen(shlex.split(listens), stdout=file)
            for number in range(3):
                for line in sent:
                    before = heard.read_text().count("/ack {")
                    subprocess.run(shlex.split(line), check=True, timeout=60)
                    end_s = time.monotonic() + 60
                    while heard.read_text().count("/ack {") == before and time.monotonic() < end_s:
                        time.sleep(0.1)
                    assert heard.read_text().count("/ack {") > before, (number, line, heard.read_text()[-1000:])
        finally:
            if listening:
                listening.terminate()
                listening.wait(10)
            demo.send_signal(signal.SIGTERM)
