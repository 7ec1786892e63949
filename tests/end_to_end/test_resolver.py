"""Resolver and time of day against servers that are silent, lie, or stand in for others; the tick goes on."""

import asyncio
import gc
import os
import random
import socket
import subprocess
import time
import warnings

import pytest
from name_server import UdpServer, asked_name, dns_reply, ntp_reply, silent
from running import ROOT

from firmware.services import datagram, time_sync, wall_clock
from firmware.services.resolver import Resolver
from firmware.services.time_sync import TimeSync
from firmware.services.wall_clock import WallClock

NAME, ADDRESS = "broker.home", "10.1.2.3"
FAST = 10  # times the real speed, so that 2 s of waiting are 200 ms
TICK_S = 0.023


class Hours:
    """A clock that runs FAST and can be set ahead; also the board of TimeSync."""

    def __init__(self, speed=FAST):
        self.speed = speed
        self.ahead_ms = 0
        self.told = []
        self.codes = []

    def now_ms(self):
        return time.monotonic_ns() * self.speed // 1_000_000 + self.ahead_ms

    def set_wall_s(self, wall_s):
        self.told.append(wall_s)

    def wall_s(self):
        """What it was set to last."""
        return self.told[-1] if self.told else None

    def set_floor_s(self, wall_s):
        """The chip's own clock."""

    def show_no_time(self, is_missing):
        """The light."""


def below(count):
    return random.randrange(count)


def resolver(hours, *servers, suffixes=()):
    """A Resolver that asks these UdpServers, all on one port."""
    addresses = tuple(server.address for server in servers)
    port = servers[0].port if servers else 53
    return Resolver(lambda: addresses, (hours.now_ms, below), suffixes, port)


def pair(first, second):
    """Two UdpServers with the same port on two loopback addresses."""
    for _ in range(20):
        one = UdpServer(first)
        try:
            return one, UdpServer(second, "127.0.0.2", one.port)
        except OSError:
            one.link.close()
    raise AssertionError("no port is free on both addresses")


def found(one, host=NAME):
    """What address_of gives, or the words of its error."""
    try:
        return asyncio.run(one.address_of(host))
    except OSError as error:
        return str(error)


def test_answers_and_remembers():
    hours = Hours()
    with UdpServer(dns_reply({NAME: ADDRESS}, 600)) as server:
        one = resolver(hours, server)
        assert found(one) == ADDRESS
        assert found(one) == ADDRESS
        assert len(server.heard) == 1
        hours.ahead_ms += 601_000
        server.reply = dns_reply({NAME: "10.1.2.4"}, 1)
        assert found(one) == "10.1.2.4"
        hours.ahead_ms += 40_000  # a life of 1 s is held for 60 s
        assert found(one) == "10.1.2.4"
        assert len(server.heard) == 2
        hours.ahead_ms += 21_000
        server.reply = dns_reply({NAME: ADDRESS}, 0x7FFFFFFF)
        assert found(one) == ADDRESS
        hours.ahead_ms += 3_601_000  # and the longest for an hour
        assert found(one) == ADDRESS
        assert len(server.heard) == 4
        assert len({payload[:2] for payload in server.heard}) > 1


def test_addresses_and_localhost_ask_nobody():
    with UdpServer(silent) as server:
        one = resolver(Hours(), server)
        assert found(one, "192.168.1.9") == "192.168.1.9"
        assert found(one, "localhost") == "127.0.0.1"
        assert server.heard == []


def test_a_silent_first_server():
    one, two = pair(silent, dns_reply({NAME: ADDRESS}))
    with one, two:
        assert found(resolver(Hours(), one, two)) == ADDRESS
        assert len(one.heard) == 1


def test_a_first_server_that_fails():
    one, two = pair(dns_reply({NAME: 2}), dns_reply({NAME: ADDRESS}))
    with one, two:
        assert found(resolver(Hours(), one, two)) == ADDRESS


def test_a_lost_answer_is_asked_for_again():
    replies = [silent, dns_reply({NAME: ADDRESS})]
    with UdpServer(lambda payload: replies.pop(0)(payload)) as server:
        assert found(resolver(Hours(), server)) == ADDRESS


