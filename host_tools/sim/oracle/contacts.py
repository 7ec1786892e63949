"""K1–K4: what the contactor, its feedback and its relay pin really do, against what the coil driver is told."""

from host_tools.sim.oracle.installation import Broken

DECIDED_MS = 1500  # K1: F within 1.5 s after opening
NOT_CLOSED_MS = 1000  # K2
TRIES_APART_MS = 30_000  # requirements §2, does not close
TRIES_MOST = 3
PIN_MS = 100  # K4 …
PUMP_MS = 300  # … and where the leakage sensor cannot be asked to trip, the lease lapses (architecture, one tick)
FEEDBACK_MS = 1000  # K3: seen at rest before closing
FEEDBACK_TEST_MS = 5000  # K3: the self-test is over by then (architecture, testing)


class Contacts:
    """Watches the four rows of the contactor; times in ms of the plant."""

    def __init__(self):
        self.live_ms = None  # since when a pole conducts with the coil off
        self.missing_ms = None  # since when the enable pin is high and nothing conducts
        self.disobeyed_ms = None  # since when the coil is held against a low enable pin
        self.most_ms = PIN_MS  # how long that may last
        self.no_test_ms = -PUMP_MS  # when the leakage sensor could last not be asked to trip
        self.broken_ms = None  # since when the feedback wire is broken
        self.off_ms = 0  # when the coil was last on
        self.failed_ms = None  # when the last try that failed began
        self.tried_ms = 0
        self.tries = 0
        self.was_enabled = self.is_welded = self.is_blocked = False

    def watch(self, plant, now_ms):
        """Judge this instant. Errors: Broken."""
        is_on, is_enabled = plant.is_coil_on, plant.is_coil_enabled
        self._weld(plant, now_ms)
        if is_enabled or self.was_enabled:
            self._pulled(plant, now_ms)
        if not is_on or is_enabled:
            self.disobeyed_ms = None
        else:
            self._disobeyed(plant, now_ms)
        if plant.faults["feedback_broken"]:
            self._feedback(is_on, now_ms)
        else:
            self.broken_ms = None
        if is_on:
            self.off_ms = now_ms

    def _disobeyed(self, plant, now_ms):
        """K4: the coil is held. A leakage sensor that was broken when it was asked need not trip once it is whole."""
        if self.disobeyed_ms is None:
            self.disobeyed_ms = now_ms
        if plant.faults["residual_test_dead"] or plant.faults["residual_test_always_good"]:
            self.no_test_ms = now_ms
        self.most_ms = PUMP_MS if self.disobeyed_ms - self.no_test_ms < PUMP_MS else PIN_MS
        if now_ms - self.disobeyed_ms > self.most_ms:
            raise Broken(f"K4: coil held for {now_ms - self.disobeyed_ms} ms against its pin, at {now_ms}")

    def _weld(self, plant, now_ms):
        """K1: a pole that conducts with the coil off is met with F, for good."""
        if plant.is_coil_on or plant.is_coil_enabled or not plant.contactor.live_poles():
            self.live_ms = None
        elif self.live_ms is None:
            self.live_ms = now_ms
        elif now_ms - self.live_ms > DECIDED_MS:
            self.is_welded = True
        if self.is_welded and plant.pilot_mode != "low":
            raise Broken(f"K1: no F while a pole is welded, at {now_ms}")

    def _pulled(self, plant, now_ms):
        """K2: the pin is high, or was a moment ago."""
        is_enabled = plant.is_coil_enabled
        if is_enabled and not self.was_enabled:
            if self.tries >= TRIES_MOST:
                raise Broken(f"K2: a try after {self.tries} that failed, at {now_ms}")
            if self.failed_ms is not None and now_ms - self.failed_ms < TRIES_APART_MS:
                raise Broken(f"K2: tries only {now_ms - self.failed_ms} ms apart, at {now_ms}")
            self.tried_ms = now_ms
        self.was_enabled = is_enabled
        if not is_enabled:
            # Opened under a car that no longer asks, it was the car and not a try that failed.
            is_asking = plant.letter in "CD"
            if self.missing_ms is not None and is_asking and now_ms - self.missing_ms > NOT_CLOSED_MS // 2:
                self.failed_ms = self.tried_ms
                self.tries += 1
            self.missing_ms = None
        elif plant.live_poles() & 7:
            self.missing_ms = None
            self.failed_ms = None
        elif self.missing_ms is None:
            self.missing_ms = now_ms
        elif now_ms - self.missing_ms > NOT_CLOSED_MS:
            raise Broken(f"K2: pin high for {now_ms - self.missing_ms} ms and nothing closed, at {now_ms}")

    def _feedback(self, is_on, now_ms):
        """K3: the box must have found a broken wire once its self-test is over."""
        if self.broken_ms is None:
            self.broken_ms = now_ms
        elif not is_on and now_ms - max(self.broken_ms, self.off_ms) > FEEDBACK_TEST_MS:
            self.is_blocked = True

    def closing(self, now_ms):
        """The coil goes on. Errors: Broken."""
        if self.is_welded:
            raise Broken(f"K1: coil on after a weld, at {now_ms}")
        if self.is_blocked or (self.broken_ms is not None and now_ms - max(self.broken_ms, self.off_ms) > FEEDBACK_MS):
            raise Broken(f"K3: coil on with a broken feedback wire, at {now_ms}")

    def cleared(self):
        """Unplugged, or a short press of the button: tries start anew (K2 is hard, not permanent)."""
        self.tries = 0
        self.failed_ms = None

    def open_until_ms(self):
        """When the last started deadline has passed."""
        ends = ((self.live_ms, DECIDED_MS), (self.missing_ms, NOT_CLOSED_MS), (self.disobeyed_ms, self.most_ms))
        return max((since_ms + for_ms for since_ms, for_ms in ends if since_ms is not None), default=0)
