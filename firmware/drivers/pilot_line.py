"""The pilot wire: makes ±12 V PWM through one pin and reads both halves back, by peak detectors or by bursts."""

import time
from array import array

from machine import ADC, PWM, Pin

HERTZ = 998  # what the LEDC makes of 1 kHz at 16 bit; inside 980–1020 (requirements §1)
FULL = 65535
SPAN_US = 5100  # over at least 5 pilot periods (requirements §3), as many reads as fit: 100 of 50 us
MOST_GAP_US = 100  # a longer gap may hide a pulse of 6 A: its time does not count, and the burst is so much longer …
MOST_SPAN_US = 12_000  # … up to here; then it is void
LEAST_READS = 50  # in x1 and F, where one level is all there is
HIGHEST_UV = 4_000_000  # no reading is above
FLOOR_MV = -1500  # a read above belongs to the high half, one below to the low half
PEAK_READS = 8  # of each held peak, in turn, spread over the burst of the currents: a spike of any size is one of them


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
        self._ends = array("i", [0] * 6)  # of a burst: its three highest, falling, then its three lowest, rising
        self._peaks = (array("i", [0] * PEAK_READS), array("i", [0] * PEAK_READS))
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

    def rest(self):
        """A steady +12 V, whatever was noted of the mode: a car may draw nothing (x1)."""
        self._mode, self._duty = "high", 1000
        self._pwm.duty_u16(FULL)

    def beside(self, index):
        """One read of a held peak in each round of the currents' burst, the high one and the low one in turn."""
        if self._facts.has_peak_detectors:
            pin = self._low if index & 1 else self._high
            self._peaks[index & 1][index >> 1] = pin.read_uv()

    def sense(self, now_ms):
        """(high_mv, low_mv, age_ms); a burst with too many gaps is void: the last values stand and grow older."""
        if self._facts.has_peak_detectors:
            high, low = self._peaks
            self._halves = halves_of_peaks(self._mv(middle_of(high)), self._mv(middle_of(low)))
            self._reset.value(1)
            self._reset.value(0)
            self._read_at_ms = now_ms
        elif self._sampled():
            # Third highest and third lowest: one spike does not count (requirements §3).
            self._halves = halves_of_peaks(self._mv(self._ends[2]), self._mv(self._ends[5]))
            self._read_at_ms = now_ms
        age_ms = 9999 if self._read_at_ms is None else now_ms - self._read_at_ms
        return self._halves[0], self._halves[1], age_ms

    def _mv(self, uv):
        """Pilot pin in mV for an ADC reading in uV."""
        return (uv - self._facts.pilot_zero_uv) * 100 // (self._facts.pilot_uv_per_v // 10)

    def _sampled(self):
        """Read until the burst is long enough, into its ends; False when gaps have made it too long for a tick."""
        read_uv = self._high.read_uv
        ends = self._ends
        for place in range(3):
            ends[place], ends[3 + place] = 0, HIGHEST_UV
        ticks_us, ticks_diff = time.ticks_us, time.ticks_diff
        start_us = last_us = ticks_us()
        lost_us = count = 0
        while True:
            uv = read_uv()
            now_us = ticks_us()
            if uv > ends[2]:
                ranked_high(ends, uv)
            if uv < ends[5]:
                ranked_low(ends, uv)
            count += 1
            gap_us = ticks_diff(now_us, last_us)
            last_us = now_us
            if gap_us > MOST_GAP_US:
                lost_us += gap_us
            span_us = ticks_diff(now_us, start_us)
            if span_us - lost_us >= SPAN_US or (count >= LEAST_READS and self._mode != "pwm"):
                return True
            if span_us > MOST_SPAN_US:
                return False


def ranked_high(ends, uv):
    """A reading among the three highest."""
    if uv > ends[1]:
        ends[2] = ends[1]
        if uv > ends[0]:
            ends[1], ends[0] = ends[0], uv
        else:
            ends[1] = uv
    else:
        ends[2] = uv


def ranked_low(ends, uv):
    """A reading among the three lowest."""
    if uv < ends[4]:
        ends[5] = ends[4]
        if uv < ends[3]:
            ends[4], ends[3] = ends[3], uv
        else:
            ends[4] = uv
    else:
        ends[5] = uv


def middle_of(reads):
    """Median, as the mean of the two in the middle: what two or three reads say beside the others does not count."""
    ordered = sorted(reads)
    half = len(ordered) // 2
    return (ordered[half - 1] + ordered[half]) // 2


def halves_of_peaks(high_mv, low_mv):
    """(high, low) of the ends of what was seen; None for a half that is not there."""
    return (high_mv if high_mv > FLOOR_MV else None), (low_mv if low_mv < FLOOR_MV else None)
