"""Looks like MicroPython's `network` on the ESP32: a station and an access point in a world of access points."""

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

ASSOC_LEAVE = 8
JOIN_MS = 2500  # association, handshake and DHCP
REFUSE_MS = 4000  # until a wrong password or a missing access point is told
LEAVE_MS = 300  # disconnect() returns before the radio has told the end of the connection
FLAP_MS = 20_000  # a flapping access point is there and away for as long
NO_ADDRESS = ("0.0.0.0", "0.0.0.0", "0.0.0.0", "0.0.0.0")


class World:
    """What is on the air. Set access_points [(ssid, password, rssi_dbm)] and faults {"down", "flapping"} at will."""

    def __init__(self, now_ms):
        """now_ms: function, the world's clock."""
        self.now_ms = now_ms
        self.access_points = []
        self.faults = {"down": False, "flapping": False}
        self.hostname = "esp32"
        self.points = []  # (ms, "on" | "off", ssid, authmode, key, address) of the box's own access point
        self.joins = []  # (ms, ssid) of each attempt
        self.scans = 0
        self.interfaces = (Interface(STA_IF, self), Interface(AP_IF, self))

    def heard(self):
        """Access points that are on the air now."""
        is_away = self.faults["flapping"] and self.now_ms() // FLAP_MS % 2
        return [] if self.faults["down"] or is_away else self.access_points


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
        self._settings = {"ssid": "ESP_000000", "key": "", "authmode": AUTH_OPEN, "reconnects": -1, "max_clients": 10}
        self._address = ("192.168.4.1", "255.255.255.0", "192.168.4.1", "0.0.0.0")
        self._asked = None  # (ssid, password) of the attempt
        self._asked_ms = 0
        self._is_up = False
        self._joined = None
        self._left_ms = None
        self._reason = 0

    def active(self, is_active=None):
        """Switch on or off."""
        if is_active is None:
            return self._is_active
        if is_active != self._is_active and self._interface == AP_IF:
            self._is_active = bool(is_active)
            self._note()
        self._is_active = bool(is_active)
        if not is_active:
            self._asked, self._is_up, self._reason = None, False, 0

    def _note(self):
        """The box's own access point changed."""
        chosen = self._settings
        row = (self._world.now_ms(), "on" if self._is_active else "off", chosen["ssid"], chosen["authmode"])
        self._world.points.append(row + (chosen["key"], self._address[0]))

    def config(self, name=None, **changes):
        """Ask or change settings; like the chip's, changes want the interface on."""
        if name is not None:
            return self._settings[name]
        if not self._is_active:
            raise OSError("Wifi Invalid Mode")
        for key in changes:
            if key not in self._settings or (self._interface == STA_IF) != (key == "reconnects"):
                raise ValueError("unknown config param")
        self._settings.update(changes)
        if self._interface == AP_IF:
            if self._settings["authmode"] != AUTH_OPEN and not 8 <= len(self._settings["key"]) <= 63:
                raise OSError("Wifi Invalid Password")
            self._note()

    def ifconfig(self, address=None):
        """Address, mask, gateway and name server."""
        if address is not None:
            self._address = address
        if self._interface == STA_IF:
            return ("192.168.1.77", "255.255.255.0", "192.168.1.1", "192.168.1.1") if self.isconnected() else NO_ADDRESS
        return self._address

    def connect(self, ssid, password=None):
        """Begin an attempt."""
        if not self._is_active:
            raise OSError("Wifi Not Started")
        self._settle()
        if self._is_up and self._left_ms is None:
            raise OSError("Wifi Internal State Error")
        self._world.joins.append((self._world.now_ms(), ssid))
        self._asked, self._asked_ms, self._reason = (ssid, password or ""), self._world.now_ms(), 0

    def disconnect(self):
        """Leave; the end is told a moment later."""
        if not self._is_active:
            raise OSError("Wifi Not Started")
        self._settle()
        self._asked = None
        if self._is_up and self._left_ms is None:
            self._left_ms = self._world.now_ms()

    def _settle(self):
        """Bring the station up to the world's time."""
        now_ms = self._world.now_ms()
        if self._left_ms is not None and now_ms - self._left_ms >= LEAVE_MS:
            # The late end also ends an attempt that began in between, as on the chip.
            self._is_up, self._left_ms, self._reason, self._asked = False, None, ASSOC_LEAVE, None
        heard = self._world.heard()
        if self._is_up and self._joined not in [row[:2] for row in heard]:
            self._is_up, self._reason = False, STAT_BEACON_TIMEOUT
            self._again(now_ms)
        if self._asked is None or self._is_up:
            return
        passwords = [row[1] for row in heard if row[0] == self._asked[0]]
        if self._asked[1] in passwords:
            if now_ms - self._asked_ms >= JOIN_MS:
                self._is_up, self._reason, self._joined = True, 0, self._asked
        elif now_ms - self._asked_ms >= REFUSE_MS:
            self._reason = STAT_WRONG_PASSWORD if passwords else STAT_NO_AP_FOUND
            self._again(now_ms)

    def _again(self, now_ms):
        """The chip tries again by itself unless it was told not to."""
        if self._settings["reconnects"] == -1:
            self._asked_ms = now_ms
        else:
            self._asked = None

    def isconnected(self):
        """Whether the station has an address."""
        self._settle()
        return self._is_up

    def status(self):
        """Number of the station's state."""
        self._settle()
        if self._is_up:
            return STAT_GOT_IP
        if self._asked is not None:
            return STAT_CONNECTING
        return self._reason or STAT_IDLE

    def scan(self):
        """(ssid, bssid, channel, rssi, authmode, is_hidden) of what is heard; the station must be on."""
        if self._interface != STA_IF or not self._is_active:
            raise OSError("STA must be active")
        self._world.scans += 1
        made = []
        for ssid, password, rssi_dbm in self._world.heard():
            name = ssid if isinstance(ssid, bytes) else ssid.encode()
            made.append((name, b"\2\0\0\0\0\1", 6, rssi_dbm, AUTH_WPA2_PSK if password else AUTH_OPEN, False))
        return made


def WLAN(interface=STA_IF):
    """The one object of an interface."""
    return world.interfaces[interface]
