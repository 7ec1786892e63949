"""A backup goes out without secrets and comes back through the one check, or changes nothing."""

import json
import unittest

from samples import chosen, phrase

from firmware.core import settings
from firmware.core.records import Refusal
from firmware.services import web_backup
from firmware.services.event_log import EventLog
from firmware.services.throttle import Throttle
from firmware.wire import backup, log_lines, secret

CODE = "ab2de-fgh3j-k4mnp"
SECRETS = ("wifi_password", "mqtt_password")


class Plain:
    """Named values, as attributes."""


class App:
    """What backup and settings ask of the App; the button was pressed a second ago."""

    version = "9.9.9"
    box = "garage"

    def __init__(self, **changes):
        self.config = {"installer_code": secret.kept(CODE, bytes(range(16)))}
        self.loop = Plain()
        self.loop.settings = chosen(**changes)
        self.loop.memory = Plain()
        self.loop.memory.local = Plain()
        self.loop.memory.local.pressed_at_ms = 999_000
        self.phrases = Plain()
        self.phrases.phrase = phrase
        self.board = self.store = self
        self.facts = Plain()
        self.facts.phases = 3
        self.is_full = False
        self.log = EventLog()
        self.codes = Throttle()

    def wall_s(self):
        return None

    def now_ms(self):
        return 1_000_000

    def save(self, made):
        if self.is_full:
            raise OSError(28)

    def tell(self, name, words):
        """On the console, and in the log of the box."""

    def lines(self):
        """What the event log would hold of it."""
        noted = [log_lines.noted(code, args, (1, 1, 0, 0)) for _, _, code, args in self.log.newest()]
        return [log_lines.as_text(entry).split(" [")[0] for entry in noted]

    def restored(self, fields):
        """The answer, or (code, field) of the refusal, which changed nothing."""
        before = self.loop.settings
        found = web_backup.restored(self, fields, self.codes, "10.0.0.7")
        if isinstance(found, Refusal):
            assert self.loop.settings is before and found.words[-1:] == ".", found
            return found.code, found.field
        return found


def taken(**changes):
    """A backup of a box with these settings, as it comes back over the wire."""
    return json.loads(json.dumps(web_backup.made(App(**changes), "10.0.0.7")))


