"""The owner's page and its calls: everything it may change goes through the same parsers and the same inbox."""

import asyncio
import gc
import json
import os

from microdot import Microdot, Request, Response
from microdot import microdot as microdot_itself

from firmware.core.records import Event, Refusal
from firmware.services import web_settings
from firmware.services.bounded_reader import MOST_BODY, BoundedReader
from firmware.services.health import mend
from firmware.services.stream_end import closed
from firmware.services.throttle import Throttle
from firmware.services.web_writer import AsyncWriter
from firmware.wire import secret, web_api

MOST_CONNECTIONS = 4
MOST_SESSIONS = 4
STATUS_OF = {"code": 403, "button": 403, "wait": 429}  # of refused settings; 400 for the others
TELL_MS = 3_600_000
STREAMED = 1 << 30  # bodies over MOST_BODY are never read whole: add_stream() judges them as they come, others refuse
JSON_TYPE = {"Content-Type": "application/json", "Cache-Control": "no-store"}
SAFE_HEADERS = (
    (
        "Content-Security-Policy",
        "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; script-src 'self' 'unsafe-inline'",
    ),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("Referrer-Policy", "no-referrer"),
)


def random_hex():
    """32 characters that nobody can guess."""
    return "".join("%02x" % byte for byte in os.urandom(16))


def answer(body, status):
    """A JSON response."""
    return Response(json.dumps(body), status, dict(JSON_TYPE))


def place_of(request):
    """Address that a request comes from, "" where the port does not tell it in words."""
    return request.client_addr[0] if type(request.client_addr) is tuple else ""


def refused(refusal, status):
    """A Refusal as the owner's interface shows it."""
    return answer({"code": refusal.code, "field": refusal.field, "words": refusal.words}, status)


