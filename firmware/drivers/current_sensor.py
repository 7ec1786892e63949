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
ROUNDS = 16  # reads of each channel in one burst: 6 channels × 16 × 45 us = 4.3 ms, over all channels in turn
STEP_UV = 256  # samples are kept in this unit so that sums of squares stay small
# Outside the band in which the ADC is linear (requirements §3) a sample is no number. Two in a burst may be spikes.
LOWEST_UV, HIGHEST_UV = 150_000, 2_450_000
SPIKES = 2
CLIPPED = -2_000_000_000  # stands for the mean square of a burst that was cut off: negative with any weight
CLIPPED_MEAN = -20_000_000  # a mean with one of it is below
DARK_V = 50  # a lower crest is no mains


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
            "l", [0] * 15
        )  # squares of amps, levels of volts, products, amps out of band, slopes of volts
        self._last = array("l", [0] * 6)  # newest sample of each channel: amps, then volts
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

    def sense(self):
        """Take one burst and average. One in which nothing moves is void: the last values stand and grow older, and a
        power that nobody measures is none.
        """
        is_void = not self._sampled()
        if not is_void:
            self._moved_ms = time.ticks_ms()
            self._stored()
        facts = self._facts
        currents_ma = self._rms(self._amp_squares, facts.current_uv_per_a)
        voltages_mv = self._rms(self._volt_squares, facts.voltage_uv_per_v)
        products = self._products
        mean = self._mean(products, 0) + self._mean(products, 1) + self._mean(products, 2)
        power_mw = mean * (STEP_UV * STEP_UV) // (facts.voltage_uv_per_v * facts.current_uv_per_a // 1000)
        return currents_ma, voltages_mv, 0 if is_void else power_mw

    def _sampled(self):
        """One burst over all channels in turn into the sums; whether any sample differed from the one before it.

        In turn, so that each phase sees the whole 4 ms: a shorter look errs more (docs/figures.md). Squares are taken
        between neighbours, 0.3 ms apart: noise, which has no memory, then counts as nothing.
        """
        volt_zero_uv, amp_zero_uv = self._facts.voltage_zero_uv, self._facts.current_zero_uv
        sums, last = self._sums, self._last
        moved = 0
        for index in range(15):
            sums[index] = 0
        begun_us = time.ticks_us()
        for index in range(ROUNDS):
            for phase in range(self._phases):
                volts = (self._volts[phase].read_uv() - volt_zero_uv) // STEP_UV
                amps_uv = self._amps[phase].read_uv()
                amps = (amps_uv - amp_zero_uv) // STEP_UV
                if not LOWEST_UV <= amps_uv <= HIGHEST_UV:
                    sums[9 + phase] += 1
                sums[3 + phase] += volts
                sums[12 + phase] += volts * (2 * index + 1 - ROUNDS)
                if index:
                    moved |= (amps ^ last[phase]) | (volts ^ last[3 + phase])
                    sums[phase] += amps * last[phase]
                    sums[6 + phase] += volts * amps
                last[phase], last[3 + phase] = amps, volts
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

    def _rms(self, squares, uv_per_unit):
        """3-tuple of RMS in thousandths of the unit that uv_per_unit belongs to."""
        mean = self._mean
        return (
            root(mean(squares, 0), uv_per_unit),
            root(mean(squares, 1), uv_per_unit),
            root(mean(squares, 2), uv_per_unit),
        )


def root(mean, uv_per_unit):
    """RMS of a mean square, which noise may bring a little below 0; SATURATED_MA with a cut-off burst in it."""
    if mean < CLIPPED_MEAN:
        return SATURATED_MA
    return int(math.sqrt(max(0, mean)) * (STEP_UV * 1000) / uv_per_unit)
