"""When the coil may go on: stable letter, diode, self-test, good mains, holds, and the damping of a toggling grid."""

from host_tools.sim.oracle.installation import Broken, is_blind, mains_of

STABLE_MS = 500  # requirements §1: B→C
HIDDEN_MS = 75  # a blind ADC hides a change of letter from whoever trusts no reading older than 50 ms, and a tick
CLOSE_MS = 5000  # faults.md S5: at most one closing in 5 s
MAINS_MS = 10_000  # requirements §2, mains: start after 10 s of good mains
MAINS_PERCENT = (85, 111)
MAINS_OFF_MHZ = 2000
SEEN_MS = 350  # a dip shorter than the 250 ms over which RMS is averaged may be missed (requirements §3)
DAMPED_MS = 60_000  # grid-contract.md: closings after an opening that the grid caused …
DAMPED_MOST, DAMPED_WINDOW_MS = 6, 3_600_000  # … and how many in an hour
LEAST_MA = 6000
CAUSED_MS = 100  # the x1 edge follows the claim that caused it within this
TRIP_MS = 3000  # S15: a sensor that did not trip within this is broken (architecture, testing: all of it in 5 s)
LONG_AGO_MS = -(10**9)


class Closing:
    """What the wires showed until now."""

    def __init__(self, house, sent):
        self.house = house
        self.sent = sent
        self.letter, self.letter_ms = "", LONG_AGO_MS
        self.letter_before, self.letter_before_ms = "", LONG_AGO_MS
        self.has_diode = self.has_tripped = self.is_tested = False
        self.is_sensor_broken = False  # S15 is permanent: until the supply was off
        self.mains_bad_ms = LONG_AGO_MS
        self.is_mains_bad = False
        self.mains_since_ms = LONG_AGO_MS
        self.withdrawn_ms = LONG_AGO_MS
        self.moved_ms = LONG_AGO_MS
        self.closed_ms = LONG_AGO_MS
        self.is_by_grid = False  # the x1 that runs now was caused by grid or house
        self.damped_ms = LONG_AGO_MS
        self.damped_closings = []

    def changed(self, plant, now_ms):
        """The world changed: mains."""
        volts_mv, off_mhz = mains_of(plant, self.house)
        low_mv, high_mv = (self.house.nominal_mv * percent // 100 for percent in MAINS_PERCENT)
        if self.is_mains_bad and now_ms - self.mains_since_ms > SEEN_MS:
            self.mains_bad_ms = now_ms
        was_bad = self.is_mains_bad
        self.is_mains_bad = min(volts_mv) < low_mv or max(volts_mv) > high_mv or off_mhz > MAINS_OFF_MHZ
        if self.is_mains_bad and not was_bad:
            self.mains_since_ms = now_ms

    def watch(self, plant, now_ms):
        """Remember this instant."""
        if plant.letter != self.letter:
            self.letter_before, self.letter_before_ms = self.letter, self.letter_ms
            self.letter, self.letter_ms = plant.letter, now_ms
        if not plant.is_coil_on and (plant.letter == "A" or not plant.car.is_plugged):
            self.has_tripped = self.is_tested = self.has_diode = False
        if plant.is_residual_tripped:
            self.has_tripped = True
        elif self.has_tripped:
            self.is_tested = True
        asked_us = plant.residual_asked_us
        # While the relay pin is held it is asked in order to drop the coil (K4).
        if asked_us is not None and not plant.is_residual_tripped and not plant.is_enable_high():
            self.is_sensor_broken = self.is_sensor_broken or plant.now_us - asked_us > TRIP_MS * 1000
        if plant.pilot_mode == "pwm" and plant.low_mv <= -10_000 and plant.letter != "A":
            self.has_diode = True

    def unplugged(self):
        """Unplugging is neither counted nor blocked by the damping."""
        self.damped_ms = LONG_AGO_MS

    def restarted(self, now_ms):
        """The box begins anew: it tests again, and damps nothing that came before."""
        self.has_tripped = self.is_tested = self.has_diode = self.is_by_grid = self.is_sensor_broken = False
        self.damped_ms, self.damped_closings = LONG_AGO_MS, []
        self.moved_ms = now_ms

    def withdrawn(self, now_ms, limit_ma, is_wrong):
        """x1 began with the coil on: by whom? (limit_ma: what heat, cable and wiring alone allow.)"""
        self.withdrawn_ms = now_ms
        live = [row for row in self.sent.rows if row[0] <= now_ms < row[1] and row[2] < LEAST_MA]
        is_lone = limit_ma >= LEAST_MA and not is_wrong
        self.is_by_grid = bool(live) and is_lone and all(row[3] in ("grid", "house") for row in live)

    def opened(self, now_ms, is_wrong):
        """The coil went off."""
        if self.is_by_grid and not is_wrong:
            self.damped_ms = now_ms
        self.is_by_grid = False
        self.moved_ms = now_ms

    def judge(self, plant, now_ms, changed_ms):
        """The coil goes on; changed_ms: last change of the pilot. Errors: Broken."""
        letter, since_ms = plant.letter, self.letter_ms
        if is_blind(plant) and now_ms - since_ms <= HIDDEN_MS:
            letter, since_ms = self.letter_before, self.letter_before_ms
        if letter not in ("CD" if self.house.is_ventilated else "C") or now_ms - since_ms < STABLE_MS:
            raise Broken(f"closed {now_ms - self.letter_ms} ms after letter {plant.letter} came, at {now_ms}")
        if now_ms - max(changed_ms, self.moved_ms) < STABLE_MS:
            raise Broken(f"closed {now_ms - max(changed_ms, self.moved_ms)} ms after a change, at {now_ms}")
        if now_ms - self.closed_ms < CLOSE_MS:
            raise Broken(f"S5: closed again after {now_ms - self.closed_ms} ms, at {now_ms}")
        if self.is_sensor_broken:
            raise Broken(f"S15: closed after a self-test that failed, at {now_ms}")
        if not self.is_tested:
            raise Broken(f"I1: closed without a self-test, at {now_ms}")
        if not self.has_diode:
            raise Broken(f"I1: closed without a diode seen, at {now_ms}")
        is_bad = self.is_mains_bad and now_ms - self.mains_since_ms > SEEN_MS
        if is_bad or now_ms - self.mains_bad_ms < MAINS_MS:
            raise Broken(f"S17: closed without 10 s of good mains, at {now_ms}")
        self.closed_ms = self.moved_ms = now_ms
        if self.damped_ms > LONG_AGO_MS and self.sent.clicked_ms < self.withdrawn_ms:
            self._damped(now_ms)
        self.damped_ms = LONG_AGO_MS

    def _damped(self, now_ms):
        """A closing after an opening that grid or house caused."""
        if now_ms - self.damped_ms < DAMPED_MS:
            raise Broken(f"N7: closed {now_ms - self.damped_ms} ms after the grid opened, at {now_ms}")
        self.damped_closings = [at_ms for at_ms in self.damped_closings if now_ms - at_ms < DAMPED_WINDOW_MS]
        self.damped_closings.append(now_ms)
        if len(self.damped_closings) > DAMPED_MOST:
            raise Broken(f"N7: closing number {len(self.damped_closings)} for the grid in an hour, at {now_ms}")
