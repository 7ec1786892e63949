"""What the Wi-Fi station does next, as a table; when it tries again; how long the set-up access point stays."""

from collections import namedtuple

# state: a row of STEPS; until_ms: its deadline; step: failures in a row; code: a row wifi.… of words_en.txt;
# has_old: whether stored credentials stand behind those on trial.
Plan: "type[PlanRecord]" = namedtuple(  # pyright: ignore[reportUntypedNamedTuple, reportAssignmentType]
    "Plan", ("state", "since_ms", "until_ms", "step", "code", "has_old")
)

# A join ends within 20 s and the longest wait is 240 s: an access point that comes back in the middle of a join that
# fails is joined 20 + 240 + 20 s later at most, under the 300 s that are promised.
JOIN_MS = 20_000
WAIT_FIRST_MS, WAIT_MOST_MS, STEP_MOST = 2000, 240_000, 7
STABLE_MS = 10_000  # a connection that lasted this long was a good one: back-off starts anew
CLEAR_MS = 2000  # the old connection's end is told late; until then "connected" says nothing of the new one
TRIAL_MS = 30_000
WINDOW_MS = 600_000
FAREWELL_MS = 15_000  # the page in set-up still reads that it worked

# In this state, when this happens: the next state, and what to do. First match wins; nothing else happens.
# "join": with stored credentials; "try": with those on trial; "leave"; "keep": store them; "roll_back": forget them.
STEPS = (
    ("waiting", "due", "joining", "join"),
    ("joining", "up", "joined", ""),
    ("joining", "failed", "waiting", "leave"),
    ("joining", "due", "waiting", "leave"),
    ("joined", "failed", "waiting", "leave"),
    ("clearing", "failed", "trying", "try"),
    ("clearing", "due", "trying", "try"),
    ("trying", "up", "joined", "keep"),
    ("trying", "due", "waiting", "roll_back"),
    ("trying", "failed", "trying", "try"),
)


def first(has_credentials: bool, now_ms: int) -> "PlanRecord":
    """Plan at the start; without credentials nothing happens until some are offered."""
    if has_credentials:
        return Plan("waiting", now_ms, now_ms, 0, "connecting", True)
    return Plan("empty", now_ms, now_ms, 0, "off", False)


def trial(plan: "PlanRecord", now_ms: int) -> "PlanRecord | None":
    """Plan that tries new credentials; the caller leaves the old connection. None while others are tried."""
    if plan.state in ("clearing", "trying"):
        return None
    return Plan("clearing", now_ms, now_ms + CLEAR_MS, 0, "trying", plan.state != "empty")


def event(plan: "PlanRecord", found: str, now_ms: int) -> str:
    """What happened: "up", "failed", "due" or "". found: the driver's state."""
    # While waiting or clearing, "connected" is what is being left.
    if found == "connected" and plan.state in ("joining", "trying", "joined"):
        return "up"
    if plan.state not in ("empty", "joined") and now_ms >= plan.until_ms:
        return "due"
    return "" if found in ("connecting", "connected") else "failed"


def wait_ms(step: int, random_below: "Callable[[int], int]") -> int:
    """Random wait before the next join after step + 1 failures, 1 to 240 s."""
    most_ms = min(WAIT_FIRST_MS << min(step, STEP_MOST), WAIT_MOST_MS)
    return most_ms // 2 + random_below(most_ms // 2 + 1)


def stepped(
    plan: "PlanRecord", found: str, now_ms: int, random_below: "Callable[[int], int]"
) -> "tuple[PlanRecord, str]":
    """(Plan, what to do): one row of STEPS, or nothing."""
    what = event(plan, found, now_ms)
    for state, happened, following, action in STEPS:
        if state == plan.state and happened == what:
            return _entered(plan, (following, action), (found, now_ms), random_below), action
    return plan, ""


def _entered(
    plan: "PlanRecord", row: "tuple[str, str]", seen: "tuple[str, int]", random_below: "Callable[[int], int]"
) -> "PlanRecord":
    """Plan of the row's state. Lasting connections start the back-off anew."""
    following, action = row
    found, now_ms = seen
    reason = _reason(plan, found, now_ms)
    if action == "roll_back" and not plan.has_old:
        return Plan("empty", now_ms, now_ms, 0, reason, False)
    if action == "roll_back":
        return Plan("waiting", now_ms, now_ms + WAIT_FIRST_MS // 2, 0, reason, True)
    if following == "joined":
        return Plan("joined", now_ms, now_ms, plan.step, "connected", True)
    if following == "joining":
        return Plan("joining", now_ms, now_ms + JOIN_MS, plan.step, plan.code, True)
    if following == "trying":
        # Joining again within a trial does not make the trial longer.
        until_ms = plan.until_ms if plan.state == "trying" else now_ms + TRIAL_MS
        return Plan("trying", now_ms, until_ms, 0, reason if plan.state == "trying" else "trying", plan.has_old)
    is_stable = plan.state == "joined" and now_ms - plan.since_ms >= STABLE_MS
    step = 0 if is_stable else plan.step
    return Plan("waiting", now_ms, now_ms + wait_ms(step, random_below), min(step + 1, STEP_MOST), reason, True)


def _reason(plan: "PlanRecord", found: str, now_ms: int) -> str:
    """Why it failed, as a code; a deadline's reason is the last failure's where there was one."""
    if found not in ("connecting", "connected"):
        return found
    return plan.code if plan.code in ("wrong_password", "no_network", "down") else "late"


def window_until_ms(until_ms: int, cause: str, now_ms: int) -> int:
    """When set-up ends: ten minutes from "factory" or "button", shortly after "stored"; 0 is closed."""
    if cause == "stored":
        return min(until_ms, now_ms + FAREWELL_MS)
    return now_ms + WINDOW_MS
