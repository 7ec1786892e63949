"""The installation limit: code and button to raise it, a login to lower it, and nothing to be guessed from afar."""

import unittest

from samples import chosen, phrase

from firmware.core.records import Refusal
from firmware.core.settings import SETTINGS
from firmware.services import web_settings
from firmware.services.event_log import EventLog
from firmware.services.throttle import Throttle
from firmware.wire import secret

CODE = "ab2de-fgh3j-k4mnp"
TEN_MINUTES_MS = 600_000


class Waits(unittest.TestCase):
    def test_who_has_to_wait_can_be_told_for_how_long(self):
        codes = Throttle()
        for wait_s in (1, 2, 4, 8, 16, 32, 60, 60):
            codes.wrong(5000)
            self.assertEqual(codes.left_s(5000), wait_s)
            self.assertEqual((codes.left_s(5001), codes.left_s(6000)), (wait_s, wait_s - 1))
            self.assertTrue(codes.must_wait(4999 + wait_s * 1000))
            self.assertFalse(codes.must_wait(5000 + wait_s * 1000))


class Plain:
    """Named values, as attributes."""


class App:
    """What the page's settings ask of the App; the button was pressed at pressed_ms, None for never."""

    def __init__(self, pressed_ms=None, at_ms=1_000_000):
        self.config = {"installer_code": secret.kept(CODE, bytes(range(16)))}
        self.at_ms = at_ms
        self.loop = Plain()
        self.loop.settings = chosen()
        self.loop.memory = Plain()
        self.loop.memory.local = Plain()
        self.loop.memory.local.pressed_at_ms = pressed_ms
        self.phrases = Plain()
        self.phrases.phrase = phrase
        self.store = self
        self.board = Plain()
        self.board.facts = Plain()
        self.board.facts.phases = 3
        self.saved = []
        self.told = []
        self.log = EventLog()
        self.is_full = False
        self.codes = Throttle()

    def now_ms(self):
        return self.at_ms

    def save(self, made):
        if self.is_full:
            raise OSError(28)
        self.saved.append(made)

    def tell(self, name, words):
        self.told.append((name, words))

    def sent(self, **changes):
        """(code, field) of the refusal, or "ok"; what is refused changes nothing."""
        before = self.loop.settings
        made = web_settings.changed(self, changes, self.codes)
        if isinstance(made, Refusal):
            assert self.loop.settings is before and not self.saved
            assert made.words and made.words[-1] == "."
            return made.code, made.field
        assert self.loop.settings is made and self.saved.pop() is made
        return "ok"


class Phases(unittest.TestCase):
    def test_a_board_with_one_takes_no_three(self):
        app = App(999_000)
        app.board.facts.phases = 1
        app.loop.settings = chosen(phases=1)
        self.assertEqual(app.sent(phases=3, installer_code=CODE), ("phases", "phases"))
        self.assertEqual(app.sent(phases=3), ("phases", "phases"))
        self.assertEqual(app.sent(restart_spread_s=7), "ok")
        self.assertEqual(app.sent(phases=1), "ok")

    def test_a_board_with_three_may_be_wired_with_one(self):
        app = App(999_000)
        self.assertEqual(app.sent(phases=1, installer_code=CODE), "ok")
        self.assertEqual(app.sent(phases=3, installer_code=CODE), "ok")


