"""The fast seam: a board whose readings come straight from the plant's volts, for thousands of simulated hours."""

from firmware.core.records import Readings
from host_tools.sim.fast_sensors import FastSensors

LEASE_US = 200_000
TRAIN_EDGES, TRAIN_EDGE_US = 150, 10_000


class FastBoard:
    """Same interface as firmware.drivers.board.Board: sense, act, now_ms, wall_s, set_wall_s, facts."""

    def __init__(self, plant, facts, start_ms=0):
        self.plant = plant
        self.facts = facts
        self._start_ms = start_ms
        self._epoch_ms = None
        pins = getattr(facts, "pins", None)
        self._sensors = FastSensors(plant, pins is None or pins.proximity_adc is not None)
        self._outputs = None

    def now_ms(self):
        """Milliseconds since boot."""
        return self.plant.now_us // 1000 - self._start_ms

    def wall_s(self):
        """UTC epoch seconds, or None while nobody told the time."""
        return None if self._epoch_ms is None else (self._epoch_ms + self.now_ms()) // 1000

    def boot_epoch_ms(self):
        """UTC epoch milliseconds of the boot, or None."""
        return self._epoch_ms

    def set_wall_s(self, wall_s):
        """Set the clock."""
        self._epoch_ms = wall_s * 1000 - self.now_ms()

    def bridge(self):
        """A train of pulses that goes on without the program."""
        for number in range(TRAIN_EDGES):
            self.plant.later(number * TRAIN_EDGE_US, self.plant.heartbeat)

    def sense(self):
        """Readings of this moment."""
        plant = self.plant
        if plant.is_coil_enabled and plant.now_us - plant.heartbeat_at_us > LEASE_US:
            plant.set_coil_enable(False)  # as drivers/contactor does after a stall
        sensors = self._sensors
        high_mv, low_mv = sensors.pilot()
        currents_ma, voltages_mv, power_mw, frequency_mhz = sensors.flow()
        temperature_tenths_c, proximity_ohm = sensors.slow()
        return Readings(
            self.now_ms(),
            high_mv,
            low_mv,
            currents_ma,  # pyright: ignore[reportArgumentType]  three of each
            voltages_mv,  # pyright: ignore[reportArgumentType]
            power_mw,
            frequency_mhz,
            temperature_tenths_c,
            proximity_ohm,
            plant.contactor.live_poles(),
            plant.contactor.reads_pulled_in(),
            plant.is_residual_tripped,
            not plant.faults["earth_lost"],
            not plant.faults["lid_open"],
            plant.is_button_pressed,
            plant.is_enable_high(),
            0,
            sensors.age_ms(),
        )

    def act(self, outputs):
        """Pilot, contactor lease and residual test; the lease is renewed only by a call with the contactor closed."""
        plant = self.plant
        before = self._outputs
        if before is None or before.pilot_mode != outputs.pilot_mode or before.duty_permille != outputs.duty_permille:
            plant.set_pilot(outputs.pilot_mode, outputs.duty_permille)
        if outputs.is_contactor_closed:
            if not plant.is_coil_enabled:
                plant.set_coil_enable(True)
            plant.heartbeat()
        elif plant.is_coil_enabled:
            plant.set_coil_enable(False)
        if before is None or before.wants_residual_test != outputs.wants_residual_test:
            plant.set_residual_test(outputs.wants_residual_test)
        plant.led = outputs.led_pattern
        self._outputs = outputs
