"""The frequency of the mains, followed from burst to burst by the angle at which each burst meets the wave."""

from math import atan2, pi

MIDDLE_HZ = 55  # by angles alone frequencies 1/tick apart look alike; from here 40–70 Hz are clear
SETTLED = 16  # bursts until the loop is right within 0.3 Hz
CLEAR_US, MOST_US = 30_000, 250_000  # at most between two bursts: while that is open, and once settled
FAR_TURNS = 0.05


class MainsFrequency:
    """follow() takes one burst a tick; mhz is None until it is known, and while there is no voltage."""

    def __init__(self, least):
        """least: the sum of 16 samples at a crest that is too low for mains."""
        self.mhz = None
        self._least = least
        self._hz = MIDDLE_HZ
        self._turns = 0
        self._bursts = 0

    def follow(self, level, slope, span_us, after_us):
        """Whether there is voltage. level: sum of the 16 samples; slope: sum of (2 k − 15) times sample k.

        Around its middle the wave V sin(angle + w t) gives level = 16 V sin(angle) and slope = 16 V ratio cos(angle),
        ratio = 16 (1/u − cot u), u = half the angle of the whole burst; both but for sin(u)/u, which cancels.
        """
        half = pi * self._hz * span_us / 1_000_000
        ratio = 16 * (half / 3 + half * half * half / 45)
        level *= ratio
        if level * level + slope * slope < (ratio * self._least) ** 2:
            self._bursts = 0
            self.mhz = None
            return False
        turns = atan2(level, slope) / (2 * pi)
        if self._bursts and 0 < after_us < (MOST_US if self._bursts == SETTLED else CLEAR_US):
            self._advance(turns, after_us / 1_000_000)
        else:
            # The frequency of before a stall stands; the angle begins anew.
            self._turns = turns
            self._bursts = SETTLED if self._bursts == SETTLED else 1
        return True

    def scales(self, span_us):
        """Factors of level and slope: the sum of both squares is the mean square of a whole wave, wherever on the wave
        the burst lies; one that comes late is worth as much as one in time.
        """
        half = pi * self._hz * span_us / 1_000_000
        square = half * half
        across = 1 / (16 * 1.41421356 * (1 - square / 6 + square * square / 120))
        return across, across / (16 * half * (1 / 3 + square / 45))

    def _advance(self, turns, after_s):
        """One step of a loop of second order, quick while the angle is far from what was foreseen: a step of 4 Hz is
        followed in 0.2 s, and a burst that an interruption stretches by 1 ms moves the frequency by 0.05 Hz.
        """
        is_first = self._bursts == 1
        if is_first:
            self._hz = MIDDLE_HZ
        foreseen = self._turns + self._hz * after_s
        error = turns - foreseen
        error -= round(error)
        self._turns = turns if is_first else (foreseen + error / 2) % 1
        self._hz += (1 if is_first else 0.15 if abs(error) > FAR_TURNS else 0.04) * error / after_s
        # Where the angle could also mean another frequency, that one lies outside of this.
        self._bursts = min(self._bursts + 1, SETTLED) if 37 < self._hz < 73 else 0
        self.mhz = int(self._hz * 1000) if self._bursts == SETTLED else None
