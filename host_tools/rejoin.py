"""Task `rejoin`: random routers that go, come, restart and refuse; how soon the box is back once they are well."""

import argparse
import itertools
import random
import statistics
import sys
import time
import types

from host_tools import jobs
from host_tools.sim import fake_network

sys.modules.setdefault("network", fake_network)

BACK_MS = 60_000  # faults.md N1
BACK_KEY_MS = 300_000  # after KEY_IN_A_ROW handshakes that the key did not pass
KEY_IN_A_ROW = 5  # as the access point saw it; less is what a restarting router does to a right key
KEY_REASONS = (15, 204)
STAYS_MS = 20_000  # it has to stay after it is back
HOME = ("home", "correct-horse", -50)
BATCH = 100
POLL_MS, POLL_LATE_MS, STALLED_ONE_IN, STALLED_MS = (
    500,
    60,
    400,
    2000,
)  # the service's look, and how late it comes; estimates
# An attempt that fails without a cause, once also when all is well; estimates.
TURNED_AWAY_ONE_IN, BROKEN_ONE_IN = 60, 100
KICKS = (1, 2, 3, 4, 6, 7, 8, 200)  # deauthentications of IEEE 802.11-2020 table 9-49 that routers send; beacons lost
REFUSALS = (1, 2, 5, 17, 203, 205)
DHCP_MOST_MS = 10_000
LONGEST_MS = 1_800_000


class Air(fake_network.Router):
    """A router with a story: spans of (from_ms, to_ms) in which something is not as it should be."""

    def __init__(self, world, chance):
        super().__init__(world)
        self._chance = chance
        self.off, self.silent, self.broken, self.refusing, self.kicked, self.hops = [], [], [], [], [], []
        self.leases_ms = []
        self.late_ms = chance.choice((0, 0, chance.randrange(3000), chance.randrange(DHCP_MOST_MS)))
        self.kinds = []
        self._refused = (-5001, 0)
        self._has_failed = False  # by chance, since all is well
        self.well_ms = self._drawn()

    def _span(self, most_ms):
        """ms, short ones as likely as long ones."""
        return int(1000 * (most_ms / 1000) ** self._chance.random())

    def _drawn(self):
        """Draw the story; ms from when on all is well."""
        at_ms = 0 if self._chance.random() < 0.4 else self._chance.randrange(20_000, 90_000)
        for number in range(self._chance.randint(1, 4)):
            kind = self._chance.choice(KINDS)
            self.kinds.append(kind.__name__)
            if number:
                at_ms += self._span(180_000)
            at_ms = kind(self, at_ms)
        return at_ms

    def gone(self, at_ms):
        """No beacons; what comes after it may come in parts."""
        end_ms = at_ms + self._span(LONGEST_MS)
        self.off.append((at_ms, end_ms))
        if self._chance.random() < 0.3:
            self.hops.append((end_ms, self._chance.choice((1, 3, 6, 11, 13))))
        for spans, likely, most_ms in ((self.broken, 0.2, 20_000), (self.silent, 0.5, 90_000)):
            if self._chance.random() < likely:
                spans.append((end_ms, end_ms + self._span(most_ms)))
                end_ms = spans[-1][1]
        return end_ms

    def no_dhcp(self, at_ms):
        """The link goes once, and then no address is given."""
        end_ms = at_ms + self._span(1_200_000)
        self.kick(at_ms)
        self.silent.append((at_ms, end_ms))
        return end_ms

    def kick(self, at_ms):
        """One deauthentication."""
        self.kicked.append((at_ms, self._chance.choice(KICKS)))
        return at_ms

    def refuses(self, at_ms):
        """Turned away for a while: too many stations, steering to another band."""
        end_ms = at_ms + self._span(300_000)
        self.refusing.append((self.kick(at_ms), end_ms, self._chance.choice(REFUSALS)))
        return end_ms

    def flaps(self, at_ms):
        """There and away."""
        for _ in range(self._chance.randint(2, 8)):
            end_ms = at_ms + self._chance.randrange(500, 40_000)
            self.off.append((at_ms, end_ms))
            at_ms = end_ms + self._chance.randrange(1000, 40_000)
        return end_ms

    def breaks(self, at_ms):
        """Restarts in the middle of handshakes."""
        end_ms = at_ms + self._span(40_000)
        self.broken.append((self.kick(at_ms), end_ms))
        return end_ms

    def rekeyed(self, at_ms):
        """The owner changes the key and later puts the old one back."""
        end_ms = at_ms + self._span(LONGEST_MS)
        self.broken.append((self.kick(at_ms), end_ms))
        return end_ms

    def lease_ends(self, at_ms):
        """The address is gone, the link is not."""
        self.leases_ms.append(at_ms)
        return at_ms

    def is_on(self, row, at_ms):
        return not within(self.off, at_ms)

    def channel(self, row, at_ms):
        return ([6] + [channel for from_ms, channel in self.hops if from_ms <= at_ms])[-1]

    def turns_away(self, row, at_ms):
        for from_ms, to_ms, reason in self.refusing:
            if from_ms <= at_ms < to_ms:
                return reason
        if at_ms - self._refused[0] > 5000:  # asked twice for one attempt
            self._refused = (at_ms, 2 if self._fails(TURNED_AWAY_ONE_IN, at_ms) else 0)
        return self._refused[1]

    def breaks_handshake(self, row, at_ms):
        return within(self.broken, at_ms) or self._fails(BROKEN_ONE_IN, at_ms)

    def _fails(self, one_in, at_ms):
        """Whether an attempt fails by chance; no more than one does once all is well."""
        is_well = at_ms >= self.well_ms
        fails = not self.world.below(one_in) and not (is_well and self._has_failed)
        self._has_failed = self._has_failed or (fails and is_well)
        return fails

    def dhcp_late_ms(self, row, at_ms):
        return None if within(self.silent, at_ms) else self.late_ms

    def kicks(self, row, from_ms, to_ms):
        for at_ms, reason in self.kicked:
            if from_ms < at_ms <= to_ms:
                return reason
        return 0


