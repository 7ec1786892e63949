"""Current, voltage and real power of each phase from short bursts, averaged over the last eleven ticks."""

import math
from array import array

from machine import ADC, Pin

TICKS = 11  # about 250 ms (requirements §3)
# Oldest to newest. A flat window counts the phase of the mains that its first and last burst share twice: 6 % of error
# at 60.25 Hz against 2 % with these ends (docs/figures.md).
WEIGHTS = bytes((1, 2, 3, 4, 4, 4, 4, 4, 3, 2, 1))
ROUNDS = 16  # reads of each channel in one burst: 6 channels × 16 × 45 us = 4.3 ms, over all channels in turn
STEP_UV = 256  # samples are kept in this unit so that sums of squares stay small


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
        self._sums = array("l", [0] * 9)
        self._slot = 0
        self._filled = 0
        self._weight = 0

    def sense(self):
        """Take one burst and average."""
        self._sampled()
        if self._filled < TICKS:
            self._filled += 1
            self._weight = sum(WEIGHTS[TICKS - self._filled :])
        facts = self._facts
        currents_ma = self._rms(self._amp_squares, facts.current_uv_per_a)
        voltages_mv = self._rms(self._volt_squares, facts.voltage_uv_per_v)
        products = self._products
        mean = self._mean(products, 0) + self._mean(products, 1) + self._mean(products, 2)
        power_mw = mean * (STEP_UV * STEP_UV) // (facts.voltage_uv_per_v * facts.current_uv_per_a // 1000)
        return currents_ma, voltages_mv, power_mw

    def _sampled(self):
        """One burst over all channels in turn, its means into the slot of this tick.

        In turn, so that each phase sees the whole 4 ms: a shorter look errs more (docs/figures.md).
        """
        volt_zero_uv, amp_zero_uv = self._facts.voltage_zero_uv, self._facts.current_zero_uv
        sums = self._sums
        for index in range(9):
            sums[index] = 0
        for _ in range(ROUNDS):
            for phase in range(self._phases):
                volts = (self._volts[phase].read_uv() - volt_zero_uv) // STEP_UV
                amps = (self._amps[phase].read_uv() - amp_zero_uv) // STEP_UV
                sums[phase] += amps * amps
                sums[3 + phase] += volts * volts
                sums[6 + phase] += volts * amps
        slot = self._slot
        for phase in range(3):
            self._amp_squares[slot + phase] = sums[phase] // ROUNDS
            self._volt_squares[slot + phase] = sums[3 + phase] // ROUNDS
            self._products[slot + phase] = sums[6 + phase] // ROUNDS
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
        scale = STEP_UV * 1000
        return (
            int(math.sqrt(self._mean(squares, 0)) * scale / uv_per_unit),
            int(math.sqrt(self._mean(squares, 1)) * scale / uv_per_unit),
            int(math.sqrt(self._mean(squares, 2)) * scale / uv_per_unit),
        )
