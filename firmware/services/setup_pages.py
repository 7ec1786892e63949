"""Web calls of Wi-Fi set-up; loaded with the page only."""

from microdot import Response

from firmware.core.records import Refusal
from firmware.services import web_service
from firmware.services.captive_dns import CaptiveDns
from firmware.wire import web_api

MOST_BODY = 256
# What phones and computers ask for to find out whether a network leads anywhere.
PROBES = (
    "/generate_204",
    "/gen_204",
    "/hotspot-detect.html",
    "/connecttest.txt",
    "/ncsi.txt",
    "/success.txt",
    "/canonical.html",
)


class SetupPages:
    """Calls on one WifiService."""

    def __init__(self, wifi):
        self._wifi = wifi

    def rows(self):
        """Rows for WebService.add: without login only while the set-up access point is on."""
        is_open = self._wifi.is_set_up_on
        made = [("GET", path, self._probe, True) for path in PROBES]
        made.append(("GET", "/api/wifi", self._shown, is_open))
        made.append(("GET", "/api/wifi/scan", self._scan, is_open))
        made.append(("POST", "/api/wifi", self._offer, is_open))
        return made

    def _probe(self, request):
        """Lead a phone in set-up to the page; on a network there is nothing here."""
        if self._wifi.is_set_up_on():
            return Response.redirect("http://%s/" % CaptiveDns.ADDRESS)
        return Response("", 404)

    def _shown(self, request):
        """How Wi-Fi stands; the password is never shown."""
        now = self._wifi.status()
        body = {"ssid": now.ssid, "address": now.address, "code": now.code, "words": self._wifi.words(now.code)}
        body["trial"] = now.trial
        body["trial_words"] = self._wifi.words(now.trial) if now.trial else ""
        return web_service.answer(body, 200)

    def _scan(self, request):
        """Networks of the last scan; asking starts another one, so ask again while is_scanning."""
        radio = self._wifi.wifi
        found = radio.scan()
        radio.start_scan()
        rows = [{"ssid": ssid, "rssi_dbm": rssi_dbm, "is_open": is_open} for ssid, rssi_dbm, is_open in found]
        return web_service.answer({"networks": rows, "is_scanning": radio.is_scanning()}, 200)

    def _offer(self, request):
        """Try new credentials; GET /api/wifi tells how it went."""
        fields = web_api.fields_of(request.body, MOST_BODY)
        if isinstance(fields, Refusal):
            return web_service.refused(fields, 400)
        refusal = self._wifi.offer(fields.get("ssid"), fields.get("password", ""))
        if refusal is not None:
            return web_service.refused(refusal, 409 if refusal.code == "busy" else 400)
        return web_service.answer({"trial": "trying", "words": self._wifi.words("trying")}, 202)


def add_to(web, wifi):
    """Add the calls to a WebService."""
    web.add(SetupPages(wifi).rows())
