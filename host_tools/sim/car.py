"""The car at the plug: how each character reads the pilot, closes its switch, draws and lets go."""

from host_tools.sim import pilot_circuit

CHARACTERS = (
    "polite",
    "slow",
    "stubborn",
    "sleepy",
    "simplified",
    "ventilation",
    "pulsing",
    "overdraws",
    "leaves_charging",
    "phev_glitch",
    "one_phase",
)

MS = 1000
ASK_AFTER_US = 1200 * MS  # from a valid duty to closing S2
DRAW_AFTER_US = 900 * MS  # from mains to the first ampere
SOFT_START = ((0, 3), (700 * MS, 7), (1400 * MS, 10))  # tenths of the full current
LET_GO = ((150 * MS, 5), (400 * MS, 0))  # tenths of the current after x1, before S2 opens
WAKE_F_US = 3000 * MS  # a sleepy car wakes at state F of this length
PULSE_US = 8000 * MS
LEAVE_US = 15_000 * MS
GLITCH_AFTER_US = 500 * MS
GLITCH_US = 50 * MS
FULL_DRAW_MA = 32_000


class Car:
    """One car; the plant tells it what changed on the wire and at the contacts, and it plans what it does next."""

    def __init__(self, plant, character):
        self.plant = plant
        self.character = character
        self.is_plugged = False
        self.wants_charge = True
        self.max_draw_ma = FULL_DRAW_MA
        self.is_s2_closed = False
        self.draw_ma = 0
        self._plan = 0  # number of the newest plan; an older one that comes due does nothing
        self._is_awake = character != "sleepy"
        self._low_since_us = None
        self._is_stopping = False

    def letter(self):
        """Which resistors hang on the wire: A, B, C or D."""
        if not self.is_plugged:
            return "A"
        if self.character == "simplified":
            return "C"
        if self.is_s2_closed:
            return "D" if self.character == "ventilation" else "C"
        return "B"

    def plug(self, is_plugged):
        """Plug in or out; nothing is remembered of an earlier session."""
        self.is_plugged = is_plugged
        self._plan += 1
        self.is_s2_closed = False
        self._is_stopping = False
        self._is_awake = self.character != "sleepy"
        self._draw(0)
        self.plant.wire_changed()
        if is_plugged:
            self.pilot_changed()

    def want(self, wants_charge):
        """The driver or the battery changes its mind."""
        if wants_charge is not self.wants_charge:  # said twice, it delays nothing that is under way
            self.wants_charge = wants_charge
            self.pilot_changed()

    def pilot_changed(self):
        """React to mode or duty on the wire, each in the character's own time."""
        if not self.is_plugged:
            return
        mode, duty = self.plant.pilot_mode, self.plant.duty_permille
        if not self._is_awake:
            self._watch_wake(mode)
            return
        offered_ma = pilot_circuit.signalled_ma(duty) if mode == "pwm" else 0
        if self.wants_charge and offered_ma:
            self._is_stopping = False
            if not self.is_s2_closed and self.character != "simplified":
                self._later(ASK_AFTER_US, self._ask)
            elif self.draw_ma:
                self._later(4500 * MS if self.character == "slow" else 1500 * MS, self._follow)
            elif self.plant.is_live():
                self.mains_changed()
            if self.character == "phev_glitch" and self.is_s2_closed:
                self.plant.later(GLITCH_AFTER_US, self._glitch)
        elif self.is_s2_closed or self.draw_ma:
            self._stop()

    def mains_changed(self):
        """The contactor closed or opened."""
        if not self.plant.is_live():
            self._draw(0)
        elif self.letter() in "CD" and self.is_plugged and self.wants_charge and not self._is_stopping:
            self._plan += 1
            for after_us, tenths in SOFT_START:
                self._later_same(DRAW_AFTER_US + after_us, self._draw_tenths, tenths)
            if self.character == "pulsing":
                self._later_same(PULSE_US, self._pulse)
            if self.character == "leaves_charging":
                self._later_same(LEAVE_US, self.plug, False)

    def _watch_wake(self, mode):
        now_us = self.plant.now_us
        if mode == "low":
            self._low_since_us = now_us
        elif self._low_since_us is not None and now_us - self._low_since_us >= WAKE_F_US:
            self._is_awake = True
            self.pilot_changed()

    def _ask(self):
        self.is_s2_closed = True
        self.plant.wire_changed()

    def _stop(self):
        """x1, F or a full battery: ramp down, then open S2."""
        if self._is_stopping or self.character == "stubborn":
            return
        self._is_stopping = True
        self._plan += 1
        slower = 2000 * MS if self.character == "slow" else 0
        from_ma = self.draw_ma
        for after_us, tenths in LET_GO:
            self._later_same(after_us + slower, self._lower, from_ma * tenths // 10)
        self._later_same(2900 * MS if slower else 1000 * MS, self._let_go)

    def _lower(self, draw_ma):
        """One step down; a car that lost its supply in the meantime does not begin again for it."""
        self._draw(min(draw_ma, self.draw_ma))

    def _let_go(self):
        self._draw(0)
        self.is_s2_closed = False
        self._is_stopping = False
        self.plant.wire_changed()
        self.pilot_changed()

    def _follow(self):
        self._draw_tenths(10)

    def _pulse(self):
        self._draw_tenths(0 if self.draw_ma else 10)
        self._later_same(PULSE_US, self._pulse)

    def _glitch(self):
        if self.is_s2_closed:
            self.is_s2_closed = False
            self.plant.wire_changed()
            self.plant.later(GLITCH_US, self._ask)

    def _draw_tenths(self, tenths):
        offered_ma = pilot_circuit.signalled_ma(self.plant.duty_permille) if self.plant.pilot_mode == "pwm" else 0
        wanted_ma = min(offered_ma, self.max_draw_ma) * tenths // 10
        self._draw(wanted_ma * 3 // 2 if self.character == "overdraws" else wanted_ma)

    def _draw(self, draw_ma):
        if draw_ma != self.draw_ma:
            self.draw_ma = draw_ma
            self.plant.flow_changed()

    def _later(self, after_us, act, *values):
        """Plan one thing; it replaces everything planned before."""
        self._plan += 1
        self._later_same(after_us, act, *values)

    def _later_same(self, after_us, act, *values):
        """Plan one more thing in the newest plan."""
        self.plant.later(after_us, self._due, self._plan, act, values)

    def _due(self, plan, act, values):
        if plan == self._plan:
            act(*values)
