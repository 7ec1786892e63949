"""Web calls that give the owner what is stored of energy and sessions; what they do is loaded when somebody asks."""

from microdot import Response

from firmware.core.records import Refusal
from firmware.services import web_service


class HistoryPages:
    """GET /api/energy, /api/sessions and /api/sessions.csv of one App."""

    def __init__(self, app):
        self._app = app

    def rows(self):
        """Rows for WebService.add: all want a login."""
        paths = ("/api/energy", "/api/sessions", "/api/sessions.csv")
        return [("GET", path, self._history, False) for path in paths]

    def _history(self, request):
        """What firmware/wire/history.py says of a period."""
        from firmware.services import dropped, history_stream

        made = history_stream.opened(self._app, request.path, request.query_string or "")
        dropped.drop()
        if isinstance(made, Refusal):
            return web_service.refused(made, web_service.STATUS_OF.get(made.code, 400))
        body, headers = made
        return Response(body, 200, headers)  # pyright: ignore[reportArgumentType]  microdot takes an asynchronous body


def add_to(web, app):
    """Add the calls to a WebService."""
    web.add(HistoryPages(app).rows())
