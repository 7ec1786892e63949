"""The box's MQTT client against real brokers: restart, queued commands, takeover, ACL, TLS, silence and slowness."""

import asyncio
import os
import socket
import ssl
import subprocess
import sys
import time

import paho.mqtt.client as paho
import pytest
from name_server import UdpServer, dns_reply
from running import ROOT, publish

from firmware.services.mqtt_client import MqttClient, MqttConfig
from firmware.services.resolver import Resolver
from host_tools.certificates import certificates
from host_tools.mosquitto import Mosquitto, free_port

TOPIC = "ebb/1/box/a/cmd"
WAIT_S = {True: 30, False: 3}  # for a connection that must come, and for one that must not

DENIED = (("denied", "ebb/1/box/a/secret"), ("after_denied", "ebb/1/box/a/secret"))


class Client:
    """The client under test with what it heard; start() and stop() inside one event loop."""

    def __init__(self, port, keepalive_s=2, ca_der=b"", host="127.0.0.1", login=None, dns=((), 53)):
        config = MqttConfig(host, port, "a", login, keepalive_s, ("ebb/1/box/a/online", b"0"), ca_der, 4096, 2)
        self.heard = []
        dns_servers, dns_port = dns
        tools = (
            lambda: time.monotonic_ns() // 1_000_000,
            lambda count: int.from_bytes(os.urandom(4), "little") % count,
        )
        tools += (Resolver(lambda: dns_servers, tools, port=dns_port).address_of, None)
        self.client = MqttClient(config, lambda *message: self.heard.append(message), (TOPIC,), tools)

    async def __aenter__(self):
        self.task = asyncio.create_task(self.client.run())
        return self

    async def __aexit__(self, *_):
        self.task.cancel()

    async def until(self, is_reached, for_s=60):
        """Wait for a condition."""
        end = time.monotonic() + for_s
        while not is_reached():
            assert time.monotonic() < end, (self.client.status(), self.heard)
            await asyncio.sleep(0.02)

    async def connected(self):
        """Wait for the connection and its subscription."""
        await self.until(lambda: self.client.status().is_connected)
        await asyncio.sleep(0.2)


def payloads(one):
    """What was heard on the command topic."""
    return [bytes(payload) for _, payload, _ in one.heard]


def test_broker_restarts_and_kills(mosquitto):
    async def story():
        async with Client(mosquitto.port) as one:
            await one.connected()
            for is_killed, word in ((False, b"after a stop"), (True, b"after a kill")):
                mosquitto.stop(is_killed)
                await one.until(lambda: not one.client.status().is_connected)
                one.client.publish("ebb/1/box/a/ack", b"kept", 1, False)
                mosquitto.start()
                await one.connected()
                await asyncio.to_thread(publish, mosquitto.port, TOPIC, word.decode())
                await one.until(lambda word=word: word in payloads(one))

    asyncio.run(story())


def test_a_broker_with_a_name_that_the_name_server_learns_late(mosquitto):
    async def story():
        with UdpServer(dns_reply({})) as server:
            async with Client(mosquitto.port, host="broker.home", dns=((server.address,), server.port)) as one:
                await one.until(lambda: one.client.status().detail == "no such name: broker.home")
                server.reply = dns_reply({"broker.home": "127.0.0.1"})
                await one.connected()

    asyncio.run(story())


def test_commands_queued_while_away_arrive_after_a_restart_of_the_broker(mosquitto):
    async def story():
        async with Client(mosquitto.port) as one:
            await one.connected()
        for number in range(200):
            if number % 50 == 0:
                await asyncio.to_thread(publish, mosquitto.port, TOPIC, f"queued {number}")
        mosquitto.stop()
        mosquitto.start()
        async with Client(mosquitto.port) as two:
            await two.until(lambda: len(two.heard) >= 4)
            assert two.client.status().has_session
            assert payloads(two) == [f"queued {number}".encode() for number in range(0, 200, 50)]
            assert not any(is_retained for _, _, is_retained in two.heard)

    asyncio.run(story())


def test_takeover_by_the_same_id_recovers(mosquitto):
    async def story():
        async with Client(mosquitto.port) as one:
            await one.connected()
            other = paho.Client(paho.CallbackAPIVersion.VERSION2, client_id="a", clean_session=False)
            other.connect("127.0.0.1", mosquitto.port)
            other.loop_start()
            await one.until(lambda: one.client.status().failures >= 1)
            other.loop_stop()
            other.disconnect()
            await one.connected()

    asyncio.run(story())


