"""Words for people: every state, holder and fault in one sentence, split from the codes that the box works with."""

STATE_WORDS = (
    ("idle", "No car is plugged in"),
    ("testing", "Checking the leakage protection"),
    ("waiting", "Waiting a moment before offering power"),
    ("offered", "Ready; the car is not asking for power"),
    ("charging", "Charging"),
    ("stopping", "Stopping"),
    ("faulted", "Stopped for safety"),
)

HOLDER_WORDS = (
    ("grid", "the grid"),
    ("owner", "you"),
    ("house", "the house"),
    ("wiring", "the wiring"),
    ("cable", "the cable"),
    ("car", "the car, which has no switch of its own"),
    ("restart", "a random wait after a grid event"),
    ("ramp", "a slow start after a grid event"),
)

# fault id: (what happened, what to do)
FAULT_WORDS = (
    ("S2", "The car's safety diode is missing", "Unplug the car and try another one."),
    ("S3", "The pilot wire is shorted", "Unplug the cable and look for damage or water."),
    ("S6", "The car asks for ventilation, which this place does not have", "This car cannot be charged here."),
    ("S8", "The box cannot measure its pilot or current", "If it stays, have the box repaired."),
    ("S12a", "The car draws more than it may", "Unplug and try again; if it stays, have the car checked."),
    ("S12b", "The car draws far more than it may", "Unplug and try again; if it stays, have the car checked."),
    ("S12c", "The car draws twice what it may", "Unplug and try again; if it stays, have the car checked."),
    ("S12d", "The car draws more than the wiring carries", "Unplug; have the car and the wiring checked."),
    ("S14", "Leakage current was found", "Unplug the car. If it comes back, have car and cable checked."),
    (
        "S15",
        "The leakage protection did not pass its test",
        "Switch the box off and on; if it stays, have it repaired.",
    ),
    ("X1", "A program error stopped the box", "It starts again by itself, or after a press of its button."),
)


def word_of(table, code):
    """Second column of the row whose first column is `code`; the code itself when there is none."""
    for row in table:
        if row[0] == code:
            return row[1]
    return code


def fault_of(code):
    """(words, what to do) for a fault id."""
    for row in FAULT_WORDS:
        if row[0] == code:
            return row[1:]
    return code, ""


def time_words(until_wall_s, for_s, utc_offset_s):
    """ " until 18:30", or " for 42 min" while the clock is not set; "" for no end."""
    if for_s <= 0:
        return ""
    if not until_wall_s:
        return " for %d min" % ((for_s + 59) // 60)
    # Rounded up: at 18:30 it is really over.
    minutes = (until_wall_s + utc_offset_s + 59) // 60 % 1440
    return " until %02d:%02d" % (minutes // 60, minutes % 60)


def limit_words(holder, until, is_pause):
    """ "Paused by the grid until 18:30" or "limited by the wiring"."""
    who = word_of(HOLDER_WORDS, holder)
    return ("Paused by " if is_pause else "limited by ") + who + until
