"""Facts of one board: its pins, its scales and what it can do; read once from its board file."""

import json
from collections import namedtuple

PINS = (
    "pilot_high_adc",
    "pilot_low_adc",
    "current_adc",
    "voltage_adc",
    "temperature_adc",
    "proximity_adc",
    "pilot_pwm",
    "coil_enable",
    "coil_heartbeat",
    "peak_reset",
    "residual_tripped",
    "residual_test",
    "led_red",
    "led_green",
    "led_blue",
    "button",
    "earth_ok",
    "lid_closed",
    "feedback",
    "live_l1",
    "live_l2",
    "live_l3",
    "live_n",
)
FACTS = (
    "name",
    "tick_ms",
    "has_peak_detectors",
    "has_hardware_cutoff",
    "has_page",
    "phases",
    "cable_ma",
    "contactor_operations",
    "leakage_retry",
    "history_days",
    "pilot_zero_uv",
    "pilot_uv_per_v",
    "current_zero_uv",
    "current_uv_per_a",
    "voltage_zero_uv",
    "voltage_uv_per_v",
    "pins",
)
# What calibration finds out about one board (device calibrate); box.json may say these and no others.
OWN = ("pilot_zero_uv", "pilot_uv_per_v", "current_zero_uv", "current_uv_per_a")
OWN_PERCENT = 15  # further from the board file is no tolerance of parts but a mistake
Pins = namedtuple("Pins", PINS)
BoardFacts = namedtuple("BoardFacts", FACTS)

HALF_CYCLES_US = (10_000, 8_333)  # of 50 and 60 Hz mains


def is_clear_of_mains(tick_ms):
    """Whether bursts once a tick drift over the mains: not within 5 % of a half cycle's multiple (architecture)."""
    for half_us in HALF_CYCLES_US:
        left_us = tick_ms * 1000 % half_us
        if min(left_us, half_us - left_us) * 20 < half_us:
            return False
    return True


def facts_of(board):
    """BoardFacts from the dict of a board file. Errors: ValueError in words."""
    for name in FACTS:
        if name not in board:
            raise ValueError("The board file lacks '%s'." % name)
    for name in PINS:
        if name not in board["pins"]:
            raise ValueError("The board file lacks the pin '%s'." % name)
    if not 21 <= board["tick_ms"] <= 27 or not is_clear_of_mains(board["tick_ms"]):
        raise ValueError("A tick of %s ms is too near a half cycle of the mains, or not 21-27 ms." % board["tick_ms"])
    if board["phases"] not in (1, 3):
        raise ValueError("A board has 1 or 3 phases.")
    if not board["has_peak_detectors"] and board["cable_ma"] > 51_000:
        raise ValueError("Offers above 51 A need peak detectors.")
    pins = Pins(*[board["pins"][name] for name in PINS])
    return BoardFacts(*[board[name] for name in FACTS[:-1]], pins)


def loaded(path):
    """BoardFacts of a board file. Errors: OSError, ValueError in words."""
    with open(path) as file:
        return facts_of(json.load(file))


def own_refusal(board, own):
    """Why a board's own facts (dict) cannot stand in for those of its file's dict; "" when they can."""
    if type(own) is not dict:
        return "The board's own facts are no object."
    for name in own:
        if name not in OWN or type(own[name]) is not int:
            return "'%s' is no fact that a board may have of its own, or no whole number." % name
        if abs(own[name] - board[name]) * 100 > board[name] * OWN_PERCENT:
            return "The board's own %s is %d, more than %d %% from %d." % (name, own[name], OWN_PERCENT, board[name])
    return ""


def with_own(path, own):
    """(BoardFacts of a board file with the board's own in place, ""), or (the file's alone, why the own are refused).

    Errors: OSError, ValueError in words.
    """
    with open(path) as file:
        board = json.load(file)
    facts = facts_of(board)
    words = own_refusal(board, own)
    if not words:
        board.update(own)
        facts = facts_of(board)
    return facts, words
