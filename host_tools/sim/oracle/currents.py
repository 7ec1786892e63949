"""S12, and amperes the sensor hides: over-current judged in the plant against what the pilot signalled."""

from host_tools.sim.oracle.installation import Broken, signalled_ma

# Against what was signalled in the last 6 s (requirements §2): tenths, plus mA, deadline in ms.
STEPS = ((11, 500, 13_100), (13, 1000, 1300), (20, 0, 400))
WIRING_STEP = (5, 4, 5300)  # > 1.25 × the wiring limit for 5 s
SIGNAL_KEPT_MS = 6100
INRUSH_MS = 1000  # of a car that is allowed (requirements §2)
AVERAGED_MS = 350  # what was over or hidden until then may still be in the 250 ms of an RMS (requirements §3)
SENSOR_PERMILLE = 980  # what is at the very edge may be judged either way
HIDDEN = ("current_sensor_unplugged", "current_sensor_saturated", "adc_stuck", "adc_zero", "adc_full")
HALF_SENSOR_MA = 10_000  # S10: claim and warning
REVERSED_MS = 60_000  # S10, deadline


class Currents:
    """Since when each step is exceeded."""

    def __init__(self, wiring_ma):
        self.wiring_ma = wiring_ma
        self.signals = []  # [last moment, mA]
        self.over_ms = {}
        self.wrong_ms = -(10**9)
        self.backwards_ms = None
        self.is_hidden = False

    def changed(self, plant):
        """The world changed: whether the sensor still tells amperes."""
        faults = plant.faults
        self.is_hidden = any(faults[name] for name in HIDDEN)

    def watch(self, plant, now_ms, on_until_ms):
        """Judge this instant. Errors: Broken."""
        signalled = signalled_ma(plant)
        signals = self.signals
        if signals and signals[-1][1] == signalled:
            signals[-1][0] = now_ms
        else:
            signals.append([now_ms, signalled])
        while now_ms - signals[0][0] > SIGNAL_KEPT_MS:
            del signals[0]
        most_ma = max(plant.currents_ma)
        if self.is_hidden:
            self.wrong_ms = now_ms
        is_inrush = plant.is_coil_on and now_ms - plant.coil_at_us // 1000 < INRUSH_MS
        if not most_ma or self.is_hidden or is_inrush:
            self.over_ms.clear()
            self.backwards_ms = None
            return
        reference_ma = signalled if len(signals) == 1 else max(row[1] for row in signals)
        if most_ma * SENSOR_PERMILLE > (reference_ma * 11 + 5000) * 100 or self.over_ms:
            self._steps(now_ms, most_ma, reference_ma)
        if most_ma * 4 * SENSOR_PERMILLE > self.wiring_ma * 5000:
            self.over_ms.setdefault(WIRING_STEP, now_ms)
        else:
            self.over_ms.pop(WIRING_STEP, None)
        # Between the threshold and SENSOR_PERMILLE of what flows it may be judged either way.
        if self.over_ms or most_ma * 10 > reference_ma * 11 + 5000:
            self.wrong_ms = now_ms
        for step, since_ms in self.over_ms.items():
            if on_until_ms - since_ms > step[2]:
                raise Broken(f"S12: {most_ma} mA against {reference_ma} for more than {step[2]} ms at {now_ms}")
        self._reversed(plant, now_ms, most_ma)

    def _steps(self, now_ms, most_ma, reference_ma):
        for step in STEPS:
            if most_ma * SENSOR_PERMILLE > (reference_ma * step[0] + step[1] * 10) * 100:
                self.over_ms.setdefault(step, now_ms)
            else:
                self.over_ms.pop(step, None)

    def _reversed(self, plant, now_ms, most_ma):
        """S10: power that seems to flow out of the car is answered with 10 A within a minute."""
        if not plant.faults["current_sensor_reversed"] or most_ma < 1500 or plant.pilot_mode != "pwm":
            self.backwards_ms = None
        elif self.backwards_ms is None:
            self.backwards_ms = now_ms
        elif now_ms - self.backwards_ms > REVERSED_MS and signalled_ma(plant) > HALF_SENSOR_MA:
            raise Broken(f"S10: {signalled_ma(plant)} mA signalled with a reversed sensor at {now_ms}")

    def is_wrong(self, now_ms):
        """Whether the box may see more than it allows, or nothing of what flows."""
        return now_ms - self.wrong_ms <= AVERAGED_MS

    def is_above(self, plant):
        """Whether more flows than the duty allowed until this instant: a car still following a first of two lowerings.

        Not the duty of this instant: with the coil the pilot may have gone to F, and then any current is above it.
        """
        return max(plant.currents_ma) * 10 > self.signals[-1][1] * 11 + 5000

    def open_until_ms(self):
        """When the last started deadline has passed."""
        ends = [since_ms + step[2] for step, since_ms in self.over_ms.items()]
        if self.backwards_ms is not None:
            ends.append(self.backwards_ms + REVERSED_MS)
        return max(ends, default=0)
