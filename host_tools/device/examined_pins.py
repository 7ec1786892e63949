"""What `device doctor` measures through the firmware's own drivers, and judges: pilot, ADC, sensors, switches."""

import json

from firmware.core import pilot
from host_tools import bootstrap

SCRIPT = bootstrap.ROOT / "host_tools" / "chip_scripts" / "examination.py"
PILOT_MV, PILOT_PERCENT = 12_000, 5
READ_PERCENT = 50  # a read may take so much longer than the board file says
MOST_NOISE_MV = 30  # of the pilot, standard deviation
MOST_ZERO_MA = 300
MOST_AGE_MS = 100
POLES = ("L1", "L2", "L3", "N")
LEAST_OHM, MOST_OHM = 60, 4500  # requirements §1, proximity
DARK_MV, LOW_MV, HIGH_MV = 20_000, 180_000, 264_000
CALIBRATE = "run 'device calibrate', or check the pilot's supply and dividers"


class Bench:
    """The script on the board."""

    def __init__(self, prompt, letter, own):
        """own: the board's own facts from box.json. Errors: Trouble."""
        self._prompt = prompt
        prompt.run(SCRIPT.read_text("utf-8"))
        prompt.run(f"import json\nbench = Bench('/{letter}/board.json', {own!r})")

    def ask(self, call):
        """What a call on the board's bench gives, as JSON. Errors: Trouble."""
        return json.loads(self._prompt.run(f"print(json.dumps(bench.{call}))").strip().splitlines()[-1])


def look_at_pins(bench, board):
    """Dict of everything measured. Errors: Trouble."""
    made = {"own_words": bench.ask("own_words"), "coil_pins": bench.ask("pins()")}
    made["rest"] = bench.ask("rest()")
    made["adc"] = bench.ask(f"raw({board['pins']['pilot_high_adc']}, 'high')")
    if may_play(made["rest"]["high_mv"]):
        made["pwm"] = bench.ask("pwm()")
    if not made["rest"]["is_tripped"]:
        made["trips"] = bench.ask("residual(True)")
        made["stays"] = bench.ask("residual(False)")
    return made


def may_play(high_mv):
    """Whether the pilot may leave +12 V: not where a car may be plugged in, whatever the firmware said before."""
    return high_mv is not None and is_near(high_mv, PILOT_MV)


def findings(made, board):
    """Every finding of what was measured, the dangerous ones first."""
    if made["own_words"]:
        yield f"The facts in /box.json are refused: {made['own_words'].rstrip('.')}", "run 'device calibrate' again"
    for name, level in zip(("coil_enable", "coil_heartbeat"), made["coil_pins"], strict=True):
        if level:
            words = f"The coil's pin {board['pins'][name]} ({name}) is high although it is driven low"
            yield words, "disconnect the mains and look for a short"
    yield from contactor_findings(made["rest"])
    yield from residual_findings(made)
    yield from switch_findings(made["rest"])
    if made["rest"]["age_ms"] > MOST_AGE_MS:
        yield "The ADC stands still: no reading moves", "check the chip's supply; try another module"
        return
    yield from pilot_findings(made, board)
    yield from adc_findings(made["adc"], board)
    yield from sensor_findings(made["rest"], board)
    yield from divider_findings(made["rest"])


def contactor_findings(rest):
    """The contactor at rest: every pole dead, the mirror contact closed."""
    live = [name for bit, name in enumerate(POLES) if rest["live_poles"] >> bit & 1]
    if live:
        words = f"Behind the open contactor {' and '.join(live)} is live"
        yield words, "disconnect the mains and have the contactor replaced; a welded pole is dangerous"
    elif rest["is_feedback_closed"]:
        yield "The mirror contact says that the contactor is pulled in", "check its wire and the contactor"


def residual_findings(made):
    """The residual-current sensor."""
    if made["rest"]["is_tripped"]:
        yield "The residual-current sensor says tripped at rest", "check its supply and its wires"
    elif not made["trips"]:
        yield "The residual-current sensor does not trip when asked", "check its test wire; do not charge with it"
    elif made["stays"]:
        yield "The residual-current sensor stays tripped after its test", "check its wires; do not charge with it"


