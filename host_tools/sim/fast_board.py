"""The fast seam: a board whose readings come straight from the plant's volts, for thousands of simulated hours."""

import math
import random

from firmware.core.records import Readings

RMS_TICKS = 11  # the drivers average over the same window (requirements §3)
ADC_STEP_MV = 6.4  # 12 bits over ±13 V
NOISE = 1024

LEASE_US = 200_000
TRAIN_EDGES, TRAIN_EDGE_US = 150, 10_000


class Noise:
    """Tables of noise by seed; every board of this seed, and every copy of one, shares them."""

    made = {}

    def __new__(cls, seed):
        """The tables of this seed, made at the first call."""
        if seed not in cls.made:
            one = cls.made[seed] = super().__new__(cls)
            chance = random.Random(seed)
            one.seed = seed
            one.pilot_mv = [round(chance.gauss(0, 12) / ADC_STEP_MV) * ADC_STEP_MV for _ in range(NOISE)]
            one.currents_ma = [round(chance.gauss(0, 15)) for _ in range(NOISE)]
        return cls.made[seed]

    def __reduce__(self):
        return Noise, (self.seed,)


class FastBoard:
    """Same interface as firmware.drivers.board.Board: sense, act, now_ms, wall_s, set_wall_s, facts."""

    def __init__(self, plant, facts, start_ms=0):
        self.plant = plant
        self.facts = facts
        self._start_ms = start_ms
        self._epoch_ms = None
        self._noise = Noise(plant.seed)
        self._at = 0
        self._window = [(0, 0, 0)] * RMS_TICKS
        self._powers = [0] * RMS_TICKS
        self._slot = 0
        self._same = 0
        self._averaged = ((0, 0, 0), 0)
        self._outputs = None
        self._beat = False
        self._stuck = None

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
        high_mv, low_mv = self._pilot(plant)
        currents_ma, power_mw = self._flow(plant)
        return Readings(
            self.now_ms(),
            high_mv,
            low_mv,
            currents_ma,
            tuple(plant.volts_mv),
            power_mw,
            plant.frequency_mhz,
            plant.temperature_tenths_c,
            None,
            plant.live_poles(),
            plant.contactor.is_pulled,
            plant.is_residual_tripped,
            not plant.faults["earth_lost"],
            not plant.faults["lid_open"],
            plant.is_button_pressed,
            plant.is_coil_enabled,
            0,
            0,
        )

    def _pilot(self, plant):
        """(high, low) as the burst would find them: each None when that half is not there."""
        self._at = (self._at + 1) % NOISE
        faults = plant.faults
        noise = self._noise.pilot_mv[self._at] * (20 if faults["adc_noise"] else 1)
        if faults["adc_zero"]:
            high_mv = low_mv = -16_000
        elif faults["adc_full"]:
            high_mv = low_mv = 16_000
        elif faults["adc_stuck"]:
            self._stuck = plant.high_mv if self._stuck is None else self._stuck
            high_mv = low_mv = self._stuck
        else:
            self._stuck = None
            offset = 400 if faults["adc_offset"] else 0
            high_mv, low_mv = int(plant.high_mv + noise + offset), int(plant.low_mv - noise + offset)
            if plant.pilot_mode == "high":
                low_mv = high_mv
            elif plant.pilot_mode == "low":
                high_mv = low_mv
        return (high_mv if high_mv > -1500 else None), (low_mv if low_mv < -1500 else None)

    def _flow(self, plant):
        """(currents_ma, power_mw) averaged over the drivers' window."""
        now = plant.currents_ma
        slot = self._slot
        self._slot = slot + 1 if slot + 1 < RMS_TICKS else 0
        if now == self._window[slot - 1] and self._same >= RMS_TICKS:
            averaged, power_mw = self._averaged
        else:
            self._same = self._same + 1 if now == self._window[slot - 1] else 0
            self._powers[slot] = plant.power_mw()
            self._window[slot] = now
            averaged = tuple(
                round(math.sqrt(sum(row[index] ** 2 for row in self._window) / RMS_TICKS)) for index in range(3)
            )
            power_mw = int(sum(self._powers) / RMS_TICKS)
            self._averaged = (averaged, power_mw)
        noise = self._noise.currents_ma[self._at]
        if plant.faults["current_sensor_unplugged"]:
            averaged = (0, 0, 0)
        return tuple(abs(value + noise) if value else abs(noise) for value in averaged), power_mw

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
