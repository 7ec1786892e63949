"""The oracle: invariants of faults.md judged from the wires alone, never from what the firmware thinks."""

X1_MOST_MS = 6100  # I1
C_MOST_MS = 100  # I1
STUCK_MOST_MS = 600  # a letter that a stuck ADC hides: its own deadline comes first (faults.md S8), then that of S1
DIODE_MOST_MS = 500  # faults.md S2
LATE_MS = 50  # one tick of 27 ms and the reads in it
# I3: name of what is wrong in the plant, coil off at the latest after so many ms (faults.md, deadline)
DEADLINES_MS = (
    ("pilot_short_earth", 100),
    ("pilot_short_12v", 100),
    ("pilot_short_minus12", 100),
    ("pilot_open", 100),
    ("adc_stuck", 500),
    ("adc_zero", 500),
    ("adc_full", 500),
    ("residual_trip", 100),
)
# Over-current against what was signalled in the last 6 s (requirements §2): tenths, plus mA, deadline
STEPS = ((11, 500, 13_100), (13, 1000, 1300), (20, 0, 400))
SIGNAL_KEPT_MS = 6100
ENERGY_PERMILLE = 10  # requirements §3: 1 %
ENERGY_SLACK_WH = 5


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
        self.is_leaking = self.was_powered = False
        self.wrong_ms = {}
        self.signals = []
        self.told_wh = 0
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
            if not 100 <= plant.duty_permille <= 960:
                raise Broken(f"I4: duty {plant.duty_permille} at {now_ms}")
            if self.limit_ma(now_ms) < 6000:
                raise Broken(f"I2: PWM while under 6 A is allowed at {now_ms}")
            if plant.duty_permille <= 850 and plant.duty_permille * 60 > self.limit_ma(now_ms):
                raise Broken(f"I4: {plant.duty_permille * 60} mA signalled at {now_ms}")
        self._wrong(plant, now_ms)
        if plant.is_coil_on:
            self.ticks_on += 1
            self._coil_on(plant, now_ms)

    def tell(self, energy_wh):
        """Judge the energy counter as the box tells it (I5). Errors: Broken."""
        self.plant.settle_energy()
        true_wh = self.plant.energy_uj / 3.6e9
        if energy_wh < self.told_wh:
            raise Broken(f"I5: the counter fell from {self.told_wh} to {energy_wh} Wh")
        if abs(energy_wh - true_wh) > true_wh * ENERGY_PERMILLE / 1000 + ENERGY_SLACK_WH:
            raise Broken(f"I5: the counter says {energy_wh} Wh, the plant {true_wh:.1f}")
        self.told_wh = energy_wh

    def _remember(self, plant, now_ms):
        """What the wires showed until now."""
        if plant.letter in self.letters:
            self.asking_ms = now_ms
        if plant.pilot_mode != "high":
            self.high_ms = now_ms
        if (plant.letter == "A" or not plant.car.is_plugged) and not plant.is_coil_on:
            self.has_tripped = self.is_tested = False
        self.has_tripped = self.has_tripped or plant.is_residual_tripped
        self.is_tested = self.is_tested or (self.has_tripped and not plant.is_residual_tripped)
        is_bad = plant.pilot_mode == "pwm" and plant.low_mv > -10_000
        self.diode_bad_ms = (self.diode_bad_ms or now_ms) if is_bad else None

    def _wrong(self, plant, now_ms):
        """I3 and I6: since when each thing is wrong, and whether a leakage was seen that only unplugging clears."""
        for name, _ in DEADLINES_MS:
            # A reading that stands still is believable in x1, where one level is all there is (faults.md S8); the
            # 6.1 s of I1 bound it there.
            if not plant.faults[name] or (name == "adc_stuck" and plant.pilot_mode != "pwm"):
                self.wrong_ms.pop(name, None)
            elif name not in self.wrong_ms:
                self.wrong_ms[name] = now_ms
        if plant.letter == "A" or not plant.car.is_plugged:
            self.is_leaking = False
        elif plant.faults["residual_trip"] and self.was_powered:
            # The sensor itself opens the coil in the same instant; the firmware must keep it open.
            self.is_leaking = True
        elif self.is_leaking and plant.is_coil_on:
            raise Broken(f"I6: coil on after a leakage that nobody unplugged, at {now_ms}")
        self.was_powered = plant.is_coil_on or plant.pilot_mode == "pwm"
        self._over_current(plant, now_ms)

    def _over_current(self, plant, now_ms):
        """I3 for the three steps of over-current."""
        signalled_ma = plant.duty_permille * 60 if plant.pilot_mode == "pwm" else 0
        if not self.signals or self.signals[-1][1] != signalled_ma:
            self.signals.append([now_ms, signalled_ma])
        self.signals[-1][0] = now_ms
        self.signals = [row for row in self.signals if now_ms - row[0] <= SIGNAL_KEPT_MS]
        reference_ma = max(row[1] for row in self.signals)
        most_ma = max(plant.currents_ma)
        for step in STEPS:
            # 2 % for the sensor: what is at the very edge may be judged either way.
            is_over = most_ma * 10 * 0.98 > reference_ma * step[0] + step[1] * 10
            if not is_over:
                self.wrong_ms.pop(step, None)
                continue
            self.wrong_ms.setdefault(step, now_ms)
            if plant.is_coil_on and now_ms - self.wrong_ms[step] > step[2]:
                raise Broken(f"I3: {most_ma} mA against {reference_ma} for more than {step[2]} ms at {now_ms}")

    def _coil_on(self, plant, now_ms):
        """I1 and I3: what must be so while the coil is on."""
        # What a stuck ADC hides is found by its own deadline; in x1 by the end of the 6 s (faults.md S8).
        most_ms = C_MOST_MS
        if plant.faults["adc_stuck"]:
            most_ms = STUCK_MOST_MS if plant.pilot_mode == "pwm" else X1_MOST_MS + STUCK_MOST_MS
        if now_ms - self.asking_ms > most_ms:
            raise Broken(f"I1: coil on without letter C for {now_ms - self.asking_ms} ms at {now_ms}")
        if plant.pilot_mode == "low":
            raise Broken(f"I1: coil on in state F at {now_ms}")
        if plant.pilot_mode == "high" and now_ms - self.high_ms > X1_MOST_MS:
            raise Broken(f"I1: coil on for {now_ms - self.high_ms} ms of x1 at {now_ms}")
        if not self.is_tested:
            raise Broken(f"I1: coil on without a self-test at {now_ms}")
        if self.diode_bad_ms and now_ms - self.diode_bad_ms > DIODE_MOST_MS:
            raise Broken(f"I1: coil on without a diode at {now_ms}")
        for name, deadline_ms in DEADLINES_MS:
            if name in self.wrong_ms and now_ms - self.wrong_ms[name] > deadline_ms + most_ms - C_MOST_MS:
                raise Broken(f"I3: coil on {now_ms - self.wrong_ms[name]} ms after {name} at {now_ms}")
