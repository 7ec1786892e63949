"""What the pins are told: the outputs of a stage, and what a change of them means for the pilot."""

from firmware.core import pilot, states
from firmware.core.records import Outputs

IDLE = Outputs(False, "high", 1000, "off", False)


def mode_of(stage: "Stage", now_ms: int) -> "PilotMode":
    """Pilot mode of a stage: F while it is held low (a fault that met a closed contactor, a wake-up), else its own."""
    if stage.low_until_ms and now_ms < stage.low_until_ms:
        return "low"
    mode = states.row_of(stage.state)[2]
    return "high" if mode == "low" else mode


def outputs_of(before: "Outputs", stage: "Stage", signals: "tuple[int, bool]", now_ms: int) -> "Outputs":
    """Outputs of a stage; the same object as before when nothing changed. signals: (offered mA, whether the relay pin
    is stuck: then the leakage sensor is asked to trip, which drops the coil in hardware, faults.md K4).
    """
    offered_ma, is_pin_stuck = signals
    row = states.row_of(stage.state)
    mode = mode_of(stage, now_ms)
    duty = pilot.duty_permille(offered_ma) if mode == "pwm" else (0 if mode == "low" else 1000)
    wants_test = is_pin_stuck or (stage.test == "trip" and (stage.state == "testing" or stage.state == "idle"))
    if (
        before.is_contactor_closed is row[1]
        and before.pilot_mode == mode
        and before.duty_permille == duty
        and before.led_pattern == row[3]
        and before.wants_residual_test is wants_test
    ):
        return before
    return Outputs(row[1], mode, duty, row[3], wants_test)


def after_change(seen_pilot: "Pilot", before: "Outputs", outputs: "Outputs", now_ms: int) -> "Pilot":
    """Pilot after the outputs changed: 500 ms of stable letter start anew after a duty change or contactor move."""
    is_new_mode = before.pilot_mode != outputs.pilot_mode
    if (
        is_new_mode
        or before.duty_permille != outputs.duty_permille
        or before.is_contactor_closed is not outputs.is_contactor_closed
    ):
        return pilot.restarted(seen_pilot, now_ms, is_new_mode)
    return seen_pilot