def switch_findings(rest):
    """Earth, lid and button."""
    if not rest["is_earth_ok"]:
        yield "The protective earth is missing", "disconnect the mains and let an electrician look"
    if not rest["is_lid_closed"]:
        yield "The lid is open, or its switch is not connected", "close it, or check its wire"
    if rest["is_button_held"]:
        yield "The button is held down all the time", "let go of it, or check its wire for a short"


def pilot_findings(made, board):
    """12 V and nothing plugged in, then both halves of the PWM."""
    high_mv = made["rest"]["high_mv"]
    if high_mv is None:
        yield "The pilot does not reach 12 V: no voltage above zero is read", "check its supply, its wire and the ADC"
        return
    letter = pilot.letter_of(high_mv, "A")
    if letter in ("B", "C", "D"):
        words = f"The pilot reads {volts(high_mv)} (letter {letter}) as if a car were plugged in"
        yield words, "unplug it and run this again; with nothing plugged in check the pilot's wire"
        return
    if not may_play(high_mv):
        yield f"The pilot reads {volts(high_mv)} instead of 12.0 V with nothing plugged in", CALIBRATE
        return
    for name, wanted_mv in (("high", PILOT_MV), ("low", -PILOT_MV)):
        half_mv = made["pwm"][f"{name}_mv"]
        if half_mv is None:
            yield f"The pilot's {name} half is not there under PWM", "check the pilot's driver and its supply"
        elif not is_near(half_mv, wanted_mv):
            words = f"The pilot's {name} half is {volts(half_mv)} under PWM instead of {volts(wanted_mv)}"
            yield words, CALIBRATE


def is_near(mv, wanted_mv):
    """Within the pilot's tolerance."""
    return abs(mv - wanted_mv) * 100 <= PILOT_MV * PILOT_PERCENT


def volts(mv):
    """Volts with one decimal, as words."""
    return f"{mv / 1000:.1f} V"


def noise_mv(adc, board):
    """Standard deviation of the pilot in mV."""
    return round(adc[1] * 1000 / board["pilot_uv_per_v"], 1)


def adc_findings(adc, board):
    """Time and noise of the ADC's reads."""
    read_us = adc[2] / 100
    if read_us * 100 > board["adc_read_us"] * (100 + READ_PERCENT):
        words = f"An ADC read takes {read_us:.0f} us and the board file says {board['adc_read_us']} us"
        yield words, "flash MicroPython's own image, or correct adc_read_us of the board file"
    if noise_mv(adc, board) > MOST_NOISE_MV:
        words = f"The pilot's noise is {noise_mv(adc, board):.0f} mV (standard deviation)"
        yield words, "put 100 nF close to the ADC's pin and keep its wires away from the mains"


def sensor_findings(rest, board):
    """Currents and voltages with the contactor open."""
    for phase in range(board["phases"]):
        current_ma, voltage_mv = rest["currents_ma"][phase], rest["voltages_mv"][phase]
        if current_ma >= MOST_ZERO_MA:
            words = f"Phase {phase + 1} shows {current_ma} mA although the contactor is open"
            yield words, "check the current sensor's wires, then run 'device calibrate'"
        if voltage_mv >= DARK_MV and not LOW_MV <= voltage_mv <= HIGH_MV:
            words = f"Phase {phase + 1} shows {voltage_mv // 1000} V of mains"
            yield words, "check the supply and the voltage divider"


def divider_findings(rest):
    """Temperature and proximity."""
    if rest["temperature_tenths_c"] is None:
        yield "The temperature sensor gives no temperature", "check the NTC, its wires and the resistor to earth"
    ohm = rest["proximity_ohm"]
    if ohm is not None and not LEAST_OHM <= ohm <= MOST_OHM:
        words = f"Proximity shows {ohm} ohm, which is no cable" if ohm < MOST_OHM * 10 else "Proximity shows no cable"
        yield words, "check the resistor in the cable's plug and its wire"


def notes(rest, board):
    """What could not be looked at, and is nothing wrong."""
    dark = [phase + 1 for phase in range(board["phases"]) if rest["voltages_mv"][phase] < DARK_MV]
    if len(dark) == board["phases"]:
        yield "No mains: the voltages could not be looked at."
    elif dark:
        yield f"No mains on phase {' and '.join(map(str, dark))}: right for a supply with fewer phases."