def test_only_two_servers_and_two_rounds():
    one, two = pair(silent, silent)
    with one, two, UdpServer(silent, "127.0.0.3", one.port) as three:
        begun_s = time.monotonic()
        assert found(resolver(Hours(), one, two, three)) == "no name server answers for " + NAME
        assert 0.7 < time.monotonic() - begun_s < 20
        assert [len(server.heard) for server in (one, two, three)] == [2, 2, 0]


def test_a_lying_id_is_not_believed():
    true, lie = dns_reply({NAME: ADDRESS}), dns_reply({NAME: "6.6.6.6"}, number_change=1)
    with UdpServer(lambda payload: lie(payload) + true(payload)) as server:
        assert found(resolver(Hours(), server)) == ADDRESS
        server.reply = lie
        assert "no name server" in found(resolver(Hours(), server))


def test_an_answer_to_another_name_is_not_believed():
    lie = dns_reply({"other.home1": "6.6.6.6"})
    with UdpServer(lambda payload: lie(payload[:12] + b"\x05other\x05home1" + payload[-5:])) as server:
        assert "no name server" in found(resolver(Hours(), server))


@pytest.mark.parametrize("address", ("127.0.0.1", "127.0.0.9"))
def test_another_source_is_not_believed(address):
    with UdpServer(dns_reply({NAME: "6.6.6.6"})) as server, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind((address, server.port if address == "127.0.0.9" else 0))
        server.sender = other
        assert "no name server" in found(resolver(Hours(), server))
        server.sender = server.link
        assert found(resolver(Hours(), server)) == "6.6.6.6"


def test_no_such_name():
    with UdpServer(dns_reply({})) as server:
        assert found(resolver(Hours(), server)) == "no such name: " + NAME
        assert found(resolver(Hours(), server), "a b") == "not a host name: a b"
        assert len(server.heard) == 1


def test_no_servers():
    with UdpServer(silent) as server:
        for addresses in ((), ("0.0.0.0",), ("", "fritz.box")):
            one = Resolver(lambda addresses=addresses: addresses, (Hours(1).now_ms, below), port=server.port)
            begun_s = time.monotonic()
            assert "no name server" in found(one)
            assert time.monotonic() - begun_s < 10
        assert server.heard == []


def test_servers_may_change():
    hours = Hours()
    addresses = []
    with UdpServer(dns_reply({NAME: ADDRESS})) as server:
        one = Resolver(lambda: addresses, (hours.now_ms, below), port=server.port)
        assert "no name server" in found(one)
        addresses.append(server.address)
        assert found(one) == ADDRESS


def test_a_stale_entry_serves_for_a_day_while_nobody_answers():
    hours = Hours()
    with UdpServer(dns_reply({NAME: ADDRESS})) as server:
        one = resolver(hours, server)
        assert found(one) == ADDRESS
        for code in (2, 5):
            hours.ahead_ms += 10 * 3_600_000
            server.reply = dns_reply({NAME: code})
            assert found(one) == ADDRESS
        server.reply = silent
        assert found(one) == ADDRESS
        server.reply = dns_reply({})
        assert found(one) == "no such name: " + NAME
        server.reply = silent
        hours.ahead_ms += 5 * 3_600_000
        assert found(one) == "no name server answers for " + NAME


def test_at_most_eight_are_kept_and_the_oldest_goes():
    names = {"name%d.home" % number: "10.0.0.%d" % number for number in range(9)}
    with UdpServer(dns_reply(names)) as server:
        one = resolver(Hours(1), server)
        for name, address in names.items():
            assert found(one, name) == address
        assert len(server.heard) == 9
        for name, address in list(names.items())[1:]:
            assert found(one, name) == address
        assert len(server.heard) == 9
        assert found(one, "name0.home") == "10.0.0.0"
        assert len(server.heard) == 10


def test_a_name_is_kept_once():
    hours = Hours(1)
    with UdpServer(dns_reply({NAME: ADDRESS, "long.home": "10.0.0.1"}, 3600)) as server:
        one = resolver(hours, server)
        assert found(one, "long.home") == "10.0.0.1"
        server.reply = dns_reply({NAME: ADDRESS}, 60)
        for _ in range(9):
            assert found(one) == ADDRESS
            hours.ahead_ms += 61_000
        assert found(one, "long.home") == "10.0.0.1"
        assert len(server.heard) == 10


