"""The board around the chip: which pin of a board file is which wire of the plant, and what an ADC reads there."""

ADC_STEP_UV = 806  # 12 bits over 3.3 V
ADC_MOST_UV = 3_300_000
READ_US = (35, 60)  # requirements §3; now and then a gap of 1 ms
GAP_US = 1000
GAP_ONE_IN = 20_000
NOISE_UV = 900
NOISE_ENTRIES = 4096
FULL = 65535

LIGHTS = (((1, 0, 0), "red"), ((0, 1, 0), "green"), ((0, 0, 1), "blue"))


class PinWorld:
    """Wires of one board on a plant. `clock` advances the plant's time by what each read costs."""

    def __init__(self, plant, facts):
        self.plant = plant
        self.facts = facts
        self.extra_us = 0  # how far the reads of this block are ahead of plant.now_us
        self.noise_uv = [round(plant.random.gauss(0, NOISE_UV)) for _ in range(NOISE_ENTRIES)]
        self.costs_us = [plant.random.randint(*READ_US) for _ in range(NOISE_ENTRIES)]
        self.gap_one_in = GAP_ONE_IN
        self._at = 0
        self._levels = {}
        self._stuck_uv = {}
        self._train = 0
        pins = facts.pins
        self._reads = {}
        for phase, pin in enumerate(pins.voltage_adc):
            self._reads[pin] = lambda at_us, phase=phase: self._scaled(
                self.plant.voltage_mv(at_us, phase), facts.voltage_uv_per_v, facts.voltage_zero_uv
            )
        for phase, pin in enumerate(pins.current_adc):
            self._reads[pin] = lambda at_us, phase=phase: self._current_uv(at_us, phase)
        self._reads[pins.pilot_low_adc] = lambda at_us: self._pilot_uv(plant.held_low_mv)
        self._reads[pins.pilot_high_adc] = lambda at_us: self._pilot_uv(
            plant.held_high_mv if facts.has_peak_detectors else plant.pilot_mv(at_us)
        )

    @staticmethod
    def _scaled(milli, uv_per_unit, zero_uv):
        return milli * uv_per_unit / 1000 + zero_uv

    def _pilot_uv(self, pilot_mv):
        uv = self._scaled(pilot_mv, self.facts.pilot_uv_per_v, self.facts.pilot_zero_uv)
        faults = self.plant.faults
        if faults["adc_zero"]:
            return 0
        if faults["adc_full"]:
            return ADC_MOST_UV
        if faults["adc_offset"]:
            uv += 34_000
        return uv

    def _current_uv(self, at_us, phase):
        faults = self.plant.faults
        current_ma = self.plant.current_ma(at_us, phase)
        if faults["current_sensor_unplugged"]:
            current_ma = 0
        elif faults["current_sensor_reversed"]:
            current_ma = -current_ma
        return self._scaled(current_ma, self.facts.current_uv_per_a, self.facts.current_zero_uv)

    def read_uv(self, pin):
        """What one ADC read gives at this instant: true volts, noise, steps of 12 bits. Takes its time."""
        self._at = (self._at + 1) % NOISE_ENTRIES
        cost_us = self.costs_us[self._at]
        if self.gap_one_in and self.plant.random.randrange(self.gap_one_in) == 0:
            cost_us += GAP_US
        self.extra_us += cost_us
        uv = self._reads[pin](self.plant.now_us + self.extra_us)
        if self.plant.faults["adc_stuck"]:
            uv = self._stuck_uv.setdefault(pin, uv)
        elif self._stuck_uv:
            self._stuck_uv = {}
        noise_uv = self.noise_uv[self._at] * (20 if self.plant.faults["adc_noise"] else 1)
        steps = int(uv + noise_uv) // ADC_STEP_UV
        return max(0, min(steps * ADC_STEP_UV, ADC_MOST_UV))

    def settle(self):
        """Let the time that the reads took pass in the plant."""
        self.plant.advance_to(self.plant.now_us + self.extra_us)
        self.extra_us = 0

    def read_pin(self, pin):
        """Level of an input."""
        pins = self.facts.pins
        plant = self.plant
        if pin == pins.residual_tripped:
            return int(plant.is_residual_tripped)
        if pin == pins.earth_ok:
            return int(not plant.faults["earth_lost"])
        if pin == pins.lid_closed:
            return int(plant.faults["lid_open"])
        if pin == pins.button:
            return int(not plant.is_button_pressed)
        return self._levels.get(pin, 0)

    def set_pin(self, pin, level):
        """Drive an output."""
        before = self._levels.get(pin, 0)
        self._levels[pin] = level
        pins = self.facts.pins
        plant = self.plant
        if pin == pins.coil_enable:
            if bool(level) != plant.is_coil_enabled:
                plant.set_coil_enable(bool(level))
        elif pin == pins.coil_heartbeat:
            if level != before:
                plant.heartbeat()
        elif pin == pins.peak_reset:
            if level:
                plant.reset_peaks()
        elif pin == pins.residual_test:
            if level != before:
                plant.set_residual_test(bool(level))
        elif pin in (pins.led_red, pins.led_green, pins.led_blue):
            shown = tuple(self._levels.get(p, 0) for p in (pins.led_red, pins.led_green, pins.led_blue))
            plant.led = next((name for levels, name in LIGHTS if levels == shown), "off")

    def pulses(self, pin, count, each_us):
        """A train of edges on a pin that goes on without the program; a new one, or power down, ends it."""
        self._train += 1
        train = self._train

        def edge(left):
            if train == self._train and left:
                self.plant.heartbeat()
                self.plant.later(each_us, lambda: edge(left - 1))

        if pin == self.facts.pins.coil_heartbeat:
            edge(count)

    def power_down(self):
        """The chip is gone: its outputs float, the coil driver's inputs are pulled low, the pilot falls to −12 V."""
        self._levels = {}
        self._train += 1
        plant = self.plant
        if plant.is_coil_enabled:
            plant.set_coil_enable(False)
        plant.set_residual_test(False)
        plant.set_pilot("low", 0)
        plant.led = "off"

    def set_pwm(self, pin, duty_u16):
        """Drive the pilot."""
        if pin != self.facts.pins.pilot_pwm:
            return
        if duty_u16 >= FULL:
            self.plant.set_pilot("high", 1000)
        elif duty_u16 == 0:
            self.plant.set_pilot("low", 0)
        else:
            self.plant.set_pilot("pwm", round(duty_u16 * 1000 / FULL))
