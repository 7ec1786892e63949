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
from firmware.services.wall_clock import RANK_BROWSER
from firmware.services.web_writer import AsyncWriter
from firmware.wire import secret, web_api

PIECE_B = 1024  # of a file, sent as it is
MADE_B = 256  # of what is made for the answer: 12.5 ms by the chip file's worst values, between two ticks
END = 2  # of seek(): from the end of the file
# So many requests at once, two of one address; and so many connections with those that wait a second for a place.
MOST_CONNECTIONS, MOST_OF_ONE = 4, 2
MOST_OPEN, MOST_OPEN_OF_ONE = 6, 3
LOOKS, LOOK_S = 10, 0.1
MOST_SESSIONS = 4
STATUS_OF = {"code": 403, "button": 403, "wait": 429, "charging": 409}  # of refusals; 400 for the others
TELL_MS = 3_600_000
# So many words are read from flash in one turn, some four commands each: under 5 ms by the chip file's worst values.
WORDS_A_TURN = (7, 7, 7, 7, None)  # the last turn reads what is left
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


def pieces_of(file):
    """The content of an open file, so little at a time that flash and network stay within a turn."""
    octets = file.read(PIECE_B)
    while octets:
        yield octets
        octets = file.read(PIECE_B)


def of_file(file, headers):
    """A response of an open file, which is closed however the answer ends.

    microdot drops a body whose viewer leaves early or reads too slowly; the file and its buffers would wait for the
    collector.
    """
    response = Response(pieces_of(file), 200, headers)  # pyright: ignore[reportArgumentType]  it takes a generator
    write = response.write

    async def written(stream):
        try:
            await write(stream)
        finally:
            file.close()

    response.write = written
    return response


def with_words(call, book):
    """None for each turn that the words of a call take to be read from flash, then what it gives. book: PhraseBook."""
    for left in WORDS_A_TURN:
        book.left, book.is_short = left, False
        try:
            made = call()
        finally:
            book.left = None
        if not book.is_short:
            yield made
            return
        yield None


def object_pieces(parts, book):
    """Bytes of a JSON object, little by little; b"" for a turn that gives none.

    parts: functions () -> dict with at least one key, none of which comes twice; book: as with_words().
    """
    mark = "{"
    for part in parts:
        for made in with_words(part, book):
            octets = (mark + json.dumps(made)[1:-1]).encode() if made else b""
            for at in range(0, max(1, len(octets)), MADE_B):
                yield octets[at : at + MADE_B]
        mark = ", "
    yield b"}"


def begun(first, others):
    """The first piece, and the others."""
    yield first
    yield from others


def place_of(request):
    """Address that a request comes from, "" where the port does not tell it in words."""
    return address(request.client_addr)


def address(peer):
    """The same of what a stream says of its other end."""
    return peer[0] if type(peer) is tuple else ""


