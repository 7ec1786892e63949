"""Web calls that give the owner the flight records; loaded with the page only."""

import os

from microdot import Response

from firmware.core.records import Refusal
from firmware.services import flash_files, web_service
from firmware.services.flash_gate import gate

PIECE_B = 512


def pieces_of(path, size_b):
    """A file in pieces; it is open only while one is read, so that it may go meanwhile. Errors: OSError."""
    at = 0
    while at < size_b:
        piece = flash_files.read_at(path, at, PIECE_B)
        if not piece:
            raise OSError("the record has gone")
        at += len(piece)
        yield piece


class FlightPages:
    """Calls on one FlightRecorder."""

    def __init__(self, recorder):
        self._recorder = recorder

    def rows(self):
        """Rows for WebService.add: all want a login."""
        return (
            ("GET", "/api/flight", self._list, False),
            ("GET", "/api/flight/<int:number>", self._record, False),
        )

    def _charging(self):
        """While the coil is on no file is read."""
        words = "%s. %s" % self._recorder.phrase("refusal.charging")
        return web_service.refused(Refusal("charging", "", words, None), 409)

    def _list(self, request):
        """Numbers and sizes of the records, oldest first."""
        if not gate.may_touch_files():
            return self._charging()
        found = []
        for number in self._recorder.numbers():
            found.append({"number": number, "size_b": os.stat(self._recorder.path(number))[6]})
        return web_service.answer({"records": found}, 200)

    def _record(self, request, number=0):
        """The bytes of one record."""
        if not gate.may_touch_files():
            return self._charging()
        try:
            size_b = os.stat(self._recorder.path(number))[6]
        except OSError:
            return web_service.refused(Refusal("no_record", "", "There is no such record.", None), 404)
        kind = {"Content-Type": "application/octet-stream", "Content-Length": str(size_b)}
        kind["Content-Disposition"] = 'attachment; filename="flight-%d.bin"' % number
        pieces = pieces_of(self._recorder.path(number), size_b)
        return Response(pieces, 200, kind)  # pyright: ignore[reportArgumentType]  microdot takes a generator


def add_to(web, recorder):
    """Add the calls to a WebService."""
    web.add(FlightPages(recorder).rows())