def test_acl_denial_is_told_and_backed_off(tmp_path):
    acl = tmp_path / "acl"
    acl.write_text("topic read ebb/1/box/a/cmd\ntopic write ebb/1/box/a/state\ntopic write ebb/1/box/a/online\n")
    broker = Mosquitto(tmp_path, ("allow_anonymous true", f"acl_file {acl}")).start()

    async def story():
        async with Client(broker.port) as one:
            await one.connected()
            one.client.publish("ebb/1/box/a/secret", b"x", 1, False)
            await one.until(lambda: one.client.status()[1:3] in DENIED)
            assert one.client.status().failures >= 1
            await one.until(lambda: one.client.status().is_connected)
            await asyncio.sleep(0.5)
            failures = one.client.status().failures
            one.client.publish("ebb/1/box/a/state", b"y", 1, True)
            await asyncio.sleep(1)
            assert one.client.status().failures == failures

    try:
        asyncio.run(story())
    finally:
        broker.stop()


class Proxy:
    """Between client and broker: forwards, goes silent, or dribbles single bytes."""

    def __init__(self, port):
        self.broker_port = port
        self.port = free_port()
        self.is_silent = False
        self.pause_s = 0.0

    async def __aenter__(self):
        self.server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        return self

    async def __aexit__(self, *_):
        self.server.close()

    async def _serve(self, reader, writer):
        other_reader, other_writer = await asyncio.open_connection("127.0.0.1", self.broker_port)
        ways = ((reader, other_writer), (other_reader, writer))
        await asyncio.gather(*(self._forward(*way) for way in ways), return_exceptions=True)

    async def _forward(self, reader, writer):
        while chunk := await reader.read(1 if self.pause_s else 1000):
            while self.is_silent:
                await asyncio.sleep(0.05)
            await asyncio.sleep(self.pause_s)
            writer.write(chunk)
        writer.close()


def test_half_open_connection_is_found(mosquitto):
    async def story():
        async with Proxy(mosquitto.port) as proxy, Client(proxy.port, keepalive_s=1) as one:
            await one.connected()
            proxy.is_silent = True
            await one.until(lambda: not one.client.status().is_connected)
            assert one.client.status().code == "silent"
            proxy.is_silent = False
            await one.connected()

    asyncio.run(story())


def test_slow_broker(mosquitto):
    async def story():
        async with Proxy(mosquitto.port) as proxy, Client(proxy.port, keepalive_s=20) as one:
            proxy.pause_s = 0.003
            await one.connected()
            await asyncio.to_thread(publish, mosquitto.port, TOPIC, "x" * 300)
            await one.until(lambda: payloads(one) == [b"x" * 300])
            assert one.client.status().failures == 0

    asyncio.run(story())


def test_a_message_longer_than_the_limit_drops_the_connection_only(mosquitto):
    async def story():
        async with Client(mosquitto.port) as one:
            await one.connected()
            sender = paho.Client(paho.CallbackAPIVersion.VERSION2)
            sender.connect("127.0.0.1", mosquitto.port)
            sender.publish(TOPIC, b"x" * 9000, qos=0)
            sender.loop(1)
            await one.until(lambda: one.client.status().failures == 1)
            await one.connected()
            sender.disconnect()

    asyncio.run(story())


@pytest.mark.parametrize(
    ("name", "is_right_authority", "is_good"),
    (("localhost", True, True), ("localhost", False, False), ("elsewhere", True, False)),
)
@pytest.mark.parametrize("interpreter", ("cpython", "micropython"))
def test_tls_checks_authority_and_name(tmp_path, name, is_right_authority, is_good, interpreter):
    authority, certificate, key = certificates(tmp_path, name)
    if not is_right_authority:
        other = tmp_path / "other"
        other.mkdir()
        authority = certificates(other, name)[0]
    lines = ("allow_anonymous true", f"certfile {certificate}", f"keyfile {key}")
    broker = Mosquitto(tmp_path, lines).start()
    try:
        if interpreter == "micropython":
            found = on_chip(broker.port, authority, tmp_path)
        else:
            found = asyncio.run(tls_once(broker.port, authority, for_s=WAIT_S[is_good]))
        assert found == is_good
    finally:
        broker.stop()


async def tls_once(port, authority, host="localhost", dns=((), 53), for_s=3):
    """Whether the client connects within so many seconds."""
    assert ssl.OPENSSL_VERSION
    async with Client(port, ca_der=authority, host=host, dns=dns) as one:
        end = time.monotonic() + for_s
        while time.monotonic() < end and not one.client.status().is_connected:
            await asyncio.sleep(0.05)
        return one.client.status().is_connected


