"""A change of settings is called kept only where a power cut leaves it, and shown as of one moment."""

import asyncio
import json
import types

import pytest
from ram_area import RamArea

from firmware.core import settings
from firmware.services import cable_proof, web_service, web_settings
from firmware.services.bounded_reader import BoundedReader
from firmware.services.flash_gate import gate
from firmware.services.journal import Journal
from firmware.services.settings_store import SettingsStore
from firmware.wire import journal_record
from host_tools.fuzz import http

OWNER = {"owner_token": "right"}
STEPS = 2000  # more than any ring takes until it rests


@pytest.fixture(autouse=True)
def coil():
    """Function that switches the coil; afterwards nothing ticks."""

    def switched(is_on):
        outputs = types.SimpleNamespace(is_contactor_closed=is_on)
        board = types.SimpleNamespace(now_ms=lambda: 10_000_000)
        coil_on_ms = 10_000_000 if is_on else 0
        memory = types.SimpleNamespace(outputs=outputs)
        gate.watch(types.SimpleNamespace(memory=memory, board=board, coil_on_ms=coil_on_ms))

    yield switched
    gate.watch(None)


def settled(journal, may_erase):
    """Let a journal do all that it can."""
    for _ in range(STEPS):
        if not journal.step(may_erase):
            return


def box_with(folder, area):
    """An App for the page, with a journal on an area."""
    box = http.App()
    box.journal = Journal(area)
    box.store = SettingsStore(str(folder) + "/", box.journal)
    box.store.save(box.loop.settings)
    settled(box.journal, True)
    return box


def changed(box):
    """Status of the page's answer to a change."""
    writer = http.Writer()
    body = '{"restart_spread_s": 7}'
    octets = http.request("PATCH", "/api/settings", "Authorization: Bearer right\r\n", body)
    service = web_service.WebService(OWNER, box)

    async def asked():
        run = asyncio.create_task(box.journal.run(lambda: False))
        try:
            await asyncio.wait_for(
                service._web.handle_request(BoundedReader(http.Stream(octets), lambda: 0), writer), 5
            )
        finally:
            run.cancel()

    asyncio.run(asked())
    return int(writer.octets.split()[1])


def stored_spread_s(folder):
    """The setting as a start without a journal finds it in the files."""
    gate.watch(None)
    return SettingsStore(str(folder) + "/").load()[0].restart_spread_s


@pytest.mark.parametrize("kind", ("none", "broken", "full"))
def test_without_a_journal_that_takes_it(tmp_path, coil, kind):
    area = RamArea(6) if kind != "none" else None
    if area is not None and kind == "broken":
        area.fails = -1
    box = box_with(tmp_path, area)
    coil(True)
    while kind == "full" and box.journal.put(journal_record.ENERGY, b"x"):
        settled(box.journal, False)
    assert changed(box) == 507 and stored_spread_s(tmp_path) != 7


def test_with_a_journal_it_is_kept(tmp_path, coil):
    box = box_with(tmp_path, RamArea(6))
    coil(True)
    assert changed(box) == 200
    kinds = [kind for kind, _ in box.journal.values()]
    assert kinds == [journal_record.SETTINGS]


def test_files_have_it_whatever_the_journal_does(tmp_path, coil):
    area = RamArea(6)
    box = box_with(tmp_path, area)
    coil(True)
    assert box.journal.put(journal_record.ENERGY, b"x")
    area.fails = 10**9
    settled(box.journal, False)
    assert box.journal.trouble == "broken"
    coil(False)
    assert changed(box) == 200 and stored_spread_s(tmp_path) == 7


def test_settings_are_shown_as_of_one_moment():
    box = http.App()
    book = types.SimpleNamespace(left=None, is_short=False)
    pair = {"mqtt_host": "old.lan", "mqtt_is_tls": True}
    box.loop.settings = settings.changed(box.loop.settings, pair)
    text = b""
    for piece in web_service.object_pieces(web_settings.parts(box), book):
        text += piece
        if b"mqtt_host" in text:
            box.loop.settings = settings.changed(box.loop.settings, {"mqtt_host": "new.lan", "mqtt_is_tls": False})
    shown = json.loads(text)
    assert {key: shown[key] for key in pair} == pair and len(shown) == len(settings.SETTINGS)


def test_a_status_without_memory_is_refused_in_words():
    box, told = http.App(), []
    box.tell = lambda *words: told.append(words)

    def starved():
        raise MemoryError

    parts = [starved]
    box.status_parts = lambda: iter(parts)
    service = web_service.WebService(OWNER, box)
    for _ in range(3):
        writer = http.Writer()
        octets = http.request("GET", "/api/status", "Authorization: Bearer right\r\n", "")
        asyncio.run(service._web.handle_request(BoundedReader(http.Stream(octets), lambda: 0), writer))
        assert writer.octets.split()[1] == b"503" and b"no_memory" in writer.octets
    assert told == []


@pytest.mark.parametrize("is_there", (True, False))
def test_what_never_left_or_was_never_there_is_not_back(monkeypatch, is_there):
    app = types.SimpleNamespace(at_ms=0)

    def now_ms():
        app.at_ms += 100
        return app.at_ms

    app.now_ms = now_ms
    monkeypatch.setattr(cable_proof, "LOOK_S", 0)
    assert asyncio.run(cable_proof.again(app, lambda: None, lambda: is_there, lambda: None)) is None


def test_a_car_that_comes_ends_the_wait(monkeypatch, coil):
    app = types.SimpleNamespace(at_ms=0)
    there = [True]

    def now_ms():
        app.at_ms += 100
        coil(app.at_ms > 3000)
        return app.at_ms

    app.now_ms = now_ms
    monkeypatch.setattr(cable_proof, "LOOK_S", 0)
    assert asyncio.run(cable_proof.again(app, there.clear, lambda: bool(there), lambda: None)) is None
    assert app.at_ms < 5000
