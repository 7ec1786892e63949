"""A board that is nothing but its port: readings come from a table of what is on the wire, the coil is one flag."""

import math

from firmware.core.records import Readings

RMS_TICKS = 11  # the drivers average over the same window (requirements §3)
FLOOR_MV = -1500  # a half that does not reach it is not there, as in the drivers
VOLTS_MV = (230_000, 230_000, 230_000)
NORMAL_MA = 15_000
RESIDUAL_MS, CLOSE_MS, OPEN_MS = 30, 20, 12
HEALTHY = (23, 9000, -12_000, None, 220)  # a row of the table


class PortBoard:
    """Same interface as firmware.drivers.board.Board. `row` is what is on the wire at the next sense()."""

    def __init__(self, facts):
        self.facts = facts
        self.row = HEALTHY
        self.now = 0
        self.mode, self.duty_permille = "high", 1000
        self.is_on = self.is_tripped = False
        self.asked_ms = self.coil_ms = -1000
        self.is_asked = False
        self.window = [0] * RMS_TICKS

    def copy(self):
        """One more board in the same situation."""
        made = PortBoard(self.facts)
        made.__dict__.update(self.__dict__)
        made.window = list(self.window)
        return made

    def now_ms(self):
        """Milliseconds since boot."""
        return self.now

    def wall_s(self):
        """Nobody told the time."""
        return None

    def sense(self):
        """Readings of the row that is on the wire now."""
        for_ms, high_mv, low_mv, current_ma, ohm = self.row
        self.now += for_ms
        now_ms = self.now
        # The sensor follows what it is asked, late; it does not care who asks.
        if now_ms - self.asked_ms >= RESIDUAL_MS:
            self.is_tripped = self.is_asked
        is_closed = self.is_on if now_ms - self.coil_ms >= (CLOSE_MS if self.is_on else OPEN_MS) else not self.is_on
        if self.mode == "high":
            low_mv = high_mv
        elif self.mode == "low":
            high_mv = low_mv
        if current_ma is None:
            current_ma = NORMAL_MA if is_closed and self.mode == "pwm" else 0
        self.window.append(current_ma * current_ma)
        del self.window[0]
        rms_ma = int(math.sqrt(sum(self.window) / RMS_TICKS))
        return Readings(
            now_ms,
            high_mv if high_mv > FLOOR_MV else None,
            low_mv if low_mv < FLOOR_MV else None,
            (rms_ma, rms_ma, rms_ma),
            VOLTS_MV,
            rms_ma * 690,
            50_000,
            250,
            ohm,
            15 if is_closed else 0,
            is_closed,
            self.is_tripped,
            True,
            True,
            False,
            self.is_on,
            0,
            0,
        )

    def act(self, outputs):
        """Drive the pilot, the coil and the test input."""
        self.mode, self.duty_permille = outputs.pilot_mode, outputs.duty_permille
        is_on = outputs.is_contactor_closed and not self.is_tripped
        if is_on is not self.is_on:
            self.is_on, self.coil_ms = is_on, self.now
        if outputs.wants_residual_test is not self.is_asked:
            self.is_asked, self.asked_ms = outputs.wants_residual_test, self.now
