"""A whole set-up in simulated time, told line by line: set_up.py ROOT FOLDER DNS_PORT; runs on both interpreters."""

import asyncio
import socket
import sys

from host_tools.sim import fake_network

sys.modules["network"] = fake_network

from firmware.core import settings  # noqa: E402 - the fake radio comes first
from firmware.drivers.wifi import Wifi  # noqa: E402
from firmware.services.captive_dns import CaptiveDns  # noqa: E402
from firmware.services.phrase_book import PhraseBook  # noqa: E402
from firmware.services.settings_store import SettingsStore  # noqa: E402
from firmware.services.wifi_service import WifiService  # noqa: E402

QUERY = b"\x12\x34\1\0\0\1\0\0\0\0\0\0\x07example\x03com\0\0\1\0\1"


class Loop:
    """The settings in force."""

    def __init__(self):
        self.settings = settings.defaults()


class Box:
    """What WifiService sees of the App."""

    def __init__(self, root, folder):
        self.at_ms = 0
        self.loop = Loop()
        self.store = SettingsStore(folder)
        self.phrases = PhraseBook(root + "/firmware/words_en.txt")

    def now_ms(self):
        return self.at_ms

    def settings(self):
        return self.loop.settings

    def random_below(self, count):
        return self.at_ms * 7919 % count

    def tell(self, name, words):
        print(self.at_ms, name, words)


def run(box, service, for_ms):
    """Steps of half a second, printing what changes."""
    before = None
    for _ in range(for_ms // 500):
        service.step()
        now = service.status()
        if now != before:
            print(box.at_ms, tuple(now))
        before = now
        box.at_ms += 500


async def ask(port):
    """One question to the captive DNS over a real socket."""
    task = asyncio.create_task(CaptiveDns(("127.0.0.1", port), print).run())
    await asyncio.sleep(0.1)
    asking = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    asking.setblocking(False)
    asking.sendto(QUERY, socket.getaddrinfo("127.0.0.1", port)[0][-1])
    await asyncio.sleep(0.3)
    print("dns:", ".".join(str(part) for part in asking.recvfrom(300)[0][-4:]))
    task.cancel()


def main(root, folder, port):
    """The story."""
    box = Box(root, folder)
    fake_network.world = fake_network.World(box.now_ms)
    fake_network.world.access_points = [("home", "correct-horse", -50)]
    service = WifiService({"box": "a1", "ap_secret": "on-the-label"}, box, Wifi())
    run(box, service, 5000)
    print(service.offer("home", "wrong-wrong"))
    run(box, service, 40_000)
    print(service.offer("home", "correct-horse"))
    run(box, service, 40_000)
    print("stored:", box.store.load()[0].wifi_ssid)
    fake_network.world.faults["down"] = True
    run(box, service, 400_000)
    fake_network.world.faults["down"] = False
    run(box, service, 300_000)
    print(fake_network.world.points)
    asyncio.run(ask(port))


main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
