"""Fetches an update that was announced over MQTT: one bounded question over HTTP/1.1."""

import asyncio
import json
from collections import namedtuple

from firmware.core.records import Ref, Refusal
from firmware.services import mqtt_link, stream_end
from firmware.wire import acknowledgement, http_response, update_announcement, update_header

OPEN_S = 30  # name, connection, TLS and the head of the answer together
REST_MS = 600_000  # flash wears: after a no that came when the slot was being written the box rests
ISSUER = "house"

Place = namedtuple("Place", ("host", "port", "ca_der"))  # what mqtt_link wants to know


class Download:
    """An update as its address sends it, in the form in which updates.Updates takes one."""

    def __init__(self, app, announced):
        """app: the App; announced: Announcement."""
        self._app = app
        self._announced = announced
        self._check = update_announcement.Check(announced)
        self._pair = []  # reader and writer once they are there
        self._until_ms = 0
        self.left_b = 0
        self.code = ""  # why the download ended it, "" where it did not
        self.detail = ""

    async def opened(self):
        """Ask for it and read the head of the answer. Code of a no, or ""."""
        try:
            return await asyncio.wait_for(self._opened(), OPEN_S)
        except asyncio.TimeoutError:
            return "no_answer"
        except (OSError, EOFError, ValueError) as error:  # a certificate that is not right is one of them
            self.detail = str(error)
            return "no_connection"

    async def _opened(self):
        links = self._app.connections
        authority = links.authority() if self._announced.is_tls else b""
        if self._announced.is_tls and not authority:
            return "no_authority"
        place = Place(self._announced.host, self._announced.port, authority)
        self._pair += await mqtt_link.opened(place, links.address_of, links.tls_gate(authority))
        reader, writer = self._pair
        writer.write(self._announced.request())
        await writer.drain()
        head = b""
        while head[-4:] != http_response.END and len(head) <= http_response.MOST_HEAD_B:
            octet = await reader.read(1)
            if not octet:
                break
            head += octet
        found = http_response.length_of(head, update_header.MOST_B)
        if isinstance(found, Refusal):
            self.detail = found.field
            return found.code
        self.left_b = found
        return ""

    def lengthen(self, for_s):
        """All of it must have come within so many seconds."""
        self._until_ms = self._app.now_ms() + for_s * 1000

    async def readexactly(self, count):
        """So many bytes; the last ones only when all are those announced. Errors: EOFError, OSError."""
        if count > self.left_b:
            raise EOFError()
        self.code = "too_slow"  # unless it comes: the updater, who waits, ends a read that takes too long
        try:
            octets = await self._pair[0].readexactly(count)
        except (EOFError, OSError):
            self.code = ""
            raise
        self.left_b -= count
        is_late = self._app.now_ms() > self._until_ms
        self.code = "too_slow" if is_late else self._check.code(octets, self.left_b)
        if self.code:
            raise OSError(self.code)
        return octets

    async def close(self):
        """The connection is over."""
        if self._pair:
            await stream_end.closed(self._pair[1])


class Announcements:
    """What was announced to one box, one after the other."""

    def __init__(self, app, updates):
        """app: the App, of which only public names are used; updates: Updates."""
        self._app = app
        self._updates = updates
        self._shown = ()  # what the page shows of the last one
        self._rests_until_ms = 0
        self._task = None

    def taken(self, payload, is_retained):
        """Judge an announcement and begin to fetch; called where a message is read, so it waits for nothing."""
        found = update_announcement.opened(payload)
        if isinstance(found, Refusal):
            self._ended("update", found.code, found.field)
            return
        code = self._first_no(found, is_retained)
        if code:
            self._ended(found.id(), code, "")
            return
        self._tell(found.id(), ("received", ""), "")
        self._task = asyncio.create_task(self._fetched(found))

    def _first_no(self, found, is_retained):
        """Code of a no that needs no look at the update."""
        if is_retained:
            return "retained"
        if self._task is not None and not self._task.done():
            return "busy"
        if self._app.now_ms() < self._rests_until_ms:
            return "rests"
        code = self._updates.first_no()
        if code:
            return code
        runs = self._updates.running()
        if runs is None:
            return "not_stored"
        # Without this whoever may announce could start the box anew again and again.
        return "same" if found.version == runs[1] else "older" if found.version < runs[1] else ""

    async def _fetched(self, found):
        """Fetch one, and say what became of it."""
        download = Download(self._app, found)
        self._updates.has_begun = False
        try:
            code = await self._updates.received(download)
        except Exception as error:  # whatever it was, somebody waits for an answer (faults.md X2)
            code, download.detail = "not_fetched", repr(error)
        code = download.code or code
        if self._updates.has_begun and code != "stored":
            self._rests_until_ms = self._app.now_ms() + REST_MS
        self._ended(found.id(), code, download.detail)
        await download.close()

    def _ended(self, name, code, detail):
        """Tell the end on the page, the console and over MQTT; one that is stored starts soon."""
        is_stored = code == "stored"
        words, todo = self._updates.ended(code, None)
        words += ": " + detail if detail else "."
        self._show(() if is_stored else ("update.announced_no", "update." + code))
        self._tell(name, ("done" if is_stored else "rejected", "" if is_stored else code), (words + " " + todo).strip())

    def _show(self, codes):
        """These in place of what the page showed of the announcement before."""
        self._app.notices[:] = [code for code in self._app.notices if code not in self._shown] + list(codes)
        self._shown = codes

    def _tell(self, name, told, words):
        """Acknowledge to whoever announced it; told: (step, reason)."""
        moment = self._app.moment()
        more = (told[1], 0, 0, 0, moment.power_w, moment.wall_s or 0)
        body = acknowledgement.encoded(Ref(ISSUER, name, 0), told[0], more)
        self._app.connections.mqtt.publish_ack(body[:-1] + b', "words": ' + json.dumps(words).encode() + b"}")
