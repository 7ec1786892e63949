"""The places of the page: no stranger holds them all, none for long; the trial of a new version needs none of them."""

import asyncio
import contextlib
import time
import types

import pytest

from firmware import update_trial
from firmware.services import web_service, web_writer
from firmware.services.bounded_reader import FREE_MS
from host_tools.fuzz import http
from host_tools.mosquitto import free_port

OWNER, STRANGER = "127.0.0.1", "127.0.0.2"
REFUSED = b"POST /api/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 4194304\r\n\r\n"


class App(http.App):
    def now_ms(self):
        return int(time.monotonic() * 1000)

    def tell(self, name, words):
        pass


@contextlib.asynccontextmanager
async def running():
    """(WebService, its port)."""
    port = free_port()
    service = web_service.WebService({"web_host": "0.0.0.0", "web_port": port}, App())
    task = asyncio.create_task(service.run())
    await asyncio.sleep(0.1)
    try:
        yield service, port
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def status(port, address):
    """Status of a GET from this address, 0 where it was turned away."""
    try:
        reader, writer = await asyncio.open_connection(OWNER, port, local_addr=(address, 0))
        writer.write(b"GET /healthz HTTP/1.0\r\nHost: x\r\n\r\n")
        line = await asyncio.wait_for(reader.readline(), 5)
        writer.close()
        return int(line.split()[1]) if line else 0
    except OSError:
        return 0


async def held(port, address, pause_s=0.5, octets=b"x"):
    """Seconds that a refused body holds a connection when so much of it comes after each pause."""
    begun_s = time.monotonic()
    with contextlib.suppress(OSError):
        reader, writer = await asyncio.open_connection(OWNER, port, local_addr=(address, 0))
        writer.write(REFUSED)
        end = asyncio.create_task(reader.read())
        # An error that nobody asks for is told when it is collected: in any later test, even in its ast.parse().
        end.add_done_callback(lambda task: task.cancelled() or task.exception())
        while not end.done():
            writer.write(octets)
            await asyncio.wait([end], timeout=pause_s)
        writer.close()
    return time.monotonic() - begun_s


async def for_ever(port, address):
    while True:
        await held(port, address)
        await asyncio.sleep(0.01)


@contextlib.asynccontextmanager
async def crowd(port, addresses):
    """Strangers at these addresses, one task each."""
    tasks = [asyncio.create_task(for_ever(port, address)) for address in addresses]
    await asyncio.sleep(0.3)
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def test_one_stranger_with_many_connections_keeps_nobody_out():
    async def asked():
        async with running() as (_, port), crowd(port, [STRANGER] * 12):
            found = []
            for _ in range(30):
                found.append(await status(port, OWNER))
                await asyncio.sleep(0.1)
            return found

    assert asyncio.run(asked()) == [200] * 30


def test_a_third_request_of_one_address_waits_for_its_place():
    async def asked():
        async with running() as (_, port):
            return await asyncio.gather(*[status(port, OWNER) for _ in range(3)])

    assert asyncio.run(asked()) == [200] * 3


def test_a_slow_sender_holds_no_place_and_a_quick_one_is_heard_to_his_end():
    async def asked():
        async with running() as (_, port):
            slow_s, mild = await asyncio.gather(
                held(port, STRANGER),
                asyncio.wait_for(asyncio.shield(held(port, OWNER, 0.1, bytes(1000))), 7),
                return_exceptions=True,
            )
            return slow_s, mild

    slow_s, mild = asyncio.run(asked())
    assert FREE_MS / 1000 - 0.5 <= slow_s <= FREE_MS / 1000 + 1.5
    assert isinstance(mild, asyncio.TimeoutError), "10 kB/s is fast enough"


class SlowViewer:
    """One who takes 4.9 s for each piece."""

    now_ms = 0

    def write(self, octets):
        self.now_ms += 4900

    async def drain(self):
        pass


def test_one_who_reads_slowly_holds_no_place():
    viewer = SlowViewer()
    writer = web_writer.AsyncWriter(viewer, lambda: viewer.now_ms)

    async def page():
        for _ in range(100):
            await writer.awrite(bytes(web_service.PIECE_B))

    with pytest.raises(asyncio.TimeoutError):
        asyncio.run(page())
    assert viewer.now_ms < 30_000


def test_the_trial_asks_a_page_whose_places_are_all_taken():
    async def asked():
        async with running() as (service, port):
            box = types.SimpleNamespace(
                config={"web_port": port},
                board=types.SimpleNamespace(facts=types.SimpleNamespace(has_page=True)),
                connections=types.SimpleNamespace(web=service),
            )
            async with crowd(port, ["127.0.0.%d" % (2 + number % 7) for number in range(14)]):
                assert await status(port, OWNER) == 0, "all are taken"
                good = [await update_trial.is_answering(box) for _ in range(5)]
            service.is_open = False
            closed = await update_trial.is_answering(box)
            service.is_open = True
            service._app.connections = None  # the call fails
            return good, closed, await update_trial.is_answering(box)

    assert asyncio.run(asked()) == ([True] * 5, False, False)
