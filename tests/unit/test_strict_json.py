"""JSON as the contract means it: what is taken, and what every doubt is refused as."""

import unittest

from firmware.wire import strict_json
from firmware.wire.strict_json import BadJson


def code_of(payload):
    """Code and field of the refusal, or the opened value."""
    try:
        return strict_json.opened(payload)
    except BadJson as bad:
        return bad.code, bad.field


class Taken(unittest.TestCase):
    def test_values(self):
        payload = b' {"a": 1, "b": "x", "c": true, "d": false, "e": null, "f": [1, 2], "g": {}, "h": [], "i": -7} \n'
        self.assertEqual(
            strict_json.opened(payload),
            {"a": 1, "b": "x", "c": True, "d": False, "e": None, "f": [1, 2], "g": {}, "h": [], "i": -7},
        )
        self.assertIs(strict_json.opened(b'{"a":true}')["a"], True)
        self.assertEqual(strict_json.opened(b"{}"), {})
        self.assertEqual(strict_json.opened(memoryview(b'{"a":0}')), {"a": 0})

    def test_text(self):
        self.assertEqual(strict_json.opened(b'{"a":"\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e4"}'), {"a": '"\\/\b\f\n\r\tä'})
        self.assertEqual(strict_json.opened('{"ä":"€"}'.encode()), {"ä": "€"})
        self.assertEqual(strict_json.opened(b'{"a":"' + b"x" * 128 + b'"}')["a"], "x" * 128)

    def test_numbers(self):
        for text, value in ((b"0", 0), (b"-0", 0), (b"2147483647", 2**31 - 1), (b"-2147483647", 1 - 2**31)):
            self.assertEqual(strict_json.opened(b'{"a":' + text + b"}"), {"a": value})

    def test_three_levels(self):
        self.assertEqual(strict_json.opened(b'{"a":{"b":{"c":1}}}'), {"a": {"b": {"c": 1}}})
        self.assertEqual(strict_json.opened(b'{"a":[[1]]}'), {"a": [[1]]})


class Refused(unittest.TestCase):
    def test_not_json(self):
        for payload in (
            b"",
            b"pause",
            b"[]",
            b"1",
            b'"x"',
            b"{",
            b"{,}",
            b'{"a"}',
            b'{"a":}',
            b'{"a":1,}',
            b'{"a":1 "b":2}',
            b'{"a":1}x',
            b'{"a":1}}',
            b"{a:1}",
            b'{"a":[1,]}',
            b'{"a":[1}',
            b'{"a":tru}',
            b'{"a":"x}',
            b'{"a":"\n"}',
            b'{"a":"\\x"}',
            b'{"a":"\\u12"}',
            b'{"a":"\\u12g4"}',
            b'{"a":01}',
            b'{"a":-}',
            b'{"a":+1}',
            b'{"a":.5}',
            b'{"a":1.}',
            b'{"a":1e}',
            b'{"a":1e+}',
            b'{"a":--1}',
            b'{"a":"\xff"}',
            b"\xff\xfe",
        ):
            self.assertEqual(code_of(payload)[0], "bad_json", payload)

    def test_json_the_contract_does_not_take(self):
        for payload in (
            b'{"a":1.5}',
            b'{"a":1e3}',
            b'{"a":1E+3}',
            b'{"a":-2147483648}',
            b'{"a":-1.5}',
            b'{"a":2147483648}',
            b'{"a":99999999999}',
            b'{"a":1234567890123456789012345678901234567890}',
            b'{"a":NaN}',
            b'{"a":Infinity}',
            b'{"a":-Infinity}',
            b'{"a":1,"a":2}',
            b'{"a":{"b":{"c":{}}}}',
            b'{"a":[[[1]]]}',
            b'{"a":"\\ud800"}',
            b'{"a":"\\udfff"}',
            b'{"a":"' + b"x" * 129 + b'"}',
        ):
            self.assertEqual(code_of(payload), ("bad_field", "a"), payload)

    def test_cut_at_every_byte(self):
        whole = b'{"id":"a\\u00e4","n":-12,"l":[1,{"x":true}],"z":null}'
        strict_json.opened(whole)
        for size in range(len(whole)):
            self.assertEqual(code_of(whole[:size])[0], "bad_json", size)
