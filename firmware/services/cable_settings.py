"""Settings over the serial line of a running box, under the rules of the page; loaded for each request, and dropped."""

import asyncio
import json
import sys

from firmware import services
from firmware.core import settings
from firmware.core.records import Refusal
from firmware.services import web_settings
from firmware.wire import cable_line

POLL_S = 0.05  # between two lines: one of them takes some 10 ms at 115,200 baud
HEAD = "ebb: settings "


async def answered(app, wifi, line, told):
    """Do what a line asks for, and tell how it ended. line: of cable_line.Lines; wifi: WifiService; told: write(bytes).

    Without any key every setting is told, a secret as "". Who holds the cable is at the box and needs no login, but
    what is the installer's needs his code and a press of the button, with the page's own throttle.
    """
    fields = cable_line.opened(line)
    if fields is None:
        made = Refusal("bad_line", "", "The request did not arrive whole.", None)
    elif not fields:
        made = await _listed(app, told)
    elif "prove" in fields:
        from firmware.services import cable_proof

        try:
            found = await cable_proof.asked(app, wifi, fields["prove"])
        finally:
            if sys.modules.pop("firmware.services.cable_proof", None) is not None:
                del services.cable_proof  # pyright: ignore[reportAttributeAccessIssue]
        told(("%svalue %s\r\n" % (HEAD, json.dumps({"key": "prove", "value": found}))).encode())
        made = None
    elif "wifi_ssid" in fields:
        made = await _tried(app, wifi, fields)
    else:
        made = web_settings.changed(app, fields, app.connections.codes())
    if isinstance(made, Refusal):
        row = {"code": made.code, "field": made.field, "words": made.words}
        told(("%srefused %s\r\n" % (HEAD, json.dumps(row))).encode())
    else:
        told(("%send\r\n" % HEAD).encode())


async def _listed(app, told):
    """Tell every setting, one a line."""
    shown = web_settings.shown(app)
    for key in settings.KEYS:
        told(("%svalue %s\r\n" % (HEAD, json.dumps({"key": key, "value": shown[key]}))).encode())
        await asyncio.sleep(POLL_S)


async def _tried(app, wifi, fields):
    """Try the credentials of a Wi-Fi, which are kept only when they work. A Refusal, or None."""
    made = settings.changed(app.settings(), fields)
    if isinstance(made, Refusal):
        return made
    if len(fields) != 2 or "wifi_password" not in fields:
        return web_settings.refusal_of(app, "not_allowed", "wifi_ssid")
    refusal = wifi.offer(fields["wifi_ssid"], fields["wifi_password"])
    if refusal is not None:
        return refusal
    while wifi.status().trial == "trying":
        await asyncio.sleep(POLL_S)
    trial = wifi.status().trial
    return None if trial == "stored" else Refusal("wifi", "wifi_ssid", wifi.words(trial), None)
