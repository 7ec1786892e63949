"""Any bytes from a name server or a time server give an answer or none, never an exception or a loop."""

from hypothesis import given, settings
from hypothesis import strategies as st

from firmware.wire import dns, ntp

LABELS = st.text("abcdefghijklmnopqrstuvwxyz0123456789-_", min_size=1, max_size=63)
NAMES = st.lists(LABELS, min_size=1, max_size=4).map(".".join).filter(lambda name: len(name) <= 253)
NUMBERS = st.integers(0, 65535)
# Labels, pointers and records from few pieces, so that chains and circles come about.
PIECES = st.sampled_from(
    [b"\x00", b"\x01a", b"\x02bc", b"\xc0\x0c", b"\xc0\x00", b"\xc0\x1d", b"\xc0\x2a", b"\xff", b"\x00\x04abcd"]
    + [b"\x00\x01\x00\x01", b"\x00\x05\x00\x01", b"\x00\x00\x00\x3c", b"\x00\x02\xc0\x0c"]
)
TAILS = st.lists(PIECES, max_size=60).map(b"".join) | st.binary(max_size=480)


def is_result(found):
    """Whether answer() may give this."""
    return found in (None, "bad", "not_found") or (dns.quad(found[0]) and 0 <= found[1] < 1 << 31)


@settings(max_examples=2000, deadline=None)
@given(NAMES, NUMBERS, st.integers(0, 40), TAILS)
def test_behind_the_question(name, number, count, tail):
    asked = dns.query(number, name)
    found = dns.answer(
        asked[:2] + b"\x81\x80\x00\x01\x00" + bytes((count, 0, 0, 0, 0)) + asked[12:] + tail, number, name
    )
    assert found is not None and is_result(found)


@settings(max_examples=1000, deadline=None)
@given(st.binary(max_size=600), NAMES, NUMBERS)
def test_any_bytes(payload, name, number):
    assert is_result(dns.answer(payload, number, name))
    assert dns.captive(payload, "192.168.4.1") is None or payload[2] < 8
    assert ntp.opened(payload, payload[24:32].ljust(8)) is None or len(payload) >= 48


@settings(max_examples=500, deadline=None)
@given(NAMES, NUMBERS)
def test_the_portal_answers_every_name(name, number):
    assert dns.answer(dns.captive(dns.query(number, name), "192.168.4.1"), number, name) == ("192.168.4.1", 10)


@settings(max_examples=500, deadline=None)
@given(st.text())
def test_a_name_is_refused_or_asked_for(name):
    try:
        assert len(dns.query(1, name)) <= 12 + 255 + 4
    except ValueError:
        return
    assert name.isascii()


@settings(max_examples=1000, deadline=None)
@given(st.text(max_size=20) | st.ip_addresses(v=4).map(str))
def test_an_address_is_what_the_system_takes_for_one(text):
    import ipaddress

    try:
        is_address = ipaddress.IPv4Address(text) is not None
    except ValueError:
        is_address = False
    assert dns.quad(text) == is_address


@settings(max_examples=1000, deadline=None)
@given(st.integers(0, 4_233_462_143), st.binary(min_size=8, max_size=8), st.integers(1, 15))
def test_every_second_until_2104(wall_s, cookie8, stratum):
    seconds = wall_s + ntp.EPOCH_S & 0xFFFFFFFF
    made = bytes((0x24, stratum)) + bytes(22) + cookie8 + bytes(8) + seconds.to_bytes(4, "big") + bytes(4)
    assert ntp.opened(made, cookie8) == wall_s
