"""The mains of the box: volts and hertz as the world sets them, what a fault makes of them, and the waves."""

import math

NOMINAL_MV = 230_000
NOMINAL_MHZ = 50_000
LOW_PERMILLE, HIGH_PERMILLE = 750, 1200  # faults voltage_low and voltage_high, of nominal
OFF_MHZ = 4000  # fault frequency_off: below nominal
THIRD_HARMONIC = 0.2  # of a rectifier's current; RMS stays what draw_ma says


class Mains:
    """Three phases 120° apart; a change of frequency bends the wave and never makes it jump."""

    def __init__(self, plant):
        self.plant = plant
        self.nominal_mv = NOMINAL_MV
        self.nominal_mhz = NOMINAL_MHZ
        self._turns = -plant.random.randrange(20_000) * NOMINAL_MHZ / 1e9
        self._from_us = 0
        self._mhz = NOMINAL_MHZ

    def rms_mv(self, phase):
        """Volts between a phase and neutral in mV; a phase that nobody connected stays dead in every fault."""
        volts_mv, faults = self.plant.volts_mv[phase], self.plant.faults
        if volts_mv and faults["voltage_low"]:
            return self.nominal_mv * LOW_PERMILLE // 1000
        if volts_mv and faults["voltage_high"]:
            return self.nominal_mv * HIGH_PERMILLE // 1000
        return volts_mv

    def frequency_mhz(self):
        """Frequency now in mHz."""
        return self.nominal_mhz - OFF_MHZ if self.plant.faults["frequency_off"] else self.plant.frequency_mhz

    def angle(self, at_us, phase):
        """Angle of one phase's voltage at a moment."""
        mhz = self.frequency_mhz()
        if mhz != self._mhz:
            self._turns += (at_us - self._from_us) * self._mhz / 1e9
            self._from_us, self._mhz = at_us, mhz
        return 2 * math.pi * (self._turns + (at_us - self._from_us) * mhz / 1e9 - phase / 3)

    def voltage_mv(self, at_us, phase):
        """Voltage of one phase at a moment, in mV."""
        return self.rms_mv(phase) * math.sqrt(2) * math.sin(self.angle(at_us, phase))

    def current_ma(self, at_us, phase):
        """Current of one phase at a moment, with its third harmonic, in mA."""
        rms_ma = self.plant.currents_ma[phase]
        if not rms_ma:
            return 0.0
        angle = self.angle(at_us, phase)
        scale = math.sqrt(2 / (1 + THIRD_HARMONIC**2))
        return rms_ma * scale * (math.sin(angle) + THIRD_HARMONIC * math.sin(3 * angle))

    def power_mw(self):
        """True power now: the third harmonic of the current carries none against a sine voltage."""
        fundamental = 1 / math.sqrt(1 + THIRD_HARMONIC**2)
        currents_ma = self.plant.currents_ma
        return sum(self.rms_mv(phase) * currents_ma[phase] for phase in range(3)) / 1000 * fundamental
