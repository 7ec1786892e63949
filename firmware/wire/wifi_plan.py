"""What the Wi-Fi station does next, as a table; when it tries again; how long the set-up access point stays.

`WLAN.status()` cannot be believed as it stands: a connect() does not clear the reason of the last disconnect, and some
reasons hide what the new one does until it got an address (ports/esp32/network_wlan.c, 1.24 to 1.28). So a number
counts only when it is news since this connect(); what stays hidden is judged by time, and by whether the station is
linked.
"""

from collections import namedtuple

# state: a row of STEPS; until_ms: its deadline; step: failures of one kind in a row; code: a row wifi.… of
# words_en.txt; has_old: whether stored credentials stand behind those on trial; before: the number shown just before
# the connect(); end_ms: when the trial is over; keys: handshakes in a row that the key did not pass.
Plan: "type[PlanRecord]" = namedtuple(  # pyright: ignore[reportUntypedNamedTuple, reportAssignmentType]
    "Plan", ("state", "since_ms", "until_ms", "step", "code", "has_old", "before", "end_ms", "keys")
)

IDLE, CONNECTING, GOT_ADDRESS = 1000, 1001, 1010
# number: WLAN.status(), GOT_ADDRESS only with an address; is_linked: associated, with or without an address.
Look: "type[LookRecord]" = namedtuple(  # pyright: ignore[reportUntypedNamedTuple, reportAssignmentType]
    "Look", ("number", "is_linked")
)
# Why a try failed; any other number is "down". 15 and 204: the handshake that proves the key never ended, which a
# router that restarts in its middle causes as well. 202 also stands for 205, a connection that failed, so it proves
# nothing.
REASONS = (
    (15, "wrong_password"),
    (202, "wrong_password"),
    (204, "wrong_password"),
    (201, "no_network"),
    (210, "no_network"),
    (211, "no_network"),
    (212, "no_network"),
)
HANDSHAKE = (15, 204)
# Shown through a new connect() until it succeeds or fails with another reason.
STICKY = (201, 202, 210, 211, 212)
LAST_KNOWN = ("wrong_password", "no_network", "no_address", "down")  # told on while nothing newer is known

# Back within 60 s (faults.md N1): a try that cannot work ends 15 s after its connect(), 10 s when an older reason
# hides it, or 30 s when it is linked and no DHCP server answers; the longest wait is 16 s; and a try that finds
# access point and DHCP takes less than 29 s: the scan 6 s, the handshake's own timer 10 s, DHCP 13 s. A key that
# fails handshake after handshake waits up to 120 s and is back within 300 s even when one more fails; four in a row
# still keep the 60 s, since a right key looks wrong while a router restarts.
SEEK_MS, HIDDEN_MS, LINK_MS = 15_000, 10_000, 30_000
WAIT_FIRST_MS, WAIT_MOST_MS, WAIT_KEY_MS, STEP_MOST = 2000, 16_000, 120_000, 7
STABLE_MS = 10_000  # a connection that lasted this long was a good one: back-off starts anew
# The old connection's end is told late; until then "connected" says nothing of the new one.
CLEAR_LEAST_MS, CLEAR_MOST_MS = 1000, 3000
TRIAL_MS, AGAIN_MS = 30_000, 3000
WINDOW_MS = 600_000
FAREWELL_MS = 15_000  # the page in set-up still reads that it worked

# In this state, when this happens: the next state, and what to do. First match wins; nothing else happens.
# "join": with stored credentials; "try": with those on trial; "leave"; "keep": store them; "roll_back": forget them.
# Each "join" and "try" is one connect(), and a "leave" stands before the next one.
STEPS = (
    ("waiting", "up", "joined", ""),  # the radio came back by itself
    ("waiting", "due", "joining", "join"),
    ("joining", "up", "joined", ""),
    ("joining", "failed", "waiting", "leave"),
    ("joined", "failed", "waiting", "leave"),
    ("clearing", "due", "trying", "try"),
    ("trying", "up", "joined", "keep"),
    ("trying", "over", "waiting", "roll_back"),
    ("trying", "failed", "pausing", "leave"),
    ("pausing", "over", "waiting", "roll_back"),
    ("pausing", "due", "trying", "try"),
)


def first(has_credentials: bool, now_ms: int) -> "PlanRecord":
    """Plan at the start; without credentials nothing happens until some are offered."""
    if has_credentials:
        return Plan("waiting", now_ms, now_ms, 0, "connecting", True, 0, 0, 0)
    return Plan("empty", now_ms, now_ms, 0, "off", False, 0, 0, 0)


def trial(plan: "PlanRecord", now_ms: int) -> "PlanRecord | None":
    """Plan that tries new credentials; the caller leaves the old connection. None while others are tried."""
    if plan.state in ("clearing", "trying", "pausing"):
        return None
    until_ms = now_ms + CLEAR_MOST_MS
    return Plan("clearing", now_ms, until_ms, 0, "trying", plan.state != "empty", 0, now_ms + TRIAL_MS, 0)


def is_news(plan: "PlanRecord", number: int) -> bool:
    """Whether the number tells that the try since the plan's connect() failed.

    IDLE is no news: it is the late end of a connection that was left before.
    """
    if number in (GOT_ADDRESS, CONNECTING, IDLE):
        return False
    return number != plan.before or number not in STICKY


