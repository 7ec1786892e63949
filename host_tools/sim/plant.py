"""Everything around the firmware's pins: the plant works in volts and microseconds and knows no states."""

import collections
import heapq
import random

from host_tools.sim import pilot_circuit
from host_tools.sim.car import Car
from host_tools.sim.contactor import Contactor
from host_tools.sim.mains import NOMINAL_MHZ, NOMINAL_MV, Mains

FAULTS = (
    "contactor_welded contactor_welded_l1 contactor_welded_l2 contactor_welded_l3 contactor_welded_n "
    "contactor_stuck_open coil_broken feedback_broken relay_pin_stuck diode_missing pilot_short_earth "
    "pilot_short_12v pilot_short_minus12 pilot_open adc_stuck adc_zero adc_full adc_offset adc_noise "
    "current_sensor_unplugged current_sensor_reversed current_sensor_saturated residual_trip "
    "residual_test_dead residual_test_always_good earth_lost proximity_open proximity_short "
    "proximity_between temperature_sensor_dead lid_open voltage_low voltage_high frequency_off "
    "flash_full flash_io_error wifi_down broker_down dns_dead clock_wrong"
).split()

PUMP_US = 250_000  # the charge pump holds the coil 200–300 ms after the last edge (architecture, one tick)
TRACE_MOST = 10_000
TRACE_STEP_MA = 500
RESIDUAL_US = 30_000  # the sensor's answer to its test input


