"""Current, voltage, real power and frequency from short bursts; the first three averaged over the last eleven ticks."""

import math
import time
from array import array

from machine import ADC, Pin

from firmware.core.units import SATURATED_MA
from firmware.drivers.mains_frequency import MainsFrequency

TICKS = 11  # about 250 ms (requirements §3)
# Oldest to newest. A flat window counts the phase of the mains that its first and last burst share twice: 6 % of error
# at 60.25 Hz against 2 % with these ends (docs/figures.md).
WEIGHTS = bytes((1, 2, 3, 4, 4, 4, 4, 4, 3, 2, 1))
ROUNDS = 16  # reads of each channel in one burst: 7 channels × 16 × 45 us = 5.0 ms, the pilot's one among them
STEP_UV = 256  # samples are kept in this unit so that sums of squares stay small
# Outside the band in which the ADC is linear (requirements §3) a sample is no number. Two in a burst may be spikes.
LOWEST_UV, HIGHEST_UV = 150_000, 2_450_000
SPIKES = 2
CLIPPED = -2_000_000_000  # stands for the mean square of a burst that was cut off: negative with any weight
CLIPPED_MEAN = -20_000_000  # a mean with one of it is below
DARK_V = 50  # a lower crest is no mains
# A transformer passes no direct current: what is steady at the ADC is its mid-rail and no ampere (12 mV would be one).
# The mean over the window is taken away, as far as a mid-rail may be off: of a wave that a burst meets at the same
# place again and again (a tick near half cycles of the mains) no more can be lost, 0.15 A of 32.
MEAN_MOST_A = 3
# While the contactor is open the zero follows the mean, as far: a spike then has nothing to be multiplied with.
ZERO_PART = 16  # of the difference a tick


