"""The text of a settings file: whole or not taken, and brought from one version to the next."""

import unittest

from samples import chosen

from firmware.core import settings
from firmware.core.records import Refusal
from firmware.wire import sealed_text, settings_file

PLAIN = b'{"wiring_limit_ma": 16000}'


class File(unittest.TestCase):
    def test_what_is_packed_is_opened(self):
        for made in (
            settings.defaults(),
            chosen(mqtt_password='a "quoted\\ word', groups="a,b", wiring_limit_ma=32000),
        ):
            self.assertEqual(settings_file.settings_of(settings_file.packed(made, 7)), (2, 7, made))

    def test_a_file_of_a_tool_has_no_end(self):
        version, seq, made = settings_file.settings_of(PLAIN)
        self.assertEqual((version, seq, made.wiring_limit_ma), (1, 0, 16000))
        self.assertEqual(settings_file.settings_of(b"{}"), (1, 0, settings.defaults()))

    def test_every_changed_byte_is_seen(self):
        whole = settings_file.packed(chosen(wiring_limit_ma=20000), 300)
        for at in range(len(whole)):
            for bit in (1, 2, 4, 8, 16, 32, 64, 128):
                changed = bytearray(whole)
                changed[at] ^= bit
                found = settings_file.settings_of(bytes(changed))
                # Without its end it is a file of a tool, whose check refuses what it does not know.
                self.assertTrue(found is None or isinstance(found[2], Refusal), (at, bit))

    def test_every_shorter_file_is_seen(self):
        whole = settings_file.packed(settings.defaults(), 1)
        for count in range(len(whole)):
            self.assertIsNone(settings_file.settings_of(whole[:count]))
        self.assertIsNone(settings_file.settings_of(whole + b"x"))

    def test_what_is_no_settings_file(self):
        for payload in (
            b"",
            b"[]",
            b"5",
            b"null",
            b"\xff\xfe",
            b"{",
            b"{}{}",
            b'{"seq": 1}',
            b'{"version": 2}',
            b'{"crc": 1}',
        ):
            self.assertIsNone(settings_file.opened(payload), payload)

    def test_an_end_must_hold_numbers_that_a_box_writes(self):
        for end in ('"version": 0, "seq": 1', '"version": 2, "seq": 0', '"version": true, "seq": 1', '"seq": 3'):
            text = "{" + end
            payload = (text + ', "crc": "' + sealed_text.crc_of(text) + '"}').encode()
            self.assertIsNone(settings_file.opened(payload), end)

    def test_a_right_end_behind_what_is_no_object(self):
        for text in ("[1", "5", "", "null", "[" * 3000, '{"a": ' * 600):
            payload = (text + sealed_text.MARK + sealed_text.crc_of(text) + sealed_text.END).encode()
            self.assertIsNone(settings_file.opened(payload), text[:9])

    def test_a_wrong_value_is_a_refusal(self):
        found = settings_file.settings_of(b'{"wiring_limit_ma": "16000"}')
        self.assertEqual((found[2].code, found[2].field), ("bad_setting", "wiring_limit_ma"))


class Migration(unittest.TestCase):
    RENAMED = ((2, "limit", "wiring_limit_ma"), (3, "host", "mqtt_host"))

    def test_an_older_file_gets_the_names_of_today(self):
        made = settings_file.migrated({"limit": 1, "host": 2}, 1, self.RENAMED)
        self.assertEqual(made, {"wiring_limit_ma": 1, "mqtt_host": 2})
        self.assertEqual(settings_file.migrated({"limit": 1, "host": 2}, 2, self.RENAMED), {"limit": 1, "mqtt_host": 2})

    def test_of_a_newer_file_only_what_is_known(self):
        version = settings_file.VERSION + 1
        self.assertEqual(settings_file.migrated({"phases": 1, "wings": 2}, version, ()), {"phases": 1})
        self.assertEqual(settings_file.migrated({"phases": 1, "wings": 2}, version - 1, ()), {"phases": 1, "wings": 2})


if __name__ == "__main__":
    unittest.main()