@pytest.mark.filterwarnings("error::ResourceWarning")
def test_every_socket_is_closed():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()  # what tests before this one left is not judged here
    with UdpServer(dns_reply({NAME: ADDRESS})) as server:
        assert found(resolver(Hours(), server)) == ADDRESS
        server.reply = silent

        async def story():
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(resolver(Hours(1), server).address_of(NAME), 0.1)

        asyncio.run(story())
        gc.collect()


def test_search_list():
    names = {"broker.lan": ADDRESS, "bare": "10.0.0.2", "a.b": "10.0.0.3"}
    with UdpServer(dns_reply(names)) as server:
        one = resolver(Hours(), server, suffixes=("fritz.box", "lan"))
        for host, address in (("broker", ADDRESS), ("bare", "10.0.0.2"), ("bare.", "10.0.0.2"), ("a.b", "10.0.0.3")):
            assert found(one, host) == address
        assert found(one, "broker.") == "no such name: broker."
        asked = [asked_name(payload) for payload in server.heard]
        tried = ["bare.fritz.box", "bare.lan", "bare"]
        assert asked == ["broker.fritz.box", "broker.lan", *tried, "bare", "a.b", "broker"]


def test_a_search_list_does_not_multiply_the_silence():
    with UdpServer(silent) as server:
        assert "no name server" in found(resolver(Hours(), server, suffixes=("fritz.box", "lan")), "broker")
        assert len(server.heard) == 2


def test_two_questions_at_once():
    names = {"name%d.home" % number: "10.0.0.%d" % number for number in range(6)}
    with UdpServer(dns_reply(names)) as server:
        one = resolver(Hours(), server)

        async def story():
            return await asyncio.gather(*(one.address_of(name) for name in names))

        assert asyncio.run(story()) == list(names.values())


def gaps(work):
    """Sorted gaps in s between ticks while work() runs again and again for 3 s."""

    async def story():
        found, last_s = [], time.monotonic()
        end_s = last_s + 3
        task = asyncio.create_task(work())
        while last_s < end_s:
            if task.done():
                task = asyncio.create_task(work())
            await asyncio.sleep(TICK_S)
            now_s = time.monotonic()
            found.append(now_s - last_s)
            last_s = now_s
        task.cancel()
        return sorted(found)

    return asyncio.run(story())


