"""Scenarios: stories of a charge as text that an owner can read, run in simulated time."""

import re

from host_tools.sim import world
from host_tools.sim.box import Box


class BadScenario(Exception):
    """The text cannot be understood, or what it expects did not come; names file and line."""


def seconds(text):
    """Milliseconds of "90 s", "5 min" or "24 h"."""
    number, unit = text.split()
    return round(float(number) * {"s": 1000, "min": 60_000, "h": 3_600_000}[unit])


TIME = r"(\d+(?:\.\d+)? (?:s|min|h))"


def plug(box, word):
    """plug in | plug out"""
    world.change(box.plant, {"car": {"is_plugged": word == "in"}})


def wants(box, word):
    """the car is full | the car wants to charge"""
    world.change(box.plant, {"car": {"wants_charge": word != "is full"}})


def fault(box, name, word):
    """fault NAME on | off"""
    world.change(box.plant, {"faults": {name: word == "on"}})


def grid_holds(box, name, what, for_text, rest):
    """grid pauses | limits to N A for TIME[, resume POLICY][, again]"""
    kind = "pause" if what == "pauses" else "limit"
    number = box.sent if name is None else name
    fields = f'"id": "{number}", "kind": "{kind}", "duration_s": {seconds(for_text) // 1000}'
    if kind == "limit":
        fields += f', "limit_ma": {int(what.split()[2]) * 1000}'
    if rest:
        fields += f', "resume": "{rest}"'
    refusal = box.grid(("{" + fields + "}").encode())
    if refusal is not None:
        raise BadScenario(f"the grid's command was refused: {refusal.code} {refusal.field}")


def grid_word(box, word):
    """grid says pause | resume"""
    box.grid(word.encode())


def owner(box, what):
    """owner pauses | resumes | charges now | unlocks | clears the fault"""
    kind = OWNER[what]
    box.owner(kind, 0, 3600 if kind == "limit" else None)


def button(box, for_text):
    """press the button [for TIME]; the world goes on meanwhile."""
    world.change(box.plant, {"panel": {"button_is_pressed": True}})
    box.run_ms(seconds(for_text) if for_text else SHORT_PRESS_MS)
    world.change(box.plant, {"panel": {"button_is_pressed": False}})


def mains_volts(box, text):
    """mains N V | mains N N N V"""
    volts_mv = [round(float(one) * 1000) for one in text.split()]
    world.change(box.plant, {"mains": {"voltages_mv": volts_mv * 3 if len(volts_mv) == 1 else volts_mv}})


def mains_hertz(box, text):
    """mains N Hz"""
    world.change(box.plant, {"mains": {"frequency_mhz": round(float(text) * 1000)}})


def temperature(box, text):
    """temperature N C"""
    world.change(box.plant, {"temperature_tenths_c": round(float(text) * 10)})


def cable(box, text):
    """cable N ohm"""
    world.change(box.plant, {"car": {"cable_ohm": int(text)}})


SHORT_PRESS_MS = 300
OWNER = {
    "pauses": "limit",
    "resumes": "resume",
    "charges now": "charge_now",
    "unlocks": "unlock",
    "clears the fault": "clear_fault",
}
NUMBER = r"-?\d+(?:\.\d+)?"
ACTIONS = (
    (r"plug (in|out)", plug),
    (r"the car (is full|wants to charge)", wants),
    (r"fault (\w+) (on|off)", fault),
    (r"grid(?: command (\w+))? (pauses|limits to \d+ A) for " + TIME + r"(?:, resume (\S+))?", grid_holds),
    (r"grid says (pause|resume)", grid_word),
    (rf"owner ({'|'.join(OWNER)})", owner),
    (rf"press the button(?: for {TIME})?", button),
    (rf"mains ({NUMBER}(?: {NUMBER} {NUMBER})?) V", mains_volts),
    (rf"mains ({NUMBER}) Hz", mains_hertz),
    (rf"temperature ({NUMBER}) C", temperature),
    (r"cable (\d+) ohm", cable),
)


