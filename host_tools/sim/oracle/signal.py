"""I2 and I4: what the pilot may signal, from the claims that stand in the world and in what was sent."""

from host_tools.sim.oracle.installation import Broken, cable_ma, is_blind, proximity_ohm, signalled_ma

LATE_MS = 47  # from the tick after a claim began: two ticks of 23 ms
HEAT_MS = 5000  # S13
# tenths of °C: from here, back below, divisor of the wiring limit (0: stop); requirements §2, temperature
HEAT = ((650, 620, 2), (680, 650, 4), (710, 660, 0))
HEAT_EDGE = 5  # what is within half a degree may be judged either way
BAD_SENSOR_MS = 60_000  # requirements §2: bad sensor: 6 A for 60 s, then stop
CABLE_MS = 100  # S7 …
HIDDEN_MS = 600  # … and where a blind ADC hides the plug's resistor, its own deadline first (S8)
LEAST_MA = 6000
SIMPLIFIED_MA = 10_000  # requirements §1 …
PLUGGED_MS = 600  # … known by the letter after A, once it is stable; in x1 nothing tells that an offset hides it (S9)
RAISE_MS = 5000  # requirements §1: a raise waits until 5 s after the last change
HIGH_MS = 3000  # requirements §1: x1 before PWM resumes …
WAKE_LOW_MS, WAKE_HIGH_MS = 3900, 700  # … but after F 4.0 s of a wake-up, x1 750 ms
LOW_MS = 300  # requirements §1: state F


