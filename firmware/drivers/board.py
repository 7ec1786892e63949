"""The board: everything the wallbox measures in one reading, everything it does in one call."""

from machine import Pin

from firmware.core.records import Readings
from firmware.drivers import clock
from firmware.drivers.contactor import Contactor
from firmware.drivers.current_sensor import CurrentSensor
from firmware.drivers.dividers import Dividers
from firmware.drivers.panel import Panel
from firmware.drivers.pilot_line import PilotLine
from firmware.drivers.residual_current import ResidualCurrent


class Board:
    """The seam between firmware and pins; the simulator offers the same four calls."""

    last = None  # the one that was made last: who ends the firmware lets it rest (main.py)

    def __init__(self, facts):
        """The contactor comes first: its pins are low before anything else is touched."""
        self.facts = facts
        self._contactor = Contactor(facts.pins)
        Board.last = self
        self._pilot = PilotLine(facts)
        self._residual = ResidualCurrent(facts.pins.residual_tripped, facts.pins.residual_test)
        self._currents = CurrentSensor(facts)
        self._dividers = Dividers(facts.pins)
        self._panel = Panel(facts.pins)
        self._earth = Pin(facts.pins.earth_ok, Pin.IN, Pin.PULL_DOWN)
        self._clock = clock.Clock()
        self._is_testing = False
        self._is_asked = False  # whether the contactor is told to be closed

    def rest(self):
        """All outputs as before the first tick, as nothing ticks any more: contactor open, steady pilot, no test."""
        try:
            self._contactor.rest()
        finally:  # a person may end the firmware before the other parts are made
            if hasattr(self, "_pilot"):
                self._pilot.rest()
            if hasattr(self, "_residual"):
                self._residual.test(False)
            self._is_testing = False
            if hasattr(self, "_panel"):
                self._panel.show("red")

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
        """Set the time of day, and the chip's own clock."""
        self._clock.set_wall_s(wall_s)

    def set_floor_s(self, wall_s):
        """The chip's own clock tells no earlier UTC second than this one."""
        clock.not_before(wall_s)

    def show_no_time(self, is_missing):
        """Whether the light says, where nothing else is to be said, that the time of day is missing."""
        self._panel.is_time_missing = is_missing

    def sense(self):
        """Readings of one tick; now_ms is the moment of the pilot reading, the urgent one and so the last."""
        temperature_tenths_c, proximity_ohm = self._dividers.sense()
        currents = self._currents
        currents_ma, voltages_mv, power_mw = currents.sense(self._pilot.beside, not self._is_asked)
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
        self._is_asked = outputs.is_contactor_closed
        if self._is_asked:
            self._contactor.renew()
        else:
            self._contactor.open()
        self._pilot.set(outputs.pilot_mode, outputs.duty_permille)
        if outputs.wants_residual_test != self._is_testing:
            self._is_testing = outputs.wants_residual_test
            self._residual.test(self._is_testing)
        self._panel.show(outputs.led_pattern)
