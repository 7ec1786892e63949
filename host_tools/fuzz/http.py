"""Requests to the page, through our reader and microdot to our calls: a proper answer, and nothing without login."""

import json
import sys
from typing import Any

from firmware.core import settings
from firmware.services import bounded_reader
from firmware.services.bounded_reader import MOST_BODY, BoundedReader
from firmware.services.event_log import EventLog
from host_tools import bootstrap
from host_tools.fuzz import commands, settings_import
from host_tools.fuzz.broken import Broken, must
from host_tools.fuzz.settings_import import Plain

for _folder in sorted((bootstrap.ROOT / ".venv" / "lib").glob("python3*/site-packages")):
    sys.path.append(str(_folder))  # microdot is there; PyPy has only its own library

import microdot.microdot as microdot_itself  # noqa: E402

from firmware.services import log_pages, web_service  # noqa: E402

TOKEN = "5f1d0c7e22aa4b6c"
PASSWORD = "right-password"
HIDDEN = "what-only-the-owner-sees"
STATUSES = (200, 202, 400, 401, 403, 404, 405, 413, 415, 429, 503)
HEADERS = "content-security-policy x-content-type-options x-frame-options referrer-policy content-type content-length"
HEADERS = (HEADERS + " cache-control set-cookie content-encoding allow").split()
MOST_READ_B = 64 * 1024
WORDS = "GET POST PATCH HEAD OPTIONS HTTP/1.1 HTTP/1.0 /"
WORDS += " /api/status /api/command /api/settings /api/log /api/login /healthz"
WORDS += (
    " /api/logout ?format=jsonl ?stream=security Host: Origin: Content-Length: Content-Type: Cookie: Authorization:"
)
WORDS += (
    " application/json session= Bearer Transfer-Encoding: chunked -1 -5 2048 2049 99999999999999999999 %0d%0a %00 %ff"
)
WORDS += " application/x-www-form-urlencoded ../../settings.json multipart/form-data;boundary=x"
TOKENS = (
    *(word.encode() for word in WORDS.split()),
    b"\r\n",
    b"\r\n\r\n",
    b"\n",
    b": ",
    b"=;",
    b"\xff",
    b"\0",
    b";",
    b"&",
)


def seeds():
    """Good requests, with and without a login."""
    known = "Authorization: Bearer " + TOKEN + "\r\n"
    made = [request("GET", path, more, "") for path in ("/", "/healthz", "/api/status") for more in ("", known)]
    for method, path, body in (
        ("POST", "/api/login", '{"password": "wrong"}'),
        ("POST", "/api/command", '{"kind": "pause", "for_s": 60}'),
        ("POST", "/api/command", '{"kind": "charge_now"}'),
        ("PATCH", "/api/settings", '{"mqtt_port": 1883}'),
        ("POST", "/api/logout", "{}"),
    ):
        made += [request(method, path, "", body), request(method, path, known, body)]
    made.append(request("GET", "/api/settings", known, ""))
    made.append(request("GET", "/api/log?format=jsonl&stream=security", known, ""))
    made.append(request("GET", "/api/log?format=%0d%0aSet-Cookie:x", known, ""))
    made.append(request("POST", "/api/command", "Origin: http://evil.example\r\n" + known, '{"kind": "pause"}'))
    made.append(request("GET", "/api/status", "Cookie: session=abc; a=b\r\n", ""))
    return made


def fresh(chance):
    """A request in good form, with any of these heads and bodies."""
    method, path = CALLS[int(chance() * len(CALLS))]
    more = LINES[0] if chance() < 0.6 else ""
    more += "".join(line for line in LINES[1:] if chance() < 0.2)
    own = (commands, settings_import)[int(chance() * 2)].fresh(chance) if method != "GET" else b""
    return request(method, path, more, own.decode())


CALLS = [("GET", path) for path in "/ /healthz /api/status /api/settings /api/log /api/log?format=jsonl /no".split()]
CALLS += [("POST", "/api/command"), ("POST", "/api/command"), ("PATCH", "/api/settings"), ("POST", "/api/login")]
CALLS += [("DELETE", "/api/settings"), ("OPTIONS", "/"), ("HEAD", "/"), ("POST", "/api/logout"), ("PUT", "/api/status")]
LINES = (
    "Authorization: Bearer " + TOKEN + "\r\n",
    "Origin: http://box.lan\r\n",
    "Origin: null\r\n",
    "Content-Length: 5\r\n",
)
LINES += (
    "Cookie: session=\r\n",
    "Cookie: session=abc; session=def\r\n",
    "Authorization: Bearer \r\n",
    "Accept: */*\r\n",
)


def request(method, path, more, body):
    """Bytes of one request."""
    head = "%s %s HTTP/1.1\r\nHost: box.lan\r\n%s" % (method, path, more)
    if body:
        head += "Content-Type: application/json\r\nContent-Length: %d\r\n" % len(body)
    return (head + "\r\n" + body).encode()


