"""The board: everything the wallbox measures in one reading, everything it does in one call."""

from machine import Pin

from firmware.core.records import Readings
from firmware.drivers.clock import Clock
from firmware.drivers.contactor import Contactor
from firmware.drivers.current_sensor import CurrentSensor
from firmware.drivers.dividers import Dividers
from firmware.drivers.panel import Panel
from firmware.drivers.pilot_line import PilotLine
from firmware.drivers.residual_current import ResidualCurrent


class Board:
    """The seam between firmware and pins; the simulator offers the same four calls."""

    def __init__(self, facts):
        """The contactor comes first: its pins are low before anything else is touched."""
        self.facts = facts
        self._contactor = Contactor(facts.pins)
        self._pilot = PilotLine(facts)
        self._residual = ResidualCurrent(facts.pins.residual_tripped, facts.pins.residual_test)
        self._currents = CurrentSensor(facts)
        self._dividers = Dividers(facts.pins)
        self._panel = Panel(facts.pins)
        self._earth = Pin(facts.pins.earth_ok, Pin.IN, Pin.PULL_DOWN)
        self._clock = Clock()
        self._is_testing = False

    def bridge(self):
        """Keep a closed contactor through one known stall of at most 1.5 s."""
        self._contactor.bridge()

    def now_ms(self):
        """Milliseconds since boot; never wraps."""
        return self._clock.now_ms()

    def wall_s(self):
        """UTC epoch seconds or None."""
        return self._clock.wall_s()

    def boot_epoch_ms(self):
        """UTC epoch milliseconds of the boot, or None."""
        return self._clock.boot_epoch_ms()

    def set_wall_s(self, wall_s):
        """Set the time of day."""
        self._clock.set_wall_s(wall_s)

    def sense(self):
        """Readings of one tick; now_ms is the moment of the pilot reading, the urgent one and so the last."""
        temperature_tenths_c, proximity_ohm = self._dividers.sense()
        currents = self._currents
        currents_ma, voltages_mv, power_mw = currents.sense()
        now_ms = self._clock.now_ms()
        high_mv, low_mv, age_ms = self._pilot.sense(now_ms)
        return Readings(
            now_ms,
            high_mv,
            low_mv,
            currents_ma,
            voltages_mv,
            power_mw,
            currents.frequency_mhz(),
            temperature_tenths_c,
            proximity_ohm,
            self._contactor.live_poles(),
            self._contactor.is_pulled_in(),
            self._residual.is_tripped(),
            self._earth.value() == 1,
            self._panel.is_lid_closed(),
            self._panel.is_button_pressed(),
            self._contactor.is_enabled(),
            age_ms,
            currents.age_ms(),
        )

    def act(self, outputs):
        """Contactor first, then pilot, self-test and light; a closed contactor is a lease this call renews."""
        if outputs.is_contactor_closed:
            self._contactor.renew()
        else:
            self._contactor.open()
        self._pilot.set(outputs.pilot_mode, outputs.duty_permille)
        if outputs.wants_residual_test != self._is_testing:
            self._is_testing = outputs.wants_residual_test
            self._residual.test(self._is_testing)
        self._panel.show(outputs.led_pattern)
