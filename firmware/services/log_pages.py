"""The web call that gives the owner the event log; loaded with the page only."""

from microdot import Response

from firmware.core.records import Refusal
from firmware.services import web_service
from firmware.wire import log_lines

FORMS = {"text": (log_lines.as_text, "text/plain; charset=utf-8"), "jsonl": (log_lines.as_json, "application/x-ndjson")}
STREAMS = {"all": (0, 1), "security": (1,)}


class LogPages:
    """GET /api/log of one LogStore."""

    def __init__(self, store):
        self._store = store

    def rows(self):
        """Rows for WebService.add: the log wants a login."""
        return (("GET", "/api/log", self._log, False),)

    def _log(self, request):
        """The log as text, or as JSON lines with ?format=jsonl; ?stream=security leaves out everyday events."""
        form = FORMS.get(request.args.get("format", "text"))
        picked = STREAMS.get(request.args.get("stream", "all"))
        if form is None or picked is None:
            field = "format" if form is None else "stream"
            return web_service.refused(
                Refusal("bad_field", field, "There is no such %s of the log." % field, None), 400
            )
        kind = {"Content-Type": form[1], "Cache-Control": "no-store"}
        return Response(self._store.pieces(form[0], picked), 200, kind)


def add_to(web, store):
    """Add the call to a WebService."""
    web.add(LogPages(store).rows())