def repaired(octets, chance):
    """A part of them with the length of what follows the head."""
    head, mark, body = octets.partition(b"\r\n\r\n")
    if not mark or not body or chance() < 0.5:
        return octets
    lines = [line for line in head.split(b"\r\n") if not line.lower().startswith(b"content-length")]
    return b"\r\n".join([*lines, b"Content-Length: %d" % len(body)]) + mark + body


class Stream:
    """The client: gives what it has and then ends; asked for too much at once, that is a find."""

    def __init__(self, octets):
        self.octets = octets
        self.at = 0
        self.read_b = 0

    async def read(self, count):
        """Up to count bytes."""
        return self._taken(count)

    async def readexactly(self, count):
        """So many bytes. Errors: EOFError."""
        must(0 <= count <= MOST_BODY, "a body of %d bytes is read" % count)
        made = self._taken(count)
        if len(made) < count:
            raise EOFError()
        return made

    def _taken(self, count):
        self.read_b += count
        must(self.read_b <= MOST_READ_B, "the request is read without an end")
        made = self.octets[self.at : self.at + count]
        self.at += count
        return made


class Writer:
    """Keeps what is answered."""

    def __init__(self):
        self.octets = b""

    def get_extra_info(self, name):
        """Who asks."""
        return ("10.0.0.7", 50_000)

    async def awrite(self, body):
        """Take a piece."""
        self.octets += body

    async def aclose(self):
        """The end."""


class Now:
    """In place of asyncio: time does not pass here."""

    @staticmethod
    def wait_for(coroutine, seconds):
        """The coroutine itself."""
        return coroutine


class App:
    """What the page's calls ask of the App; counts what they change."""

    def __init__(self):
        self.log = EventLog()
        self.loop = Plain()
        self.loop.settings = settings.defaults()
        self.loop.memory = Plain()
        self.loop.memory.local = Plain()
        self.loop.memory.local.pressed_at_ms = None
        self.connections = Plain()
        self.connections.wifi = None
        self.config = {}
        self.phrases = self.store = self
        self.board = Plain()
        self.board.facts = Plain()
        self.board.facts.phases = 3
        self.has_stored = True
        self.changes = 0

    def now_ms(self):
        """Milliseconds since the start."""
        return 1_000_000

    def phrase(self, code):
        """(words, what to do)."""
        return code, "Do it"

    def status_parts(self):
        """What only the owner may see."""
        yield lambda: {"state": HIDDEN}

    def settings(self):
        """Settings in force."""
        return self.loop.settings

    async def is_kept(self):
        """Whether a power cut leaves them."""
        return self.has_stored

    def submit(self, command):
        """Take a command."""
        self.changes += 1

    def save(self, made):
        """Keep settings."""
        self.changes += 1

    def pieces(self, shown, picked):
        """The event log."""
        yield HIDDEN.encode()


def tried(octets):
    """What became of the request, as a short label. Errors: Broken, or whatever leaves the web service."""
    app = App()
    web = web_service.WebService(
        {"owner_token": TOKEN, "owner_password": PASSWORD, "page_path": "no such file"},  # nothing is read from a disk
        app,
    )
    log_pages.add_to(web, app)
    errors = []
    microdot_itself.print_exception = errors.append
    bounded_reader.asyncio = Now
    stream = Stream(octets)
    writer: Any = Writer()
    reader: Any = BoundedReader(stream, app.now_ms)
    work: Any = web._web.handle_request(reader, writer)
    try:
        work.send(None)
        raise Broken("the request waits for something that never comes")
    except StopIteration:
        pass
    for error in errors:
        if isinstance(error, Broken):
            raise error
    return judged(octets, writer.octets, (app, errors))


def judged(octets, answer, after):
    """Label of an answer. Errors: Broken."""
    app, errors = after
    head, mark, body = answer.partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    words = lines[0].split(b" ")
    must(bool(mark) and words[0] == b"HTTP/1.0" and words[1].isdigit(), "no proper answer")
    status = int(words[1])
    must(status in STATUSES, "answer %d: %r" % (status, errors[-1:]))
    for line in lines[1:]:
        name = line.split(b":")[0].decode().lower()
        must(name in HEADERS and b"\r" not in line and b"\n" not in line, "a header that is not ours")
    is_login = TOKEN.encode() in octets
    must(is_login or HIDDEN.encode() not in body, "a stranger sees what is the owner's")
    must(is_login or not app.changes, "a stranger changes something")
    must(is_login or b"Set-Cookie" not in head or PASSWORD.encode() in octets, "a stranger is let in")
    if status >= 400 and body.startswith(b"{"):
        must(sorted(json.loads(body)) == ["code", "field", "words"], "a refusal of another form")
    method = octets.split(b" ", 1)[0]
    path = (
        "/".join(octets.split(b" ", 2)[1:2][0].decode("latin1").split("?")[0].split("/")[:3]) if b" " in octets else ""
    )
    known = path if path in KNOWN else "other"
    return "%s %s %d%s" % (method.decode("latin1") if method in METHODS else "other", known, status, "+" * app.changes)


METHODS = (b"GET", b"POST", b"PATCH", b"HEAD", b"OPTIONS")
KNOWN = "/ /healthz /api/status /api/command /api/settings /api/login /api/logout /api/log".split()
