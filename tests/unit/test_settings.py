"""The settings table: one row rules what a value may be."""

import unittest

from firmware.core import settings
from firmware.core.records import Refusal


def tried(**changes):
    """Settings, or the words of the refusal."""
    made = settings.changed(settings.defaults(), changes)
    return made.words if isinstance(made, Refusal) else made


class Table(unittest.TestCase):
    def test_factory(self):
        made = settings.defaults()
        self.assertEqual(made.wiring_limit_ma, 6000)
        self.assertEqual((made.phases, made.nominal_mv, made.restart_spread_s), (3, 230000, 600))
        self.assertEqual((made.mqtt_host, made.mqtt_port, made.mqtt_is_tls), ("", 8883, True))
        self.assertIs(made.plain_may_bind, False)
        self.assertIs(made.is_ventilated, False)

    def test_fitted_to_the_phases_of_a_board(self):
        made = settings.changed(settings.defaults(), {"wiring_limit_ma": 16_000, "utc_offset_s": 3600})
        self.assertIs(settings.fitted(made, 3), made)
        one = settings.fitted(made, 1)
        self.assertEqual((one.phases, one.wiring_limit_ma, one.utc_offset_s), (1, 16_000, 3600))
        self.assertEqual(len(one), len(made))
        self.assertIs(settings.fitted(one, 1), one)
        self.assertIs(settings.fitted(one, 3), one)

    def test_every_default_passes_its_own_check(self):
        for row in settings.SETTINGS:
            self.assertIsNone(settings.refused(row, row[5]), row[0])

    def test_rows_are_whole(self):
        keys = [row[0] for row in settings.SETTINGS]
        self.assertEqual(len(keys), len(set(keys)))
        for row in settings.SETTINGS:
            self.assertEqual(len(row), 9)
            self.assertIn(row[1], ("int", "bool", "text", "names"))
            self.assertIn(row[6], ("installer", "owner"))
            self.assertIs(row[8], row[0] in ("wifi_password", "mqtt_password"))

    def test_units_are_those_of_the_keys(self):
        for row in settings.SETTINGS:
            ending = row[0].rpartition("_")[2]
            self.assertEqual(row[7], ending if ending in ("ma", "mv", "hz", "s") else "", row[0])

    def test_what_is_no_number_has_ends_that_say_so(self):
        for key, kind, low, high, step in [row[:5] for row in settings.SETTINGS]:
            if kind == "bool":
                self.assertEqual((low, high, step), (0, 1, 1), key)
            elif kind != "int":
                self.assertEqual((low, step), (0, 1), key)

    def test_what_the_factory_leaves_on(self):
        self.assertEqual([row[0] for row in settings.SETTINGS if row[5] is True], ["mqtt_is_tls"])
        off = [row[0] for row in settings.SETTINGS if row[5] is False]
        self.assertEqual(off[:4], ["has_r37_rules", "guards_open_pen", "is_ventilated", "locked_until_allowed"])

    def test_installation_facts_belong_to_the_installer(self):
        installer = [row[0] for row in settings.SETTINGS if row[6] == "installer"]
        self.assertEqual(
            installer,
            [
                "wiring_limit_ma",
                "phases",
                "nominal_mv",
                "nominal_hz",
                "has_r37_rules",
                "guards_open_pen",
                "is_ventilated",
            ],
        )

    def test_whole_numbers_at_their_ends(self):
        for key, low, high, step in (
            ("wiring_limit_ma", 6000, 80000, 100),
            ("phases", 1, 3, 2),
            ("nominal_mv", 100000, 250000, 1000),
            ("nominal_hz", 50, 60, 10),
            ("restart_spread_s", 0, 1800, 1),
            ("utc_offset_s", -43200, 50400, 900),
            ("mqtt_port", 1, 65535, 1),
        ):
            for value in (low, high, low + step):
                self.assertEqual(tried(**{key: value})[settings.KEYS.index(key)], value)
            for value in (low - step, high + step):
                self.assertEqual(tried(**{key: value}), "%s must be %d to %d." % (key, low, high))
        self.assertEqual(tried(phases=2), "phases must be 1 plus a multiple of 2.")
        self.assertEqual(tried(wiring_limit_ma=6001), "wiring_limit_ma must be 6000 plus a multiple of 100.")

    def test_wrong_types(self):
        for value in (True, "16000", None, [], 1.5):
            self.assertEqual(tried(wiring_limit_ma=value), "wiring_limit_ma must be a whole number.")
        for value in (1, 0, "true", None):
            self.assertEqual(tried(mqtt_is_tls=value), "mqtt_is_tls must be true or false.")
        for value in (1, None, True, b"x"):
            self.assertEqual(tried(mqtt_host=value), "mqtt_host must be text.")
        self.assertIs(tried(mqtt_is_tls=False).mqtt_is_tls, False)
        self.assertIs(tried(plain_may_bind=True).plain_may_bind, True)

    def test_text(self):
        self.assertEqual(tried(mqtt_host="a" * 64).mqtt_host, "a" * 64)
        self.assertEqual(tried(mqtt_host=" ~").mqtt_host, " ~")
        self.assertEqual(
            (tried(wifi_ssid="a" * 32).wifi_ssid, tried(wifi_password="b" * 63).wifi_password[60:]), ("a" * 32, "bbb")
        )
        for key, most in (("mqtt_user", 64), ("mqtt_password", 64)):
            self.assertEqual(tried(**{key: "a" * most})[settings.KEYS.index(key)], "a" * most)
            self.assertEqual(tried(**{key: "a" * (most + 1)}), "%s must be 0 to %d plain characters." % (key, most))
        self.assertEqual(tried(wifi_ssid="a" * 33), "wifi_ssid must be 0 to 32 plain characters.")
        self.assertEqual(tried(wifi_password="a" * 64), "wifi_password must be 0 to 63 plain characters.")
        for value in ("a" * 65, "a\n", "\x1b[0m", "\x7f", "ä"):
            self.assertEqual(tried(mqtt_host=value), "mqtt_host must be 0 to 64 plain characters.")

    def test_names(self):
        for value in ("", "a", "a,b", "feeder-7_x.Z9", ",".join("abcdefgh"), "a" * 32):
            self.assertEqual(tried(groups=value).groups, value)
        self.assertEqual(tried(groups=",".join("abcdefghi")), "groups may hold at most 8 names.")
        for value in ("a,", ",", "a" * 33):
            self.assertEqual(tried(groups=value), "groups must hold names of 1 to 32 characters.")
        for value in ("a/b", "a+", "#", "a b", "ä", "@", "[", "`", "{", ":"):
            self.assertEqual(tried(groups=value), "groups may hold only letters, digits, dots, - and _.")
        for value in ("A", "Z", "a", "z", "0", "9"):
            self.assertEqual(tried(groups=value).groups, value)

    def test_unknown_key_changes_nothing(self):
        made = settings.changed(settings.defaults(), {"wiring_limit_ma": 16000, "colour": 1})
        self.assertEqual(made[:2], ("unknown_setting", "colour"))
        self.assertEqual(made.words, "There is no setting of this name.")
        self.assertEqual(len(settings.changed(settings.defaults(), {"x" * 99: 1}).field), 32)

    def test_a_step_is_counted_from_the_lowest(self):
        self.assertIsNone(settings.refused_int(7, 1, 9, 3))
        self.assertEqual(settings.refused_int(8, 1, 9, 3), "must be 1 plus a multiple of 3")

    def test_refusal_names_its_field(self):
        made = settings.changed(settings.defaults(), {"phases": 2})
        self.assertEqual((made.code, made.field), ("bad_setting", "phases"))

    def test_only_what_is_named_changes(self):
        before = tried(wiring_limit_ma=20000)
        after = settings.changed(before, {"phases": 1})
        self.assertEqual((after.wiring_limit_ma, after.phases), (20000, 1))