def none_left(held, place, most, most_of_one):
    """Whether another connection from this address is one too many beside those held; "" is nobody's address."""
    return len(held) >= most or (place and held.count(place) >= most_of_one)


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
        self._open, self._served = [], []  # addresses of all connections, and of those with a request
        self.is_open = False  # the port
        self._logins = Throttle()
        self.codes = Throttle()  # of the installer's code: Connections gives the one for every way to guess it
        Request.max_content_length, Request.max_body_length = STREAMED, MOST_BODY
        self._web = self._routes(Microdot())
        self._tell_at_ms = 0
        microdot_itself.print_exception = self._broken_off  # pyright: ignore[reportAttributeAccessIssue]  not in the stubs

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
            ("POST", "/api/time", self._time, False),
        ):
            app.route(path, methods=[method])(self._guarded(call, is_public))
        app.errorhandler(MemoryError)(self._starved)
        return app

    def _broken_off(self, error):
        """As _failed(), but for what _starved() answers."""
        if not isinstance(error, MemoryError):
            self._failed(error)

    def _failed(self, error):
        """A call that ended with an error, or was none: told once an hour, by its kind alone.

        microdot's traceback would hold up the tick as long as the serial line takes for it, as often as anybody in the
        house sends half a request, and with his bytes in it (faults.md X3).
        """
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

    async def _in_turns(self, call, request):
        """The answer to a call that changes nothing; asked again where its words take more than one turn to read."""
        response = Response("")
        for made in with_words(lambda: call(request), self._app.phrases):
            if made is None:
                await asyncio.sleep(0)
            else:
                response = made
        return response

    def _guarded(self, call, is_public):
        """The call behind the checks that every request passes."""

        async def guarded(request, number=None):
            """microdot passes the number of a path such as /api/flight/<int:number> by its name."""
            refusal = self._refusal(request, is_public, "application/json")
            if request.content_length > MOST_BODY:
                refusal = Refusal("too_big", "", "The request is too long.", None), 413
            if refusal:
                response = refused(refusal[0], refusal[1])
            elif request.method == "GET" and number is None:
                response = await self._in_turns(call, request)
            else:
                response = call(request) if number is None else call(request, number=number)
                if not isinstance(response, Response):
                    response = await response  # a coroutine's
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

    def told(self, parts):
        """A JSON response of functions () -> dict, a turn of the loop for each of them."""
        pieces = object_pieces(parts, self._app.phrases)
        pieces = begun(next(pieces), pieces)  # without memory for the first it is refused in words
        return Response(pieces, 200, dict(JSON_TYPE))  # pyright: ignore[reportArgumentType]  microdot takes a generator

    def _page(self, request):
        path = self._config["page_path"]
        try:
            file = open(path, "rb")  # noqa: SIM115  of_file() closes it
            length_b = file.seek(0, END)
            file.seek(0)
        except OSError:
            return Response("The page is not installed on this box.", 404, {"Content-Type": "text/plain"})
        head = {"Content-Type": "text/html; charset=utf-8", "Content-Length": str(length_b)}
        if path.endswith(".gz"):
            head["Content-Encoding"] = "gzip"
        return of_file(file, head)

    def _healthz(self, request):
        wifi = self._app.connections.wifi
        return answer({"is_alive": True, "is_set_up_on": wifi is not None and wifi.is_set_up_on()}, 200)

    def _login(self, request):
        now_ms, place = self._app.now_ms(), place_of(request)
        if self._logins.must_wait(now_ms, place):
            words = "Too many wrong passwords; wait %d s." % self._logins.left_s(now_ms, place)
            return refused(Refusal("wait", "password", words, None), 429)
        fields = web_api.fields_of(request.body, MOST_BODY)
        password = "" if isinstance(fields, Refusal) else fields.get("password")
        known = self._config.get("owner_password")
        if type(password) is not str or not known or not secret.is_same(password, known):
            self._logins.wrong(now_ms, place)
            self._app.log.put(now_ms, Event("security", ("wrong_login", place)))
            return refused(Refusal("wrong_password", "password", "The password is wrong.", None), 401)
        self._logins.right(place)
        self._app.log.put(now_ms, Event("security", ("login", place)))
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
        return self.told(self._app.status_parts())

    def _command(self, request):
        made = web_api.parse(request.body, self._app.now_ms())
        if isinstance(made, Refusal):
            return refused(made, 400)
        if self._app.submit(made) is made:
            return refused(Refusal("busy", "", "The box is busy; try again.", None), 503)
        return answer({"ref": random_hex()[:8]}, 202)

    def _time(self, request):
        """The clock of a logged-in owner's browser; one that knows better goes on, one that is behind is refused."""
        wall_s = web_api.time_of(request.body)
        if isinstance(wall_s, Refusal):
            return refused(wall_s, 400)
        clock = self._app.connections.clock
        is_taken = clock.offer(wall_s, RANK_BROWSER)
        if not is_taken and clock.quality() != "good":
            return refused(web_settings.refusal_of(self._app, "early_time", "wall_s"), 409)
        return answer({"is_taken": is_taken}, 200)

    def _settings(self, request):
        return self.told(web_settings.parts(self._app))

    async def _change_settings(self, request):
        fields = web_api.fields_of(request.body, MOST_BODY)
        made = fields if isinstance(fields, Refusal) else web_settings.changed(self._app, fields, self.codes)
        if isinstance(made, Refusal):
            return refused(made, STATUS_OF.get(made.code, 400))
        return await self.kept() or self.told(web_settings.parts(self._app))

    async def kept(self):
        """None once a power cut leaves the change of settings that was just made, else the answer that says so."""
        if await self._app.store.is_kept():
            return None
        return refused(web_settings.refusal_of(self._app, "not_kept", ""), 507)

    async def run(self):
        """Serve for ever. Errors: OSError when the port is taken."""
        server = await asyncio.start_server(self._serve, self._config["web_host"], self._config["web_port"])
        self.is_open = True
        try:
            await server.wait_closed()
        finally:
            self.is_open = False
            server.close()  # a service that was stopped must not hold its port against the next one

    async def answered(self, reader, writer):
        """Answer one request; reader, writer: a stream's or what has their calls."""
        await self._web.handle_request(reader, writer)

    async def _serve(self, reader, writer):
        """One connection, one request; who finds no place within a second is turned away."""
        place = address(writer.get_extra_info("peername"))
        is_let_in = not none_left(self._open, place, MOST_OPEN, MOST_OPEN_OF_ONE)
        self._open.append(place)
        is_served = False
        try:
            if is_let_in:
                for _ in range(LOOKS):
                    if not none_left(self._served, place, MOST_CONNECTIONS, MOST_OF_ONE):
                        is_served = True
                        break
                    await asyncio.sleep(LOOK_S)
            if is_served:
                self._served.append(place)
                bounded = BoundedReader(reader, self._app.now_ms)
                await self.answered(bounded, AsyncWriter(writer, self._app.now_ms))
                await bounded.dropped()
        except MemoryError as error:  # in the middle of an answer, which breaks off (faults.md X4)
            gc.collect()
            mend()
            self._failed(error)
        except Exception as error:  # one bad request never takes the page down (faults.md X2)
            self._app.tell("web", "%s: %s" % (type(error).__name__, error))
        finally:
            if is_served:
                self._served.remove(place)
            self._open.remove(place)
            await closed(writer)
