"""The radio: one station and one access point, spoken of in the firmware's own words."""

import time

import network

MOST_NETWORKS = 16
POINT_ADDRESS = "192.168.4.1"
POINT_CLIENTS = 4
GOT_ADDRESS, CONNECTING = 1010, 1001  # of WLAN.status(), network_wlan.c
SCAN_TRIES, SCAN_AGAIN_S = 4, 2  # the radio refuses a scan while it joins, which takes some seconds


class Wifi:
    """Nothing here waits for the air; only a scan takes seconds, and it runs beside the tick."""

    def __init__(self):
        """Switches the station on, which takes the chip some 100 ms: before the first tick."""
        self._station = network.WLAN(network.STA_IF)
        self._station.active(True)
        try:
            # One attempt for each connect(): the back-off is the firmware's.
            self._station.config(reconnects=0)
        except (ValueError, TypeError):
            pass  # a port without this setting tries again by itself, until it is told to leave
        self._point = None
        self._found = []
        self._rows = None  # what a scan's thread left, not yet looked at
        self._is_scanning = False

    def set_hostname(self, name):
        """Name of the box on the network, also as <name>.local; before connecting."""
        network.hostname(name[:32])

    def connect(self, ssid, password):
        """Begin one try; look() tells the rest. Errors: OSError, also while the station is still connected."""
        if self._station.isconnected():
            raise OSError("still connected")  # the ESP-IDF wants a disconnect first, and that is told late
        try:
            self._station.connect(ssid, password or None)
        except RuntimeError as error:  # an error of the ESP-IDF that the port has no words for
            raise OSError(str(error))

    def disconnect(self):
        """Leave, or give up joining."""
        try:
            self._station.disconnect()
        except (OSError, RuntimeError):
            pass  # there was nothing to leave

    def look(self):
        """(number, is_linked): WLAN.status(), 1010 only with an address; whether an access point took the station."""
        number = self._station.status()
        if number == GOT_ADDRESS:
            # A lease that ran out does not change the port's number.
            return (number if self.address() else CONNECTING), True
        try:
            # Asked of the radio itself: the number hides it while an older reason sticks.
            self._station.status("rssi")
        except (OSError, RuntimeError, ValueError, TypeError):
            return number, False
        return number, True

    def address(self):
        """The box's address, "" without one."""
        address = self._station.ifconfig()[0] if self._station.isconnected() else "0.0.0.0"
        return "" if address == "0.0.0.0" else address

    def dns_servers(self):
        """Tuple of the addresses of name servers, empty without any."""
        server = self._station.ifconfig()[3] if self._station.isconnected() else "0.0.0.0"
        return () if server == "0.0.0.0" else (server,)

    def start_access_point(self, ssid, secret):
        """Open the box's own access point, WPA2 or not at all. Errors: OSError."""
        self._point = network.WLAN(network.AP_IF)
        self._point.active(True)
        try:
            # The chip takes settings only while the access point is on.
            self._point.config(ssid=ssid, key=secret, authmode=network.AUTH_WPA2_PSK, max_clients=POINT_CLIENTS)
            if self._point.config("authmode") != network.AUTH_WPA2_PSK:
                raise OSError("the access point is not encrypted")
            self._point.ifconfig((POINT_ADDRESS, "255.255.255.0", POINT_ADDRESS, POINT_ADDRESS))
        except (OSError, ValueError) as error:
            self.stop_access_point()
            raise OSError(str(error))

    def stop_access_point(self):
        """Close it."""
        if self._point is not None:
            self._point.active(False)
            self._point = None

    def start_scan(self):
        """Listen for networks in a thread of its own: the chip's scan takes 2 s, and a tick may not wait so long."""
        if self._is_scanning:
            return
        import _thread

        self._is_scanning = True
        try:
            _thread.start_new_thread(self._scan, ())
        except (OSError, RuntimeError, MemoryError):
            self._is_scanning = False  # the list stays as it is

    def _scan(self):
        """Body of the thread. A scan that never succeeds leaves the list as it is."""
        for number in range(SCAN_TRIES):
            try:
                self._rows = self._station.scan()
                break
            except Exception:  # a thread's error must not be printed over a frame of the console
                if number < SCAN_TRIES - 1:
                    time.sleep(SCAN_AGAIN_S)
        self._is_scanning = False

    def is_scanning(self):
        """Whether a scan still runs."""
        return self._is_scanning

    def scan(self):
        """The last scan's networks, strongest first, at most 16: list of (ssid, rssi_dbm, is_open)."""
        if not self._is_scanning and self._rows is not None:
            self._found, self._rows = _best(self._rows), None
        return self._found


def _best(rows):
    """Each name once, the strongest ones; hidden names and those that are not text are left out."""
    best = []
    for row in sorted(rows, key=lambda row: -row[3]):
        try:
            ssid = row[0].decode()
        except ValueError:
            continue
        if ssid and ssid not in [known[0] for known in best] and len(best) < MOST_NETWORKS:
            best.append((ssid, row[3], row[4] == 0))
    return best
