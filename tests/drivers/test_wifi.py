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


def looked(air, radio, for_ms):
    """The last look after that time in looks of half a second."""
    for _ in range(for_ms // 500):
        air.clock.at_ms += 500
        look = radio.look()
    return look


def joined(air, radio, ssid="home", password="secret-1"):
    """Look once an attempt has ended."""
    radio.connect(ssid, password)
    return looked(air, radio, 15_000)


UP, IDLE = (1010, True), (1000, False)


def test_joins_and_tells_where(air):
    radio = driver.Wifi()
    radio.set_hostname("ebb-1")
    assert (radio.look(), radio.address(), radio.dns_servers()) == (IDLE, "", ())
    assert joined(air, radio) == UP
    assert air.hostname == "ebb-1"
    assert (radio.address(), radio.dns_servers()) == ("192.168.1.77", ("192.168.1.1",))


def test_open_network(air):
    assert joined(air, driver.Wifi(), "open", "") == UP


@pytest.mark.parametrize(
    ("ssid", "password", "numbers"),
    (
        ("home", "wrong-wrong", (15, 202, 204)),
        ("away", "secret-1", (201,)),
        ("open", "a-key-too-much", (211,)),
        ("home", "", (210,)),
    ),
)
def test_why_not(air, ssid, password, numbers):
    radio = driver.Wifi()
    number, is_linked = joined(air, radio, ssid, password)
    assert number in numbers and not is_linked
    assert len(air.joins) == 1, "one connect() is one attempt"


def test_loss_and_leaving(air):
    radio = driver.Wifi()
    assert joined(air, radio) == UP
    air.faults["down"] = True
    assert looked(air, radio, 5000) == UP, "beacons are missed for some seconds first"
    assert looked(air, radio, 2000) == (200, False) and radio.address() == ""
    air.faults["down"] = False
    assert joined(air, radio) == UP
    radio.disconnect()
    assert looked(air, radio, 1000) == IDLE
    radio.disconnect()


def test_linked_without_an_address(air):
    radio = driver.Wifi()
    air.faults["no_dhcp"] = True
    assert joined(air, radio) == (1001, True)
    air.faults["no_dhcp"] = False
    assert looked(air, radio, 17_000) == UP
    air.faults["no_address"] = True
    assert radio.look() == (1001, True) and radio.address() == "", "a lease that ran out is no connection"


def test_connect_while_connected_wants_a_leave_first(air):
    radio = driver.Wifi()
    joined(air, radio)
    with pytest.raises(OSError, match="still connected"):
        radio.connect("open", "")
    assert len(air.joins) == 1
    radio.disconnect()
    looked(air, radio, 1000)
    assert joined(air, radio, "open", "") == UP


def test_errors_that_the_port_has_no_words_for(air, monkeypatch):
    radio = driver.Wifi()
    broken = lambda *_: (_ for _ in ()).throw(RuntimeError("Wifi Unknown Error 0x0101"))  # noqa: E731
    for name in ("connect", "disconnect"):
        monkeypatch.setattr(air.interfaces[0], name, broken)
    with pytest.raises(OSError, match="0x0101"):
        radio.connect("home", "secret-1")
    radio.disconnect()


def test_a_port_without_the_setting(air):
    air.interfaces[0].has_reconnects = False
    radio = driver.Wifi()
    air.access_points, there = [], air.access_points
    assert joined(air, radio)[0] == 201
    air.access_points = there
    assert looked(air, radio, 20_000) == UP, "it tries again by itself"


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


def test_a_scan_that_meets_a_join_is_tried_again(air, monkeypatch):
    radio, station = driver.Wifi(), air.interfaces[0]
    monkeypatch.setattr(driver, "SCAN_AGAIN_S", 0.01)
    radio.connect("home", "secret-1")
    with pytest.raises(OSError, match="State Error"):
        station.scan()
    assert scanned(radio) == [] and air.scans == 0
    monkeypatch.setattr(driver.time, "sleep", lambda _: looked(air, radio, 15_000))
    radio.start_scan()
    while radio.is_scanning():
        pass
    assert radio.scan() and air.scans == 1


def test_scan_takes_no_time_of_the_tick(air, monkeypatch):
    monkeypatch.setattr(driver, "SCAN_AGAIN_S", 0.01)
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
    assert scanned(radio) == [] and len(scans) in (driver.SCAN_TRIES, 2 * driver.SCAN_TRIES)


def test_no_thread_no_scan(air, monkeypatch):
    import _thread

    monkeypatch.setattr(_thread, "start_new_thread", lambda *_: (_ for _ in ()).throw(OSError("no memory")))
    radio = driver.Wifi()
    radio.start_scan()
    assert not radio.is_scanning() and radio.scan() == []