class Plant:
    """Car, pilot wire, contactor and mains; deterministic for one seed, driven by advance_to()."""

    def __init__(self, seed=0, phases=3, character="polite"):
        self.seed = seed
        self.random = random.Random(seed)
        self.now_us = 0
        self.phases = phases
        self.source_mv = self.sink_mv = 12_000  # of the pilot's two sources
        self.pilot_gain, self.pilot_offset_mv = 1.0, 0  # of divider and ADC, at the pilot
        self.current_offsets_ma = [0, 0, 0]  # what the mid-rail of each current sensor is off by
        self.loads_ohm = dict(pilot_circuit.LOADS_OHM)  # what the car shows for each letter
        self.volts_mv = [NOMINAL_MV] * 3
        self.frequency_mhz = NOMINAL_MHZ
        self.temperature_tenths_c = 250
        self.is_button_pressed = False
        self.led = "off"
        self.is_supplied = True
        self.cable_ohm = 220
        self.faults = dict.fromkeys(FAULTS, False)
        self.pilot_mode = "low"
        self.duty_permille = 0
        self.pwm_at_us = self.random.randrange(pilot_circuit.PWM_PERIOD_US)
        self.mains = Mains(self)
        self.is_coil_enabled = False
        self.is_coil_on = False
        self.coil_at_us = 0  # when the coil last went on or off
        self.heartbeat_at_us = -PUMP_US
        self.worst_gap_us = 0  # longest time between two edges while the coil was on
        self.is_residual_tripped = False
        self.residual_asked_us = None  # since when the test input is held
        self.edges = collections.deque(maxlen=TRACE_MOST)
        self.energy_uj = 0
        self.hot_openings = 0
        self.lapses = 0  # how often the pump ran dry while the coil was held
        self.opened_with_ma = []
        self.currents_ma = (0, 0, 0)
        self._flow_at_us = 0
        self._traced_ma = 0
        self._heap = []
        self._order = 0
        self.contactor = Contactor(self)
        self._poles = 0
        self.car = Car(self, character)
        self.high_mv = self.low_mv = 0.0
        self.held_high_mv = self.held_low_mv = 0.0
        self.letter = "A"
        self.wire_changed()

    # time

    def advance_to(self, now_us):
        """Let everything happen that is due until now_us, in order."""
        while True:
            lapse_us = self.heartbeat_at_us + PUMP_US if self.is_coil_on else now_us + 1
            due_us = self._heap[0][0] if self._heap else now_us + 1
            if min(lapse_us, due_us) > now_us:
                break
            if lapse_us <= due_us:
                self.now_us = max(self.now_us, lapse_us)
                self.lapses += 1
                self._set_coil(False)
            else:
                self.now_us = max(self.now_us, due_us)
                _, _, act, values = heapq.heappop(self._heap)
                act(*values)
        self.now_us = max(self.now_us, now_us)

    def later(self, after_us, act, *values):
        """Do act(*values) after_us from now; bound methods only where the plant shall be copied."""
        self._order += 1
        heapq.heappush(self._heap, (self.now_us + after_us, self._order, act, values))

    def trace(self, name, value):
        """Note an edge with its moment in ms."""
        self.edges.append((self.now_us // 1000, name, value))

    # what the firmware's pins do

    def set_pilot(self, mode, duty_permille):
        """Pilot source: "high", "low" or "pwm" with its duty."""
        if mode != self.pilot_mode:
            self.trace("pilot_mode", mode)
        if duty_permille != self.duty_permille:
            self.trace("duty_permille", duty_permille)
        is_changed = mode != self.pilot_mode or duty_permille != self.duty_permille
        self.pilot_mode, self.duty_permille = mode, duty_permille
        if is_changed:
            self.wire_changed()
            self.car.pilot_changed()

    def set_coil_enable(self, is_high):
        """What the chip drives on the enable pin of the coil driver; low opens at once."""
        self.is_coil_enabled = is_high
        self.coil_settled()

    def is_enable_high(self):
        """What the enable pin reads electrically, whatever is written to it."""
        return self.is_coil_enabled or self.faults["relay_pin_stuck"]

    def heartbeat(self):
        """One edge into the charge pump."""
        if self.is_coil_on:
            self.worst_gap_us = max(self.worst_gap_us, self.now_us - self.heartbeat_at_us)
        self.heartbeat_at_us = self.now_us
        if not self.is_coil_on and self.is_enable_high():
            self.coil_settled()

    def set_residual_test(self, is_asked):
        """The test input of the residual-current sensor."""
        if not is_asked:
            self.residual_asked_us = None
        elif self.residual_asked_us is None:
            self.residual_asked_us = self.now_us
        if is_asked:
            if not self.faults["residual_test_dead"] and not self.faults["residual_test_always_good"]:
                self.later(RESIDUAL_US, self.trip, True)
        else:
            self.later(RESIDUAL_US, self._test_over)

    def _test_over(self):
        self.trip(self.faults["residual_trip"])

    def trip(self, is_tripped):
        self.is_residual_tripped = is_tripped or self.faults["residual_trip"] or self._answers_test()
        self.coil_settled()

    def _answers_test(self):
        """Whether the test input holds the sensor: a leak that ends meanwhile does not let it go."""
        is_whole = not self.faults["residual_test_dead"] and not self.faults["residual_test_always_good"]
        return is_whole and self.residual_asked_us is not None and self.now_us - self.residual_asked_us >= RESIDUAL_US

    def coil_settled(self):
        is_pumped = self.now_us - self.heartbeat_at_us < PUMP_US
        is_allowed = self.is_supplied and not self.is_residual_tripped and not self.faults["coil_broken"]
        self._set_coil(self.is_enable_high() and is_pumped and is_allowed)

    def _set_coil(self, is_on):
        if is_on != self.is_coil_on:
            self.is_coil_on = is_on
            self.coil_at_us = self.now_us
            self.trace("coil", is_on)
            self.contactor.coil_changed(is_on)

    # what follows on the wires

    def wire_changed(self):
        """Work out both halves of the pilot pin anew."""
        load_ohm = self.loads_ohm[self.car.letter() if not self.faults["pilot_open"] else "A"]
        has_diode = not self.faults["diode_missing"]
        if not self.is_supplied or self.faults["pilot_short_earth"]:
            halves = (0.0, 0.0)
        elif self.faults["pilot_short_12v"]:
            halves = (float(self.source_mv),) * 2
        elif self.faults["pilot_short_minus12"]:
            halves = (-float(self.sink_mv),) * 2
        else:
            halves = tuple(pilot_circuit.pin_mv(mv, load_ohm, has_diode) for mv in (self.source_mv, -self.sink_mv))
        self.high_mv = halves[1] if self.pilot_mode == "low" else halves[0]
        self.low_mv = halves[0] if self.pilot_mode == "high" else halves[1]
        self.held_high_mv = max(self.held_high_mv, self.high_mv)
        self.held_low_mv = min(self.held_low_mv, self.low_mv)
        letter = pilot_circuit.letter_of(self.high_mv, self.source_mv)
        if letter != self.letter:
            self.letter = letter
            self.trace("letter", letter)

    def contacts_changed(self):
        """Poles closed or opened: count a hot opening, tell the car, work out the currents."""
        poles = self.contactor.closed_poles() if self.is_supplied else 0
        if poles == self._poles:
            return
        if self._poles & 7 and not poles & 7:
            most_ma = max(self.currents_ma)
            self.opened_with_ma.append(most_ma)
            self.hot_openings += most_ma > 1000
        self._poles = poles
        self.trace("contactor", bool(poles & 7))
        self.car.mains_changed()
        self.flow_changed()

    def is_live(self):
        """Whether mains reaches the car."""
        return bool(self._poles & 7) and self.is_supplied

    def live_poles(self):
        """Bit mask of poles that conduct while the box has its supply."""
        return self._poles

    def flow_changed(self):
        """Currents changed: close the energy account of the time before."""
        self.settle_energy()
        draw_ma = self.car.draw_ma if self.is_live() and self.car.is_plugged else 0
        phases = 1 if self.car.character == "one_phase" else self.phases
        poles = self.contactor.live_poles()
        self.currents_ma = tuple(draw_ma if index < phases and poles >> index & 1 else 0 for index in range(3))
        most_ma = max(self.currents_ma)
        if abs(most_ma - self._traced_ma) > TRACE_STEP_MA or (most_ma == 0) != (self._traced_ma == 0):
            self._traced_ma = most_ma
            self.trace("current_ma", most_ma)

    def power_mw(self):
        """True power now."""
        return self.mains.power_mw()

    def settle_energy(self):
        """Add the energy since the last change to energy_uj."""
        self.energy_uj += self.power_mw() * (self.now_us - self._flow_at_us) / 1000
        self._flow_at_us = self.now_us

    def reset_peaks(self):
        """The peak detectors start anew; within 1 ms they hold what is on the wire again."""
        self.held_high_mv, self.held_low_mv = self.high_mv, self.low_mv

    def measured_mv(self, pilot_mv):
        """What the board makes of a voltage at the pilot pin, by its divider and its ADC."""
        return pilot_mv * self.pilot_gain + self.pilot_offset_mv

    # waveforms, sampled by the ADC

    def pilot_mv(self, at_us):
        """Voltage at the pilot pin at a moment, in mV."""
        if self.pilot_mode == "high":
            return self.high_mv
        if self.pilot_mode == "low":
            return self.low_mv
        phase_us = (at_us - self.pwm_at_us) % pilot_circuit.PWM_PERIOD_US
        is_high = phase_us * 1000 < self.duty_permille * pilot_circuit.PWM_PERIOD_US
        return self.high_mv if is_high else self.low_mv

    def current_ma(self, at_us, phase):
        """Current of one phase at a moment, in mA."""
        return self.mains.current_ma(at_us, phase)

    # supply

    def set_supply(self, is_on):
        """Cut or restore the mains of the box and the car."""
        if is_on == self.is_supplied:
            return
        self.is_supplied = is_on
        if not is_on:
            self.is_coil_enabled = False
            self.pilot_mode, self.duty_permille = "low", 0
        self.coil_settled()
        self.wire_changed()
        self.contacts_changed()
        self.flow_changed()
