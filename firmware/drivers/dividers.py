"""Two resistors that tell something, each in a divider between 3.3 V and earth: the NTC, and that in the cable."""

from math import log

from machine import ADC, Pin

FULL_UV = 3_300_000
LOWEST_UV, HIGHEST_UV = 30_000, 2_950_000  # of the NTC: at −48 and 129 °C
NTC_READS = 8  # one a tick, over 184 ms: a mean of all but the lowest and the highest, so that a spike is none of them
RAILS = 2  # so many reads at an end are a wire; one is a spike
OPEN_OHM = 1_000_000  # nothing, or next to nothing, is connected


class Dividers:
    """sense() gives (temperature_tenths_c, proximity_ohm)."""

    def __init__(self, pins):
        self._ntc = ADC(Pin(pins.temperature_adc), atten=ADC.ATTN_11DB)
        self._cable = None
        if pins.proximity_adc is not None:
            self._cable = ADC(Pin(pins.proximity_adc), atten=ADC.ATTN_11DB)
        self._tenths_c = tenths_c_of(middle_of(self._ntc.read_uv(), self._ntc.read_uv(), self._ntc.read_uv()))
        self._begin()

    def _begin(self):
        """A mean begins anew."""
        self._sum_uv = self._reads = self._rails = 0
        self._least_uv, self._most_uv = FULL_UV, 0

    def sense(self):
        """One read for a temperature that is worked out anew every eighth tick, three for the cable's resistance.

        The temperature is None while the sensor is bad, the resistance None on a board without the input.
        """
        uv = self._ntc.read_uv()
        self._sum_uv += uv
        self._least_uv, self._most_uv = min(uv, self._least_uv), max(uv, self._most_uv)
        if not LOWEST_UV < uv < HIGHEST_UV:
            self._rails += 1
        self._reads += 1
        if self._reads == NTC_READS:
            uv = (self._sum_uv - self._least_uv - self._most_uv) // (NTC_READS - 2)
            # Reads at a rail make the mean no temperature: a loose wire must not pass for cold.
            self._tenths_c = None if self._rails >= RAILS else tenths_c_of(uv)
            self._begin()
        cable = self._cable
        if cable is None:
            return self._tenths_c, None
        uv = middle_of(cable.read_uv(), cable.read_uv(), cable.read_uv())
        # 1 kΩ from the pin to 3.3 V.
        kohm_uv = (FULL_UV - uv) // 1000
        return self._tenths_c, min(uv // kohm_uv, OPEN_OHM) if kohm_uv > 0 else OPEN_OHM


def middle_of(first, second, third):
    """Median of three."""
    return max(min(first, second), min(max(first, second), third))


def tenths_c_of(uv):
    """Temperature by 10 kΩ at 25 °C, B = 3435 K, against 3.9 kΩ to earth; None for a wire that is broken or shorted."""
    if not 0 < uv < FULL_UV:
        return None
    tenths_c = int(34350 / (log((FULL_UV / uv - 1) * 0.39) + 3435 / 298.15) - 2731.5)
    return tenths_c if -400 <= tenths_c <= 1250 else None
