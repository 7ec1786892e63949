"""Every way out of the firmware, through app, main and starter, leaves the contactor open and no PWM (faults.md X1).

The firmware's own drivers stand on a simulated board that charges; the way out is taken where the contactor is closed.
"""

import builtins
import os
import sys
import types

import pytest

from firmware import app
from firmware.drivers import board, board_facts
from host_tools import bootstrap
from host_tools.sim import fake_machine
from host_tools.sim.plant import Plant
from host_tools.sim.true_board import TrueBoard

ENDS = (KeyboardInterrupt, ValueError, MemoryError, OSError, SystemExit, GeneratorExit)


class Box:
    """A plant whose contactor is closed and whose pilot is PWM, by the firmware's own drivers."""

    def __init__(self):
        self.facts = board_facts.loaded("hardware/boards/reference.json")
        self.plant = Plant(5, self.facts.phases)
        self.true = TrueBoard(self.plant, self.facts)
        self.close()

    def close(self):
        """A tick that charges, asks for a self-test too, and so has all outputs up."""
        self.true.board.act(types.SimpleNamespace(**CLOSED))
        assert self.plant.is_coil_enabled and self.plant.pilot_mode == "pwm" and self.is_testing()

    def is_testing(self):
        """Whether the self-test of the leakage sensor is asked for."""
        return self.true.world.read_pin(self.facts.pins.residual_test) == 1

    def is_at_rest(self):
        """No output is up."""
        plant = self.plant
        return not plant.is_coil_enabled and plant.pilot_mode == "high" and not self.is_testing()


CLOSED = {
    "is_contactor_closed": True,
    "pilot_mode": "pwm",
    "duty_permille": 266,
    "led_pattern": "green",
    "wants_residual_test": True,
}


@pytest.fixture
def box(monkeypatch):
    monkeypatch.setitem(sys.modules, "machine", fake_machine)
    monkeypatch.setattr(sys, "argv", ["main.py"])
    return Box()


class Chip:
    """What main.py finds on a chip beside the firmware: its starter, and the keyboard; notes what is asked of them."""

    def __init__(self, box, monkeypatch, ended):
        self.box, self.asked = box, []
        self.starter = types.SimpleNamespace(config_of=lambda path: {}, hold=self.hold, crashed=self.crashed)
        keyboard = types.SimpleNamespace(kbd_intr=lambda byte: self.asked.append(byte))
        monkeypatch.setitem(sys.modules, "micropython", keyboard)
        genuine = builtins.__import__

        def found(name, *words):
            if name == "starter":  # main.py takes it out of the modules
                sys.modules["starter"] = self.starter
            return genuine(name, *words)

        monkeypatch.setattr(builtins, "__import__", found)
        monkeypatch.setattr(app, "run", ended)

    def hold(self):
        self.asked.append("hold")
        assert self.box.is_at_rest(), "at the prompt"

    def crashed(self, error):
        self.asked.append("crashed")
        assert self.box.is_at_rest(), "before the chip starts anew"

    def main(self, **names):
        """Run main.py as the chip does, in the names of boot.py."""
        pins = self.box.facts.pins
        names = {"COIL_PINS": (pins.coil_enable, pins.coil_heartbeat), "MAY_START": True, **names}
        with open(os.path.join(bootstrap.ROOT, "main.py")) as file:
            exec(compile(file.read(), "main.py", "exec"), names)


@pytest.mark.parametrize("end", ENDS)
def test_main_leaves_the_outputs_at_rest(box, monkeypatch, end):
    def ended(config):
        raise end()

    chip = Chip(box, monkeypatch, ended)
    if end in (SystemExit, GeneratorExit):
        with pytest.raises(end):
            chip.main()
    else:
        chip.main()
    told = {KeyboardInterrupt: "hold", SystemExit: None, GeneratorExit: None}.get(end, "crashed")
    assert box.is_at_rest()
    assert told is None or told in chip.asked
    assert chip.asked[0] == -1 and chip.asked[-1] == 3  # no Ctrl-C in between


@pytest.mark.parametrize("part", ("PilotLine", "ResidualCurrent", "CurrentSensor", "Dividers", "Panel"))
def test_a_person_ends_it_before_the_board_is_made(box, monkeypatch, part):
    """Ctrl-C at any moment of a start comes to the prompt; it is no crash, and starts nothing anew."""
    box.true.board.rest()

    def ended(config):
        monkeypatch.setattr(board, part, broken_off)
        Box()

    def broken_off(*facts):
        raise KeyboardInterrupt

    chip = Chip(box, monkeypatch, ended)
    chip.main()
    assert box.is_at_rest() and "hold" in chip.asked and "crashed" not in chip.asked


