"""The fake radio shows what the port's source shows (ports/esp32/network_wlan.c, 1.24 to 1.28), reason by reason."""

import types

import pytest

from host_tools.sim import fake_network

HOME = ("home", "secret-1", -50)
# reason of the last disconnect: what is shown after it, and through a new connect(); with reconnects=0.
SHOWN = (
    (0, 1000, 1001),
    (1, 1, 1001),
    (2, 2, 1001),
    (8, 1000, 1000),
    (15, 15, 1001),
    (200, 200, 1001),
    (201, 201, 201),
    (202, 202, 202),
    (203, 203, 1001),
    (204, 204, 1001),
    (205, 202, 202),
    (210, 210, 210),
    (211, 211, 211),
    (212, 212, 212),
)


@pytest.fixture
def air(monkeypatch):
    clock = types.SimpleNamespace(at_ms=0)
    made = fake_network.World(lambda: clock.at_ms)
    made.clock = clock
    made.access_points = [HOME]
    monkeypatch.setattr(fake_network, "world", made)
    return made


def station(air, reconnects=0):
    made = fake_network.WLAN()
    made.active(True)
    made.config(reconnects=reconnects)
    assert made.config("reconnects") == reconnects
    return made


def shown(air, made, for_ms):
    """Every number that is shown in that time, in order."""
    seen = []
    for _ in range(for_ms // 100):
        air.clock.at_ms += 100
        if [made.status()] != seen[-1:]:
            seen.append(made.status())
    return seen


@pytest.mark.parametrize(("reason", "after", "through"), SHOWN)
def test_what_a_reason_hides(air, reason, after, through):
    made = station(air)
    made._disconn_reason = reason
    assert made.status() == after
    made.connect(*HOME[:2])
    assert made.status() == through
    assert shown(air, made, 10_000) == [through, 1010]
    assert made.isconnected() and made.status("rssi") == -50


def test_tries_of_its_own(air):
    air.access_points = []
    for reconnects, tries in ((0, 1), (2, 3)):
        made = station(air, reconnects)
        air.reasons.clear()
        made.connect(*HOME[:2])
        shown(air, made, 60_000)
        assert air.reasons == [201] * tries
    air.access_points = [HOME]
    made = station(air, -1)
    air.faults["down"] = True
    made.connect(*HOME[:2])
    assert shown(air, made, 60_000) == [201]
    air.faults["down"] = False
    assert shown(air, made, 20_000) == [201, 1010]
    air.faults["down"] = True
    assert shown(air, made, 20_000) == [1010, 1001, 201]


def test_one_connect_at_a_time(air):
    made = station(air)
    with pytest.raises(OSError, match="STA must be active"):
        fake_network.WLAN(fake_network.AP_IF).scan()
    made.connect(*HOME[:2])
    for call in (lambda: made.connect(*HOME[:2]), made.scan):
        with pytest.raises(OSError, match="Wifi Internal State Error"):
            call()
    made.disconnect()
    assert shown(air, made, 1000)[-1] == 1000 and air.reasons == [8]
    made.disconnect()
    assert shown(air, made, 1000) == [1000] and air.reasons == [8], "nothing to leave, nothing told"


def test_switched_off_and_on_keeps_the_reason(air):
    made = station(air)
    air.access_points = []
    made.connect(*HOME[:2])
    assert shown(air, made, 10_000) == [1001, 201]
    made.active(False)
    for call in (lambda: made.connect(*HOME[:2]), made.disconnect):
        with pytest.raises(OSError, match="Not Started"):
            call()
    made.active(True)
    assert made.status() == 201
    with pytest.raises(OSError, match="Not Connected"):
        made.status("rssi")
    with pytest.raises(ValueError, match="unknown"):
        made.status("channel")


def test_a_wrong_key_mostly_ends_with_15_or_204(air):
    made, seen = station(air), []
    for _ in range(40):
        made.connect("home", "wrong-wrong")
        shown(air, made, 15_000)
        seen.append(made.status())
    assert set(seen) == {15, 202, 204} and seen.count(202) < 10


def test_an_address_comes_late_or_never(air):
    made = station(air)
    air.faults["no_dhcp"] = True
    made.connect(*HOME[:2])
    assert shown(air, made, 60_000) == [1001] and made.status("rssi") == -50 and not made.isconnected()
    air.faults["no_dhcp"] = False
    assert shown(air, made, 17_000) == [1001, 1010], "the next DISCOVER is 15 s away at most"


@pytest.mark.parametrize("reason", (2, 8, 200))
def test_thrown_out(air, reason):
    made = station(air)
    made.connect(*HOME[:2])
    shown(air, made, 10_000)
    air.router.kicks = lambda row, from_ms, to_ms: reason
    assert shown(air, made, 1000) == [1000 if reason == 8 else reason]


def test_its_own_point_follows_the_station(air):
    made, point = station(air), fake_network.WLAN(fake_network.AP_IF)
    point.active(True)
    air.guests.append("phone")
    assert point.isconnected() and point.status("stations") == ["phone"] and point.status() is None
    made.connect(*HOME[:2])
    shown(air, made, 15_000)
    assert [hop[1:] for hop in air.hops] == [(1, 6)] and not point.isconnected()
    air.guests.append("phone")
    point.active(False)
    assert air.guests == [] and made.isconnected()


def test_a_radio_without_memory_never_joins(air):
    made = station(air)
    air.memory = types.SimpleNamespace(may_join=lambda: False)
    made.connect(*HOME[:2])
    assert 1010 not in shown(air, made, 60_000)
