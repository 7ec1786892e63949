"""Looks like MicroPython's `network` on the ESP32: a station and an access point in a world of access points.

status(), isconnected(), `reconnects` and the errors follow ports/esp32/network_wlan.c of MicroPython 1.24 to 1.28, in
which these parts are the same: some reasons of the last disconnect hide what a new connect() does. What the radio takes
and when it gives up is in TIMES, each with where it comes from. Runs on MicroPython as well.
"""

STA_IF = 0
AP_IF = 1
AUTH_OPEN = 0
AUTH_WPA2_PSK = 3
STAT_BEACON_TIMEOUT = 200
STAT_NO_AP_FOUND = 201
STAT_WRONG_PASSWORD = 202
STAT_IDLE = 1000
STAT_CONNECTING = 1001
STAT_GOT_IP = 1010

# Reasons of a disconnect: 1 to 68 of IEEE 802.11-2020 table 9-49, from 200 on the ESP-IDF's own
# (esp_wifi_types_generic.h).
AUTH_EXPIRE, ASSOC_LEAVE, HANDSHAKE_4WAY = 2, 8, 15
AUTH_FAIL, HANDSHAKE, CONNECTION_FAIL = 202, 204, 205
OTHER_SECURITY, OTHER_AUTHMODE, TOO_WEAK = 210, 211, 212
# What status() shows before it looks whether a connect() was asked for: (reason, number shown).
STICKY = (
    (STAT_NO_AP_FOUND, STAT_NO_AP_FOUND),
    (TOO_WEAK, TOO_WEAK),
    (OTHER_AUTHMODE, OTHER_AUTHMODE),
    (OTHER_SECURITY, OTHER_SECURITY),
    (AUTH_FAIL, STAT_WRONG_PASSWORD),
    (CONNECTION_FAIL, STAT_WRONG_PASSWORD),
    (ASSOC_LEAVE, STAT_IDLE),
)
# (least, most) ms, drawn evenly.
TIMES = {
    # 13 channels of at most 120 ms each (wifi_scan_config_t), fewer when the access point is met; estimate of the
    # spread.
    "found": (100, 2400),
    # Seen: 2.47 s (ESP8266_RTOS_SDK issue 1033); estimate of the spread.
    "not_found": (1800, 3500),
    # Seen: 72 ms (esp-hosted issue 167); the timers of authentication and association are 1 s each (esp-at issue 200).
    "auth": (20, 300),
    "turned_away": (50, 2000),
    "handshake": (30, 1500),  # estimate
    # The access point asks four times, 1 s apart, and ends it with 15 (hostapd's defaults; seen 6.1 s); 204 is
    # the station's own timer of 10 s (esp-at issue 200).
    "15": (3000, 6500),
    "204": (10_000, 10_000),
    "202": (1000, 4000),  # estimate
    "dhcp": (30, 900),  # estimate, of a server that answers at once
}
# How a wrong key ends, in tenths: mostly 15 or 204; 202 is rare since WPA2 (arduino-esp32 issue 5698); the shares are
# an estimate.
WRONG_KEY = (15, 15, 15, 15, 15, 204, 204, 204, 204, 202)
# DISCOVER goes out at the link's start and again after 0.5, 1, 2, 4, 8 and then every 15 s (ESP-IDF, lwipopts.h).
DISCOVER_MS = (0, 500, 1500, 3500, 7500, 15_500)
DISCOVER_EVERY_MS = 15_000
BEACON_MS = 6000  # without a beacon until reason 200: esp_wifi_set_inactive_time, 6 s unless set
LEAVE_MS = 300  # until the event of an own disconnect() arrives; estimate, some ms as a rule
FLAP_MS = 20_000  # a flapping access point is there and away for as long
POINT_SLOWS = (
    3,
    2,
)  # a scan returns to the own access point's channel between channels (home_chan_dwell_time); estimate
NO_ADDRESS = ("0.0.0.0", "0.0.0.0", "0.0.0.0", "0.0.0.0")
BUSY = ("found", "not_found", "auth", "handshake")  # connect() and scan() are refused meanwhile
LINKED = ("dhcp", "up")