def test_dead_servers_never_hold_the_tick():
    one, two = pair(silent, silent)
    with one, two:
        asked = resolver(Hours(), one, two)

        async def dead():
            with pytest.raises(OSError):
                await asked.address_of(NAME)

        async def nothing():
            await asyncio.sleep(0.4)

        calm, busy = gaps(nothing), gaps(dead)
    assert len(one.heard) > 4
    print("gaps in ms, next to worst and worst: calm %.1f %.1f" % (calm[-2] * 1000, calm[-1] * 1000))
    print("while names are asked for: %.1f %.1f" % (busy[-2] * 1000, busy[-1] * 1000))
    # A blocking look-up would take whole seconds; a busy machine makes both runs late.
    assert busy[len(busy) * 95 // 100] < 2 * max(TICK_S, calm[len(calm) * 95 // 100])
    assert len(busy) > 0.7 * len(calm)


def synced(hours, *servers):
    """A TimeSync that asks these UdpServers."""
    return asking(hours, *((server.address, server.port) for server in servers))


class NoStore:
    """Nothing is known of the time before the start."""

    last_s = 0

    def may_bring(self):
        """Nothing waits."""
        return False

    def keep(self, wall_s):
        """Nothing is stored."""
        return False


def asking(hours, *places):
    """A TimeSync of a WallClock on the board `hours` that asks these places."""
    clock = WallClock(hours, NoStore(), hours.codes.append)
    return TimeSync(clock, Resolver(lambda: (), (hours.now_ms, below)), places, below, lambda: True)


def waits_of(sync, count):
    """The first `count` waits that run() wants, in s, each cut to nothing; Wi-Fi stays as it is."""
    waits = []
    real = asyncio.sleep

    async def waited(wait_s):
        await sleep(wait_s)
        return False

    async def sleep(wait_s):
        waits.append(wait_s)
        await real(0)

    async def story():
        task = asyncio.create_task(sync.run())
        end_s = time.monotonic() + 20
        while len(waits) < count:
            assert time.monotonic() < end_s, waits
            await real(0.01)
        task.cancel()

    sync._has_joined = waited
    time_sync.asyncio = type("Slept", (), {"sleep": staticmethod(sleep)})
    try:
        asyncio.run(story())
    finally:
        time_sync.asyncio = asyncio
    return waits


def test_time_is_told_and_asked_for_again_after_six_hours():
    hours = Hours()
    with UdpServer(ntp_reply()) as server:
        waits = waits_of(synced(hours, server), 3)
    assert all(20_700 <= wait_s <= 22_500 for wait_s in waits)
    assert all(abs(wall_s - time.time()) < 120 for wall_s in hours.told)
    cookies = {payload[40:] for payload in server.heard}
    assert len(cookies) == len(server.heard)


@pytest.mark.parametrize("joins_after_s", (0, 3, None))
def test_joining_wifi_ends_the_wait_for_the_next_try(joins_after_s):
    hours, seen = Hours(), []

    async def sleep(wait_s):
        seen.append(wait_s)

    sync = asking(hours, ("127.0.0.1", 9))
    sync._is_joined = lambda: joins_after_s is not None and len(seen) > joins_after_s
    time_sync.asyncio = type("Slept", (), {"sleep": staticmethod(sleep)})
    try:
        has_joined = asyncio.run(sync._has_joined(20))
    finally:
        time_sync.asyncio = asyncio
    assert has_joined == (joins_after_s is not None)
    assert sum(seen) == (20 if joins_after_s is None else joins_after_s + 1)


def test_an_answer_earlier_than_the_floor_is_told_once_and_the_other_server_is_asked():
    hours = Hours()
    early_s, now_s = wall_clock.ntp.BUILT_S - 1, 1_800_000_000
    with UdpServer(ntp_reply(early_s)) as one, UdpServer(ntp_reply(now_s)) as two:
        waits_of(synced(hours, one), 2)
        assert hours.told == [] and hours.codes == ["early"]
        waits_of(synced(hours, one, two), 1)
    assert hours.told == [now_s] and hours.codes == ["early", "early", "set"]


def test_the_second_time_server_helps():
    hours = Hours()
    with UdpServer(ntp_reply(stratum=0)) as one, UdpServer(ntp_reply(2_900_000_000)) as two:
        waits_of(synced(hours, one, two), 2)
    assert set(hours.told) == {2_900_000_000}
    assert one.heard


def test_a_name_that_nobody_knows_leaves_the_other():
    hours = Hours()
    with UdpServer(ntp_reply(2_900_000_000)) as server:
        waits_of(asking(hours, ("unknown.home", 123), (server.address, server.port)), 1)
    assert hours.told == [2_900_000_000]


def test_after_an_answer_the_first_wait_is_short_again():
    hours = Hours()
    replies = [silent, silent, silent, ntp_reply(), silent]
    with UdpServer(lambda payload: replies.pop(0)(payload) if replies else ()) as server:
        waits = waits_of(synced(hours, server), 5)
    assert len(hours.told) == 1
    assert 5 <= waits[0] <= 7 and 20 <= waits[2] <= 30 and waits[3] >= 20_700 and 5 <= waits[4] <= 7


@pytest.mark.parametrize("reply", (silent, ntp_reply(stratum=0), ntp_reply(leap=3), ntp_reply(1000)))
def test_bad_time_servers_are_asked_ever_more_seldom(reply):
    hours = Hours(400)
    with UdpServer(reply) as server:
        sync = synced(hours, server)
        waits = waits_of(sync, 13)
    assert hours.told == [] and sync._clock.rank is None
    for step, wait_s in enumerate(waits):
        least_s = min(5 << step, 2400)
        assert least_s <= wait_s <= least_s * 3 // 2 <= 3600


def test_a_name_that_is_unknown_backs_off():
    hours = Hours(400)
    sync = asking(hours, ("pool", 123))
    assert waits_of(sync, 2)[1] >= 10
    assert hours.told == []


def test_the_word_of_others_counts_only_while_ntp_is_silent():
    hours = Hours()
    now_s = 1_800_000_000
    with UdpServer(ntp_reply(now_s)) as server:
        sync = synced(hours, server)
        clock = sync._clock
        for bad_s in (0, -1, 1_735_689_599, 1 << 32):
            assert not clock.offer(bad_s, wall_clock.RANK_BROKER)
        assert clock.offer(now_s + 9, wall_clock.RANK_BROWSER)
        assert clock.offer(now_s + 8, wall_clock.RANK_BROKER)
        assert clock.offer(now_s + 8, wall_clock.RANK_BROKER)
        assert not clock.offer(now_s + 9, wall_clock.RANK_BROWSER)
        assert hours.told == [now_s + 9, now_s + 8, now_s + 8]
        waits_of(sync, 1)
        assert hours.told[3] == now_s and clock.rank == wall_clock.RANK_NTP
        count = len(hours.told)
        hours.ahead_ms += 86_000_000
        assert not clock.offer(now_s, wall_clock.RANK_BROKER)
        hours.ahead_ms += 400_000
        assert clock.offer(now_s + 7, wall_clock.RANK_BROWSER)
        assert hours.told[count:] == [now_s + 7]


CHIP_STORY = """
import asyncio, os, time
from firmware.services.resolver import Resolver
from firmware.services.time_sync import TimeSync
from firmware.services.wall_clock import WallClock
def below(count):
    return int.from_bytes(os.urandom(4), "little") %% count
class Board:
    told = None
    last_s = 0
    def set_floor_s(self, wall_s):
        pass
    show_no_time = set_floor_s
    def now_ms(self):
        return time.ticks_ms() * 10
    def set_wall_s(self, wall_s):
        self.told = wall_s
    def wall_s(self):
        return self.told
async def tick(gaps):
    while True:
        begun = time.ticks_ms()
        await asyncio.sleep(0.023)
        gaps.append(time.ticks_diff(time.ticks_ms(), begun))
async def story():
    board = Board()
    gaps = []
    asyncio.create_task(tick(gaps))
    resolver = Resolver(lambda: ("127.0.0.2", "127.0.0.1"), (board.now_ms, below), ("home",), %d)
    for name in ("broker", "broker", "other.home", "a b"):
        try:
            print(name, await resolver.address_of(name))
        except OSError as error:
            print(name, error)
    print("silence", len(gaps) > 8, sorted(gaps)[len(gaps) // 2] < 100)
    clock = WallClock(board, Board, print)
    asyncio.create_task(TimeSync(clock, resolver, (("time.home", %d),), below, lambda: True).run())
    for _ in range(100):
        await asyncio.sleep(0.05)
        if board.told:
            break
    print("told", board.told)
asyncio.run(story())
"""


@pytest.mark.needs_chip
def test_the_same_on_the_chips_interpreter(tmp_path):
    from host_tools import chip

    one, two = pair(dns_reply({"broker.home": ADDRESS, "time.home": "127.0.0.1"}), silent)
    with one, two, UdpServer(ntp_reply(2_900_000_000)) as times:
        (tmp_path / "story.py").write_text(CHIP_STORY % (one.port, times.port))
        env = {**os.environ, "MICROPYPATH": f"{ROOT}:.frozen"}
        command = [*chip.interpreter(), "-X", "heapsize=1m", str(tmp_path / "story.py")]
        done = subprocess.run(command, capture_output=True, text=True, env=env, timeout=30)
    assert done.stdout.splitlines() == [
        "broker " + ADDRESS,
        "broker " + ADDRESS,
        "other.home no such name: other.home",
        "a b not a host name: a b.home",
        "silence True True",
        "set",
        "told 2900000000",
    ], done.stdout + done.stderr
    assert [asked_name(payload) for payload in one.heard] == ["broker.home", "other.home", "time.home"]


def test_a_source_as_bytes_or_as_a_tuple():
    there = b"\x02\x00\x00\x35\x7f\x00\x00\x01" + bytes(8)
    assert datagram.is_same(there[:8] + b"rest", there)
    assert not datagram.is_same(b"\x02\x00\x00\x36" + there[4:], there)
    assert not datagram.is_same(there[:7] + b"\x02" + bytes(8), there)
    assert datagram.is_same(("127.0.0.1", 53), ("127.0.0.1", 53))
    assert not datagram.is_same(("127.0.0.1", 54), ("127.0.0.1", 53))