class WebService:
    """Serves the page on one port. app: the App, of which only public names are used."""

    def __init__(self, config, app):
        """config: dict with web_host, web_port, page_path, owner_token (demo only, else "")."""
        self._config = config
        self._app = app
        self._sessions = []
        self._open = 0
        self._logins = Throttle()
        self.codes = Throttle()
        Request.max_content_length, Request.max_body_length = STREAMED, MOST_BODY
        self._web = self._routes(Microdot())
        self._tell_at_ms = 0
        microdot_itself.print_exception = self._failed  # pyright: ignore[reportAttributeAccessIssue]  not in the stubs

    def _routes(self, app):
        """Table of calls; all but the first three want a login."""
        for method, path, call, is_public in (
            ("GET", "/", self._page, True),
            ("GET", "/healthz", self._healthz, True),
            ("POST", "/api/login", self._login, True),
            ("POST", "/api/logout", self._logout, False),
            ("GET", "/api/status", self._status, False),
            ("POST", "/api/command", self._command, False),
            ("GET", "/api/settings", self._settings, False),
            ("PATCH", "/api/settings", self._change_settings, False),
        ):
            app.route(path, methods=[method])(self._guarded(call, is_public))
        app.errorhandler(MemoryError)(self._starved)
        return app

    def _failed(self, error):
        """A call that ended with an error, or was none: told once an hour, by its kind alone.

        microdot's traceback would hold up the tick as long as the serial line takes for it, as often as anybody in the
        house sends half a request, and with his bytes in it (faults.md X3).
        """
        if isinstance(error, MemoryError):
            return  # _starved() answers that
        now_ms = self._app.now_ms()
        if now_ms >= self._tell_at_ms:
            self._tell_at_ms = now_ms + TELL_MS
            self._app.tell("web", "a call failed: " + type(error).__name__)

    def _starved(self, request, error):
        """The answer where memory ran out in a call (faults.md X4)."""
        gc.collect()
        mend()
        return refused(web_settings.refusal_of(self._app, "no_memory", ""), 503)

    def add(self, rows):
        """Add calls (method, path, call, is_public) of another service; is_public: True or a function."""
        for method, path, call, is_public in rows:
            self._web.route(path, methods=[method])(self._guarded(call, is_public))

    def add_stream(self, path, call):
        """Add a POST of octets, which wants a login; call: coroutine of a request, whose body it reads itself."""

        async def guarded(request):
            refusal = self._refusal(request, False, "application/octet-stream")
            response = refused(refusal[0], refusal[1]) if refusal else await call(request)
            response.headers.update(dict(SAFE_HEADERS))
            return response

        self._web.route(path, methods=["POST"])(guarded)

    def _guarded(self, call, is_public):
        """The call behind the checks that every request passes."""

        async def guarded(request, number=None):
            """microdot passes the number of a path such as /api/flight/<int:number> by its name."""
            refusal = self._refusal(request, is_public, "application/json")
            if request.content_length > MOST_BODY:
                refusal = Refusal("too_big", "", "The request is too long.", None), 413
            if refusal:
                response = refused(refusal[0], refusal[1])
            else:
                response = call(request) if number is None else call(request, number=number)
            for name, value in SAFE_HEADERS:
                response.headers[name] = value
            return response

        return guarded

    def _refusal(self, request, is_public, kind):
        """(Refusal, status) or None: foreign pages may not write, strangers may only see the page."""
        host = request.headers.get("Host", "")
        origin = request.headers.get("Origin")
        if request.method != "GET":
            if origin is not None and origin.split("//")[-1] != host:
                return Refusal("foreign_page", "Origin", "Another page may not command this box.", None), 403
            if not request.headers.get("Content-Type", "").startswith(kind):
                return Refusal("bad_type", "Content-Type", "Send %s." % kind, None), 415
        if is_public is True or (is_public and is_public()) or self._is_known(request):
            return None
        return Refusal("login", "", "Please log in.", None), 401

    def _is_known(self, request):
        """Whether the request carries a live session or the demo's token."""
        token = self._config.get("owner_token")
        if token and secret.is_same(request.headers.get("Authorization", ""), "Bearer " + token):
            return True
        session = request.cookies.get("session")
        return session is not None and any([secret.is_same(session, known) for known in self._sessions])

    def _page(self, request):
        try:
            with open(self._config["page_path"], "rb") as file:
                body = file.read()
        except OSError:
            return Response("The page is not installed on this box.", 404, {"Content-Type": "text/plain"})
        kind = {"Content-Type": "text/html; charset=utf-8"}
        if self._config["page_path"].endswith(".gz"):
            kind["Content-Encoding"] = "gzip"
        return Response(body, 200, kind)

    def _healthz(self, request):
        wifi = self._app.connections.wifi
        return answer({"is_alive": True, "is_set_up_on": wifi is not None and wifi.is_set_up_on()}, 200)

    def _login(self, request):
        now_ms = self._app.now_ms()
        if self._logins.must_wait(now_ms):
            return refused(Refusal("wait", "password", "Too many wrong passwords; wait a little.", None), 429)
        fields = web_api.fields_of(request.body, MOST_BODY)
        password = "" if isinstance(fields, Refusal) else fields.get("password")
        known = self._config.get("owner_password")
        if type(password) is not str or not known or not secret.is_same(password, known):
            self._logins.wrong(now_ms)
            self._app.log.put(now_ms, Event("security", ("wrong_login", place_of(request))))
            return refused(Refusal("wrong_password", "password", "The password is wrong.", None), 401)
        self._logins.right()
        self._app.log.put(now_ms, Event("security", ("login", place_of(request))))
        session = random_hex()
        self._sessions = (self._sessions + [session])[-MOST_SESSIONS:]
        response = answer({"is_logged_in": True}, 200)
        response.headers["Set-Cookie"] = "session=%s; HttpOnly; SameSite=Strict; Path=/" % session
        return response

    def _logout(self, request):
        session = request.cookies.get("session")
        self._sessions = [known for known in self._sessions if known != session]
        return answer({"is_logged_in": False}, 200)

    def _status(self, request):
        return answer(self._app.status(True), 200)

    def _command(self, request):
        made = web_api.parse(request.body, self._app.now_ms())
        if isinstance(made, Refusal):
            return refused(made, 400)
        if self._app.submit(made) is made:
            return refused(Refusal("busy", "", "The box is busy; try again.", None), 503)
        return answer({"ref": random_hex()[:8]}, 202)

    def _settings(self, request):
        return answer(web_settings.shown(self._app), 200)

    def _change_settings(self, request):
        fields = web_api.fields_of(request.body, MOST_BODY)
        made = fields if isinstance(fields, Refusal) else web_settings.changed(self._app, fields, self.codes)
        if isinstance(made, Refusal):
            return refused(made, STATUS_OF.get(made.code, 400))
        return answer(web_settings.shown(self._app), 200)

    async def run(self):
        """Serve for ever. Errors: OSError when the port is taken."""
        server = await asyncio.start_server(self._serve, self._config["web_host"], self._config["web_port"])
        try:
            await server.wait_closed()
        finally:
            server.close()  # a service that was stopped must not hold its port against the next one

    async def _serve(self, reader, writer):
        """One connection, one request; a fifth at once is turned away."""
        self._open += 1
        try:
            if self._open <= MOST_CONNECTIONS:
                await self._web.handle_request(
                    BoundedReader(reader, self._app.now_ms),  # pyright: ignore[reportArgumentType]  has what is called
                    AsyncWriter(writer),  # pyright: ignore[reportArgumentType]  so has this
                )
        except Exception as error:  # one bad request never takes the page down (faults.md X2)
            self._app.tell("web", "%s: %s" % (type(error).__name__, error))
        finally:
            self._open -= 1
            await closed(writer)
