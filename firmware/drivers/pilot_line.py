"""The pilot wire: makes ±12 V PWM through one pin and reads both halves back, by peak detectors or by bursts."""

import time
from array import array

from machine import ADC, PWM, Pin

HERTZ = 998  # what the LEDC makes of 1 kHz at 16 bit; inside 980–1020 (requirements §1)
FULL = 65535
READS = 128  # at least 100, at most 50 us apart, over at least 5 pilot periods (requirements §3)
LEAST_SPAN_US = 5100
MOST_GAP_US = 70  # two reads at 35 us: a longer gap could hide a 100 us pulse
FLOOR_MV = -1500  # a read above belongs to the high half, one below to the low half
RANK = 2  # third highest and third lowest: one spike does not count (requirements §3)


class PilotLine:
    """Writes only changes; sense() gives (high_mv, low_mv, age_ms) with None for a half that is not there."""

    def __init__(self, facts):
        pins = facts.pins
        self._facts = facts
        self._pwm = PWM(Pin(pins.pilot_pwm), freq=HERTZ, duty_u16=FULL)
        self._mode = "high"
        self._duty = 1000
        self._high = ADC(Pin(pins.pilot_high_adc), atten=ADC.ATTN_11DB)
        self._low = ADC(Pin(pins.pilot_low_adc), atten=ADC.ATTN_11DB)
        self._reset = Pin(pins.peak_reset, Pin.OUT, value=0)
        self._burst = array("i", [0] * READS)
        self._halves = (None, None)
        self._read_at_ms = None

    def set(self, mode, duty_permille):
        """Drive "high" (x1), "low" (F) or "pwm"."""
        if mode == self._mode and duty_permille == self._duty:
            return
        self._mode, self._duty = mode, duty_permille
        if mode == "pwm":
            self._pwm.duty_u16((duty_permille * FULL + 500) // 1000)
        else:
            self._pwm.duty_u16(FULL if mode == "high" else 0)

    def sense(self, now_ms):
        """(high_mv, low_mv, age_ms); a burst with a gap is void: the last values stand and grow older."""
        if self._facts.has_peak_detectors:
            self._halves = halves_of_peaks(self._mv(self._high.read_uv()), self._mv(self._low.read_uv()))
            self._reset.value(1)
            self._reset.value(0)
            self._read_at_ms = now_ms
        elif self._sampled():
            self._halves = halves_of_burst(self._burst)
            self._read_at_ms = now_ms
        age_ms = 9999 if self._read_at_ms is None else now_ms - self._read_at_ms
        return self._halves[0], self._halves[1], age_ms

    def _mv(self, uv):
        """Pilot pin in mV for an ADC reading in uV."""
        return (uv - self._facts.pilot_zero_uv) * 100 // (self._facts.pilot_uv_per_v // 10)

    def _sampled(self):
        """Fill the burst; whether its reads were dense enough and long enough. A gap in it starts it anew, once."""
        read_uv = self._high.read_uv
        burst = self._burst
        ticks_us, ticks_diff = time.ticks_us, time.ticks_diff
        for _ in range(2):
            start_us = last_us = ticks_us()
            for index in range(READS):
                burst[index] = read_uv()
                now_us = ticks_us()
                if ticks_diff(now_us, last_us) > MOST_GAP_US:
                    break
                last_us = now_us
            else:
                if ticks_diff(last_us, start_us) >= LEAST_SPAN_US or self._mode != "pwm":
                    for index in range(READS):
                        burst[index] = self._mv(burst[index])
                    return True
        return False


def halves_of_peaks(high_mv, low_mv):
    """(high, low) of two held peaks; None for a half that is not there."""
    return (high_mv if high_mv > FLOOR_MV else None), (low_mv if low_mv < FLOOR_MV else None)


def halves_of_burst(burst):
    """(high, low) of a burst in mV: third highest and third lowest, None with fewer than 3 reads in that half."""
    ordered = sorted(burst)
    high_mv, low_mv = ordered[-1 - RANK], ordered[RANK]
    return (high_mv if high_mv > FLOOR_MV else None), (low_mv if low_mv < FLOOR_MV else None)
