"""The board around the chip: which pin of a board file is which wire of the plant, and what an ADC reads there."""

import math

from host_tools.sim import pilot_circuit

ADC_STEP_UV = 806  # 12 bits over 3.3 V
ADC_MOST_UV = 3_300_000
READ_US = (35, 60)  # requirements §3; now and then a gap of 1 ms
GAP_US = 1000
GAP_ONE_IN = 20_000
SPIKE_ONE_IN = 20_000  # now and then one read is far off, up or down (the radio's; unconfirmed how often)
SPIKE_UV = 400_000
MIDDLE_UV = 1_300_000  # of the range that is linear (requirements §3)
NOISE_UV = 900
NOISE_ENTRIES = 4096
NOISY = 20  # fault adc_noise: so many times the noise
OFFSET_MV = 1100  # fault adc_offset: at the pilot, on both halves; C shows 7.1 V and is C still
FULL = 65535

# Dividers of the slow inputs, each between 3.3 V and earth (docs/flash-a-board.md, wire it)
SUPPLY_UV = 3_300_000
NTC_OHM, NTC_KELVIN, NTC_AT_K = 10_000, 3435, 298.15  # the sensor, from 3.3 V to its pin
BELOW_NTC_OHM = 3900
ABOVE_PROXIMITY_OHM = 1000  # from 3.3 V to the pin; the cable's resistor goes to earth

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
        self.spike_one_in, self.spike_uv = SPIKE_ONE_IN, SPIKE_UV
        self.bend_uv = 0  # how far a reading at the ends of the ADC's range is off, toward its middle
        self.current_gains = [1, 1, 1]
        self.spikes_uv = {}  # by the number of the read, counted from 0: what is added to that one
        self.reads = 0
        self._at = 0
        self._levels = {}
        self._last_uv = {}
        self._train = 0
        self._reads = {}
        pins = facts.pins
        for phase, pin in enumerate(pins.voltage_adc):
            self._reads[pin] = self._voltage_uv, phase
        for phase, pin in enumerate(pins.current_adc):
            self._reads[pin] = self._current_uv, phase
        self._reads[pins.pilot_low_adc] = self._low_uv, 0
        self._reads[pins.pilot_high_adc] = self._high_uv, 0
        self._reads[pins.temperature_adc] = self._temperature_uv, 0
        self._reads[pins.proximity_adc] = self._proximity_uv, 0
        self._inputs = {
            pins.residual_tripped: lambda: plant.is_residual_tripped,
            pins.earth_ok: lambda: not plant.faults["earth_lost"],
            pins.lid_closed: lambda: plant.faults["lid_open"],
            pins.button: lambda: not plant.is_button_pressed,
            pins.feedback: plant.contactor.reads_pulled_in,
            pins.coil_enable: plant.is_enable_high,
        }
        for bit, pin in enumerate((pins.live_l1, pins.live_l2, pins.live_l3, pins.live_n)):
            self._inputs[pin] = lambda bit=bit: plant.contactor.live_poles() >> bit & 1

    @staticmethod
    def _scaled(milli, uv_per_unit, zero_uv):
        return milli * uv_per_unit / 1000 + zero_uv

    def _high_uv(self, at_us, _):
        plant = self.plant
        return self._pilot_uv(plant.held_high_mv if self.facts.has_peak_detectors else plant.pilot_mv(at_us))

    def _low_uv(self, at_us, _):
        return self._pilot_uv(self.plant.held_low_mv)

    def _pilot_uv(self, pilot_mv):
        offset_mv = OFFSET_MV if self.plant.faults["adc_offset"] else 0
        return self._scaled(
            self.plant.measured_mv(pilot_mv) + offset_mv, self.facts.pilot_uv_per_v, self.facts.pilot_zero_uv
        )

    def _voltage_uv(self, at_us, phase):
        voltage_mv = self.plant.mains.voltage_mv(at_us, phase)
        return self._scaled(voltage_mv, self.facts.voltage_uv_per_v, self.facts.voltage_zero_uv)

    def _current_uv(self, at_us, phase):
        faults = self.plant.faults
        if faults["current_sensor_saturated"]:
            return ADC_MOST_UV
        current_ma = 0 if faults["current_sensor_unplugged"] else self.plant.current_ma(at_us, phase)
        if faults["current_sensor_reversed"]:
            current_ma = -current_ma
        current_ma = current_ma * self.current_gains[phase] + self.plant.current_offsets_ma[phase]
        return self._scaled(current_ma, self.facts.current_uv_per_a, self.facts.current_zero_uv)

    def _temperature_uv(self, at_us, _):
        if self.plant.faults["temperature_sensor_dead"]:
            return 0  # a broken wire: only the resistor to earth is left
        kelvin = self.plant.temperature_tenths_c / 10 + 273.15
        ntc_ohm = NTC_OHM * math.exp(NTC_KELVIN * (1 / kelvin - 1 / NTC_AT_K))
        return SUPPLY_UV * BELOW_NTC_OHM / (BELOW_NTC_OHM + ntc_ohm)

    def _proximity_uv(self, at_us, _):
        cable_ohm = pilot_circuit.proximity_ohm(self.plant.cable_ohm, self.plant.faults)
        return SUPPLY_UV * cable_ohm / (cable_ohm + ABOVE_PROXIMITY_OHM)

    def read_uv(self, pin):
        """What one ADC read gives at this instant: true volts, noise, steps of 12 bits. Takes its time."""
        self._at = (self._at + 1) % NOISE_ENTRIES
        cost_us = self.costs_us[self._at]
        if self.gap_one_in and self.plant.random.randrange(self.gap_one_in) == 0:
            cost_us += GAP_US
        self.extra_us += cost_us
        number, self.reads = self.reads, self.reads + 1
        faults = self.plant.faults
        if faults["adc_zero"]:
            return 0
        if faults["adc_full"]:
            return ADC_MOST_UV
        if faults["adc_stuck"] and pin in self._last_uv:
            return self._last_uv[pin]
        wire, phase = self._reads[pin]
        uv = wire(self.plant.now_us + self.extra_us, phase)
        if self.bend_uv:
            uv -= self.bend_uv * ((uv - MIDDLE_UV) / MIDDLE_UV) ** 3
        noise_uv = self.noise_uv[self._at] * (NOISY if faults["adc_noise"] else 1)
        if self.spike_one_in and self.plant.random.randrange(self.spike_one_in) == 0:
            noise_uv += self.spike_uv * (2 * self.plant.random.randrange(2) - 1)
        noise_uv += self.spikes_uv.get(number, 0)
        steps = int(uv + noise_uv) // ADC_STEP_UV
        self._last_uv[pin] = found_uv = max(0, min(steps * ADC_STEP_UV, ADC_MOST_UV))
        return found_uv

    def settle(self):
        """Let the time that the reads took pass in the plant."""
        self.plant.advance_to(self.plant.now_us + self.extra_us)
        self.extra_us = 0

    def read_pin(self, pin):
        """Level that a pin has electrically: of an input what its wire says, of an output what is driven."""
        wire = self._inputs.get(pin)
        return self._levels.get(pin, 0) if wire is None else int(wire())

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
