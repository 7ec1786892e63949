"""Updates announced over MQTT: a real broker, a real web server, the whole firmware; each refusal in words."""

import contextlib
import functools
import hashlib
import http.client
import http.server
import json
import shutil
import socket
import ssl
import threading

import pytest
from chips import RunningChip, free_port
from name_server import UdpServer, ntp_reply
from new_versions import is_up, stored, with_changes
from running import Subscriber, publish

from host_tools.certificates import certificates
from host_tools.device import bundle, install
from host_tools.device.prompt import Prompt
from host_tools.mosquitto import Mosquitto
from host_tools.updates import trial_keys

SEED = 20261121
TOPIC = "ebb/1/box/garage/"
GOOD_HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n"
BEFORE_FILES_B = 300  # within the manifest: nothing has been written by then


@pytest.fixture(scope="module")
def broker(tmp_path_factory):
    """A real mosquitto."""
    made = Mosquitto(tmp_path_factory.mktemp("broker")).start()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def installed(files, broker, tmp_path_factory):
    """(folder of a chip's flash with that build, port of its page)."""
    folder, port = tmp_path_factory.mktemp("installed"), free_port()
    box = {"box": "garage", "owner_token": "t", "web_host": "127.0.0.1", "web_port": port}
    box.update({"mqtt_host": "127.0.0.1", "mqtt_port": broker.port})
    with RunningChip(folder) as chip, Prompt(chip.port) as prompt:
        install.install(prompt, files, lambda path, number, of: None)
        prompt.put("/box.json", json.dumps(box).encode())
    return folder, port


@pytest.fixture
def box(installed, broker, tmp_path):
    """Box on a copy of it."""
    shutil.copytree(installed[0], tmp_path / "chip")
    with Box(tmp_path / "chip", installed[1], broker.port, 3) as made:
        yield made


@pytest.fixture
def slow_box(installed, broker, tmp_path):
    """Box whose seconds are ours, where the box waits while the test does something."""
    shutil.copytree(installed[0], tmp_path / "chip")
    with Box(tmp_path / "chip", installed[1], broker.port, 1) as made:
        yield made


class Box:
    """A virtual chip that runs, heard over its broker and asked over its page."""

    def __init__(self, folder, web_port, mqtt_port, speed):
        self.folder, self.web_port, self.mqtt_port, self.speed = folder, web_port, mqtt_port, speed

    def __enter__(self):
        self._kept = contextlib.ExitStack()
        self.heard = Subscriber(self.mqtt_port, TOPIC + "#")
        self._kept.callback(self.heard.close)
        self.chip = self._kept.enter_context(RunningChip(self.folder, speed=self.speed))
        self.wait_online(1)
        return self

    def __exit__(self, *_):
        self._kept.close()

    def wait_online(self, count):
        """Until the page answers and the broker has heard this many greetings in all."""
        self.chip.wait(lambda: is_up(self.web_port), "the page answers", 60)
        self.chip.wait(lambda: self.heard.lines().count((TOPIC + "online", "1")) >= count, "the broker knows it", 60)

    def call(self, method, path, body=None, kind="application/json"):
        """(status, JSON) of a call to the page."""
        line = http.client.HTTPConnection("127.0.0.1", self.web_port, timeout=60)
        line.request(method, path, body, {"Authorization": "Bearer t", "Content-Type": kind})
        answer = line.getresponse()
        return answer.status, json.loads(answer.read())

    def allow(self):
        """The owner allows it on the page."""
        status, said = self.call("PATCH", "/api/settings", json.dumps({"may_update_by_mqtt": True}))
        assert status == 200, said

    def notices(self):
        """Sentences on the owner's page."""
        return [words for words, _ in self.call("GET", "/api/status")[1]["network"]["notices"]]

    def acks(self):
        """Acknowledgements heard so far."""
        return [json.loads(payload) for topic, payload in self.heard.lines() if topic == TOPIC + "ack"]

    def announce(self, url, octets, version="0.2.0", *options):
        """Announce as a person with mosquitto_pub does; gives the number of acknowledgements before."""
        before = len(self.acks())
        digest = hashlib.sha256(octets).hexdigest()
        payload = json.dumps({"url": url, "version": version, "sha256": digest})
        publish(self.mqtt_port, TOPIC + "set/update", payload, *options)
        return before

    def end(self, before, for_s=90):
        """The acknowledgement that ends what was announced after `before` others."""

        def is_ended():
            return any(ack["step"] != "received" for ack in self.acks()[before:])

        self.chip.wait(is_ended, "an answer to the announcement", for_s)
        return next(ack for ack in self.acks()[before:] if ack["step"] != "received")

    def refused(self, code, words, *announcement):
        """It answers with this code and these words, and nothing has changed."""
        ack = self.end(self.announce(*announcement))
        assert (ack["step"], ack["reason"]) == ("rejected", code), ack
        assert words in ack.get("words", ""), ack
        assert self.chip.chip.resets == [1] and not stored(self.folder).get("slot")


