"""Board files: read, checked against the schema and against what the chip's pins can do, refused in words."""

import json
import math

import jsonschema

from firmware.drivers import board_facts
from host_tools import bootstrap
from host_tools.device import chips

FOLDER = bootstrap.ROOT / "hardware" / "boards"
LINEAR_MV = (150, 2450)  # requirements §3: read_uv() is linear in this band at 11 dB
PILOT_V = 13
OVERVOLTAGE = 1.15  # requirements §2: of the highest nominal voltage to neutral, 240 V
NOMINAL_V = 240
MOST_DAYS = {4: 60, 8: 396, 16: 396}  # history for which flash of so many MB has room (docs/durability.md)
STEP_C = 2  # requirements §2: twice the signalled current must be seen, with its crest
MOST_BURST_READ_US = 90  # firmware/drivers/pilot_line.py: a pulse of 100 us, less 10 us of jitter

# chip: pins of ADC1, of ADC2, strapping, input only, taken by flash, PSRAM, USB or the console
CHIPS = {
    "esp32": (
        set(range(32, 40)),
        {0, 2, 4, 12, 13, 14, 15, 25, 26, 27},
        {0, 2, 5, 12, 15},
        set(range(34, 40)),
        {1, 3, *range(6, 12), 20, 24, *range(28, 32)},
    ),
    "esp32s3": (
        set(range(1, 11)),
        set(range(11, 21)),
        {0, 3, 45, 46},
        set(),
        {19, 20, *range(22, 33), 43, 44},
    ),
}
PSRAM_PINS = {"esp32": {16, 17}, "esp32s3": {33, 34, 35, 36, 37}}
LAST_PIN = {"esp32": 39, "esp32s3": 48}
ANALOG = ("pilot_high_adc", "pilot_low_adc", "current_adc", "voltage_adc", "temperature_adc", "proximity_adc")
OUTPUTS = (
    "pilot_pwm",
    "coil_enable",
    "coil_heartbeat",
    "peak_reset",
    "residual_test",
    "led_red",
    "led_green",
    "led_blue",
)
# Inputs whose broken wire must read as a known level.
PULLED = (
    "residual_tripped",
    "button",
    "earth_ok",
    "lid_closed",
    "feedback",
    "live_l1",
    "live_l2",
    "live_l3",
    "live_n",
)
COIL = ("coil_enable", "coil_heartbeat")


EXPERIMENTAL = "experimental"  # the folder of boards that are not offered, and the key that says why


class BadBoard(ValueError):
    """The board file cannot be used; the text says why, one line a reason."""


def names():
    """Names of all boards that are offered, sorted."""
    return sorted(path.stem for path in FOLDER.glob("*.json") if path.stem != "schema")


def listed():
    """All names in one line, for a help text."""
    others = sorted(path.stem for path in (FOLDER / EXPERIMENTAL).glob("*.json"))
    return ", ".join(names() + [f"{name} (experimental)" for name in others])


def path_of(name):
    """Path of a board's file. Errors: BadBoard."""
    for folder in (FOLDER, FOLDER / EXPERIMENTAL):
        path = folder / f"{name}.json"
        if "/" not in name and name != "schema" and path.exists():
            return path
    raise BadBoard(f"there is no board '{name}'; there are {listed()}.")


def check_offered(board, may_be_experimental):
    """Refuse a board that is not offered, unless a person has said the word for it. Errors: BadBoard."""
    if board.get(EXPERIMENTAL) and not may_be_experimental:
        words = board[EXPERIMENTAL].rstrip(".")
        raise BadBoard(f"the board '{board['name']}' is experimental: {words}. To try it all the same: --experimental.")


def loaded(name):
    """Dict of a board by its name, whose chip's own file is whole too. Errors: BadBoard."""
    path = path_of(name)
    try:
        board = json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise BadBoard(f"{path.name} in hardware/boards is not JSON: {error}.") from None
    found = reasons(board)
    if not found and board["name"] != name:
        found = [f"the file is called {name} and the board {board['name']}."]
    if not found and (EXPERIMENTAL in board) != (path.parent.name == EXPERIMENTAL):
        found = ["a board in experimental/ says why in 'experimental', and no other has that key."]
    if found:
        raise BadBoard(f"the board '{name}' is refused:\n  " + "\n  ".join(found))
    try:
        chips.loaded(board["chip"])
    except chips.BadChip as error:
        raise BadBoard(f"the board '{name}' is refused: {error}") from None
    return board


