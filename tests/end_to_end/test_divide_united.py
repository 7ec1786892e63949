"""What a box stored while its division was broken off counts with what it held before: what permits less wins."""

import json
from typing import Any

import pytest
from test_device_divide import state

from firmware.core import settings
from firmware.wire import sealed_text, settings_file
from host_tools.device import united


def text(**chosen):
    """A settings file as a tool puts it there."""
    return json.dumps(chosen).encode()


def fields_of(octets):
    """What a sealed file holds, which is whole."""
    assert sealed_text.unsealed(octets)
    found: dict[str, Any] = json.loads(octets)
    return {key: value for key, value in found.items() if key not in ("version", "seq", "crc")}


def limits(newer):
    """What both copies say of the installation."""
    found = [settings_file.settings_of(newer[path]) for path in united.SETTINGS]
    assert found[0] and found[1] and found[0][1] < found[1][1] and found[0][2] == found[1][2]
    assert isinstance(found[0][2], settings.Settings)
    return found[0][2]


def test_of_each_setting_of_the_installer_what_permits_less_holds():
    rows = {row[0]: row[5] for row in settings.SETTINGS if row[6] == "installer"}
    assert set(rows) == {*united.LESS, *united.EITHER} - {"locked_until_allowed"}
    low = text(wiring_limit_ma=10000, phases=3, has_r37_rules=True, guards_open_pen=True, locked_until_allowed=True)
    high = text(wiring_limit_ma=32000, phases=1, is_ventilated=True, mqtt_host="broker")
    for older, since in ((low, high), (high, low)):
        newer, apart = united.made({"/settings.json": older}, [{"/settings.json": since}])
        if older == low:
            assert (newer, apart) == ({}, []), "what was before permits the least already"
            continue
        found = limits(newer)
        assert (found.wiring_limit_ma, found.phases, found.is_ventilated) == (10000, 3, False)
        assert (
            found.mqtt_host == "broker"
            and found.has_r37_rules
            and found.guards_open_pen
            and found.locked_until_allowed
            and not apart
        )


def test_latches_claims_ids_and_numbers_of_both_hold():
    def rows(seq, latches, name, number):
        found = fields_of(state(seq, latches))
        claim = ["grid", 6000, 0, 60000, "dso", name, 1, "", 0, "", 0]
        found.update(claims=[claim], seen=[["dso", name, 1]], seqs=[["dso", "box", number]], wear=[number, 0, 0])
        return sealed_text.sealed(json.dumps(found)[1:-1], 1, seq)

    since = [{"/state.0": rows(1, [["S14", True, 0]], "b", 4)}, {"/state.1": rows(2, [], "b", 5)}]
    older = {"/state.0": rows(40, [["S12", True, 0]], "a", 9), "/state.1": b"damaged"}
    newer, apart = united.made(older, since)
    assert not apart
    for path, octets in newer.items():
        seq, fields = json.loads(octets)["seq"], fields_of(octets)
        assert seq > 40 and path == united.STATE[seq & 1]
        assert {row[0] for row in fields["latches"] if row[1]} == {"S12", "S14"}
        assert [row[5] for row in fields["claims"]] == ["a", "b"] and len(fields["seen"]) == 2
        assert fields["seqs"] == [["dso", "box", 9]] and fields["wear"] == [9, 0, 0]
    assert set(newer) == set(united.STATE)


def test_what_came_alone_stays():
    since = {"/issuers.json": b"keys", "/ledger-0.bin": b"head", "/own.bin": b"x", "/ledger-1.bin.new": b"half"}
    newer, apart = united.made({"/settings.json": text()}, [since])
    assert newer == {path: octets for path, octets in since.items() if not path.endswith(".new")} and not apart


@pytest.mark.parametrize(
    ("older", "since", "words"),
    (
        ({"/ledger-0.bin": b"a"}, {"/sessions-1.bin": b"b"}, "energy"),
        ({"/issuers.json": b"a"}, {"/issuers.json": b"b"}, "keys of issuers"),
        ({"/state.0": state(1, [])}, {"/state.1": b"b"}, "damaged"),
        ({"/state.0": state(1, [])}, {"/state.0": sealed_text.sealed('"claims": 7', 1, 2)}, "not understood"),
        ({"/settings.json": text()}, {"/settings.json": b"{"}, "damaged"),
        ({"/settings.json": text(nominal_mv=120000)}, {"/settings.json": text(nominal_mv=100000)}, "nominal_mv"),
    ),
)
def test_what_cannot_be_united_is_asked(older, since, words):
    newer, apart = united.made(older, [since])
    assert len(apart) == 1 and words in apart[0] and not newer


def test_what_only_history_has_twice_is_no_question():
    assert united.made({"/log-1.bin": b"a", "/last_time": b"c"}, [{"/log-1.bin": b"b", "/last_time": b"d"}]) == ({}, [])
