"""The states of the wallbox and what each one does at the contactor, the pilot and the light."""

# state, contactor closed?, pilot mode, light
# "When can the contactor be closed?" is answered by reading the second column.
STATES: "tuple[StateRow, ...]" = (
    ("idle", False, "high", "off"),
    ("testing", False, "high", "blue_blink"),
    ("waiting", False, "high", "blue"),
    ("offered", False, "pwm", "green_blink"),
    ("waking", False, "low", "blue_blink"),
    ("charging", True, "pwm", "green"),
    ("stopping", True, "high", "blue_blink"),
    ("faulted", False, "high", "red"),
)


def row_of(state: "State") -> "StateRow":
    """The row of STATES for a state's name."""
    for row in STATES:
        if row[0] == state:
            return row
    raise ValueError("no such state: " + state)


def is_closed(state: "State") -> bool:
    """Whether the contactor is closed in this state."""
    return row_of(state)[1]