def test_an_end_without_any_error(box, monkeypatch):
    Chip(box, monkeypatch, lambda config: None).main()
    assert box.is_at_rest()


def test_a_second_ctrl_c_in_the_middle_of_the_first(box, monkeypatch):
    def ended(config):
        raise KeyboardInterrupt

    chip, calls = Chip(box, monkeypatch, ended), []
    genuine = type(box.true.board).rest

    def rest(board):
        calls.append(board)
        if len(calls) == 1:
            raise KeyboardInterrupt
        genuine(board)

    monkeypatch.setattr(type(box.true.board), "rest", rest)
    chip.main()
    assert box.is_at_rest() and "hold" in chip.asked


def test_a_starter_that_is_gone(box, monkeypatch):
    def ended(config):
        del chip.starter.crashed
        raise ValueError

    chip = Chip(box, monkeypatch, ended)
    with pytest.raises(AttributeError):
        chip.main()
    assert box.is_at_rest()


def test_a_firmware_of_before_leaves_at_least_the_contactor_open(box, monkeypatch):
    def ended(config):
        raise KeyboardInterrupt

    chip = Chip(box, monkeypatch, ended)
    chip.hold = lambda: chip.asked.append("hold")
    chip.starter.hold = chip.hold
    monkeypatch.setattr(type(box.true.board), "last", None)
    chip.main()
    assert not box.plant.is_coil_enabled and "hold" in chip.asked


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("where", ("made", "run"))
def test_app_run_leaves_the_outputs_at_rest(box, monkeypatch, end, where):
    class Ended:
        def __init__(self, config):
            if where == "made":
                raise end()

        async def run(self):
            raise end()

    monkeypatch.setattr(app, "App", Ended)
    with pytest.raises((end, RuntimeError)):  # a coroutine may not end by GeneratorExit
        app.run({})
    assert box.is_at_rest()


def test_a_train_of_the_chips_own_ends_too(box, monkeypatch):
    """A bridge sends its edges without the program (firmware/drivers/contactor.py)."""
    trains = []

    class Rmt:
        def __init__(self, number, pin, clock_div):
            trains.append("begun")

        def write_pulses(self, pulses, level):
            pass

        def deinit(self):
            trains.append("ended")

    monkeypatch.setitem(sys.modules, "esp32", types.SimpleNamespace(RMT=Rmt))
    box.true.board.bridge()
    box.true.board.rest()
    assert trains == ["begun", "ended"] and box.is_at_rest()


def test_the_starter_leaves_no_task_behind(monkeypatch, capsys):
    import asyncio

    monkeypatch.setitem(sys.modules, "machine", fake_machine)
    monkeypatch.syspath_prepend(str(bootstrap.ROOT / "firmware"))
    monkeypatch.delitem(sys.modules, "starter", raising=False)
    import starter

    made = []
    monkeypatch.setattr(asyncio, "new_event_loop", lambda: made.append("new"))
    monkeypatch.setattr(starter, "keep_up", lambda: made.append("fed"))
    starter.hold()
    assert made == ["new", "fed"] and "contactor stays open" in capsys.readouterr().out
    sys.modules.pop("starter")


def test_boot_opens_before_it_reads_anything(box, monkeypatch):
    """boot.py runs first after every reset, also at the prompt without main.py: whatever was left is down."""
    pins = box.facts.pins
    told = []
    monkeypatch.setattr(
        builtins, "__import__", noting(builtins.__import__, lambda: told.append(box.plant.is_coil_enabled))
    )
    with open(os.path.join(bootstrap.ROOT, "boot.py")) as file:
        text = file.read().replace("COIL_PINS = (11, 12)", f"COIL_PINS = ({pins.coil_enable}, {pins.coil_heartbeat})")
    names = {}
    exec(compile(text, "boot.py", "exec"), names)
    assert told and not any(told) and not box.plant.is_coil_enabled


def noting(genuine, note):
    """An import that notes how the coil is at each one but those of machine and sys."""

    def found(name, *words):
        if name not in ("machine", "sys"):
            note()
        return genuine(name, *words)

    return found
