"""Starts what connects the box to the world, once; loaded before the first tick, and dropped when all is up.

Nothing that goes on may be defined here: a function that somebody keeps would keep this module.
"""

import asyncio
import sys

from firmware.drivers import idf_memory

RECORDER_S = 60  # where the page has its memory; a tick takes 32 bytes (docs/flight-recorder.md)
NTP_HOSTS = ("0.pool.ntp.org", "1.pool.ntp.org")
NTP_PORT = 123


async def run(connections, app):
    """Every service that this box has, each kept alive on its own; between two of them the tick has its turn."""
    keep = connections.keep
    start_clock(connections, app)
    await asyncio.sleep(0)
    keep("ledger", connections.keep_ledger)
    if connections.wifi is not None:
        keep("wifi", connections.wifi.run)
        start_improv(connections, app)
    keep("button", connections.watch_button)
    if idf_memory.told() is not None:
        from firmware.services.memory_watch import MemoryWatch

        keep("memory", MemoryWatch(app, idf_memory.told).run)
    await asyncio.sleep(0)
    connections.start_mqtt()
    start_time(connections, app)
    await asyncio.sleep(0)
    has_page = app.config.get("web_port") and app.board.facts.has_page
    recorder = start_recorder(keep, app, has_page)
    await asyncio.sleep(0)
    if has_page:
        from firmware.services import log_store

        store = log_store.add_to(keep, app)
        await asyncio.sleep(0)
        await start_page(connections, app, (recorder, store))
    if app.config.get("update"):
        connections.updates().begun(app.config["update"])


def start_clock(connections, app):
    """WallClock; the floor of time stands before anything asks for a certificate's dates."""
    from firmware.services.wall_clock import WallClock

    connections.clock = WallClock(app.board, app.last_time, connections.clock_told)
    connections.keep("clock", connections.clock.run)


def start_improv(connections, app):
    """Set-up over the serial line, for a browser or a tool at the box, and its question how the box stands."""
    from firmware.drivers.console import Console
    from firmware.services.improv_service import ImprovService

    about = ("ebb", app.version, sys.platform, app.box)
    connections.keep("improv", ImprovService(app, connections.wifi, Console(), about, connections.stands).run)


def start_time(connections, app):
    """Ask for the time: a harness, or servers once the box is in a network."""
    config = app.config
    if config.get("has_outside_time"):
        connections.keep("time", connections.keep_time)
    elif connections.wifi is not None:
        from firmware.services.time_sync import TimeSync

        port = config.get("ntp_port", NTP_PORT)
        places = tuple([(host, port) for host in config.get("ntp_hosts", NTP_HOSTS)])
        sync = TimeSync(connections.clock, connections, places, app.random_below, connections.wifi.is_joined)
        connections.keep("time", sync.run)


def start_recorder(keep, app, has_page):
    """FlightRecorder, or None where there is no memory for one."""
    seconds = app.config.get("recorder_s", RECORDER_S if has_page else 0)
    if not seconds:
        return None
    from firmware.services import flight_recorder

    return flight_recorder.add_to(keep, app, seconds)


async def start_page(connections, app, stores):
    """A board without memory for the page runs without it. stores: (FlightRecorder or None, LogStore)."""
    from firmware.services import log_pages, web_service

    recorder, store = stores
    await asyncio.sleep(0)
    web = web_service.WebService(app.config, app)
    web.codes = connections.codes()
    log_pages.add_to(web, store)
    from firmware.services import backup_pages, history_pages, issuer_pages

    backup_pages.add_to(web, app)
    history_pages.add_to(web, app)
    issuer_pages.add_to(web, app)
    web.add_stream("/api/update", connections.update_taken)
    await asyncio.sleep(0)
    if connections.wifi is not None:
        from firmware.services import setup_pages

        setup_pages.add_to(web, connections.wifi)
    if recorder is not None:
        from firmware.services import flight_pages

        flight_pages.add_to(web, recorder)
    connections.web = web
    connections.keep("web", web.run)
