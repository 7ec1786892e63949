"""What WLAN.status() of real images shows, as data: name, source, tries, and what the plan must make of it.

tries: one row for each connect(); each is a tuple of (ms since that connect(), number, is_linked), the last stays. What
is shown before the first connect() and after a "leave" follows from the row: the last number stays, but 1001 becomes
1000. ends: (state, code, most connects) of the plan after until_ms.

Sources: S = ports/esp32/network_wlan.c of MicroPython 1.24.0 to 1.28.0 (network_wlan_status, the event handler and
`reconnects`), read with `reconnects=0`; M = seen on emulated ESP32 with images 1.24.0 and 1.27.0; I = MicroPython
issue.
"""

FOUND = ((0, 1001, False), (2100, 1001, True), (3400, 1010, True))
FOUND_BEHIND_201 = ((0, 201, False), (2100, 201, True), (3400, 1010, True))
NOT_FOUND = ((0, 1001, False), (2500, 201, False))
HIDDEN_201 = ((0, 201, False),)
WRONG_15 = ((0, 1001, False), (1900, 1001, False), (5400, 15, False))
WRONG_204 = ((0, 1001, False), (12_300, 204, False))
LOST = FOUND + ((60_000, 1010, True),)

TRACES = (
    ("first connect", "S, M", (FOUND,), 300_000, ("joined", "connected", 1)),
    (
        "found late",
        "S, M, I 14382",
        (NOT_FOUND, HIDDEN_201, HIDDEN_201, FOUND_BEHIND_201),
        120_000,
        ("joined", "connected", 4),
    ),
    (
        "access point gone for 10 min",
        "S",
        (LOST + ((70_000, 200, False),), NOT_FOUND) + (HIDDEN_201,) * 24 + (FOUND_BEHIND_201,),
        900_000,
        ("joined", "connected", 60),
    ),
    ("wrong key, 15", "S", (WRONG_15,), 1_800_000, ("waiting", "wrong_password", 30)),
    ("wrong key, 204", "S", (WRONG_204,), 1_800_000, ("waiting", "wrong_password", 30)),
    (
        "wrong key, 202",
        "S",
        (((0, 1001, False), (2000, 202, False)), ((0, 202, False),)),
        600_000,
        ("waiting", "wrong_password", 40),
    ),
    ("restart in the middle of a handshake", "S", (WRONG_15, WRONG_204, FOUND), 60_000, ("joined", "connected", 3)),
    (
        "reason 2",
        "S",
        (LOST + ((70_000, 2, False),), ((0, 1001, False), (3000, 2, False)), FOUND),
        120_000,
        ("joined", "connected", 3),
    ),
    (
        "reason 8",
        "S",
        (LOST + ((70_000, 1000, False),), ((0, 1000, False), (2000, 1000, True), (3000, 1010, True))),
        120_000,
        ("joined", "connected", 2),
    ),
    ("reason 200", "S", (LOST + ((70_000, 200, False),), FOUND), 120_000, ("joined", "connected", 2)),
    (
        "no address",
        "S",
        (((0, 1001, False), (2000, 1001, True)), ((0, 1000, False), (2000, 1000, True)), FOUND),
        150_000,
        ("joined", "connected", 3),
    ),
    (
        "no address behind 201",
        "S",
        (NOT_FOUND, ((0, 201, False), (2000, 201, True), (26_000, 1010, True))),
        60_000,
        ("joined", "connected", 2),
    ),
    # The guests of the box's own access point slow the scan; its channel follows the station's.
    (
        "beside the own access point",
        "S",
        (((0, 1001, False), (5200, 201, False)), ((0, 201, False), (5900, 201, True), (7400, 1010, True))),
        60_000,
        ("joined", "connected", 2),
    ),
    # A port without `reconnects`: 1001 for ever, then the radio is back by itself; no second connect() disturbs it.
    (
        "reconnect by the driver",
        "S",
        (((0, 1001, False), (9000, 1001, True), (9900, 1010, True)),),
        60_000,
        ("joined", "connected", 1),
    ),
    (
        "a late end of the old connection",
        "S, M",
        (((0, 1001, False), (500, 1000, False), (2500, 1000, True), (3500, 1010, True)),),
        60_000,
        ("joined", "connected", 1),
    ),
    (
        "another security",
        "S",
        (((0, 1001, False), (2500, 211, False)), ((0, 211, False),)),
        120_000,
        ("waiting", "no_network", 9),
    ),
)


class Image:
    """A radio that shows a trace. time_ms is given; connect() and leave() are what the plan does."""

    def __init__(self, tries):
        self._tries = tries
        self.connects = 0
        self._since_ms = None
        self._left = (1000, False)

    def connect(self, now_ms):
        """The next row begins."""
        assert self._since_ms is None, "one connect() at a time, and a leave before the next"
        self.connects += 1
        self._since_ms = now_ms

    def leave(self, now_ms):
        """Give up: an attempt that ran becomes reason 8, one that had ended keeps its reason."""
        number, is_linked = self.look(now_ms)
        self._left = (1000 if number in (1001, 1010) or is_linked else number, False)
        self._since_ms = None

    def look(self, now_ms):
        """(number, is_linked)."""
        if self._since_ms is None:
            return self._left
        shown = (1001, False)
        for at_ms, number, is_linked in self._tries[min(self.connects, len(self._tries)) - 1]:
            if now_ms - self._since_ms >= at_ms:
                shown = (number, is_linked)
        return shown