KINDS = (Air.gone, Air.gone, Air.gone, Air.no_dhcp, Air.kick, Air.refuses, Air.flaps, Air.breaks)
KINDS += (Air.rekeyed, Air.lease_ends)


def within(spans, at_ms):
    """Whether a time lies in one of the spans."""
    return any(from_ms <= at_ms < to_ms for from_ms, to_ms in spans)


class Box:
    """What WifiService sees of the App."""

    def __init__(self, chance):
        from firmware.core import settings

        self.at_ms = 0
        self.chosen = settings.changed(settings.defaults(), {"wifi_ssid": HOME[0], "wifi_password": HOME[1]})
        self.random_below = chance.randrange
        self.phrases = types.SimpleNamespace(phrase=lambda code: (code, ""))
        self.told = []

    def now_ms(self):
        return self.at_ms

    def settings(self):
        return self.chosen

    def tell(self, name, words):
        if "Error" in words or "still" in words:
            self.told.append(words)


class Trace:
    """One box and one router."""

    def __init__(self, seed, number, make=None):
        """make: Air of (world, chance), else a random one."""
        from firmware.drivers.wifi import Wifi
        from firmware.services.wifi_service import WifiService

        chance = random.Random(f"{seed}:{number}")
        self.box = Box(chance)
        self.world = fake_network.World(self.box.now_ms, chance.randrange(1 << 30))
        self.world.access_points = [HOME]
        self.station = self.world.interfaces[fake_network.STA_IF]
        fake_network.world = self.world
        self.station.has_reconnects = chance.random() >= 0.15
        self.air = self.world.router = (make or Air)(self.world, chance)
        self.button_ms = chance.randrange(600_000) if chance.random() < 0.25 else None
        self.service = WifiService({"box": "a1", "ap_secret": "on-the-label"}, self.box, Wifi())
        self.chance = chance

    def step(self):
        """One look of the service."""
        box = self.box
        self.service.step()
        if self.button_ms is not None and box.at_ms >= self.button_ms:
            self.button_ms = None
            self.service.button_held_3s()
        late_ms = STALLED_MS if not self.chance.randrange(STALLED_ONE_IN) else self.chance.randrange(POLL_LATE_MS)
        from_ms, box.at_ms = box.at_ms, box.at_ms + POLL_MS + late_ms
        if any(from_ms < at_ms <= box.at_ms for at_ms in self.air.leases_ms):
            self.world.faults["no_address"] = self.station.isconnected()
        elif not self.station.isconnected():
            self.world.faults["no_address"] = False

    def is_back(self):
        """Whether the firmware says so and the radio has an address."""
        return self.service.status().state == "joined" and self.service.wifi.address() != ""

    def played(self):
        """{back_ms, is_key, kinds, connects, least_gap_ms, errors}: played until back for good, or far too late."""
        while self.box.at_ms < self.air.well_ms:
            self.step()
        end_ms = self.air.well_ms + 2 * BACK_KEY_MS
        back_ms = None
        while self.box.at_ms < end_ms:
            if not self.is_back():
                back_ms = None
            elif back_ms is None:
                back_ms = self.box.at_ms - self.air.well_ms
            elif self.box.at_ms - self.air.well_ms - back_ms > STAYS_MS:
                break
            self.step()
        times = [at_ms for at_ms, _ in self.world.joins]
        return {
            "back_ms": back_ms,
            "is_key": keys_in_a_row(self.world.reasons) >= KEY_IN_A_ROW,
            "kinds": self.air.kinds,
            "connects": len(times),
            "minutes": self.box.at_ms / 60_000,
            "gap_ms": min((later - earlier for earlier, later in itertools.pairwise(times)), default=BACK_MS),
            "errors": len(self.box.told),
        }


