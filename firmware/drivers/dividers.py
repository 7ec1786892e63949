"""Two resistors that tell something, each in a divider between 3.3 V and earth: the NTC, and that in the cable."""

from math import log

from machine import ADC, Pin

FULL_UV = 3_300_000
LOWEST_UV, HIGHEST_UV = 30_000, 2_950_000  # of the NTC: at −48 and 129 °C
NTC_READS = 8  # one a tick: a mean over 184 ms
OPEN_OHM = 1_000_000  # nothing, or next to nothing, is connected


class Dividers:
    """sense() gives (temperature_tenths_c, proximity_ohm)."""

    def __init__(self, pins):
        self._ntc = ADC(Pin(pins.temperature_adc), atten=ADC.ATTN_11DB)
        self._cable = None
        if pins.proximity_adc is not None:
            self._cable = ADC(Pin(pins.proximity_adc), atten=ADC.ATTN_11DB)
        self._sum_uv = self._reads = 0
        self._tenths_c = tenths_c_of(self._ntc.read_uv())

    def sense(self):
        """One read for a temperature that is worked out anew every eighth tick, two for the cable's resistance.

        The temperature is None while the sensor is bad, the resistance None on a board without the input.
        """
        uv = self._ntc.read_uv()
        # One read at a rail makes the mean no temperature: a loose wire must not pass for cold.
        self._sum_uv += uv if LOWEST_UV < uv < HIGHEST_UV else -FULL_UV * NTC_READS
        self._reads += 1
        if self._reads == NTC_READS:
            self._tenths_c = tenths_c_of(self._sum_uv // NTC_READS)
            self._sum_uv = self._reads = 0
        if self._cable is None:
            return self._tenths_c, None
        uv = (self._cable.read_uv() + self._cable.read_uv()) // 2
        # 1 kΩ from the pin to 3.3 V.
        kohm_uv = (FULL_UV - uv) // 1000
        return self._tenths_c, min(uv // kohm_uv, OPEN_OHM) if kohm_uv > 0 else OPEN_OHM


def tenths_c_of(uv):
    """Temperature by 10 kΩ at 25 °C, B = 3435 K, against 3.9 kΩ to earth; None for a wire that is broken or shorted."""
    if not 0 < uv < FULL_UV:
        return None
    tenths_c = int(34350 / (log((FULL_UV / uv - 1) * 0.39) + 3435 / 298.15) - 2731.5)
    return tenths_c if -400 <= tenths_c <= 1250 else None
