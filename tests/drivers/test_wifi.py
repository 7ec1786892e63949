"""The radio's driver on a fake network: words for what the radio says, WPA2 or nothing, scans beside the tick."""

import time
import types

import pytest

from firmware.drivers import wifi as driver
from host_tools.sim import fake_network


@pytest.fixture
def air(monkeypatch):
    """A world with a clock at air.at_ms."""
    clock = types.SimpleNamespace(at_ms=0)
    made = fake_network.World(lambda: clock.at_ms)
    made.clock = clock
    made.access_points = [("home", "secret-1", -50), ("open", "", -70)]
    monkeypatch.setattr(fake_network, "world", made)
    return made


def joined(air, radio, ssid="home", password="secret-1"):
    """State once an attempt has ended."""
    radio.connect(ssid, password)
    assert radio.state() == "connecting"
    air.clock.at_ms += 10_000
    return radio.state()


def test_joins_and_tells_where(air):
    radio = driver.Wifi()
    radio.set_hostname("ebb-1")
    assert (radio.state(), radio.address(), radio.dns_servers()) == ("down", "", ())
    assert joined(air, radio) == "connected"
    assert air.hostname == "ebb-1"
    assert (radio.address(), radio.dns_servers()) == ("192.168.1.77", ("192.168.1.1",))


def test_open_network(air):
    assert joined(air, driver.Wifi(), "open", "") == "connected"


@pytest.mark.parametrize(
    ("ssid", "password", "state"), (("home", "wrong", "wrong_password"), ("away", "secret-1", "no_network"))
)
def test_why_not(air, ssid, password, state):
    radio = driver.Wifi()
    assert joined(air, radio, ssid, password) == state
    assert len(air.joins) == 1, "one connect() is one attempt"


def test_every_number_of_the_radio_has_a_word(air, monkeypatch):
    radio = driver.Wifi()
    words = {15: "wrong_password", 202: "wrong_password", 204: "wrong_password", 1001: "connecting"}
    words.update({201: "no_network", 210: "no_network", 211: "no_network", 212: "no_network"})
    for number in (*range(256), *range(1000, 1011)):
        monkeypatch.setattr(air.interfaces[0], "status", lambda number=number: number)
        assert radio.state() == words.get(number, "down")


def test_loss_and_leaving(air):
    radio = driver.Wifi()
    assert joined(air, radio) == "connected"
    air.faults["down"] = True
    assert radio.state() == "down" and radio.address() == ""
    air.faults["down"] = False
    assert joined(air, radio) == "connected"
    radio.disconnect()
    air.clock.at_ms += 1000
    assert radio.state() == "down"
    radio.disconnect()


def test_connect_while_connected_leaves_first(air):
    radio = driver.Wifi()
    joined(air, radio)
    with pytest.raises(OSError):
        air.interfaces[0].connect("home", "secret-1")
    radio.connect("open", "")
    air.clock.at_ms += 10_000
    # The late end of the old connection took the attempt with it, as on the chip; the plan tries again.
    assert radio.state() == "down"
    assert joined(air, radio, "open", "") == "connected"


def test_a_port_without_the_setting(air, monkeypatch):
    monkeypatch.setattr(fake_network.Interface, "config", lambda *_, **__: (_ for _ in ()).throw(ValueError("unknown")))
    assert driver.Wifi().state() == "down"


def test_access_point_is_wpa2_or_not_there(air):
    radio = driver.Wifi()
    radio.start_access_point("ebb-1", "on-the-label")
    assert air.points[-1][1:] == ("on", "ebb-1", fake_network.AUTH_WPA2_PSK, "on-the-label", "192.168.4.1")
    radio.stop_access_point()
    radio.stop_access_point()
    assert [row[1] for row in air.points[-2:]] == ["on", "off"]
    with pytest.raises(OSError):
        radio.start_access_point("ebb-1", "short")
    assert not air.interfaces[1].active()


def test_access_point_that_came_up_open_is_closed(air, monkeypatch):
    radio = driver.Wifi()
    point = air.interfaces[1]
    monkeypatch.setattr(point, "config", lambda name=None, **_: 0)
    with pytest.raises(OSError, match="not encrypted"):
        radio.start_access_point("ebb-1", "on-the-label")
    assert not point.active()


def scanned(radio):
    """The list once the thread is through."""
    radio.start_scan()
    for _ in range(500):
        if not radio.is_scanning():
            return radio.scan()
        time.sleep(0.01)
    raise AssertionError("the scan does not end")


def test_scan_is_bounded_sorted_and_text(air):
    radio = driver.Wifi()
    assert radio.scan() == []
    air.access_points += [("home", "secret-1", -40), ("", "x" * 8, -10), (b"\xff\xfe", "", -10)]
    assert scanned(radio) == [("home", -40, False), ("open", -70, True)]
    air.access_points = [(f"net{number}", "", -number) for number in range(40)]
    assert scanned(radio) == [(f"net{number}", -number, True) for number in range(16)]


def test_scan_takes_no_time_of_the_tick(air, monkeypatch):
    station = air.interfaces[0]
    is_held = [True]
    scans = []

    def slow():
        scans.append(1)
        while is_held[0]:
            time.sleep(0.005)
        raise OSError("Wifi Invalid State")

    radio = driver.Wifi()
    monkeypatch.setattr(station, "scan", slow)
    begun_s = time.monotonic()
    radio.start_scan()
    radio.start_scan()
    assert radio.scan() == [] and radio.is_scanning() and time.monotonic() - begun_s < 0.5
    is_held[0] = False
    assert scanned(radio) == [] and len(scans) in (1, 2)


def test_no_thread_no_scan(air, monkeypatch):
    import _thread

    monkeypatch.setattr(_thread, "start_new_thread", lambda *_: (_ for _ in ()).throw(OSError("no memory")))
    radio = driver.Wifi()
    radio.start_scan()
    assert not radio.is_scanning() and radio.scan() == []
