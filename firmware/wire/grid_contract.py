"""Grid contract v1: bytes on a command topic become one command for the box, or a refusal with a reason."""

from collections import namedtuple

from firmware.core import units
from firmware.core.records import Command, Ref, Refusal
from firmware.wire import strict_json

# scope: "box" | "group" | "all"
Message: "type[MessageRecord]" = namedtuple(  # pyright: ignore[reportUntypedNamedTuple, reportAssignmentType]
    "Message", ("scope", "payload", "is_retained")
)

# wall_s: UTC seconds or None; voltage_mv: the higher of measured and nominal, one phase; word_number names bare words.
Context: "type[ContextRecord]" = namedtuple(  # pyright: ignore[reportUntypedNamedTuple, reportAssignmentType]
    "Context", ("now_ms", "wall_s", "voltage_mv", "phases", "word_number", "may_bind")
)

MOST_BYTES = 1024  # grid-contract.md, command
MOST_DURATION_S = 21_600
MOST_EMERGENCY_S = 86_400
MOST_SPREAD_S = 1800
WORD_DURATION_S = 3600  # a bare `pause` pauses for one hour
NO_CLOCK_MOST_S = 3600  # without a set clock what lowers is obeyed for at most one hour
MOST_RETURN_S = 3600  # `random:<s>` (the contract names no bound; unconfirmed)
RETURN_SPREAD_S = 600  # `now` on group and all, and `slack` without a departure: random 0–600 s
RANKS = ("emergency", "mandatory", "market", "advice")
KINDS = ("pause", "limit", "setpoint", "resume", "tariff", "heartbeat")
ID_MARKS = "._:-"

# Why a command may be refused; what each means in words: firmware/words_en.txt.
REASONS = (
    "bad_json bad_field too_big unknown_kind expired too_early no_clock not_allowed not_capable busy replayed "
    "bad_signature"
)

NO_REF = Ref("", "", 0)


class Refused(Exception):
    """Leaves the parser from any depth; becomes a Refusal."""

    def __init__(self, code: str, field: str) -> None:
        super().__init__(code)
        self.code = code
        self.field = field


def parse(message: "MessageRecord", context: "ContextRecord") -> "tuple[Command, int, int] | Refusal":
    """(Command, spread_s, resume_max_s) or a Refusal; total: any bytes give one of them, never an exception.

    spread_s: the start waits a random time up to this; resume_max_s: the return of load waits up to this.
    """
    ref = NO_REF
    try:
        if len(message.payload) > MOST_BYTES:
            raise Refused("too_big", "")
        if message.scope == "box" and bytes(message.payload) in (b"pause", b"resume"):
            return bare(message, context)
        fields = strict_json.opened(message.payload)
        ref = ref_of(fields)
        return command_of(fields, message, context)
    except Refused as refused:
        return Refusal(refused.code, refused.field, "", ref)
    except strict_json.BadJson as bad:
        return Refusal(bad.code, bad.field, "", ref)


def drawn(parsed: "tuple[Command, int, int]", random_below: "Callable[[int], int]") -> "Command":
    """The Command of a parse() result with its random delays drawn, to the second (grid-contract.md, spread_s)."""
    command, spread_s, resume_max_s = parsed
    delay_ms = random_below(spread_s + 1) * 1000 if spread_s else 0
    after_ms = random_below(resume_max_s + 1) * 1000 if resume_max_s else 0
    until_ms = command.until_ms if command.until_ms is None else command.until_ms + delay_ms
    return Command(
        command.kind,
        command.source,
        command.limit_ma,
        command.from_ms + delay_ms,
        until_ms,
        command.ref,
        command.rank,
        after_ms,
        command.of,
        command.note,
    )


def bare(message: "MessageRecord", context: "ContextRecord") -> "tuple[Command, int, int] | Refusal":
    """A bare word on the box's own topic; with the retain flag it is ignored and counted as expired."""
    ref = Ref("grid", "word-%d" % context.word_number, 0)
    if message.is_retained:
        return Refusal("expired", "", "", None)
    now_ms = context.now_ms
    if bytes(message.payload) == b"resume":
        return Command("resume", "grid", 0, now_ms, None, ref, "market", 0, None, ""), 0, 0
    until_ms = now_ms + WORD_DURATION_S * 1000
    return Command("limit", "grid", 0, now_ms, until_ms, ref, "market", 0, None, ""), 0, 0


def last_word(seen: "Seen") -> int:
    """The highest number that a bare word has among ids seen before the start: the next one must be another."""
    last = 0
    for ref in seen:
        digits = ref.id[5:]
        if ref.id[:5] == "word-" and 0 < len(digits) < 9 and all(mark in "0123456789" for mark in digits):
            last = max(last, int(digits))
    return last


def number(fields: "Fields", name: str, low: int, high: int) -> "int | None":
    """Whole number of a field within low..high, or None when absent. Errors: Refused."""
    value = fields.get(name)
    if value is None and name not in fields:
        return None
    if type(value) is not int or value < low or value > high:
        raise Refused("bad_field", name)
    return value


def text(fields: "Fields", name: str, most: int) -> "str | None":
    """Text of a field up to `most` characters, or None when absent. Errors: Refused."""
    if name not in fields:
        return None
    value = fields[name]
    if type(value) is not str or len(value) > most:
        raise Refused("bad_field", name)
    return value


def identifier(fields: "Fields", name: str, most: int) -> "str | None":
    """Text of 1..most characters A–Z a–z 0–9 . _ : - or None when absent. Errors: Refused."""
    value = text(fields, name, most)
    if value is None:
        return None
    if not value:
        raise Refused("bad_field", name)
    for mark in value:
        if not ("a" <= mark <= "z" or "A" <= mark <= "Z" or "0" <= mark <= "9" or mark in ID_MARKS):
            raise Refused("bad_field", name)
    return value


