"""What the owner's page may ask: JSON bodies become the same commands and settings as every other way in."""

from firmware.core.records import Command, Ref, Refusal
from firmware.wire import strict_json

MOST_FOR_S = 86_400
# kind on the page: (core kind, needs limit_ma, has an end)
KINDS = (
    ("pause", "limit", False, True),
    ("limit", "limit", True, True),
    ("resume", "resume", False, False),
    ("charge_now", "charge_now", False, False),
    ("opt_out", "opt_out", False, False),
    ("clear_fault", "clear_fault", False, False),
    ("unlock", "unlock", False, False),
)
OWNER_CLEARS = ("S18", "X1")  # faults.md, classes: what a logged-in owner may clear; the core has the last word
OWNER_REF = Ref("owner", "page", 0)


def bad(field: str, words: str) -> "Refusal":
    """Refusal of a field."""
    return Refusal("bad_field", field, words, None)


def fields_of(payload: "Octets", most_bytes: int) -> "Fields | Refusal":
    """Dict of a JSON body, or a Refusal."""
    if len(payload) > most_bytes:
        return Refusal("too_big", "", "The request is too long.", None)
    try:
        return strict_json.opened(payload)
    except strict_json.BadJson as wrong:
        words = "This is not a JSON object." if wrong.code == "bad_json" else "This field does not fit."
        return Refusal(wrong.code, wrong.field, words, None)


def time_of(payload: "Octets") -> "int | Refusal":
    """UTC epoch seconds of the body of POST /api/time, or a Refusal; total."""
    fields = fields_of(payload, 64)
    if isinstance(fields, Refusal):
        return fields
    wall_s = fields.get("wall_s")
    if type(wall_s) is not int or wall_s < 0:
        return bad("wall_s", "A time is a whole count of seconds since 1970.")
    return wall_s


def parse(payload: "Octets", now_ms: int) -> "Command | Refusal":
    """Command of source "owner" for the body of POST /api/command, or a Refusal; total."""
    fields = fields_of(payload, 512)
    if isinstance(fields, Refusal):
        return fields
    for kind, core_kind, needs_limit, has_end in KINDS:
        if fields.get("kind") == kind:
            break
    else:
        return Refusal("unknown_kind", "kind", "This kind of command is not known.", None)
    limit_ma = fields.get("limit_ma", 0) if needs_limit else 0
    if type(limit_ma) is not int or not 0 <= limit_ma <= 80_000 or (needs_limit and "limit_ma" not in fields):
        return bad("limit_ma", "A limit is 0 to 80000 mA.")
    for_s = fields.get("for_s", 3600 if kind == "pause" else 0)
    if type(for_s) is not int or not 0 <= for_s <= MOST_FOR_S:
        return bad("for_s", "A length is 0 to 86400 s.")
    # Which event, or which fault; None is all that the command may touch.
    key = "code" if kind == "clear_fault" else "id"
    of = fields.get(key)
    if of is not None and type(of) is not str:
        return bad(key, "This is text.")
    if key == "code" and of is not None and of not in OWNER_CLEARS:
        return Refusal(
            "not_allowed", key, "This fault is not cleared from a page; do what the box says about it.", None
        )
    until_ms = now_ms + for_s * 1000 if has_end and for_s else None
    return Command(core_kind, "owner", limit_ma, now_ms, until_ms, OWNER_REF, "", 0, of, "")
