"""An error in any service: it starts again within 5 s, later each time, and the car charges on (faults.md X2)."""

import ast
import asyncio
import contextlib
import sys
from pathlib import Path

import pytest

from firmware.drivers import idf_memory
from firmware.services import memory_watch, time_sync, web_service
from firmware.services.bounded_reader import BoundedReader
from firmware.services.health import FIRST_WAIT_S, LONGEST_WAIT_S, WELL_MS, Health, mend
from host_tools.fuzz import http
from host_tools.mosquitto import free_port
from host_tools.sim.whole_box import HOME, WholeBox

ROOT = Path(__file__).resolve().parent.parent.parent
ERRORS = (ValueError("planted"), OSError(5), MemoryError(), KeyError("x"), RuntimeError(), asyncio.TimeoutError())
RESTART_MS = 5000  # faults.md X2


def wifi(box):
    return box.app.connections.wifi, "step"


def button(box):
    return box.app.connections.wifi, "button_held_3s"


def improv(box):
    return box.app.connections.wifi, "may_set_up"


def mqtt(box):
    return box.app.connections.mqtt, "_tell"


def time(box):
    return time_sync.TimeSync, "_is_asked"


def clock(box):
    return box.app.connections.clock, "step"


def web(box):
    return web_service.asyncio, "start_server"


def ledger(box):
    return box.app.ledger, "step"


def memory(box):
    return memory_watch.MemoryWatch, "step"


SERVICES = (clock, ledger, wifi, button, improv, memory, mqtt, time, web)


