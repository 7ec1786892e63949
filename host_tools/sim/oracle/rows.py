"""I3: rows of faults.md that open the contactor: what is wrong in the plant, and how soon the coil must be off."""

from host_tools.sim.oracle.installation import Broken, cable_ma, is_blind, mains_of, proximity_ohm

SOFT_MS = 30_000  # soft: clears itself 30 s after the cause is gone
MODE_MS = 54  # the low half is not judged in the first 2 ticks after a change of pilot mode
X1_MOST_MS = 6100  # I1
C_MOST_MS = 100  # I1
HIDDEN_MS = 600  # a letter that a blind ADC hides: its own deadline comes first (faults.md S8), then that of S1
OFFSET_MS = 1100  # the same for S9
TIMES_MOST = 3  # "soft ×3 → hard"
MAINS_PERCENT = (80, 115)  # requirements §2, mains: open outside …
MAINS_OFF_MHZ = 3000
DARK_MV = 50_000

# id: (deadline in ms, class, read through the ADC)
ROWS = {
    "S2": (500, "hard", True),
    "S3": (100, "soft", True),
    "S3h": (100, "normal", True),  # a short to +12 V is an empty plug for whoever sees x1 alone: no class
    "S4": (100, "normal", True),
    "S7": (100, "soft", True),
    "S8": (500, "soft3", False),
    "S9": (1000, "soft", True),
    "S11": (1300, "hard", True),
    "S14": (100, "hard", False),
    "S16": (500, "soft3", False),
    **{f"S17 {side}": (3200, "soft", True) for side in "L1 low,L1 high,L2 low,L2 high,L3 low,L3 high,hertz".split(",")},
    "S18": (100, "owner", False),
}
BY_FAULT = {
    "pilot_short_earth": "S3",
    "pilot_short_12v": "S3h",
    "pilot_short_minus12": "S3",
    "pilot_open": "S4",
    "adc_zero": "S8",
    "adc_full": "S8",
    "residual_trip": "S14",
    "current_sensor_saturated": "S11",
    "earth_lost": "S16",
    "lid_open": "S18",
}
# Which rows the wire itself shows only while PWM runs.
IN_PWM = ("S2", "S9")