class CurrentSensor:
    """Bursts in turn v1 i1 v2 i2 …; sense() gives (currents_ma, voltages_mv, power_mw) of the last TICKS bursts."""

    def __init__(self, facts):
        self._facts = facts
        self._phases = facts.phases
        self._volts = [ADC(Pin(pin), atten=ADC.ATTN_11DB) for pin in facts.pins.voltage_adc[: facts.phases]]
        self._amps = [ADC(Pin(pin), atten=ADC.ATTN_11DB) for pin in facts.pins.current_adc[: facts.phases]]
        # Mean squares and mean products of each tick, three phases each.
        self._amp_squares = array("l", [0] * (3 * TICKS))
        self._volt_squares = array("l", [0] * (3 * TICKS))
        self._products = array("l", [0] * (3 * TICKS))
        self._sums = array(
            "l", [0] * 18
        )  # squares of amps, levels of volts, products, amps out of band, slopes of volts, levels of amps
        self._last = array("l", [0] * 6)  # newest sample of each channel: amps, then volts
        self._amp_levels = array("l", [0] * (3 * TICKS))  # sums of each burst
        self._zeros_uv = array("l", [facts.current_zero_uv] * 3)
        self._rests = 0  # bursts since the contactor was told to open
        self._zero_most_uv = MEAN_MOST_A * facts.current_uv_per_a
        self._level_most = MEAN_MOST_A * facts.current_uv_per_a * ROUNDS // STEP_UV
        self._slot = 0
        self._filled = 0
        self._weight = 1
        self._mains = MainsFrequency(ROUNDS * DARK_V * facts.voltage_uv_per_v // STEP_UV)
        self._watched = 0  # the phase whose frequency is followed
        self._begun_us = time.ticks_us()
        self._span_us = 0
        self._moved_ms = time.ticks_ms()

    def frequency_mhz(self):
        """Frequency of the mains in mHz; None while it is not known or there is no voltage."""
        return self._mains.mhz

    def age_ms(self):
        """Since when no sample has moved: an ADC that stands still measures nothing (faults.md S8)."""
        return max(0, time.ticks_diff(time.ticks_ms(), self._moved_ms))

    def sense(self, beside, is_open):
        """Take one burst and average. One in which nothing moves is void: the last values stand and grow older, and a
        power that nobody measures is none. beside: function (index) called once in each of the ROUNDS, in step;
        is_open: whether the contactor is told to be, so that nothing flows.
        """
        is_void = not self._sampled(beside)
        if not is_void:
            self._moved_ms = time.ticks_ms()
            self._stored()
            # Not before the window holds nothing of what flowed.
            self._rests = min(self._rests + 1, TICKS + 1) if is_open else 0
            if self._rests > TICKS:
                self._follow_zeros()
        facts = self._facts
        currents_ma = self._amps_ma(0), self._amps_ma(1), self._amps_ma(2)
        mean, volts, per_v = self._mean, self._volt_squares, facts.voltage_uv_per_v
        voltages_mv = root(mean(volts, 0), per_v), root(mean(volts, 1), per_v), root(mean(volts, 2), per_v)
        products = self._products
        mean = self._mean(products, 0) + self._mean(products, 1) + self._mean(products, 2)
        power_mw = mean * (STEP_UV * STEP_UV) // (facts.voltage_uv_per_v * facts.current_uv_per_a // 1000)
        return currents_ma, voltages_mv, 0 if is_void else power_mw

    def _sampled(self, beside):
        """One burst over all channels in turn into the sums; whether any sample differed from the one before it.

        In turn, so that each phase sees the whole 5 ms: a shorter look errs more (docs/figures.md). Squares are taken
        between neighbours, 0.3 ms apart: noise, which has no memory, then counts as nothing.
        """
        volt_zero_uv, zeros_uv = self._facts.voltage_zero_uv, self._zeros_uv
        sums, last = self._sums, self._last
        moved = 0
        for index in range(18):
            sums[index] = 0
        begun_us = time.ticks_us()
        for index in range(ROUNDS):
            for phase in range(self._phases):
                volts = (self._volts[phase].read_uv() - volt_zero_uv) // STEP_UV
                amps_uv = self._amps[phase].read_uv()
                amps = (amps_uv - zeros_uv[phase]) // STEP_UV
                if not LOWEST_UV <= amps_uv <= HIGHEST_UV:
                    sums[9 + phase] += 1
                sums[15 + phase] += amps
                sums[3 + phase] += volts
                sums[12 + phase] += volts * (2 * index + 1 - ROUNDS)
                if index:
                    moved |= (amps ^ last[phase]) | (volts ^ last[3 + phase])
                    sums[phase] += amps * last[phase]
                    sums[6 + phase] += volts * amps
                last[phase], last[3 + phase] = amps, volts
            beside(index)
        if moved:
            self._follow(sums[3 + self._watched], sums[12 + self._watched], begun_us)
        return moved != 0

    def _follow(self, level, slope, begun_us):
        """Take the angle of the watched phase; without voltage on it the next one is watched."""
        span_us = time.ticks_diff(time.ticks_us(), begun_us)
        after_us = time.ticks_diff(begun_us, self._begun_us) + (span_us - self._span_us) // 2
        self._begun_us, self._span_us = begun_us, span_us
        if not self._mains.follow(level, slope, span_us, after_us):
            self._watched = (self._watched + 1) % self._phases

    def _stored(self):
        """The sums of this burst into the slot of this tick."""
        if self._filled < TICKS:
            self._filled += 1
            self._weight = sum(WEIGHTS[TICKS - self._filled :])
        slot = self._slot
        sums = self._sums
        across, along = self._mains.scales(self._span_us)
        for phase in range(3):
            self._amp_squares[slot + phase] = CLIPPED if sums[9 + phase] > SPIKES else sums[phase] // (ROUNDS - 1)
            self._amp_levels[slot + phase] = sums[15 + phase]
            level, slope = sums[3 + phase] * across, sums[12 + phase] * along
            self._volt_squares[slot + phase] = int(level * level + slope * slope)
            self._products[slot + phase] = sums[6 + phase] // (ROUNDS - 1)
        self._slot = slot + 3 if slot + 3 < 3 * TICKS else 0

    def _mean(self, ring, phase):
        """Weighted mean of one phase over the window; slots never written hold 0 and do not count."""
        total = 0
        at = self._slot + phase
        for weight in WEIGHTS:
            total += ring[at] * weight
            at += 3
            if at >= 3 * TICKS:
                at -= 3 * TICKS
        return total // self._weight

    def _follow_zeros(self):
        """Nothing flows: the zeros go towards what the sensors say. A wrong one never hides a current."""
        zeros_uv, zero_uv, most_uv = self._zeros_uv, self._facts.current_zero_uv, self._zero_most_uv
        for phase in range(self._phases):
            found_uv = zeros_uv[phase] + self._mean(self._amp_levels, phase) * STEP_UV // (ROUNDS * ZERO_PART)
            zeros_uv[phase] = max(zero_uv - most_uv, min(found_uv, zero_uv + most_uv))

    def _amps_ma(self, phase):
        """RMS of one phase in mA, without its mean."""
        mean = self._mean(self._amp_squares, phase)
        if mean < CLIPPED_MEAN:
            return SATURATED_MA
        level = max(-self._level_most, min(self._mean(self._amp_levels, phase), self._level_most))
        return root(mean - level * level // (ROUNDS * ROUNDS), self._facts.current_uv_per_a)


def root(mean, uv_per_unit):
    """RMS of a mean square, which noise may bring a little below 0."""
    return int(math.sqrt(max(0, mean)) * (STEP_UV * 1000) / uv_per_unit)