def ref_of(fields: "Fields") -> "Ref":
    """Ref of a command, as far as it can be read; id is required. Errors: Refused."""
    name = identifier(fields, "id", 64)
    if name is None:
        raise Refused("bad_field", "id")
    issuer = identifier(fields, "issuer", 32)
    rev = number(fields, "rev", 0, strict_json.MOST_INT)
    return Ref(issuer or "grid", name, rev or 0)


def command_of(fields: "Fields", message: "MessageRecord", context: "ContextRecord") -> "tuple[Command, int, int]":
    """(Command, spread_s, resume_max_s) of a JSON command. Errors: Refused."""
    ref = ref_of(fields)
    kind = text(fields, "kind", 16)
    if kind is None:
        raise Refused("bad_field", "kind")
    if kind not in KINDS:
        raise Refused("unknown_kind", "kind")
    rank = rank_of(fields, context)
    note = text(fields, "note", 64) or ""
    spread_s = number(fields, "spread_s", 0, MOST_SPREAD_S) or 0
    resume_max_s = resume_of(fields, message.scope)
    check_window(fields, context)
    if kind in ("setpoint", "tariff", "heartbeat"):
        raise Refused("not_allowed" if kind == "heartbeat" else "not_capable", "kind")
    if kind == "resume":
        if message.is_retained and not fields.get("expires_at"):
            raise Refused("expired", "")
        of = identifier(fields, "of", 64)
        return Command("resume", "grid", 0, context.now_ms, None, ref, rank, 0, of, note), 0, resume_max_s
    limit_ma = 0 if kind == "pause" else limit_of(fields, context)
    from_ms, until_ms = span(fields, message, context)
    return Command("limit", "grid", limit_ma, from_ms, until_ms, ref, rank, 0, None, note), spread_s, resume_max_s


def rank_of(fields: "Fields", context: "ContextRecord") -> str:
    """Class of the command; plain mode takes emergency and mandatory as market unless they may bind."""
    rank = text(fields, "class", 16)
    if rank is None:
        return "market"
    if rank not in RANKS:
        raise Refused("bad_field", "class")
    return rank if context.may_bind or rank not in ("emergency", "mandatory") else "market"


def resume_of(fields: "Fields", scope: str) -> int:
    """Longest random wait in s before load returns (grid-contract.md, resume)."""
    policy = text(fields, "resume", 16)
    if policy is None:
        policy = "now" if scope == "box" else "slack"
    if policy == "now":
        return 0 if scope == "box" else RETURN_SPREAD_S
    if policy == "slack":
        return RETURN_SPREAD_S  # no departure is known yet
    digits = policy[7:] if policy[:7] == "random:" else ""
    # Plain digits only: other scripts have digits too, and int() takes some of them.
    if 0 < len(digits) <= 4 and all(mark in "0123456789" for mark in digits) and int(digits) <= MOST_RETURN_S:
        return int(digits)
    raise Refused("bad_field", "resume")


def check_window(fields: "Fields", context: "ContextRecord") -> None:
    """issued_at and expires_at are obeyed when present. Errors: Refused."""
    issued_s = number(fields, "issued_at", 0, strict_json.MOST_INT)
    expires_s = number(fields, "expires_at", 0, strict_json.MOST_INT)
    if issued_s and expires_s and not 0 <= expires_s - issued_s <= 86_400:
        raise Refused("bad_field", "expires_at")
    if context.wall_s is None:
        return
    if issued_s and issued_s > context.wall_s + 120:
        raise Refused("too_early", "issued_at")
    if expires_s and context.wall_s > expires_s:
        raise Refused("expired", "expires_at")


def limit_of(fields: "Fields", context: "ContextRecord") -> int:
    """Limit in mA from limit_ma or limit_w; watts over volts × phases, rounded down. Errors: Refused."""
    limit_ma = number(fields, "limit_ma", 0, strict_json.MOST_INT)
    limit_w = number(fields, "limit_w", 0, strict_json.MOST_INT)
    if (limit_ma is None) == (limit_w is None):
        raise Refused("bad_field", "limit_ma")
    if limit_ma is None:
        assert limit_w is not None  # one of the two is there
        limit_ma = limit_w * 1_000_000 // (context.voltage_mv * context.phases)
    return min(limit_ma, units.MAX_OFFER_MA)


def span(fields: "Fields", message: "MessageRecord", context: "ContextRecord") -> "tuple[int, int]":
    """(from_ms, until_ms) of a pause or limit; a start in the past runs what is left. Errors: Refused."""
    # An emergency keeps its long duration even where plain mode lets the owner opt out of it.
    most_s = MOST_EMERGENCY_S if fields.get("class") == "emergency" else MOST_DURATION_S
    duration_s = number(fields, "duration_s", 1, most_s)
    if duration_s is None:
        raise Refused("bad_field", "duration_s")
    start_s = number(fields, "start_at", 0, strict_json.MOST_INT) or 0
    if message.is_retained and not fields.get("expires_at") and not start_s:
        raise Refused("expired", "")
    if context.wall_s is None:
        if start_s:
            raise Refused("no_clock", "start_at")
        duration_s = min(duration_s, NO_CLOCK_MOST_S)
    wall_s: int = context.wall_s  # pyright: ignore[reportAssignmentType]  a start without a clock was refused
    ahead_s = start_s - wall_s if start_s else 0
    if ahead_s + duration_s <= 0:
        raise Refused("expired", "start_at")
    from_ms = context.now_ms + ahead_s * 1000
    return max(from_ms, context.now_ms), from_ms + duration_s * 1000