def named_in(path):
    """First argument of each call of _keep or keep in a file."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        is_call = isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant)
        if is_call and getattr(node.func, "attr", getattr(node.func, "id", "")) in ("_keep", "keep"):
            found.add(node.args[0].value)
    return found


def test_every_service_is_here():
    files = ("connections.py", "connections_start.py", "services/flight_recorder.py")
    found = set().union(*[named_in(ROOT / "firmware" / name) for name in files])
    assert found == {one.__name__ for one in SERVICES} | {"recorder"}


def whole(folder, seed=0):
    ports = {"web_host": "127.0.0.1", "web_port": free_port(), "mqtt_host": "127.0.0.1", "mqtt_port": 1}
    box = WholeBox(folder, seed, has_wifi=True, **ports)
    from firmware.core import settings

    wanted = {"wiring_limit_ma": 16_000, "wifi_ssid": HOME[0], "wifi_password": HOME[1]}
    box.app.loop.settings = settings.changed(box.app.loop.settings, wanted)
    return box


@pytest.mark.parametrize("service", SERVICES, ids=lambda one: one.__name__)
def test_each_service(monkeypatch, tmp_path, service):
    async def story(box):
        box.change(car={"is_plugged": True})
        await box.until(lambda: max(box.plant.currents_ma) > 5000, "charging")
        box.plant.edges.clear()
        owner, name = service(box)
        genuine = getattr(owner, name)
        waits_ms = []
        for number, error in enumerate(ERRORS[:4]):
            calls = []

            def planted(*args, error=error, calls=calls, **more):
                calls.append(box.now_ms())
                if len(calls) == 1:
                    raise error
                return genuine(*args, **more)

            monkeypatch.setattr(owner, name, planted)
            if service in (web, time):
                # These look seldom: the planted error is met at their next start.
                row = next(one for one in box.app.health._kept if one[1] == service.__name__)
                row[0].cancel()
                row[0] = asyncio.create_task(box.app.health.keep(row[1], row[2], 0))
                waits_ms.clear()
            if service is button:
                box.change(panel={"button_is_pressed": True})
            before = len(box.told)
            await box.until(lambda calls=calls: calls, "the error is met", 10)
            if service is button:
                # A press that failed is gone; the next one is seen by the service that was started again.
                box.change(panel={"button_is_pressed": False})
                await asyncio.sleep(2 ** (number + 1))
                box.change(panel={"button_is_pressed": True})
            await box.until(lambda calls=calls: len(calls) > 1, "it goes on", 12)
            box.change(panel={"button_is_pressed": False})
            await asyncio.sleep(1)
            waits_ms.append(calls[1] - calls[0])
            told = [words for _, one, words in box.told[before:] if one == service.__name__]
            wanted = "out of memory" if isinstance(error, MemoryError) else type(error).__name__
            assert [words for words in told if wanted in words], box.told[before:]
            assert not [words for words in told if "Errno 98" in words], "its port was left free"
        if service is not button:
            assert waits_ms[0] <= RESTART_MS, waits_ms
        assert waits_ms == sorted(waits_ms)
        assert [edge for edge in box.plant.edges if edge[1] in ("coil", "contactor", "pilot_mode")] == []
        assert max(box.plant.currents_ma) > 5000
        assert box.app.loop.memory.faults.active == ()

    monkeypatch.setattr(idf_memory, "told", lambda: (60_000, 40_000, 50_000))  # a PC has no such memory to watch
    whole(tmp_path).play(story)


def backed_off(lengths_ms):
    """[wait in s before each start] of a service that runs so long each time before it fails."""
    waits = []
    now_ms = 0

    async def sleep(wait_s):
        waits.append(wait_s)

    async def start():
        nonlocal now_ms
        if not lengths_ms:
            raise asyncio.CancelledError
        now_ms += lengths_ms.pop(0)
        raise ValueError("planted")

    health = Health(lambda name, words: None, lambda: now_ms)
    original, asyncio.sleep = asyncio.sleep, sleep
    try:
        with pytest.raises(asyncio.CancelledError):
            asyncio.run(health.keep("x", start, 0))
    finally:
        asyncio.sleep = original
    return waits


def test_back_off_grows_and_starts_anew_after_a_good_minute():
    assert backed_off([0] * 9) == [0, 1, 2, 4, 8, 16, 32, LONGEST_WAIT_S, LONGEST_WAIT_S, LONGEST_WAIT_S]
    assert backed_off([0, 0, 0, WELL_MS, 0, WELL_MS - 1]) == [0, 1, 2, 4, FIRST_WAIT_S, 2, 4]


def test_a_word_that_cannot_be_said_ends_nothing():
    calls = []

    def tell(name, words):
        raise MemoryError

    async def start():
        calls.append(1)
        if len(calls) == 3:
            raise asyncio.CancelledError
        raise MemoryError

    async def sleep(wait_s):
        pass

    original, asyncio.sleep = asyncio.sleep, sleep
    try:
        with pytest.raises(asyncio.CancelledError):
            asyncio.run(Health(tell, lambda: 0).keep("x", start, 0))
    finally:
        asyncio.sleep = original
    assert len(calls) == 3


def test_a_failure_forgets_modules_that_were_only_begun(monkeypatch):
    """The interpreter lists a name before it has memory for the module (found by squeezed_stores.py)."""
    monkeypatch.setitem(sys.modules, "firmware.services.begun", None)
    monkeypatch.setitem(sys.modules, "not_ours", None)
    mend()
    assert "firmware.services.begun" not in sys.modules and "not_ours" in sys.modules
    assert "firmware.services.health" in sys.modules
    sys.modules["firmware.services.begun"] = None
    Health(lambda name, words: None, lambda: 0)._noted("x", "out of memory")
    assert "firmware.services.begun" not in sys.modules


class Starved:
    """An App in which whatever is asked for the network takes more memory than there is."""

    class phrases:
        phrase = staticmethod(lambda code: (code, "todo"))

    @property
    def connections(self):
        raise MemoryError


def test_a_call_of_the_page_without_memory_is_answered_in_words(monkeypatch):
    from microdot.test_client import TestClient

    monkeypatch.setitem(sys.modules, "firmware.services.begun", None)
    service = web_service.WebService({}, Starved())
    found = asyncio.run(TestClient(service._web).get("/healthz"))
    assert (found.status_code, found.json["code"], found.json["words"]) == (503, "no_memory", "refusal.no_memory. todo")
    assert "firmware.services.begun" not in sys.modules


def test_a_change_that_the_flash_does_not_take_is_not_called_kept():
    from microdot.test_client import TestClient

    box = http.App()
    client = TestClient(web_service.WebService({"owner_token": "right"}, box)._web)
    headers = {"Authorization": "Bearer right", "Content-Type": "application/json"}
    for has_stored, code in ((True, 200), (False, 507)):
        box.has_stored = has_stored
        found = asyncio.run(client.patch("/api/settings", headers, {"restart_spread_s": 7}))
        assert found.status_code == code, found.text
        assert box.loop.settings.restart_spread_s == 7, "it is in force until the next start"
    assert found.json["code"] == "not_kept"


def test_half_a_request_is_told_once_an_hour_and_prints_nothing(capsys):
    box, told, at_ms = http.App(), [], [0]
    box.now_ms = lambda: at_ms[0]
    box.tell = lambda *words: told.append(words)
    service = web_service.WebService({}, box)
    wrong = b"POST /api/login HTTP/1.1\r\nContent-Length: \x1b[2Jx\r\n\r\n"
    for octets in (b"GET / HTT", b"GET\r\n\r\n", b"GET /" + b"x" * 2000, wrong):
        reader = BoundedReader(http.Stream(octets), lambda: 0)
        asyncio.run(service._web.handle_request(reader, http.Writer()))
    assert told == [("web", "a call failed: IndexError")]
    at_ms[0] = web_service.TELL_MS
    asyncio.run(service._web.handle_request(BoundedReader(http.Stream(wrong), lambda: 0), http.Writer()))
    assert told[1:] == [("web", "a call failed: ValueError")]
    assert capsys.readouterr() == ("", "")


class Leaving(http.Writer):
    """A viewer that takes so many writes and is then gone; his errors as asyncio of PC and chip has them."""

    def __init__(self, takes, error):
        super().__init__()
        self.takes = takes
        self.error = error

    async def awrite(self, body):
        if not self.takes:
            raise self.error
        self.takes -= 1
        await super().awrite(body)


ALL = 10_000
GONE = (OSError(104), OSError(113), asyncio.TimeoutError(), asyncio.CancelledError())


@pytest.mark.parametrize("error", GONE, ids=repr)
@pytest.mark.parametrize("takes", (0, 3, 8, 12, ALL))  # writes; the head is eight
def test_a_page_that_is_broken_off_leaves_no_file_open(monkeypatch, tmp_path, takes, error):
    opened = []  # holds them: nothing is closed by a collector here

    def noted(*args):
        opened.append(open(*args))  # noqa: SIM115  who is tested closes it
        return opened[-1]

    monkeypatch.setattr(web_service, "open", noted, raising=False)
    (tmp_path / "page").write_bytes(bytes(10 * web_service.PIECE_B))
    service = web_service.WebService({"page_path": str(tmp_path / "page")}, http.App())
    reader = BoundedReader(http.Stream(b"GET / HTTP/1.1\r\n\r\n"), lambda: 0)
    writer = Leaving(takes, error)
    with contextlib.suppress(Exception, asyncio.CancelledError):  # _serve() does
        asyncio.run(service._web.handle_request(reader, writer))
    assert [file.closed for file in opened] == [True]
    assert takes < ALL or writer.octets.endswith(b"\r\n\r\n" + bytes(10 * web_service.PIECE_B))
