"""What the analog inputs give on the fast seam, tick by tick, with the drivers' own window and without their reads."""

import math
import random

from firmware.core.units import SATURATED_MA
from host_tools.sim import pilot_circuit

TICKS = 11  # the drivers average over the same window with the same weights (requirements §3)
WEIGHTS = (1, 2, 3, 4, 4, 4, 4, 4, 3, 2, 1)
ADC_STEP_MV = 6.4  # 12 bits over ±13 V
NOISE = 1024
NOISY = 20  # fault adc_noise: so many times the noise
OFFSET_MV = 1100  # fault adc_offset: C shows 7.1 V and is C still
RAIL_MV = 16_000  # what the pilot's dividers make of a reading of 0 or full scale
FLOOR_MV = -1500  # a half above belongs to the high one
MEAN_MOST_MA = 3000  # so much of an offset the drivers take away
COLDEST, HOTTEST = -400, 1250
OPEN_OHM = 1_000_000


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


class FastSensors:
    """Pilot, flow, temperature and proximity of one plant; sense_… is called once a tick."""

    def __init__(self, plant, has_proximity):
        self.plant = plant
        self.has_proximity = has_proximity
        self._noise = Noise(plant.seed)
        self._at = 0
        self._rows = [((0, 0, 0), (0, 0, 0), 0, 0)] * TICKS  # currents, volts, power, frequency; oldest first
        self._same = 0
        self._averaged = ((0, 0, 0), (0, 0, 0), 0, 0)
        self._told = ((0, 0, 0), (0, 0, 0), 0, None)
        self._saturated_ticks = 0
        self._moved_us = plant.now_us
        self._halves = (plant.high_mv, plant.low_mv)
        self._slow = self._slow_now()

    def is_void(self):
        """Whether the ADC stands still, so that nothing new comes from it."""
        faults = self.plant.faults
        return faults["adc_zero"] or faults["adc_full"] or faults["adc_stuck"]

    def pilot(self):
        """(high, low) as the drivers find them: each None when that half is not there."""
        plant, faults = self.plant, self.plant.faults
        self._at = (self._at + 1) % NOISE
        if faults["adc_zero"]:
            return None, -RAIL_MV
        if faults["adc_full"]:
            return RAIL_MV, None
        if not faults["adc_stuck"]:
            noise = self._noise.pilot_mv[self._at] * (NOISY if faults["adc_noise"] else 1)
            offset = OFFSET_MV if faults["adc_offset"] else 0
            high_mv = int(plant.measured_mv(plant.high_mv) + noise + offset)
            low_mv = int(plant.measured_mv(plant.low_mv) - noise + offset)
            if plant.pilot_mode == "high":
                low_mv = high_mv
            elif plant.pilot_mode == "low":
                high_mv = low_mv
            self._halves = high_mv, low_mv
        high_mv, low_mv = self._halves
        return (high_mv if high_mv > FLOOR_MV else None), (low_mv if low_mv < FLOOR_MV else None)

    def flow(self):
        """(currents_ma, voltages_mv, power_mw, frequency_mhz or None), averaged over the drivers' window."""
        if self.is_void():
            return *self._told[:2], 0, self._told[3]
        self._moved_us = self.plant.now_us
        self._add(self._row_now())
        currents_ma, voltages_mv, power_mw, frequency_mhz = self._averaged
        noise = self._noise.currents_ma[self._at] * (NOISY if self.plant.faults["adc_noise"] else 1)
        if any(self.plant.current_offsets_ma):
            currents_ma = tuple(map(self._with_offset, currents_ma, self.plant.current_offsets_ma))
        currents_ma = tuple([abs(value + noise) for value in currents_ma])
        if self._saturated_ticks:
            currents_ma = tuple(SATURATED_MA if index < self.plant.phases else 0 for index in range(3))
        self._told = currents_ma, voltages_mv, power_mw, frequency_mhz or None
        return self._told

    @staticmethod
    def _with_offset(current_ma, offset_ma):
        """What is left of a sensor's offset once the driver has taken its running mean away."""
        return round(math.hypot(current_ma, max(0, abs(offset_ma) - MEAN_MOST_MA)))

    def age_ms(self):
        """Since when nothing new came."""
        return (self.plant.now_us - self._moved_us) // 1000

    def slow(self):
        """(temperature in tenths of °C or None, proximity in ohm or None)."""
        faults = self.plant.faults
        if faults["adc_zero"]:
            return None, 0 if self.has_proximity else None
        if faults["adc_full"]:
            return None, OPEN_OHM if self.has_proximity else None
        if not faults["adc_stuck"]:
            self._slow = self._slow_now()
        return self._slow

    def _slow_now(self):
        plant = self.plant
        tenths_c = plant.temperature_tenths_c
        is_bad = plant.faults["temperature_sensor_dead"] or not COLDEST <= tenths_c <= HOTTEST
        ohm = min(pilot_circuit.proximity_ohm(plant.cable_ohm, plant.faults), OPEN_OHM) if self.has_proximity else None
        return (None if is_bad else tenths_c), ohm

    def _row_now(self):
        """One burst: what flows at this moment."""
        plant, faults = self.plant, self.plant.faults
        mains = plant.mains
        currents_ma, power_mw = plant.currents_ma, plant.power_mw()
        if faults["current_sensor_saturated"]:
            self._saturated_ticks = TICKS
            currents_ma, power_mw = (0, 0, 0), 0  # a constant against a sine carries no power
        elif self._saturated_ticks:
            self._saturated_ticks -= 1
        if faults["current_sensor_unplugged"]:
            currents_ma, power_mw = (0, 0, 0), 0
        elif faults["current_sensor_reversed"]:
            power_mw = -power_mw
        volts_mv = tuple(mains.rms_mv(phase) if phase < plant.phases else 0 for phase in range(3))
        return currents_ma, volts_mv, power_mw, mains.frequency_mhz() if any(volts_mv) else 0

    def _add(self, row):
        """The newest burst into the window; in a steady world the average stands."""
        self._same = self._same + 1 if row == self._rows[-1] else 0
        self._rows = [*self._rows[1:], row]
        if self._same >= TICKS:
            return
        total = sum(WEIGHTS)
        parts = list(zip(WEIGHTS, self._rows, strict=True))
        currents_ma, volts_mv = (
            tuple(round(math.sqrt(sum(w * row[which][phase] ** 2 for w, row in parts) / total)) for phase in range(3))
            for which in (0, 1)
        )
        power_mw = int(sum(w * row[2] for w, row in parts) / total)
        known = [row[3] for row in self._rows if row[3]]
        is_known = row[3] and len(known) == TICKS
        frequency_mhz = sum(w * row[3] for w, row in parts) // total if is_known else 0
        self._averaged = currents_ma, volts_mv, power_mw, frequency_mhz
