"""What `device prove` asks of a running box over its serial line: figures, and what it must do for them.

Loaded for a request, and dropped; with the coil on nothing is asked (improv_service.py).
"""

import asyncio

from firmware.services import flash_files
from firmware.services.flash_gate import gate

LOOK_S = 0.05
MOST_MS = 90_000  # a router may take a minute (wire/wifi_plan.py)
GONE_MS = 5_000  # to be seen as away
MOST_WRITES = 20  # of one start, four proofs: at most 80 kB of flash, however often somebody asks


async def asked(app, wifi, what):
    """Value of one request, None where this box has no such thing. wifi: WifiService. what: as JSON gave it, one of

    late: ticks by lateness since that was asked last, in steps of control_loop.LATE_STEP_MS; memory: of IDF, as
    drivers/idf_memory.told(); write: ms that storing the settings takes, so often in a start; mqtt, wifi: ms until the
    broker, or the access point, was left and found again; page: (address, port).
    """
    begun_ms = app.now_ms()
    if what == "late":
        counts = app.loop.late_counts
        told = list(counts)
        for index in range(len(counts)):
            counts[index] = 0
        return told
    if what == "memory":
        return app.connections.memory()
    if what == "write":
        if flash_files.tally.proofs >= MOST_WRITES:
            return None
        flash_files.tally.proofs += 1  # one that fails wears the flash as well
        try:
            app.store.save(app.settings())
        except OSError:
            return None
        return app.now_ms() - begun_ms
    if what == "page" and app.config.get("web_port") and app.board.facts.has_page:
        return wifi.status().address, app.config["web_port"]
    if what == "mqtt" and app.connections.mqtt is not None:
        client = app.connections.mqtt.client
        return await again(app, client.drop, lambda: client.status().is_connected, client.hurry)
    if what == "wifi":
        return await again(app, wifi.wifi.disconnect, wifi.is_joined, nothing)
    return None


def nothing():
    """Nothing more has to be done for Wi-Fi."""


async def again(app, leave, is_there, left):
    """ms from leaving to being back; None where it was not there before, or is not back in time."""
    if not is_there():
        return None
    begun_ms = app.now_ms()
    leave()
    while is_there() and app.now_ms() - begun_ms < GONE_MS:
        await asyncio.sleep(LOOK_S)
    if is_there():
        return None  # it never left
    left()
    # A car that comes meanwhile ends it: whoever asks how the box stands gets an answer again.
    while not is_there() and app.now_ms() - begun_ms < MOST_MS and gate.may_touch_files():
        await asyncio.sleep(LOOK_S)
    return app.now_ms() - begun_ms if is_there() else None
