"""The self-test of the residual-current sensor: it must be clear, trip when asked, and clear when no longer asked."""

from firmware.core import units
from firmware.core.records import Stage

STEP_MS = 2000  # each step; all within 6 s (architecture, testing; unconfirmed)
STEPS: "tuple[SelfTest, ...]" = ("before", "trip", "clear")


def with_test(stage: "Stage", test: "SelfTest", until_ms: int) -> "Stage":
    """Stage with the self-test at another step."""
    return Stage(
        stage.state,
        stage.since_ms,
        stage.may_offer_at_ms,
        stage.may_close_at_ms,
        stage.quiet_at_ms,
        stage.low_until_ms,
        test,
        until_ms,
    )


def tested(stage: "Stage", now_ms: int, is_tripped: bool) -> "Stage":
    """Stage after one tick of the self-test: clear before it is asked, it must trip when asked, and clear again.

    At rest it comes once a day (requirements §2), of itself; a session asks for its own.
    """
    if stage.state == "idle" and stage.test not in STEPS:
        is_due = stage.test != "failed" and now_ms >= stage.test_until_ms
        return with_test(stage, STEPS[0], now_ms + STEP_MS) if is_due else stage
    if stage.test == "before" and not is_tripped:
        return with_test(stage, "trip", now_ms + STEP_MS)
    if stage.test == "trip" and is_tripped:
        return with_test(stage, "clear", now_ms + STEP_MS)
    if stage.test == "clear" and not is_tripped:
        return with_test(stage, "passed", now_ms + units.TEST_EVERY_MS)
    if stage.test != "passed" and now_ms >= stage.test_until_ms:
        return with_test(stage, "failed", now_ms)
    return stage
