"""Changes of settings as a page or a backup sends them: all of them within their rows, or nothing is changed."""

import json

from firmware.core import settings
from firmware.core.records import Refusal
from firmware.services import web_settings
from firmware.services.bounded_reader import MOST_BODY
from firmware.services.throttle import Throttle
from firmware.wire import backup, web_api
from host_tools.fuzz import objects
from host_tools.fuzz.broken import must

TOKENS = tuple(b'"%s"' % key.encode() for key in (*settings.KEYS, "installer_code"))
TOKENS += (
    b"{",
    b"}",
    b",",
    b":",
    b"true",
    b"false",
    b"null",
    b'"a,b"',
    b'"\\u007f"',
    b'"\\u0000"',
    b'"../x"',
    b"16000",
    b"80100",
)
NAMES = [*settings.KEYS, "installer_code"]
VALUES = tuple(
    value for row in settings.SETTINGS for value in (row[5], row[2], row[3], row[2] - 1, row[3] + 1) if value != ""
)
VALUES += (
    16_000,
    3,
    1,
    900,
    "a",
    "a,b",
    "broker.lan",
    "x" * 32,
    "x" * 33,
    "x" * 64,
    "x" * 65,
    "a,,b",
    ",",
    "\u00e4",
    "\n",
    "",
)
VALUES += (True, False, None, 1.0, [], {}, ["a"])


class Plain:
    """Named values, as attributes."""


class App:
    """A box at which nobody is: no button was pressed, no code is known."""

    def __init__(self):
        self.config = {}
        self.loop = Plain()
        self.loop.settings = settings.defaults()
        self.loop.memory = Plain()
        self.loop.memory.local = Plain()
        self.loop.memory.local.pressed_at_ms = None
        self.phrases = self.store = self
        self.board = Plain()
        self.board.facts = Plain()
        self.board.facts.phases = 3
        self.saved = None

    def now_ms(self):
        """Milliseconds since the start."""
        return 1_000_000

    def phrase(self, code):
        """(words, what to do)."""
        return code, "Do it"

    def save(self, made):
        """Keep settings."""
        self.saved = made

    def tell(self, name, words):
        """Note what an installer changed."""
        raise ValueError("an installer's change without an installer")


GOOD = [{row[0]: row[5] for row in settings.SETTINGS if not row[0].startswith("wifi")}]
GOOD += [
    {"mqtt_host": "broker.lan", "mqtt_port": 1883, "mqtt_is_tls": False},
    {"groups": "north,street-7", "utc_offset_s": 3600, "restart_spread_s": 0},
    {"wiring_limit_ma": 16_000, "phases": 1, "installer_code": "ab2de"},
    {"wifi_ssid": "home", "wifi_password": "secret12"},
    {"mqtt_user": "", "mqtt_password": "x" * 64, "plain_may_bind": True, "locked_until_allowed": True},
]


def seeds():
    """All settings as they leave the factory, and good changes."""
    return [json.dumps(one).encode() for one in GOOD]


def fresh(chance):
    """Good changes, a little changed; a part of them as a backup."""
    made = objects.made(chance, GOOD, (NAMES, VALUES))
    if chance() < 0.7:
        return made
    found = json.loads(made)
    body = {"kind": backup.KIND, "version": 1 + int(chance() * 4), "settings": found, "crc": backup.checksum(found)}
    return json.dumps({**body, "owner_only": chance() < 0.5}).encode()


def repaired(octets, chance):
    """As they are."""
    return octets


def tried(octets):
    """What became of the bytes, as a short label. Errors: Broken, or whatever the check lets out."""
    fields = web_api.fields_of(octets, MOST_BODY)
    if isinstance(fields, Refusal):
        return fields.code
    saved = backup.changes(fields, settings.defaults())
    if not isinstance(saved, Refusal):
        return restored(*saved)
    made = settings.changed(settings.defaults(), fields)
    label = "none" if isinstance(made, Refusal) else "good"
    if isinstance(made, Refusal):
        must(bool(made.words), "a refusal without words")
    else:
        in_bounds(made)
    app = App()
    before = app.loop.settings
    told = web_settings.changed(app, fields, Throttle())
    if isinstance(told, Refusal):
        must(app.loop.settings is before and app.saved is None, "what is refused changes something")
        return "%s %s %s" % (label, told.code, told.field if told.field in settings.KEYS else "")
    in_bounds(told)
    must(app.loop.settings is told and app.saved is told, "what is taken is not kept")
    for row, value, old in zip(settings.SETTINGS, told, before):
        must(row[6] != "installer" or value == old, "an installer's setting changes without the installer")
        must(not row[0].startswith("wifi") or value == old, "Wi-Fi changes without a trial")
    return label + " taken"


def restored(asked, left_out):
    """Label of a backup that is whole. Errors: Broken."""
    must(asked.get("mqtt_password", "") == "" and "wifi_password" not in asked, "a backup sets a secret")
    must(all(isinstance(key, str) for key in left_out), "what is left out has no name")
    made = settings.changed(settings.defaults(), asked)
    if isinstance(made, Refusal):
        return "backup refused"
    in_bounds(made)
    return "backup taken"


def in_bounds(made):
    """Every value as its row says. Errors: Broken."""
    for row, value in zip(settings.SETTINGS, made):
        kind = {"int": int, "bool": bool}.get(row[1], str)
        must(type(value) is kind, f"{row[0]} is of another type")
        if kind is int:
            must(row[2] <= value <= row[3] and (value - row[2]) % row[4] == 0, f"{row[0]} is out of its bounds")
        elif kind is str:
            must(
                len(value) <= 300 and all(" " <= mark <= "~" for mark in value), f"{row[0]} holds more than plain text"
            )