class Router:
    """How the access points behave at a time of the world's clock; a story may put another one in its place."""

    def __init__(self, world):
        self.world = world

    def is_on(self, row, at_ms):
        """Whether this access point sends beacons."""
        faults = self.world.faults
        return not faults["down"] and not (faults["flapping"] and at_ms // FLAP_MS % 2)

    def channel(self, row, at_ms):
        """Its channel."""
        return 6

    def turns_away(self, row, at_ms):
        """Reason with which it refuses an association, 0 for none."""
        return 0

    def breaks_handshake(self, row, at_ms):
        """Whether the handshake fails though the key is right: it restarts in the middle, or the air is bad."""
        return False

    def dhcp_late_ms(self, row, at_ms):
        """How much later than at once a DISCOVER of now is answered; None for never."""
        return None if self.world.faults["no_dhcp"] else 0

    def kicks(self, row, from_ms, to_ms):
        """Reason of a deauthentication in that time, 0 for none."""
        return 0


class World:
    """What is on the air. Set access_points [(ssid, password, rssi_dbm)], router and faults at will.

    faults: "down" and "flapping" (the access points), "no_dhcp", "no_address" (the lease ran out: isconnected() stays
    True, as the port does not watch for that event).
    """

    def __init__(self, now_ms, seed=1):
        """now_ms: function, the world's clock; seed: of all that varies."""
        self.now_ms = now_ms
        self.access_points = []
        self.faults = {"down": False, "flapping": False, "no_dhcp": False, "no_address": False}
        self.router = Router(self)
        self.memory = None  # chip_memory or idf_memory.Users; None: a radio that always finds enough
        self.hostname = "esp32"
        self.points = []  # (ms, "on" | "off", ssid, authmode, key, address) of the box's own access point
        self.joins = []  # (ms, ssid) of each connect()
        self.hops = []  # (ms, from, to) channel of the box's own access point: its guests lose it
        self.guests = []  # who is on the box's own access point
        self.scans = 0
        self.reasons = []  # of each disconnect, and 0 for each address
        self._draws = seed * 2654435761 % 4294967296
        self.interfaces = (Interface(STA_IF, self), Interface(AP_IF, self))

    def below(self, count):
        """A number below count by chance."""
        self._draws = (self._draws * 1103515245 + 12345) % 2147483648
        return (self._draws >> 8) % count

    def drawn(self, name):
        """ms of one of TIMES."""
        least, most = TIMES[name]
        return least + self.below(most - least + 1)

    def heard(self, at_ms=None):
        """Access points that are on the air."""
        at_ms = self.now_ms() if at_ms is None else at_ms
        return [row for row in self.access_points if self.router.is_on(row, at_ms)]


world = None


def hostname(name=None):
    """Name of the box."""
    if name is None:
        return world.hostname
    if len(name) > 32:
        raise ValueError("hostname")
    world.hostname = name


class Interface:
    """An interface of the radio."""

    def __init__(self, interface, of_world):
        self._interface = interface
        self._world = of_world
        self._is_active = False
        self._settings = {"ssid": "ESP_000000", "key": "", "authmode": AUTH_OPEN, "max_clients": 10, "channel": 1}
        self._address = ("192.168.4.1", "255.255.255.0", "192.168.4.1", "0.0.0.0")
        # What network_wlan.c keeps, under its names without wifi_sta_: the counters are of 8 bits there.
        self._connect_requested = self._connected = False
        self._disconn_reason = self._reconnects = self._conf_reconnects = 0
        # What the radio does: phase "idle", one of BUSY or of LINKED; when that ends; the access point.
        self._asked = ("", "")
        self._phase, self._end_ms, self._row = "idle", 0, ("", "", 0)
        self._breaks = 0  # reason with which this handshake will end
        self._linked_ms = self._discovers = self._gone_ms = self._watched_ms = 0
        self._has_offer = False
        self._left_ms = None
        self.has_reconnects = True  # False: a port without that setting, which tries again for ever

    def active(self, is_active=None):
        """Switch on or off."""
        if is_active is None:
            return self._is_active
        if is_active != self._is_active and self._world.memory is not None:
            self._world.memory.switched(self._interface == AP_IF, is_active)
        if is_active != self._is_active and self._interface == AP_IF:
            self._is_active = bool(is_active)
            if not is_active:
                self._world.guests.clear()
            self._note()
        if is_active and not self._is_active:
            self._reconnects = 0
        self._is_active = bool(is_active)
        if not is_active and self._phase != "idle":
            # Mode without a station: no reconnect follows. The last reason stays.
            self._phase, self._connected, self._disconn_reason = "idle", False, ASSOC_LEAVE

    def _note(self):
        """The box's own access point changed."""
        chosen = self._settings
        row = (self._world.now_ms(), "on" if self._is_active else "off", chosen["ssid"], chosen["authmode"])
        self._world.points.append(row + (chosen["key"], self._address[0]))

    def config(self, name=None, **changes):
        """Ask or change settings; like the chip's, changes want the interface on."""
        if name is not None:
            return self._conf_reconnects - 1 if name == "reconnects" else self._settings[name]
        if not self._is_active:
            raise OSError("Wifi Invalid Mode")
        for key in changes:
            is_known = self.has_reconnects if key == "reconnects" else key in self._settings
            if not is_known or (self._interface == STA_IF) != (key == "reconnects"):
                raise ValueError("unknown config param")
        if self._interface == STA_IF:
            self._conf_reconnects = (changes["reconnects"] + 1) & 255
            return
        self._settings.update(changes)
        if self._settings["authmode"] != AUTH_OPEN and not 8 <= len(self._settings["key"]) <= 63:
            raise OSError("Wifi Invalid Password")
        self._note()

    def ifconfig(self, address=None):
        """Address, mask, gateway and name server."""
        if address is not None:
            self._address = address
        if self._interface == STA_IF:
            if not self.isconnected() or self._world.faults["no_address"]:
                return NO_ADDRESS
            return ("192.168.1.77", "255.255.255.0", "192.168.1.1", "192.168.1.1")
        return self._address

    def connect(self, ssid, password=None):
        """Begin an attempt."""
        if not self._is_active:
            raise OSError("Wifi Not Started")
        self._settle()
        self._world.joins.append((self._world.now_ms(), ssid))
        if self._phase in BUSY:
            raise OSError("Wifi Internal State Error")  # "sta is connecting, cannot set config"
        self._asked = (ssid, password or "")
        self._reconnects = 0
        if self._phase in LINKED:
            raise OSError(
                "Wifi Internal Error"
            )  # the ESP-IDF's guide wants a disconnect first; which error: unconfirmed
        self._begin(self._world.now_ms())
        self._connect_requested = True

    def disconnect(self):
        """Leave; the end is told a moment later. Without a connection or an attempt nothing is told."""
        if not self._is_active:
            raise OSError("Wifi Not Started")
        self._settle()
        self._connect_requested = False
        if self._phase != "idle":
            self._phase, self._left_ms = "idle", self._world.now_ms()

    def _begin(self, at_ms):
        """esp_wifi_connect() of a station that is free."""
        self._phase = "found"
        self._end_ms = at_ms + self._slowed(self._world.drawn("found"))

    def _slowed(self, for_ms):
        """Time of a scan, longer beside an own access point."""
        return for_ms * POINT_SLOWS[0] // POINT_SLOWS[1] if self._world.interfaces[AP_IF].active() else for_ms

    def _disconnected(self, reason, at_ms):
        """WIFI_EVENT_STA_DISCONNECTED, as the port takes it."""
        self._disconn_reason = reason
        self._world.reasons.append(reason)
        self._connected = False
        if not self._connect_requested:
            return
        if self._conf_reconnects:
            self._reconnects = (self._reconnects + 1) & 255
            if self._reconnects >= self._conf_reconnects:
                return
        if self._phase == "idle":
            self._begin(at_ms)

    def _fail(self, reason, at_ms):
        self._phase = "idle"
        self._disconnected(reason, at_ms)

    def _settle(self):
        """Bring the station up to the world's time."""
        now_ms = self._world.now_ms()
        if self._left_ms is not None and now_ms - self._left_ms >= LEAVE_MS:
            told_ms, self._left_ms = self._left_ms + LEAVE_MS, None
            # Whether a late end takes an attempt with it that began in between is unconfirmed: it may, or not.
            if self._world.below(2):
                self._phase = "idle"
            self._disconnected(ASSOC_LEAVE, told_ms)
        self._watch(now_ms)
        while self._phase not in ("idle", "up") and now_ms >= self._end_ms:
            self._next(self._end_ms)
        self._watched_ms = now_ms

    def _watch(self, now_ms):
        """Beacons that stay away, and what the access point does to a station that it had."""
        if self._phase not in LINKED:
            return
        reason = self._world.router.kicks(self._row, self._watched_ms, now_ms)
        if reason:
            self._fail(reason, now_ms)
        elif self._row in self._world.heard():
            self._gone_ms = 0
        elif not self._gone_ms:
            self._gone_ms = now_ms
        elif now_ms - self._gone_ms >= BEACON_MS:
            self._fail(STAT_BEACON_TIMEOUT, now_ms)

    def _next(self, at_ms):
        """The phase's time is over: what comes next."""
        router = self._world.router
        if self._phase in ("found", "not_found"):
            self._look(at_ms)
        elif self._phase == "auth":
            reason = router.turns_away(self._row, at_ms)
            if reason:
                return self._fail(reason, at_ms)
            self._hop(router.channel(self._row, at_ms), at_ms)
            is_wrong = self._row[1] != self._asked[1] or router.breaks_handshake(self._row, at_ms)
            self._breaks = WRONG_KEY[self._world.below(len(WRONG_KEY))] if is_wrong else 0
            takes_ms = self._world.drawn(str(self._breaks) if is_wrong else "handshake") if self._row[1] else 0
            self._phase, self._end_ms = "handshake", at_ms + takes_ms
        elif self._phase == "handshake":
            if self._breaks or self._row not in self._world.heard(at_ms):
                return self._fail(self._breaks or HANDSHAKE, at_ms)
            self._phase, self._end_ms, self._linked_ms = "dhcp", at_ms, at_ms
            self._discovers, self._has_offer, self._gone_ms, self._watched_ms = 0, False, 0, at_ms
        else:
            self._ask_address(at_ms)

    def _look(self, at_ms):
        """A scan is through."""
        rows = [row for row in self._world.heard(at_ms) if row[0] == self._asked[0]]
        fits = [row for row in rows if bool(row[1]) == bool(self._asked[1])]
        if fits:
            right = [row for row in fits if row[1] == self._asked[1]]
            self._row = (right or fits)[0]
            is_refused = self._world.router.turns_away(self._row, at_ms)
            if self._world.memory is not None and not self._world.memory.may_join():
                return self._fail(CONNECTION_FAIL, at_ms)
            self._phase = "auth"
            self._end_ms = at_ms + self._world.drawn("turned_away" if is_refused else "auth")
        elif self._phase == "found":
            self._phase = "not_found"
            self._end_ms = at_ms + self._slowed(self._world.drawn("not_found")) // 2
        elif rows:
            # A key asks for WPA2 at least (the ESP-IDF raises the threshold); none fits no protected network.
            self._fail(OTHER_AUTHMODE if self._asked[1] else OTHER_SECURITY, at_ms)
        else:
            self._fail(STAT_NO_AP_FOUND, at_ms)

    def _hop(self, channel, at_ms):
        """One radio, one channel: the box's own access point follows the station's, and its guests lose it."""
        point = self._world.interfaces[AP_IF]
        if point.active() and point._settings["channel"] != channel:
            self._world.hops.append((at_ms, point._settings["channel"], channel))
            self._world.guests.clear()
        point._settings["channel"] = channel

    def _ask_address(self, at_ms):
        """DISCOVER until somebody answers."""
        if self._has_offer:
            self._phase, self._connected, self._disconn_reason = "up", True, 0
            self._world.reasons.append(0)
            return
        late_ms = None
        if self._row in self._world.heard(at_ms):
            late_ms = self._world.router.dhcp_late_ms(self._row, at_ms)
        self._discovers += 1
        more = self._discovers - len(DISCOVER_MS) + 1
        next_ms = DISCOVER_MS[min(self._discovers, len(DISCOVER_MS) - 1)] + max(0, more) * DISCOVER_EVERY_MS
        self._end_ms = self._linked_ms + next_ms
        if late_ms is not None:
            self._has_offer, self._end_ms = True, at_ms + late_ms + self._world.drawn("dhcp")

    def isconnected(self):
        """Whether the station got an address; for the own access point, whether it has a guest."""
        if self._interface == AP_IF:
            return bool(self._world.guests)
        self._settle()
        return self._connected

    def status(self, what=None):
        """Number of the station's state, in the order of the port's source; "rssi" of a station that is linked."""
        if self._interface == AP_IF:
            return list(self._world.guests) if what == "stations" else None
        self._settle()
        if what == "rssi":
            if self._phase not in LINKED:
                raise OSError("Wifi Not Connected")
            return self._row[2]
        if what is not None:
            raise ValueError("unknown status param")
        if self._connected:
            return STAT_GOT_IP
        for reason, shown in STICKY:
            if self._disconn_reason == reason:
                return shown
        if self._connect_requested and (not self._conf_reconnects or self._reconnects < self._conf_reconnects):
            return STAT_CONNECTING
        return self._disconn_reason or STAT_IDLE

    def scan(self):
        """(ssid, bssid, channel, rssi, authmode, is_hidden) of what is heard; not while the station joins."""
        if self._interface != STA_IF or not self._is_active:
            raise OSError("STA must be active")
        self._settle()
        if self._phase in BUSY:
            raise OSError(
                "Wifi Internal State Error"
            )  # "STA is connecting, scan are not allowed" (esp-hosted issue 167)
        self._world.scans += 1
        made = []
        for ssid, password, rssi_dbm in self._world.heard():
            name = ssid if isinstance(ssid, bytes) else ssid.encode()
            made.append((name, b"\2\0\0\0\0\1", 6, rssi_dbm, AUTH_WPA2_PSK if password else AUTH_OPEN, False))
        return made


def WLAN(interface=STA_IF):
    """The one object of an interface. Errors: OSError, RuntimeError where the radio finds too little memory."""
    if world.memory is not None:
        world.memory.radio_made()
    return world.interfaces[interface]
