"""The oracle: invariants of faults.md judged from the wires and what was sent, never from what the firmware thinks."""

from host_tools.sim.oracle.closing import Closing
from host_tools.sim.oracle.contacts import Contacts
from host_tools.sim.oracle.currents import Currents
from host_tools.sim.oracle.installation import Broken, Installation, has_fault, is_blind
from host_tools.sim.oracle.rows import C_MOST_MS, X1_MOST_MS, Rows, letter_most_ms
from host_tools.sim.oracle.sent import Sent
from host_tools.sim.oracle.signal import Signal

__all__ = ("Broken", "Installation", "Oracle")

X1_LEAST_MS = 6000  # requirements §1: a car that draws is not cut before
PUMP_MOST_MS = 300  # I1: heartbeat live
PRESS_MOST_MS = 1000  # bench.md: a short press of the button
DRAWS_MA = 1000
HEAT_OFF_MS = 5000  # faults.md S13: from 71 °C to coil off
# faults.md: open, F. Not S3: its letter opens first, as S1, and a shorted wire carries no F to a car.
F_ROWS = ("S16",)
F_MS = 500
ENERGY_PERMILLE = 10  # requirements §3: 1 %
ENERGY_SLACK_WH = 5


class Oracle:
    """Watches one plant tick by tick; `sent` is the list of what was sent, kept by those who send."""

    def __init__(self, plant, house):
        """house: Installation, or only its wiring limit in mA."""
        house = Installation(house) if isinstance(house, int) else house
        self.plant = plant
        self.house = house
        self.letters = "CD" if house.is_ventilated else "C"
        self.sent = Sent()
        self.rows = Rows(house)
        self.contacts = Contacts()
        self.currents = Currents(house.wiring_ma)
        self.signal = Signal(house, self.sent)
        self.closing = Closing(house, self.sent)
        self.asking_ms = self.high_ms = self.x1_ms = self.on_ms = -(10**9)
        self.was_on = self.was_enabled = self.was_powered = self.is_pressed = False
        self.mode_before = ""
        self.pressed_ms = 0
        self.told_wh = 0
        self.ticks_on = self.closings = 0
        self.let_go = 0  # openings because a car left letter C while PWM ran
        self.world = None
        self.is_metered = True  # no fault ever falsified the meter
        self.low_due_ms = None

    # what others tell

    def noticed(self):
        """The world changed at this instant: deadlines begin now and not with the next tick."""
        plant = self.plant
        now_ms = plant.now_us // 1000
        if plant.letter in self.letters:
            self.asking_ms = now_ms
        self._world(plant, now_ms)
        self.rows.settle(plant, now_ms)

    def restarted(self):
        """The supply failed and is back: the coil dropped by itself (P1), and what the box held in RAM is forgotten."""
        self.was_on = self.was_enabled = False
        self.closing.restarted(self.plant.now_us // 1000)

    def tell(self, energy_wh):
        """Judge the energy counter as the box tells it (I5). Errors: Broken."""
        self.plant.settle_energy()
        true_wh = self.plant.energy_uj / 3.6e9
        if energy_wh < self.told_wh:
            raise Broken(f"I5: the counter fell from {self.told_wh} to {energy_wh} Wh")
        is_far = abs(energy_wh - true_wh) > true_wh * ENERGY_PERMILLE / 1000 + ENERGY_SLACK_WH
        if is_far and self.is_metered:
            raise Broken(f"I5: the counter says {energy_wh} Wh, the plant {true_wh:.1f}")
        self.told_wh = energy_wh

    def open_until_ms(self):
        """When the last started deadline will have passed."""
        ends = [part.open_until_ms() for part in (self.rows, self.contacts, self.currents, self.signal)]
        if self.plant.is_coil_on and self.plant.pilot_mode == "high":
            ends.append(self.high_ms + X1_MOST_MS)
        return max(ends)

    # each tick

    def watch(self):
        """Judge this instant, right after the box acted. Errors: Broken."""
        plant = self.plant
        now_ms = plant.now_us // 1000
        self._world(plant, now_ms)
        if plant.letter in self.letters:
            self.asking_ms = now_ms
        self.x1_ms = self.high_ms  # since when x1 was on the wire until this tick
        if plant.pilot_mode != "high":
            self.high_ms = now_ms
        # A stuck relay pin holds the coil whatever is written: then what is written is judged here, the rest by K4.
        is_stuck = plant.faults["relay_pin_stuck"]
        is_on = plant.is_coil_on and (plant.is_coil_enabled or not is_stuck)
        on_until_ms = now_ms if is_on or is_stuck else plant.coil_at_us // 1000
        on_until_ms = max(self.on_ms, min(now_ms, on_until_ms))
        if is_on:
            self.on_ms = now_ms
        self.closing.watch(plant, now_ms)
        self.signal.watch(plant, now_ms)
        self.rows.settle(plant, now_ms)
        self._leak(plant)
        if plant.is_coil_enabled is not self.was_enabled:
            # Judged by the pin: a coil whose wire has a bad joint goes off and on without anybody's doing.
            self.was_enabled = plant.is_coil_enabled
            if self.was_enabled:
                self._closed(plant, now_ms)
        self.contacts.watch(plant, now_ms)
        if self.was_on and not is_on:
            self._opened(plant, now_ms, on_until_ms)
        if is_on or self.was_on:
            self.rows.judge(now_ms, on_until_ms)
            self.currents.watch(plant, now_ms, on_until_ms)
        elif self.rows.since_ms:
            self.rows.judge(now_ms, 0)
        if is_on:
            if self.signal.is_hot(now_ms, HEAT_OFF_MS):
                raise Broken(f"S13: coil on {HEAT_OFF_MS} ms after the stop at 71 °C, at {now_ms}")
            self.ticks_on += 1
            self._coil_on(plant, now_ms)
        elif plant.letter == "A" or not plant.car.is_plugged:
            self._unplugged()
        if self.low_due_ms is not None:
            self._low(plant, now_ms)
        self.was_on = is_on
        self.mode_before = plant.pilot_mode

    def _world(self, plant, now_ms):
        """Tell the judges when something around the box changed."""
        world = self.world
        if (
            world is not None
            and world[0] == plant.faults
            and world[1] == plant.volts_mv
            and world[2:] == (plant.frequency_mhz, plant.temperature_tenths_c, plant.cable_ohm)
            and plant.is_button_pressed is self.is_pressed
        ):
            return
        rest = (plant.frequency_mhz, plant.temperature_tenths_c, plant.cable_ohm)
        self.world = (dict(plant.faults), list(plant.volts_mv), *rest)
        for part in (self.rows, self.signal, self.closing):
            part.changed(plant, now_ms)
        self.currents.changed(plant)
        if self.is_metered:
            faults = plant.faults
            self.is_metered = not any(faults[name] for name in faults if name[:3] == "adc" or name[:7] == "current")
        if plant.is_button_pressed is not self.is_pressed:
            self._button(plant.is_button_pressed, now_ms)

    def _button(self, is_pressed, now_ms):
        """The box's own button: a short press clears what is hard and gone."""
        self.is_pressed = is_pressed
        if is_pressed:
            self.pressed_ms = now_ms
        elif now_ms - self.pressed_ms < PRESS_MOST_MS:
            self.rows.cleared(True)
            self.contacts.cleared()

    def _unplugged(self):
        """Nobody at the plug and the coil off: what belonged to that car ends."""
        self.rows.unplugged()
        self.contacts.cleared()
        self.closing.unplugged()
        self.sent.unplugged()
        if self.house.is_locked:
            self.sent.is_allowed = False

    def _leak(self, plant):
        """S14: a trip under power stays, whatever the network says (I6)."""
        if plant.faults["residual_trip"] and self.was_powered and plant.letter != "A" and plant.car.is_plugged:
            self.rows.leaked()
        self.was_powered = plant.is_coil_on or plant.pilot_mode == "pwm"

    def _closed(self, plant, now_ms):
        """The coil goes on."""
        self.closings += 1
        self.closing.judge(plant, now_ms, self.signal.before_ms)
        self.contacts.closing(now_ms)
        self.rows.closing(now_ms)

    def _opened(self, plant, now_ms, on_until_ms):
        """The coil went off."""
        rows = self.rows
        is_wrong = now_ms - rows.clear_ms < 1000 or self.currents.is_wrong(now_ms)
        is_asking = now_ms - self.asking_ms < C_MOST_MS and (plant.letter in self.letters or plant.pilot_mode == "low")
        is_faulty = has_fault(plant)
        if not is_wrong and is_asking and not is_faulty and not self.signal.may_be_hot:
            if self.mode_before == "high":
                x1_ms = on_until_ms - self.x1_ms
                if x1_ms < X1_LEAST_MS and max(plant.currents_ma) > DRAWS_MA:
                    raise Broken(f"N6: cut under load {x1_ms} ms after the x1 edge, at {now_ms}")
            elif not self.currents.is_above(plant):
                raise Broken(f"trip: opened without a cause at {now_ms}")
        elif not is_wrong and not is_faulty and plant.car.is_plugged and self.mode_before == "pwm":
            self.let_go += 1
        self.closing.opened(now_ms, is_wrong or is_blind(plant))
        if is_asking and self.mode_before == "pwm" and not is_blind(plant) and not plant.faults["coil_broken"]:
            row = rows.opened(now_ms)
            if row in F_ROWS:
                self.low_due_ms = now_ms + F_MS

    def _low(self, plant, now_ms):
        """S3, S16: the opening is followed by F."""
        if plant.pilot_mode == "low":
            self.low_due_ms = None
        elif now_ms > self.low_due_ms:
            raise Broken(f"no F after {F_ROWS}, at {now_ms}")

    def _coil_on(self, plant, now_ms):
        """I1: what must be so while the coil is on."""
        if now_ms - self.asking_ms > letter_most_ms(plant):
            raise Broken(f"I1: coil on without letter C for {now_ms - self.asking_ms} ms at {now_ms}")
        if plant.pilot_mode == "low":
            raise Broken(f"I1: coil on in state F at {now_ms}")
        if plant.pilot_mode == "high":
            if self.mode_before == "pwm":
                own_ma = self.signal.limit_ma(plant, now_ms) if not self.sent.rows else self.house.wiring_ma
                is_wrong = now_ms - self.rows.clear_ms < 1000 or self.currents.is_wrong(now_ms)
                self.closing.withdrawn(now_ms, own_ma, is_wrong)
                self._withdrawn(plant, now_ms, own_ma, is_wrong)
            if now_ms - self.high_ms > X1_MOST_MS:
                raise Broken(f"I1: coil on for {now_ms - self.high_ms} ms of x1 at {now_ms}")
        if not self.closing.is_tested:
            raise Broken(f"I1: coil on without a self-test at {now_ms}")
        if now_ms - plant.heartbeat_at_us // 1000 > PUMP_MOST_MS:
            raise Broken(f"I1: coil on without a heartbeat at {now_ms}")
        if not self.house.has_valid_settings:
            raise Broken(f"I1: coil on with invalid settings at {now_ms}")

    def _withdrawn(self, plant, now_ms, own_ma, is_wrong):
        """x1 began under a closed contactor: somebody asked for it, or something is wrong."""
        is_asked = any(row[0] <= now_ms < row[1] and row[2] < 6000 for row in self.sent.rows)
        is_faulty = has_fault(plant)
        is_caused = is_asked or is_faulty or is_wrong or self.signal.has_heat or own_ma < 6000
        if plant.letter in self.letters and not is_caused:
            raise Broken(f"trip: x1 without a cause at {now_ms}")