def test_tls_checks_the_name_that_was_typed_not_its_address(tmp_path):
    authority, certificate, key = certificates(tmp_path, "broker.home")
    broker = Mosquitto(tmp_path, ("allow_anonymous true", f"certfile {certificate}", f"keyfile {key}")).start()
    try:
        with UdpServer(dns_reply({"broker.home": "127.0.0.1", "other.home": "127.0.0.1"})) as server:
            for host, is_good in (("broker.home", True), ("other.home", False)):
                dns = ((server.address,), server.port)
                assert asyncio.run(tls_once(broker.port, authority, host, dns, WAIT_S[is_good])) == is_good
    finally:
        broker.stop()


CHIP_STORY = """
import asyncio, os, time
from firmware.services.mqtt_client import MqttClient, MqttConfig
from firmware.services.resolver import Resolver
with open(%r, "rb") as file:
    authority = file.read()
config = MqttConfig("localhost", %d, "a", None, 20, None, authority, 4096, 2)
tools = (time.ticks_ms, lambda n: os.urandom(1)[0] %% n)
client = MqttClient(config, lambda *m: None, ("x",), tools + (Resolver(lambda: (), tools).address_of, None))
async def story():
    asyncio.create_task(client.run())
    for _ in range(60):
        await asyncio.sleep(0.05)
        if client.status().is_connected:
            break
    print("connected", client.status().is_connected)
asyncio.run(story())
"""


def on_chip(port, authority, folder):
    """The same on the 32-bit interpreter."""
    if os.environ.get("EBB_WITHOUT_CHIP"):
        return asyncio.run(tls_once(port, authority))
    from host_tools import chip

    (folder / "ca.der").write_bytes(authority)
    (folder / "story.py").write_text(CHIP_STORY % (str(folder / "ca.der"), port))
    env = {**os.environ, "MICROPYPATH": f"{ROOT}:.frozen"}
    command = [*chip.interpreter(), "-X", "heapsize=2m", str(folder / "story.py")]
    done = subprocess.run(command, capture_output=True, text=True, env=env, timeout=30)
    assert "connected" in done.stdout, done.stdout + done.stderr
    return "connected True" in done.stdout


CLOSING_STORY = """
import asyncio, gc, time
from firmware.services.mqtt_client import MqttClient, MqttConfig
gc.disable()  # the collector would close what nobody did
config = MqttConfig("127.0.0.1", %d, "a", None, 20, None, b"", 4096, 2)
async def address_of(host):
    return host
client = MqttClient(config, print, ("x",), (time.ticks_ms, lambda count: 0, address_of, None))
async def story():
    asyncio.create_task(client.run())
    await asyncio.sleep(60)
asyncio.run(story())
"""


@pytest.mark.needs_chip
def test_a_connection_that_ended_is_closed_and_not_left_to_the_collector(tmp_path):
    from host_tools import chip

    (tmp_path / "story.py").write_text(CLOSING_STORY % (port := free_port()))
    with socket.create_server(("127.0.0.1", port)) as server:
        server.settimeout(20)
        command = [*chip.interpreter(), "-X", "heapsize=4m", str(tmp_path / "story.py")]
        process = subprocess.Popen(command, env={**os.environ, "MICROPYPATH": f"{ROOT}:.frozen"})
        try:
            for _ in range(3):
                link, _ = server.accept()
                link.settimeout(20)
                with link:
                    assert link.recv(1000)[:1] == b"\x10", "CONNECT"
                    link.sendall(b"\x00\x00")  # no packet of MQTT
                    assert link.recv(1000) == b"", "the box has closed"
        finally:
            process.kill()
            process.wait()


def test_amqtt_keeps_named_sessions_and_replays_with_the_retain_flag():
    port = free_port()
    command = [sys.executable, "-m", "host_tools.bench.broker", "--port", str(port)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert "ready" in process.stdout.readline()

        async def story():
            async with Client(port, keepalive_s=20) as one:
                await one.connected()
                await asyncio.to_thread(publish, port, TOPIC, "now")
                await one.until(lambda: payloads(one) == [b"now"])
            await asyncio.sleep(0.5)
            await asyncio.to_thread(publish, port, TOPIC, "queued")
            async with Client(port, keepalive_s=20) as two:
                await two.until(lambda: b"queued" in payloads(two))
                return [is_retained for _, payload, is_retained in two.heard if bytes(payload) == b"queued"]

        print("queued messages of amqtt carry the retain flag:", asyncio.run(story()))
    finally:
        process.terminate()
        process.wait(10)
        process.stdout.close()