def keys_in_a_row(reasons):
    """How often in a row the key was refused; giving up in between (8) does not end the row."""
    most = run = 0
    for reason in reasons:
        run = run + 1 if reason in KEY_REASONS else run if reason == fake_network.ASSOC_LEAVE else 0
        most = max(most, run)
    return most


def batch(job):
    """Results of the traces of one job (seed, first, last)."""
    seed, begin, end = job
    return [{"number": number, **Trace(seed, number).played()} for number in range(begin, end)]


def late(row):
    """Whether a trace was back too late or never."""
    return row["back_ms"] is None or row["back_ms"] > (BACK_KEY_MS if row["is_key"] else BACK_MS)


def seconds(rows):
    """Sorted seconds until back."""
    return sorted((row["back_ms"] if row["back_ms"] is not None else 2 * BACK_KEY_MS) / 1000 for row in rows)


def report(count, seed, has_processes=True):
    """Play and print the figures; how many traces were not back in time."""
    work = [(str(begin), (seed, begin, min(begin + BATCH, count))) for begin in range(0, count, BATCH)]
    results = jobs.Results("rejoin", seed, False)
    rows = [row for part in jobs.done(work, batch, results, has_processes).values() for row in part]
    plain, keys = seconds(row for row in rows if not row["is_key"]), seconds(row for row in rows if row["is_key"])
    finds = [row for row in rows if late(row)]
    print(f"rejoin_seed {seed}")
    print(f"rejoin_traces {len(rows)}")
    print(f"rejoin_late {len(finds)}")
    for name, found in (("rejoin", plain), ("rejoin_refused_key", keys)):
        if found:
            print(f"{name}_count {len(found)}")
            print(f"{name}_median_s {statistics.median(found):.1f}")
            print(f"{name}_p99_s {found[len(found) * 99 // 100]:.1f}")
            print(f"{name}_worst_s {found[-1]:.1f}")
    print(f"rejoin_connects_a_minute {sum(row['connects'] for row in rows) / sum(row['minutes'] for row in rows):.2f}")
    print(f"rejoin_least_gap_s {min(row['gap_ms'] for row in rows) / 1000:.1f}")
    print(f"rejoin_refused_connects {sum(row['errors'] for row in rows)}")
    for row in finds[:5]:
        told = "never" if row["back_ms"] is None else f"after {row['back_ms'] / 1000:.1f} s"
        print(f"trace {row['number']} of seed {seed} is back {told}: {', '.join(row['kinds'])}")
    return len(finds)


def run(argv):
    """Entry of the task."""
    parser = argparse.ArgumentParser(prog="python3 -m host_tools rejoin", description=__doc__)
    parser.add_argument("--count", type=int, default=10_000, help="how many traces")
    parser.add_argument("--seed", type=int, default=None, help="of an earlier run")
    options = parser.parse_args(argv)
    seed = random.SystemRandom().randrange(1 << 31) if options.seed is None else options.seed
    begun_s = time.monotonic()
    finds = report(options.count, seed)
    jobs.logged("rejoin", seed, {"runs": options.count, "finds": finds, "seconds": int(time.monotonic() - begun_s)})
    return 1 if finds else 0