def checks(box, text):
    """(what was found, whether it is as expected) for one expectation."""
    plant, memory = box.plant, box.loop.memory
    found = re.fullmatch(r"contactor (open|closed)", text)
    if found:
        is_closed = plant.live_poles() & 7 != 0
        return "closed" if is_closed else "open", is_closed == (found[1] == "closed")
    found = re.fullmatch(r"hot openings (\d+)", text)
    if found:
        return plant.hot_openings, plant.hot_openings == int(found[1])
    found = re.fullmatch(r"letter ([A-F])", text)
    if found:
        return plant.letter, plant.letter == found[1]
    found = re.fullmatch(r"pilot (high|pwm|low)", text)
    if found:
        return plant.pilot_mode, plant.pilot_mode == found[1]
    found = re.fullmatch(r"(\d+) A flowing", text)
    if found:
        amps = max(plant.currents_ma) / 1000
        return amps, abs(amps - int(found[1])) <= 0.1
    found = re.fullmatch(r"energy (\d+) Wh", text)
    if found:
        plant.settle_energy()
        true_wh, counted_wh = plant.energy_uj / 3.6e9, memory.energy.wh
        is_good = abs(counted_wh - int(found[1])) <= max(2, int(found[1]) // 100)
        return counted_wh, is_good and abs(counted_wh - true_wh) <= max(2, true_wh / 100)
    found = re.fullmatch(r"fault (\w+|none)", text)
    if found:
        from firmware.core.faults import FAULTS

        names = [FAULTS[active.row][0] for active in memory.faults.active]
        return names, (found[1] in names) if found[1] != "none" else not names
    if re.fullmatch(r"(idle|testing|waiting|offered|charging|stopping|faulted)", text):
        return memory.stage.state, memory.stage.state == text
    raise BadScenario(f"nobody knows what '{text}' expects")


class Scenario:
    """One story. run() plays it; trace is what happened on the wires."""

    def __init__(self, name, text, seed=1):
        self.name = name
        self.lines = text.splitlines()
        self.seed = seed
        self.box = None

    def run(self):
        """Play all lines. Errors: BadScenario with file and line."""
        for number, line in enumerate(self.lines, 1):
            plain = line.split("#")[0].strip()
            if not plain:
                continue
            try:
                self._line(plain)
            except (BadScenario, ValueError) as error:
                raise BadScenario(f"{self.name}:{number}: {error}") from None
        return self

    def _line(self, plain):
        """One line."""
        found = re.fullmatch(r"car (\w+), wiring (\d+) A(?:, (\d) phases?)?", plain)
        if found:
            if self.box is not None:
                raise BadScenario("the car comes first, and once")
            self.box = Box(found[1], self.seed, wiring_limit_ma=int(found[2]) * 1000, phases=int(found[3] or 3))
            return
        if self.box is None:
            raise BadScenario("the first line names the car: 'car polite, wiring 16 A'")
        found = re.fullmatch(rf"at {TIME} (sharp )?(.+)", plain)
        if found:
            due_ms = seconds(found[1])
            if due_ms < self.box.now_ms() - 23:
                raise BadScenario(f"{found[1]} is over already")
            # Else the moment is that of the next tick; a sharp one may lie between two ticks.
            self.box.run_to_us(due_ms * 1000) if found[2] else self.box.run_ms(due_ms - self.box.now_ms())
            plain = found[3]
        if plain.startswith("expect "):
            self._expect(plain[7:])
            return
        for pattern, act in ACTIONS:
            found = re.fullmatch(pattern, plain)
            if found:
                act(self.box, *found.groups())
                return
        raise BadScenario(f"nobody understands '{plain}'")

    def _expect(self, text):
        """Expectations, parted by commas; "within TIME" waits for the first of them."""
        for part in text.split(", "):
            found = re.fullmatch(rf"(.+) within {TIME}", part)
            what, end_ms = (found[1], self.box.now_ms() + seconds(found[2])) if found else (part, self.box.now_ms())
            value, is_good = checks(self.box, what)
            while not is_good and self.box.now_ms() < end_ms:
                self.box.run_ms(1)
                value, is_good = checks(self.box, what)
            if not is_good:
                raise BadScenario(f"expected {part}, found {value}")

    def trace(self):
        """What happened, one edge a line."""
        lines = [f"{at_ms / 1000:10.3f} {name} {value}" for at_ms, name, value in self.box.plant.edges]
        return "\n".join([f"seed {self.seed}", *lines, ""])
