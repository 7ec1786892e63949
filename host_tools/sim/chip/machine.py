"""`machine` of the virtual chip: the fake pins, watchdog, timers and resets."""

from fake_machine import *  # noqa: F403 - this module is the look-alike
from fake_machine import reset_cause, run_timers  # noqa: F401
