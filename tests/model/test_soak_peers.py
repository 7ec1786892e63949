"""The peers of the soaks keep to their own sockets; on an interpreter whose sockets keep their number once closed."""

import subprocess

import pytest

from host_tools import bootstrap, chip
from host_tools.mosquitto import free_port

pytestmark = pytest.mark.needs_chip
# The broker drops its connection, and at once a viewer opens one, which gets the number of the socket just closed.
STORY = """
import asyncio, sys
from soak_peers import Broker, Viewer

ANSWER = b"HTTP/1.0 200 OK\\r\\n\\r\\n" + bytes(2000)

async def served(reader, writer):
    while await reader.readline() != b"\\r\\n":
        pass
    for at in range(0, len(ANSWER), 100):
        writer.write(ANSWER[at : at + 100])
        await writer.drain()
        await asyncio.sleep_ms(2)
    await writer.wait_closed()

async def told():
    mqtt_port, web_port = int(sys.argv[1]), int(sys.argv[2])
    broker, viewer = Broker(), Viewer(web_port, "token")
    await asyncio.start_server(broker.serve, "127.0.0.1", mqtt_port)
    await asyncio.start_server(served, "127.0.0.1", web_port)
    for _ in range(5):
        reader, writer = await asyncio.open_connection("127.0.0.1", mqtt_port)
        writer.write(b"\\x10\\x00")
        print(await reader.readexactly(4))
        await broker.drop()
        print(await viewer.asked("/") - len(ANSWER), viewer.codes, await reader.read(1))
        await broker.drop()
        await writer.wait_closed()

asyncio.run(told())
"""


def test_a_dropped_connection_takes_nothing_of_the_next(tmp_path):
    story = tmp_path / "story.py"
    story.write_text(STORY)
    command = [*chip.interpreter(), str(story), str(free_port()), str(free_port())]
    path = f"{bootstrap.ROOT / 'host_tools' / 'chip_scripts'}:.frozen"
    done = subprocess.run(command, env={"MICROPYPATH": path}, capture_output=True, text=True, timeout=60)
    expected = [line for count in range(1, 6) for line in (repr(b" \x02\0\0"), f"0 {{'200': {count}}} b''")]
    assert (done.stdout.splitlines(), done.stderr) == (expected, "")