class Server:
    """A server that answers each caller with what `answer` does on the connection; `url` is its address."""

    def __init__(self, answer, context=None):
        """context: SSLContext where the connection is encrypted."""
        self._answer, self._context = answer, context
        self.asked = []

    def __enter__(self):
        self._socket = socket.create_server(("127.0.0.1", 0))
        start = "https://localhost" if self._context else "http://127.0.0.1"
        self.url = f"{start}:{self._socket.getsockname()[1]}/new.ebbupdate"
        self.is_over = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        return self

    def _serve(self):
        with contextlib.suppress(OSError):
            while True:
                line, _ = self._socket.accept()
                with contextlib.ExitStack() as kept, contextlib.suppress(OSError):
                    kept.enter_context(line)
                    if self._context:
                        line = kept.enter_context(self._context.wrap_socket(line, server_side=True))
                    self.asked.append(line.recv(4096))
                    self._answer(line, self.is_over)

    def __exit__(self, *_):
        self.is_over.set()
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(10)


def says(*pieces, pause_s=0.0):
    """An answer in pieces, with a pause before each but the first."""

    def answer(line, is_over):
        for number, piece in enumerate(pieces):
            if number and is_over.wait(pause_s):
                return
            line.sendall(piece)

    return answer


def trickle(octets, first_b):
    """An answer of which all but the first bytes come one a second, for as long as anybody listens."""
    return says(octets[:first_b], *(octets[at : at + 1] for at in range(first_b, first_b + 120)), pause_s=1)


def headed(octets):
    """A good answer."""
    return GOOD_HEAD % len(octets) + octets