class Limit(unittest.TestCase):
    def test_raising_wants_code_and_button(self):
        wanted = {"wiring_limit_ma": 16_100}
        self.assertEqual(App().sent(**wanted), ("code", "installer_code"))
        self.assertEqual(App(999_000).sent(**wanted), ("code", "installer_code"))
        self.assertEqual(App().sent(installer_code=CODE, **wanted), ("button", "wiring_limit_ma"))
        self.assertEqual(App(999_000).sent(installer_code=CODE + "x", **wanted), ("code", "installer_code"))
        self.assertEqual(App(999_000).sent(installer_code=CODE, **wanted), "ok")

    def test_a_wrong_code_is_told_and_never_what_it_was(self):
        app = App(999_000)
        for code in (CODE + "x", None, "", CODE):
            app.sent(installer_code=code, wiring_limit_ma=16_100)
        self.assertEqual([row[2:] for row in app.log.newest()], [("security", ("wrong_code",))])
        app = App()
        app.sent(installer_code=CODE + "x", wiring_limit_ma=16_100)  # nobody at the box: it was not looked at
        self.assertEqual(app.log.count, 0)

    def test_the_button_counts_for_ten_minutes(self):
        at_ms = 1_000_000
        for pressed_ms, answer in (
            (at_ms, "ok"),
            (at_ms - TEN_MINUTES_MS, "ok"),
            (at_ms - TEN_MINUTES_MS - 1, ("button", "wiring_limit_ma")),
        ):
            app = App(pressed_ms, at_ms)
            self.assertEqual(app.sent(installer_code=CODE, wiring_limit_ma=32_000), answer)

    def test_lowering_wants_neither(self):
        app = App()
        self.assertEqual(app.sent(wiring_limit_ma=16_000), "ok")
        self.assertEqual(app.sent(wiring_limit_ma=6000), "ok")
        self.assertEqual(app.sent(wiring_limit_ma=6100), ("code", "installer_code"))
        self.assertEqual(app.told, [])

    def test_every_other_row_of_the_installer(self):
        others = {
            "phases": 1,
            "nominal_mv": 120_000,
            "nominal_hz": 60,
            "has_r37_rules": True,
            "guards_open_pen": True,
            "is_ventilated": True,
        }
        for row in SETTINGS:
            if row[6] != "installer" or row[0] == "wiring_limit_ma":
                continue
            value = others.pop(row[0])
            self.assertEqual(App(999_000).sent(**{row[0]: value}), ("code", "installer_code"))
            self.assertEqual(App().sent(installer_code=CODE, **{row[0]: value}), ("button", row[0]))
            app = App(999_000)
            self.assertEqual(app.sent(installer_code=CODE, **{row[0]: value}), "ok")
            self.assertEqual(app.told, [("installation", row[0])])
            # Back again is a change as well; the same value is none.
            self.assertEqual(app.sent(**{row[0]: value}), "ok")
            self.assertEqual(app.sent(**{row[0]: row[5]}), ("code", "installer_code"))
        self.assertEqual(others, {})

    def test_a_mixed_change_is_whole_or_not_at_all(self):
        app = App()
        self.assertEqual(app.sent(wiring_limit_ma=10_000, is_ventilated=True), ("code", "installer_code"))
        self.assertEqual(app.sent(mqtt_host="a", wiring_limit_ma=10_000), "ok")
        self.assertEqual(app.loop.settings.mqtt_host, "a")

    def test_values_are_checked_with_the_right_code_too(self):
        for value in (5900, 80_100, "16000", True, None):
            app = App(999_000)
            self.assertEqual(app.sent(installer_code=CODE, wiring_limit_ma=value), ("bad_setting", "wiring_limit_ma"))
        self.assertEqual(App(999_000).sent(installer_code=CODE, wings=2), ("unknown_setting", "wings"))
        self.assertEqual(App(999_000).sent(installer_code=CODE, wifi_ssid="x"), ("not_allowed", "wifi_ssid"))

    def test_a_full_flash_changes_nothing(self):
        app = App(999_000)
        app.is_full = True
        self.assertEqual(app.sent(installer_code=CODE, wiring_limit_ma=32_000), ("not_stored", ""))

    def test_no_code_lets_nobody_in(self):
        for stored in (None, "", "x", CODE, "sha256$00$", "md5" + secret.kept(CODE, b"x")[6:], 5):
            for code in (CODE, stored):
                app = App(999_000)
                app.config["installer_code"] = stored
                self.assertEqual(app.sent(installer_code=code, wiring_limit_ma=32_000), ("code", "installer_code"))
        for code in (5, True, "", [CODE]):
            self.assertEqual(App(999_000).sent(installer_code=code, is_ventilated=True), ("code", "installer_code"))


class Guessing(unittest.TestCase):
    def wrong(self, app, code="wrong"):
        return app.sent(installer_code=code, wiring_limit_ma=32_000)[0]

    def test_wrong_codes_are_slowed_down(self):
        app = App(1_000_000)
        waits_ms = []
        for _ in range(9):
            self.assertEqual(self.wrong(app), "code")
            begun_ms = app.at_ms
            while True:
                app.at_ms += 500
                app.loop.memory.local.pressed_at_ms = app.at_ms
                if not app.codes.must_wait(app.at_ms):
                    break
                # The right code is not looked at either, or the answer would tell it.
                self.assertEqual(self.wrong(app, CODE), "wait")
            waits_ms.append(app.at_ms - begun_ms)
        self.assertEqual(waits_ms, [1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000, 60_000])
        self.assertEqual(app.sent(installer_code=CODE, wiring_limit_ma=32_000), "ok")
        app.loop.settings = chosen()
        self.assertEqual(self.wrong(app), "code")
        app.at_ms += 1000
        self.assertFalse(app.codes.must_wait(app.at_ms))

    def test_from_afar_nothing_is_guessed_and_nobody_waits(self):
        app = App()
        for code in ("a", "b", CODE, "c"):
            self.assertEqual(self.wrong(app, code), "button")
        self.assertFalse(app.codes.must_wait(app.at_ms))
        self.assertEqual(app.sent(wiring_limit_ma=6000), "ok")

    def test_whoever_waits_may_still_lower(self):
        app = App(1_000_000)
        self.wrong(app)
        self.assertEqual(self.wrong(app, CODE), "wait")
        self.assertEqual(app.sent(wiring_limit_ma=6000), "ok")


class Secret(unittest.TestCase):
    def test_same(self):
        for one, other in (("", ""), ("a", "a"), ("ä", "ä")):
            self.assertTrue(secret.is_same(one, other))
        for one, other in (("", "a"), ("a", ""), ("a", "b"), ("aa", "a"), ("a", "A")):
            self.assertFalse(secret.is_same(one, other))

    def test_kept(self):
        found = secret.kept("abc", b"\x00\xff")
        self.assertEqual(found[:12], "sha256$00ff$")
        self.assertEqual(len(found), 12 + 64)
        self.assertNotEqual(found, secret.kept("abc", b"\x00\xfe"))
        self.assertTrue(secret.is_right("abc", found))
        self.assertFalse(secret.is_right("abd", found))
        self.assertFalse(secret.is_right("abc", found + "$"))
        self.assertFalse(secret.is_right("abc", found[:-1]))