class Signal:
    """What was on the wire until now, and which limits hold."""

    def __init__(self, house, sent):
        self.house = house
        self.sent = sent
        self.heat_ms = [None] * len(HEAT)  # since when each step of temperature is exceeded
        self.heat_level = 0
        self.dead_ms = None  # since when the temperature cannot be read
        self.cable_ms = 0
        self.is_cable_hidden = False
        self.cable_ma = 80_000
        self.mode, self.mode_ms, self.duty = "", -(10**9), 0
        self.low_for_ms = 0  # length of the last F, where PWM came before it
        self.changed_ms = self.before_ms = -(10**9)
        self.plugged_ms = -(10**9)  # when letter A ended
        self.is_simple_hidden = False
        self.has_heat = False
        self.may_be_hot = (
            False  # the stop temperature was or may have been reached, and nobody may go on until it has cooled down
        )

    def changed(self, plant, now_ms):
        """The world changed: heat and cable."""
        is_dead = plant.faults["temperature_sensor_dead"]
        self.dead_ms = (now_ms if self.dead_ms is None else self.dead_ms) if is_dead else None
        tenths = plant.temperature_tenths_c
        for index, (up, back, _) in enumerate(HEAT):
            if tenths < up + HEAT_EDGE or is_dead:
                self.heat_ms[index] = None
            elif self.heat_ms[index] is None:
                self.heat_ms[index] = now_ms
            if tenths <= back and self.heat_level > index:
                self.heat_level = index
        up, back, _ = HEAT[-1]
        self.may_be_hot = tenths >= up - HEAT_EDGE or ((self.may_be_hot or is_dead) and tenths > back - HEAT_EDGE)
        if is_dead:
            self.heat_level = 0
        self.has_heat = is_dead or self.heat_level > 0 or tenths >= HEAT[0][0]
        if self.house.has_proximity:
            rating_ma = cable_ma(proximity_ohm(plant)) or self.cable_ma
            is_hidden, was_hidden = is_blind(plant), self.is_cable_hidden
            self.is_cable_hidden = is_hidden
            if rating_ma != self.cable_ma or (was_hidden and not is_hidden):
                self.cable_ma, self.cable_ms = rating_ma, now_ms

    def limit_ma(self, plant, now_ms):
        """The lowest limit that must be obeyed now."""
        house_ma = self.house.wiring_ma
        limit_ma = house_ma if not self.sent.rows else min(house_ma, self._sent_ma(now_ms))
        if self.has_heat:
            limit_ma = min(limit_ma, self._heat_ma(now_ms))
        if self.cable_ma < limit_ma and now_ms - self.cable_ms > (HIDDEN_MS if self.is_cable_hidden else CABLE_MS):
            limit_ma = self.cable_ma
        if plant.car.character == "simplified" and not self.is_simple_hidden:
            limit_ma = min(limit_ma, SIMPLIFIED_MA)
        if self.house.is_locked and not self.sent.is_allowed:
            return 0
        return limit_ma

    def _sent_ma(self, now_ms):
        lowest_ma, _ = self.sent.lowest(now_ms, LATE_MS)
        return self.house.wiring_ma if lowest_ma is None else lowest_ma

    def _heat_ma(self, now_ms):
        """S13, from 5 s after each step was reached."""
        for index, since_ms in enumerate(self.heat_ms):
            if since_ms is not None and now_ms - since_ms > HEAT_MS:
                self.heat_level = max(self.heat_level, index + 1)
        if self.dead_ms is not None and now_ms - self.dead_ms > HEAT_MS:
            return 0 if now_ms - self.dead_ms > BAD_SENSOR_MS + HEAT_MS else LEAST_MA
        if not self.heat_level:
            return self.house.wiring_ma
        divisor = HEAT[self.heat_level - 1][2]
        return max(LEAST_MA, self.house.wiring_ma // divisor) if divisor else 0

    def is_hot(self, now_ms, for_ms=0):
        """Whether the stop temperature has stood for more than for_ms."""
        return self.heat_ms[-1] is not None and now_ms - self.heat_ms[-1] > for_ms

    def watch(self, plant, now_ms):
        """Judge this instant. Errors: Broken."""
        mode, duty = plant.pilot_mode, plant.duty_permille
        if plant.letter == "A":
            self.plugged_ms, self.is_simple_hidden = now_ms, False
        elif plant.faults["adc_offset"] and now_ms - self.plugged_ms < PLUGGED_MS:
            self.is_simple_hidden = True
        self.before_ms = self.changed_ms  # the last change before this instant
        if mode != self.mode or duty != self.duty:
            self._edge(mode, duty, now_ms)
        if mode != "pwm":
            return
        if not 100 <= duty <= 960:
            raise Broken(f"I4: duty {duty} at {now_ms}")
        limit_ma = self.limit_ma(plant, now_ms)
        if limit_ma < LEAST_MA:
            raise Broken(f"I2: PWM while {limit_ma} mA is allowed at {now_ms}")
        told_ma = signalled_ma(plant)
        if told_ma > limit_ma:
            raise Broken(f"I4: {told_ma} mA signalled where {limit_ma} is allowed, at {now_ms}")

    def _edge(self, mode, duty, now_ms):
        """The pilot changed: holds of requirements §1."""
        before, for_ms = self.mode, now_ms - self.mode_ms
        if not before:
            self.mode, self.mode_ms = mode, now_ms
        elif mode == before:
            if duty > self.duty and now_ms - self.changed_ms < RAISE_MS:
                raise Broken(f"I4: raised {now_ms - self.changed_ms} ms after the last change, at {now_ms}")
        else:
            if before == "low" and for_ms < LOW_MS:
                raise Broken(f"F held for only {for_ms} ms, at {now_ms}")
            if mode == "pwm":
                is_woken = self.low_for_ms >= WAKE_LOW_MS and for_ms >= WAKE_HIGH_MS
                if before != "high" or (for_ms < HIGH_MS and not is_woken):
                    raise Broken(f"PWM after {for_ms} ms of {before}, at {now_ms}")
            self.low_for_ms = for_ms if before == "low" else 0
            self.mode, self.mode_ms = mode, now_ms
        self.duty, self.changed_ms = duty, now_ms

    def open_until_ms(self):
        """When the last started deadline has passed."""
        ends = [since_ms + HEAT_MS for since_ms in self.heat_ms if since_ms is not None]
        if self.dead_ms is not None:
            ends.append(self.dead_ms + BAD_SENSOR_MS + HEAT_MS)
        return max(ends, default=0)
