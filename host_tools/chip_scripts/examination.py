"""Runs on the board for `device doctor`: measures through the firmware's own drivers and judges nothing.

Each function answers within a second: until it is back nobody feeds the watchdog on a virtual chip.
"""

import time

from machine import ADC, Pin

from firmware.core.records import Outputs
from firmware.drivers import board_facts
from firmware.drivers.board import Board

TICK_MS = 23
TICKS = 20  # more than the windows of the current sensors and of the temperature
READS = 128
RESIDUAL_MS = 500


class Bench:
    """The board with the contactor open."""

    def __init__(self, path, own):
        self.facts, self.own_words = board_facts.with_own(path, own)
        self.board = Board(self.facts)

    def pins(self):
        """Levels of the coil's pins, driven low by the drivers, as the pins themselves read."""
        numbers = (self.facts.pins.coil_enable, self.facts.pins.coil_heartbeat)
        return [Pin(number).value() for number in numbers]

    def ticks(self, outputs, count):
        """Readings of `count` ticks under these outputs."""
        found = []
        for _ in range(count):
            self.board.act(outputs)
            time.sleep_ms(TICK_MS)
            found.append(self.board.sense())
        return found

    def rest(self):
        """12 V on the pilot, everything at rest."""
        found = self.ticks(Outputs(False, "high", 1000, "off", False), TICKS)
        last = found[-1]
        return {
            "high_mv": last.pilot_high_mv,
            "low_mv": last.pilot_low_mv,
            "currents_ma": last.currents_ma,
            "voltages_mv": last.voltages_mv,
            "temperature_tenths_c": last.temperature_tenths_c,
            "proximity_ohm": last.proximity_ohm,
            "live_poles": last.output_live_poles,
            "is_feedback_closed": last.is_feedback_closed,
            "age_ms": last.currents_age_ms,
            "is_tripped": last.is_residual_tripped,
            "is_earth_ok": last.is_earth_ok,
            "is_lid_closed": last.is_lid_closed,
            "is_button_held": all(one.is_button_pressed for one in found),
        }

    def pwm(self):
        """Half and half on the pilot."""
        last = self.ticks(Outputs(False, "pwm", 500, "off", False), TICKS)[-1]
        return {"high_mv": last.pilot_high_mv, "low_mv": last.pilot_low_mv}

    def low(self):
        """−12 V on the pilot."""
        last = self.ticks(Outputs(False, "low", 0, "off", False), TICKS)[-1]
        return {"high_mv": last.pilot_high_mv, "low_mv": last.pilot_low_mv}

    def residual(self, is_asked):
        """Whether the sensor says tripped, at the latest half a second after it was asked, or no longer asked."""
        outputs = Outputs(False, "high", 1000, "off", is_asked)
        for _ in range(RESIDUAL_MS // TICK_MS):
            is_tripped = self.ticks(outputs, 1)[0].is_residual_tripped
            if is_tripped == is_asked:
                break
        return is_tripped

    def raw(self, pin, mode):
        """(mean, standard deviation, time of one read in hundredths of us) of an ADC pin in uV, the pilot in a mode."""
        outputs = Outputs(False, mode, 1000 if mode == "high" else 0, "off", False)
        read_uv = ADC(Pin(pin), atten=ADC.ATTN_11DB).read_uv
        self.ticks(outputs, 4)
        found = [0] * READS
        least_us = 1 << 29
        for _ in range(3):  # the quickest counts, which nothing has interrupted
            self.board.act(outputs)
            read_uv()
            start_us = time.ticks_us()
            for index in range(READS):
                found[index] = read_uv()
            least_us = min(least_us, time.ticks_diff(time.ticks_us(), start_us))
        mean = sum(found) / READS
        spread = (sum((one - mean) ** 2 for one in found) / READS) ** 0.5
        return int(mean), int(spread), least_us * 100 // READS