class Backup(unittest.TestCase):
    def test_no_secret_leaves_the_box(self):
        made = taken(wifi_password="correct-horse", mqtt_password="battery-staple", mqtt_host="broker")
        self.assertEqual(made["settings"]["mqtt_host"], "broker")
        text = json.dumps(made)
        for word in ("correct-horse", "battery-staple") + SECRETS:
            self.assertFalse(word in text, word)
        self.assertEqual(set(made["settings"]) | set(SECRETS), set(settings.KEYS))
        self.assertEqual((made["box"], made["firmware"], made["wall_s"]), ("garage", "9.9.9", 0))

    def test_the_log_tells_of_it_and_no_secret(self):
        app = App(mqtt_host="broker", mqtt_user="me", mqtt_password="battery-staple")
        made = json.loads(json.dumps(web_backup.made(app, "10.0.0.7")))
        self.assertEqual(app.lines(), ["- info backup made 10.0.0.7"])
        self.assertEqual(app.restored(dict(made, crc="00000000"))[0], "bad_backup")
        self.assertEqual(len(app.lines()), 1)
        app.restored(made)
        self.assertEqual(app.lines()[1:], ["- info backup restored 10.0.0.7"])
        app = App()
        app.restored(dict(taken(phases=1), owner_only=True))
        app.restored(dict(taken(phases=1), installer_code="x"))
        self.assertEqual(app.lines(), ["- info backup restored 10.0.0.7 1", "- warning security wrong_code"])
        # Whoever sends it can write no line of his own.
        web_backup.made(app, "::1\r\n\x1b[2J alarm fault S2")
        self.assertEqual(app.lines()[-1], "- info backup made ::1___[2J_alarm_")

    def test_onto_the_same_box(self):
        app = App(restart_spread_s=5, groups="a,b", mqtt_host="broker", mqtt_password="word", wifi_ssid="home")
        made = json.loads(json.dumps(web_backup.made(app, "10.0.0.7")))
        before = app.loop.settings
        app.loop.settings = settings.changed(before, {"restart_spread_s": 600, "groups": ""})
        found = app.restored(made)
        self.assertEqual((app.loop.settings, found["left_out"]), (before, []))
        self.assertEqual(found["settings"]["mqtt_password"], "")

    def test_the_limit_is_raised_by_code_and_button_alone(self):
        made = taken(wiring_limit_ma=32_000)
        self.assertEqual(App().restored(made), ("code", "installer_code"))
        self.assertEqual(App().restored(dict(made, installer_code="x")), ("code", "installer_code"))
        app = App()
        app.loop.memory.local.pressed_at_ms = None
        self.assertEqual(app.restored(dict(made, installer_code=CODE)), ("button", "wiring_limit_ma"))
        app = App()
        app.restored(dict(made, installer_code=CODE))
        self.assertEqual(app.loop.settings.wiring_limit_ma, 32_000)
        app = App(wiring_limit_ma=32_000)
        app.restored(taken(wiring_limit_ma=10_000))
        self.assertEqual(app.loop.settings.wiring_limit_ma, 10_000)

    def test_the_owners_part_alone(self):
        made = dict(taken(wiring_limit_ma=32_000, phases=1, restart_spread_s=7), owner_only=True)
        app = App()
        found = app.restored(made)
        self.assertEqual(sorted(found["left_out"]), ["phases", "wiring_limit_ma"])
        self.assertEqual((app.loop.settings.restart_spread_s, app.loop.settings.phases), (7, 3))
        self.assertEqual(app.loop.settings.wiring_limit_ma, 16_000)

    def test_a_password_goes_to_no_other_broker(self):
        for changes in ({"mqtt_host": "other"}, {"mqtt_port": 1}, {"mqtt_user": "x"}, {"mqtt_is_tls": False}):
            app = App(mqtt_host="broker", mqtt_password="word")
            found = app.restored(taken(**dict({"mqtt_host": "broker"}, **changes)))
            self.assertEqual((app.loop.settings.mqtt_password, found["left_out"]), ("", ["mqtt_password"]))
        app = App(mqtt_host="broker", mqtt_password="word")
        app.restored(taken(mqtt_host="broker", restart_spread_s=7))
        self.assertEqual(app.loop.settings.mqtt_password, "word")

    def test_wifi_has_its_own_form(self):
        app = App(wifi_ssid="home", wifi_password="correct-horse")
        found = app.restored(taken(wifi_ssid="other"))
        self.assertEqual((app.loop.settings.wifi_ssid, found["left_out"]), ("home", ["wifi_ssid"]))
        self.assertEqual(app.loop.settings.wifi_password, "correct-horse")

    def test_what_is_damaged_or_foreign_changes_nothing(self):
        good = taken(restart_spread_s=7)
        for key, value, code in (
            ("kind", "ebb backup", "no_backup"),
            ("settings", None, "no_backup"),
            ("settings", [], "no_backup"),
            ("version", True, "no_backup"),
            ("version", 0, "no_backup"),
            ("crc", "00000000", "bad_backup"),
            ("crc", 5, "bad_backup"),
            ("settings", {}, "bad_backup"),
        ):
            self.assertEqual(App().restored(dict(good, **{key: value}))[0], code, key)
        for key in ("kind", "settings", "version", "crc"):
            less = dict(good)
            less.pop(key)
            self.assertIn(App().restored(less)[0], ("no_backup", "bad_backup"))
        self.assertEqual(App().restored({}), ("no_backup", "kind"))

    def refused(self, **changes):
        """The refusal of a backup with these settings and a right checksum."""
        made = taken()
        made["settings"].update(changes)
        return App().restored(dict(made, crc=backup.checksum(made["settings"])))

    def test_every_value_passes_the_one_check(self):
        self.assertEqual(self.refused(restart_spread_s=1801), ("bad_setting", "restart_spread_s"))
        self.assertEqual(self.refused(mqtt_is_tls=1), ("bad_setting", "mqtt_is_tls"))
        self.assertEqual(self.refused(mqtt_host="a\n"), ("bad_setting", "mqtt_host"))
        self.assertEqual(self.refused(wings=2), ("unknown_setting", "wings"))
        for key in SECRETS:
            self.assertEqual(self.refused(**{key: "x" * 9}), ("not_allowed", key))

    def test_a_newer_firmwares_backup_is_taken_as_far_as_it_is_known(self):
        made = taken(restart_spread_s=7)
        made["settings"]["wings"] = 2
        app = App()
        app.restored(dict(made, version=3, crc=backup.checksum(made["settings"])))
        self.assertEqual(app.loop.settings.restart_spread_s, 7)

    def test_a_full_flash_changes_nothing(self):
        app = App()
        app.is_full = True
        self.assertEqual(app.restored(taken(restart_spread_s=7)), ("not_stored", ""))


if __name__ == "__main__":
    unittest.main()