def reasons(board):
    """List of sentences, each a reason to refuse the board; empty for a good one."""
    schema = json.loads((FOLDER / "schema.json").read_text("utf-8"))
    wrong = sorted(
        jsonschema.Draft202012Validator(schema).iter_errors(board), key=lambda error: list(map(str, error.path))
    )
    if wrong:
        return [f"{'.'.join(map(str, error.path)) or 'the file'}: {error.message}." for error in wrong]
    return [*pin_reasons(board), *scale_reasons(board), *rule_reasons(board)]


def numbered(board):
    """[(name, number)] of every pin that the board has, one row for each phase."""
    rows = []
    for name, value in board["pins"].items():
        rows += [(name, number) for number in (value if isinstance(value, list) else [value]) if number is not None]
    return rows


def pin_reasons(board):
    """What the chip's pins cannot do."""
    chip = board["chip"]
    adc1, adc2, strapping, input_only, taken = CHIPS[chip]
    used = {}
    for name, number in numbered(board):
        if not 0 <= number <= LAST_PIN[chip] or number in taken:
            yield f"{name}: pin {number} does not exist on the {chip} or belongs to its flash, USB or console."
        if board["has_psram"] and number in PSRAM_PINS[chip]:
            yield f"{name}: pin {number} belongs to the PSRAM."
        if name in ANALOG and number in adc2:
            yield f"{name}: pin {number} is on ADC2, which fails while Wi-Fi runs; use ADC1."
        elif name in ANALOG and number not in adc1:
            yield f"{name}: pin {number} is no analog input."
        if name in OUTPUTS and number in input_only:
            yield f"{name}: pin {number} is an input only."
        if name in PULLED and number in input_only:
            yield f"{name}: pin {number} has no pull resistor, so a broken wire would read anything."
        if name in COIL and number in strapping:
            yield f"{name}: pin {number} is a strapping pin, which may be high at reset; the coil must be off then."
        is_shared_pilot = {name, used.get(number)} == {"pilot_high_adc", "pilot_low_adc"} and not board[
            "has_peak_detectors"
        ]
        if number in used and not is_shared_pilot:
            yield f"{name}: pin {number} is already {used[number]}."
        used.setdefault(number, name)
    for name in ("current_adc", "voltage_adc"):
        if len(board["pins"][name]) < board["phases"]:
            yield f"{name}: {board['phases']} phases need as many pins."
    for name in ("live_l2", "live_l3"):
        if board["phases"] == 3 and board["pins"][name] is None:
            yield f"{name}: a weld of this pole would never be seen; 3 phases need a detector behind each."


def scale_reasons(board):
    """Dividers that leave the band in which the ADC is linear."""
    amps = board["cable_ma"] / 1000
    for name, unit, most in (
        ("pilot", "v", PILOT_V),
        ("voltage", "v", NOMINAL_V * OVERVOLTAGE * math.sqrt(2)),
        ("current", "a", STEP_C * amps * math.sqrt(2)),
    ):
        zero_mv, span_mv = board[f"{name}_zero_uv"] / 1000, board[f"{name}_uv_per_{unit}"] * most / 1000
        low_mv, high_mv = zero_mv - span_mv, zero_mv + span_mv
        if low_mv < LINEAR_MV[0] or high_mv > LINEAR_MV[1]:
            yield (
                f"{name}: ±{most:.0f} {unit.upper()} gives {low_mv:.0f}–{high_mv:.0f} mV at the pin, "
                f"outside {LINEAR_MV[0]}–{LINEAR_MV[1]} mV."
            )


def rule_reasons(board):
    """Rules between the facts; those that the firmware checks itself come from it."""
    try:
        board_facts.facts_of(board)
    except ValueError as error:
        yield str(error)
    if not board["has_peak_detectors"] and board["adc_read_us"] > MOST_BURST_READ_US:
        yield (
            f"adc_read_us: reads of {board['adc_read_us']} us need peak detectors on the pilot "
            f"(more than {MOST_BURST_READ_US} us)."
        )
    most_days = MOST_DAYS[board["flash_mb"]]
    if board["history_days"] > most_days:
        days, flash_mb = board["history_days"], board["flash_mb"]
        yield f"history_days: {flash_mb} MB of flash have room for {most_days} days, not for {days}."
    if board["connector"] == "socket" and not board["has_lock_driver"]:
        yield "connector: a socket needs a lock motor with a driver, which this firmware does not have yet."
    if board["has_lock_driver"]:
        yield "has_lock_driver: this firmware has no lock driver yet."
    if board["has_page"] and not board["has_psram"]:
        yield "has_page: the owner's page needs PSRAM."