def event(plan: "PlanRecord", look: "LookRecord", now_ms: int) -> str:
    """What happened: "up", "over", "failed", "due" or ""."""
    state = plan.state
    is_up = look.number == GOT_ADDRESS
    is_due = now_ms >= plan.until_ms
    if state == "joined":
        return "" if is_up else "failed"
    if state in ("joining", "trying"):
        if is_up:
            return "up"
        if state == "trying" and now_ms >= plan.end_ms:
            return "over"
        is_late = now_ms >= plan.since_ms + LINK_MS if look.is_linked else is_due
        return "failed" if is_late or is_news(plan, look.number) else ""
    if state == "clearing":
        return "due" if is_due or (not is_up and now_ms >= plan.since_ms + CLEAR_LEAST_MS) else ""
    if state == "pausing" and now_ms >= plan.end_ms:
        return "over"
    if state == "waiting" and is_up:
        # Right after leaving this is the old connection, whose end is told late.
        return "up" if now_ms >= max(plan.until_ms, plan.since_ms + CLEAR_MOST_MS) else ""
    return "due" if is_due and state != "empty" else ""


def wait_ms(step: int, most_ms: int, random_below: "Callable[[int], int]") -> int:
    """Random wait before the next try after step + 1 failures of one kind, from 1 s on."""
    most_ms = min(WAIT_FIRST_MS << min(step, STEP_MOST), most_ms)
    return most_ms // 2 + random_below(most_ms // 2 + 1)


def stepped(
    plan: "PlanRecord", look: "LookRecord", now_ms: int, random_below: "Callable[[int], int]"
) -> "tuple[PlanRecord, str]":
    """(Plan, what to do): one row of STEPS, or nothing."""
    what = event(plan, look, now_ms)
    for state, happened, following, action in STEPS:
        if state == plan.state and happened == what:
            return _entered(plan, (following, action), (look, now_ms), random_below), action
    return plan, ""


def refused(plan: "PlanRecord", now_ms: int, random_below: "Callable[[int], int]") -> "PlanRecord":
    """Plan after a connect() that the radio did not take."""
    if plan.state == "trying":
        return _paused(plan, "down", now_ms)
    return _failed(plan, ("down", plan.keys), now_ms, random_below)


def _entered(
    plan: "PlanRecord", row: "tuple[str, str]", seen: "tuple[LookRecord, int]", random_below: "Callable[[int], int]"
) -> "PlanRecord":
    """Plan of the row's state."""
    following, action = row
    look, now_ms = seen
    if following == "joined":
        return Plan("joined", now_ms, now_ms, plan.step, "connected", True, 0, 0, 0)
    seek_ms = HIDDEN_MS if look.number in STICKY else SEEK_MS
    if following == "joining":
        return Plan("joining", now_ms, now_ms + seek_ms, plan.step, plan.code, True, look.number, 0, plan.keys)
    if following == "trying":
        return Plan("trying", now_ms, now_ms + seek_ms, 0, plan.code, plan.has_old, look.number, plan.end_ms, 0)
    if following == "pausing":
        return _paused(plan, _reason(plan, look), now_ms)
    if action == "roll_back":
        state = "waiting" if plan.has_old else "empty"
        wait = WAIT_FIRST_MS // 2 if plan.has_old else 0
        code = plan.code if plan.state == "pausing" else _reason(plan, look)
        return Plan(state, now_ms, now_ms + wait, 0, code, plan.has_old, 0, 0, 0)
    keys = plan.keys
    if look.number in HANDSHAKE:
        keys += 1
    elif is_news(plan, look.number):
        keys = 0
    return _failed(plan, (_reason(plan, look), keys), now_ms, random_below)


def _paused(plan: "PlanRecord", code: str, now_ms: int) -> "PlanRecord":
    """Between two tries of a trial, which do not make it longer."""
    return Plan("pausing", now_ms, now_ms + AGAIN_MS, 0, code, plan.has_old, 0, plan.end_ms, 0)


def _failed(
    plan: "PlanRecord", why: "tuple[str, int]", now_ms: int, random_below: "Callable[[int], int]"
) -> "PlanRecord":
    """Wait, the longer the more tries failed alike; a lasting connection starts anew, and so does another reason."""
    code, keys = why
    step = plan.step
    if plan.state == "joined":
        step = 0 if now_ms - plan.since_ms >= STABLE_MS else step
    elif code != plan.code:
        step = 0
    most_ms = WAIT_MOST_MS
    if keys > plan.keys:
        step, most_ms = keys - 1, WAIT_KEY_MS
    until_ms = now_ms + wait_ms(step, most_ms, random_below)
    return Plan("waiting", now_ms, until_ms, min(step + 1, STEP_MOST), code, True, 0, 0, keys)


def _reason(plan: "PlanRecord", look: "LookRecord") -> str:
    """Why it failed, as a code; where nothing is known, the last that was."""
    if plan.state == "joined" or is_news(plan, look.number):
        for number, code in REASONS:
            if number == look.number:
                return code
        return "no_address" if look.is_linked else "down"
    if look.is_linked:
        return "no_address"
    return plan.code if plan.code in LAST_KNOWN else "late"


def window_until_ms(until_ms: int, cause: str, now_ms: int) -> int:
    """When set-up ends: ten minutes from "factory" or "button", shortly after "stored"; 0 is closed."""
    if cause == "stored":
        return min(until_ms, now_ms + FAREWELL_MS)
    return now_ms + WINDOW_MS