def mains_off(plant, house):
    """Set of the S17 rows that stand. Each phase and side has its own 3 s: when the mains goes from one to the other,
    the RMS of 250 ms (requirements §3) passes through what is right, and every meter begins anew there.
    """
    volts_mv, off_mhz = mains_of(plant, house)
    low_mv, high_mv = (house.nominal_mv * percent // 100 for percent in MAINS_PERCENT)
    # A dark phase has no frequency, and whoever measures one begins anew after it.
    found = {"S17 hertz"} if off_mhz > MAINS_OFF_MHZ and min(volts_mv) > DARK_MV else set()
    for index, phase_mv in enumerate(volts_mv):
        if not low_mv <= phase_mv <= high_mv:
            found.add(f"S17 L{index + 1} {'low' if phase_mv < low_mv else 'high'}")
    return found


def wrong_of(plant, house):
    """Set of the rows whose cause stands in the world now, without those that the pilot's mode decides."""
    faults = plant.faults
    wrong = {row for name, row in BY_FAULT.items() if faults[name]} | mains_off(plant, house)
    if house.has_proximity and cable_ma(proximity_ohm(plant)) == 0:
        wrong.add("S7")
    return wrong


def letter_most_ms(plant):
    """How long the coil may stay on without letter C: longer where a fault with its own deadline hides it."""
    is_pwm = plant.pilot_mode == "pwm"
    if is_blind(plant):
        return HIDDEN_MS if is_pwm else X1_MOST_MS + HIDDEN_MS
    if plant.faults["adc_offset"]:
        return OFFSET_MS if is_pwm else X1_MOST_MS + OFFSET_MS
    return C_MOST_MS


class Rows:
    """Since when each row is wrong and visible, what is overdue, and what must stay open since."""

    def __init__(self, house):
        self.house = house
        self.world = set()
        self.since_ms = {}
        self.ended = (-1, "", 0)  # the row that ended last: when, which, since when it had stood
        self.was_on = {}  # row: the coil was on when it began
        self.confirmed = set()
        self.held = {}  # row: moment before which the coil must stay off
        self.locked = {}  # row: class
        self.times = {}
        self.clear_ms = -SOFT_MS  # newest moment at which something was wrong

    def changed(self, plant, now_ms):
        """The world changed: begin and end what follows from it."""
        self.world = wrong_of(plant, self.house)
        self.settle(plant, now_ms)

    def settle(self, plant, now_ms):
        """Begin and end rows; the wire's own rows come from mode and low half."""
        faults = plant.faults
        wrong = set(self.world)
        if plant.pilot_mode == "pwm":
            if plant.low_mv > -10_000:
                wrong.add("S2")
            if faults["adc_offset"]:
                wrong.add("S9")
            # A reading that stands still is believable in x1, where one level is all there is.
            if faults["adc_stuck"]:
                wrong.add("S8")
        if wrong and is_blind(plant):
            wrong = {row for row in wrong if not ROWS[row][2]}
        if wrong or self.since_ms:
            self._begin(plant, wrong, now_ms)

    def _begin(self, plant, wrong, now_ms):
        for row in wrong:
            if row not in self.since_ms:
                self.since_ms[row] = now_ms + (MODE_MS if row in IN_PWM else 0)
                self.was_on[row] = plant.is_coil_on
            self.clear_ms = now_ms
        for row in [row for row in self.since_ms if row not in wrong]:
            self.ended = now_ms, row, self.since_ms.pop(row)
            if row in self.confirmed:
                self.confirmed.discard(row)
                if ROWS[row][1].startswith("soft"):
                    self.held[row] = now_ms + SOFT_MS

    def judge(self, now_ms, on_until_ms):
        """What is overdue; on_until_ms: the coil was on until then. Errors: Broken."""
        if not self.since_ms:
            return
        for row, since_ms in self.since_ms.items():
            deadline_ms = ROWS[row][0]
            if on_until_ms - since_ms > deadline_ms:
                raise Broken(f"I3: coil on {on_until_ms - since_ms} ms after {row} began, at {now_ms}")
            if row not in self.confirmed and now_ms - since_ms > deadline_ms and self.was_on[row]:
                self._confirm(row)

    def _confirm(self, row):
        self.confirmed.add(row)
        kind = ROWS[row][1]
        self.times[row] = self.times.get(row, 0) + 1
        if kind in ("hard", "owner") or (kind == "soft3" and self.times[row] > TIMES_MOST):
            self.locked[row] = kind

    def opened(self, now_ms):
        """The coil went off under a car that asks: a lone row that had lasted is why, though its wire may show it no
        more (S2 and S9 end with the PWM). Returns that row, or "".
        """
        found = dict(self.since_ms)
        if self.ended[0] == now_ms:
            found[self.ended[1]] = self.ended[2]
        if len({row.split()[0] for row in found}) != 1:
            return ""
        row, since_ms = min(found.items(), key=lambda item: item[1])
        if not self.was_on[row] or (now_ms - since_ms) * 5 < ROWS[row][0] * 2:
            return ""
        if row not in self.confirmed:
            self._confirm(row)
        return row

    def leaked(self):
        """The residual current sensor tripped under power: its own hardware opened, and it stays so."""
        self.locked["S14"] = "hard"

    def closing(self, now_ms):
        """The coil goes on: nothing may hold it. Errors: Broken."""
        for row in self.locked:
            raise Broken(f"I6: coil on after {row}, which nobody cleared, at {now_ms}")
        for row, until_ms in self.held.items():
            if now_ms < until_ms:
                raise Broken(f"I3: coil on {until_ms - now_ms} ms too early after {row}, at {now_ms}")

    def unplugged(self):
        """Nobody at the plug: hard rows and counters end."""
        if self.locked or self.times:
            self.locked = {row: kind for row, kind in self.locked.items() if kind in ("owner", "permanent")}
            self.times = {}

    def cleared(self, is_button):
        """A short press of the box's button, or the owner's word on the page (is_button False)."""
        for row, kind in list(self.locked.items()):
            may = kind == "owner" or (is_button and kind != "permanent")
            if may and row not in self.since_ms:
                del self.locked[row]

    def open_until_ms(self):
        """When the last started deadline has passed."""
        return max((since_ms + ROWS[row][0] for row, since_ms in self.since_ms.items()), default=0)