@contextlib.contextmanager
def http_server(folder):
    """URL of Python's own web server over a folder."""
    serve = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), serve) as made:
        threading.Thread(target=made.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{made.server_port}"
        made.shutdown()


def test_from_an_announcement_to_a_passed_trial(box, good, tmp_path):
    (tmp_path / "served").mkdir()
    (tmp_path / "served" / "new.ebbupdate").write_bytes(good)
    with http_server(tmp_path / "served") as url:
        box.refused("not_allowed", "", f"{url}/new.ebbupdate", good)
        assert "settings do not allow" in " ".join(box.notices())
        box.allow()
        ack = box.end(box.announce(f"{url}/new.ebbupdate", good))
        assert (ack["step"], ack["reason"], ack["id"]) == ("done", "", "update-0.2.0"), ack
        assert [one["step"] for one in box.acks()[-2:]] == ["received", "done"]
        box.chip.wait(lambda: len(box.chip.chip.resets) == 2, "it starts anew", 60)
        box.chip.wait_runs()
        assert stored(box.folder)["slot"] == 1 | 4, "slot b, in its first start on trial"
        box.wait_online(2)
        ack = box.end(box.announce(f"{url}/new.ebbupdate", good, "0.3.0"))
        assert ack["reason"] == "trial" or "has passed its trial" in box.chip.said(), ack
        box.chip.wait_said("has passed its trial", 120)
        assert stored(box.folder)["slot"] == 1
        ack = box.end(box.announce(f"{url}/new.ebbupdate", good))
        assert ack["reason"] == "same" and len(box.chip.chip.resets) == 2


def words_of(code):
    """What the box says to a code."""
    from host_tools.docs_task import phrase

    return phrase("update." + code)[0]


def test_each_refusal_has_its_words_and_nothing_changes(box, good, files):
    box.allow()
    other = bundle.packed(with_changes(files, {}, version="0.2.0"), trial_keys.key(SEED + 1))
    web = b"HTTP/1.1 200 OK\r\nContent-Length: 3000\r\n\r\n" + b"<html>" * 500
    for code, answer, octets in (
        ("redirect", says(b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1/\r\n\r\n"), good),
        ("not_there", says(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"), good),
        ("bad_answer", says(bytes(range(256)) * 100), good),
        ("bad_answer", says(b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 100_000), good),
        ("bad_answer", says(b""), good),
        ("no_length", says(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"), good),
        ("too_big", says(GOOD_HEAD % (20 * len(good)) + good + bytes(19 * len(good))), good),
        ("wrong_length", says(GOOD_HEAD % (len(good) + 1) + good), good),
        ("no_answer", trickle(headed(good), 0), good),
        ("too_slow", trickle(headed(good), BEFORE_FILES_B), good),
        ("cut_short", says(headed(good)[:BEFORE_FILES_B]), good),
        ("no_update", says(web), good),
        ("bad_signature", says(headed(other)), other),
    ):
        with Server(answer) as server:
            box.refused(code, words_of(code), server.url, octets)
            assert server.asked[0].startswith(b"GET /new.ebbupdate HTTP/1.1\r\nHost: 127.0.0.1:"), server.asked
            assert box.notices()[-2:] == [words_of("announced_no"), words_of(code)]
    with Server(says(headed(good))) as server:
        box.refused("other_version", "another version", server.url, good, "0.2.1")
        box.refused("same", "runs already", server.url, good, "0.1.0")
        box.refused("older", "older", server.url, good, "0.0.9")
        box.refused("no_authority", "no authority", server.url.replace("http:", "https:"), good)
        box.refused("no_connection", "nobody.invalid", "http://nobody.invalid/new.ebbupdate", good)
        box.refused("bad_announcement", "url", "http://user@127.0.0.1/new.ebbupdate", good)
        box.refused("bad_announcement", "version", server.url, good, "new")
        gone = server.url
    box.refused("no_connection", "No connection", gone, good)
    assert len(box.notices()) == 2, "only the last announcement is told on the page"


def test_another_digest_is_never_chosen_and_the_box_rests(box, good):
    box.allow()
    with Server(says(headed(good))) as server:
        box.refused("other_digest", "another SHA-256", server.url, good + b"x")
        box.refused("rests", "ten minutes", server.url, good)
        assert len(server.asked) == 1
    box.chip.power_cut()
    box.chip.wait(lambda: is_up(box.web_port), "the old version runs", 60)
    assert not stored(box.folder).get("slot")
    status, said = box.call("POST", "/api/update", good, "application/octet-stream")
    assert (status, said["code"]) == (200, "stored"), "the owner's own way is open"


def held_up(octets, goes_on):
    """An answer whose first half comes at once, then a little at a time until `goes_on` is set, and then the rest."""

    def answer(line, is_over):
        at = len(octets) // 2
        line.sendall(octets[:at])
        while not (goes_on.wait(0.1) or is_over.is_set()) and at < len(octets) - 500:
            line.sendall(octets[at : at + 200])
            at += 200
        line.sendall(octets[at:])

    return answer


def test_two_at_once(slow_box, good):
    box = slow_box
    box.allow()
    goes_on = threading.Event()
    with Server(held_up(headed(good), goes_on)) as server:
        first = box.announce(server.url, good + b"x")
        box.chip.wait(lambda: server.asked, "it fetches", 30)
        assert box.end(box.announce(server.url, good, "0.2.1"))["id"] == "update-0.2.1"
        assert box.acks()[-1]["reason"] == "busy"
        status, said = box.call("POST", "/api/update", good, "application/octet-stream")
        assert (status, said["code"]) == (409, "busy")
        goes_on.set()
        box.chip.wait(lambda: any(ack["reason"] == "other_digest" for ack in box.acks()[first:]), "the first ends", 60)
    assert not stored(box.folder).get("slot") and box.chip.chip.resets == [1]


def test_one_that_breaks_off_while_it_is_written(box, good):
    box.allow()
    with Server(says(headed(good)[: len(good) // 2])) as server:
        box.refused("cut_short", "broke off", server.url, good)
        box.refused("rests", "ten minutes", server.url, good)


def test_a_car_comes_first(slow_box, good):
    box = slow_box
    box.allow()
    box.chip.live(1)  # a car that is there in the first half second waits for the power return's random time
    is_plugged = threading.Event()
    with Server(held_up(headed(good), is_plugged)) as server:
        before = box.announce(server.url, good)
        box.chip.wait(lambda: server.asked, "it fetches", 30)
        box.chip.plant.car.is_plugged = True
        box.chip.plant.wire_changed()
        box.chip.wait(lambda: box.call("GET", "/api/status")[1]["letter"] != "A", "the box sees the car", 30)
        is_plugged.set()
        assert box.end(before)["reason"] == "plugged"
        box.chip.wait(lambda: box.chip.plant.is_coil_on, "the car is charged", 60)
    assert box.chip.chip.resets == [1] and not stored(box.folder).get("slot")


def test_never_while_a_car_charges(box, good):
    box.allow()
    box.chip.live(1)
    box.chip.plant.car.is_plugged = True
    box.chip.plant.wire_changed()
    box.chip.wait(lambda: box.chip.plant.is_coil_on, "the car is charged", 60)
    with Server(says(headed(good))) as server:
        box.refused("plugged", "Unplug the car", server.url, good)
        assert box.chip.plant.is_coil_on and not server.asked
        box.chip.plant.car.is_plugged = False
        box.chip.plant.wire_changed()
        box.chip.wait(lambda: box.call("GET", "/api/status")[1]["letter"] == "A", "the car is gone", 30)
        box.chip.live(2)
        assert not server.asked, "it is tried again only when it is announced anew"
        assert box.end(box.announce(server.url, good))["step"] == "done"


def test_a_retained_announcement_starts_nothing(box, good, broker):
    box.allow()
    box.chip.now(box.chip.chip.cut())
    with Server(says(headed(good))) as server:
        # With quality 0 nothing waits for the box but what the broker keeps.
        before = box.announce(server.url, good, "0.2.0", "-r", "-q", "0")
        try:
            box.chip.now(box.chip.chip.power_on())
            assert box.end(before)["reason"] == "retained"
            box.wait_online(2)
            assert not server.asked
        finally:
            publish(broker.port, TOPIC + "set/update", "", "-r")


def contexts(folder):
    """(authority in DER, configuration of a broker, SSLContext of a server) of a new authority for localhost."""
    folder.mkdir()
    authority, certificate, private = certificates(folder, "localhost")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, private)
    return authority, ("allow_anonymous true", f"certfile {certificate}", f"keyfile {private}"), context


def test_over_https_only_by_the_brokers_authority(installed, good, tmp_path):
    shutil.copytree(installed[0], tmp_path / "chip")
    authority, lines, context = contexts(tmp_path / "known")
    stranger = contexts(tmp_path / "stranger")[2]
    plain_port = free_port()
    broker = Mosquitto(tmp_path, (*lines, f"listener {plain_port} 127.0.0.1")).start()
    times = UdpServer(ntp_reply())
    with RunningChip(tmp_path / "chip") as chip, Prompt(chip.port) as prompt:
        kept = json.loads(prompt.read("/box.json"))
        kept.update({"mqtt_host": "localhost", "mqtt_port": broker.port, "mqtt_ca_path": "/ca.der"})
        kept.update({"ntp_hosts": [times.address], "ntp_port": times.port})
        prompt.put("/ca.der", authority)
        prompt.put("/box.json", json.dumps(kept).encode())
    try:
        with times, Box(tmp_path / "chip", installed[1], plain_port, 3) as box:
            box.allow()
            with Server(says(headed(good)), stranger) as server:
                box.refused("no_connection", "No connection", server.url, good)
                assert not server.asked
            with Server(says(headed(good))) as server:
                url = server.url.replace("http://127.0.0.1", "https://localhost")
                box.refused("no_connection", "No connection", url, good)
            with Server(says(headed(good)), context) as server:
                assert box.end(box.announce(server.url, good))["step"] == "done"
            box.chip.wait(lambda: stored(box.folder).get("slot") == 1 | 4, "slot b is on trial", 60)
    finally:
        broker.stop()
