"""The oracle: invariants of faults.md judged from the wires alone, never from what the firmware thinks."""

X1_MOST_MS = 6100  # I1
C_MOST_MS = 100  # I1
DIODE_MOST_MS = 500  # faults.md S2
LATE_MS = 50  # one tick of 27 ms and the reads in it


class Broken(AssertionError):
    """An invariant does not hold; the text names it."""


class Oracle:
    """Watches one plant tick by tick. `pauses` is the list of what was sent: (from_ms, until_ms, limit_ma)."""

    def __init__(self, plant, wiring_ma, is_ventilated=False):
        self.plant = plant
        self.wiring_ma = wiring_ma
        self.letters = "CD" if is_ventilated else "C"
        self.pauses = []
        self.asking_ms = -(10**9)
        self.high_ms = 0
        self.diode_bad_ms = None
        self.has_tripped = self.is_tested = False
        self.ticks_on = 0

    def limit_ma(self, now_ms):
        """Lowest limit of what was sent and has been in force for at least one tick."""
        live = [limit_ma for from_ms, until_ms, limit_ma in self.pauses if from_ms + LATE_MS <= now_ms < until_ms]
        return min([self.wiring_ma, *live])

    def watch(self):
        """Judge this instant. Errors: Broken."""
        plant, now_ms = self.plant, self.plant.now_us // 1000
        self._remember(plant, now_ms)
        if plant.pilot_mode == "pwm":
            signalled_ma = plant.duty_permille * 60
            if not 100 <= plant.duty_permille <= 960:
                raise Broken(f"I4: duty {plant.duty_permille} at {now_ms}")
            if self.limit_ma(now_ms) < 6000:
                raise Broken(f"I2: PWM while under 6 A is allowed at {now_ms}")
            if plant.duty_permille <= 850 and signalled_ma > self.limit_ma(now_ms):
                raise Broken(f"I4: {signalled_ma} mA signalled at {now_ms}")
        if plant.is_coil_on:
            self.ticks_on += 1
            self._coil_on(plant, now_ms)

    def _remember(self, plant, now_ms):
        """What the wires showed until now."""
        if plant.letter in self.letters:
            self.asking_ms = now_ms
        if plant.pilot_mode != "high":
            self.high_ms = now_ms
        if plant.letter == "A" or not plant.car.is_plugged:
            self.has_tripped = self.is_tested = False
        self.has_tripped = self.has_tripped or plant.is_residual_tripped
        self.is_tested = self.is_tested or (self.has_tripped and not plant.is_residual_tripped)
        is_bad = plant.pilot_mode == "pwm" and plant.low_mv > -10_000
        self.diode_bad_ms = (self.diode_bad_ms or now_ms) if is_bad else None

    def _coil_on(self, plant, now_ms):
        """I1: what must be so while the coil is on."""
        if now_ms - self.asking_ms > C_MOST_MS:
            raise Broken(f"I1: coil on without letter C for {now_ms - self.asking_ms} ms at {now_ms}")
        if plant.pilot_mode == "low":
            raise Broken(f"I1: coil on in state F at {now_ms}")
        if plant.pilot_mode == "high" and now_ms - self.high_ms > X1_MOST_MS:
            raise Broken(f"I1: coil on for {now_ms - self.high_ms} ms of x1 at {now_ms}")
        if not self.is_tested:
            raise Broken(f"I1: coil on without a self-test at {now_ms}")
        if self.diode_bad_ms and now_ms - self.diode_bad_ms > DIODE_MOST_MS:
            raise Broken(f"I1: coil on without a diode at {now_ms}")
