"""Stored energy and sessions as the owner reads them: what of it was asked for, and each record as JSON or CSV."""

from firmware.wire import ledger_record
from firmware.wire.log_lines import moment_of

QUARTER_S, MINUTE_S = 900, 60
MOST_DIGITS = 10
MOST_S = 2**32 - 1
MOST_LAST = 100
QUARTER_NO_AT = 5  # bytes before the number of a quarter hour in its record
# What a call may be asked; each is a whole number, and what is left out or empty is not asked for.
ENERGY_KEYS = ("from", "to", "step_s")
SESSION_KEYS = ("from", "to", "last")
CSV_HEAD = "number,started_utc,ended_utc,duration_s,energy_wh,meter_from_wh,meter_to_wh\r\n"


def asked(query: str, keys: "tuple[str, str, str]") -> "tuple[list[int | None], str, str]":
    """([number or None for each key], "", ""), or ([], code of a refusal.… in words_en.txt, key); total.

    query: what follows the "?", as it came. The third of the keys is step_s or last.
    """
    found: list[int | None] = [None, None, None]
    for pair in query.split("&"):
        key, _, digits = pair.partition("=")
        if not pair:
            continue
        if key not in keys:
            return [], "parameter", key[:MOST_DIGITS]
        at = keys.index(key)
        if digits and (found[at] is not None or not is_number(digits)):
            return [], "number", key
        found[at] = int(digits) if digits else found[at]
    from_s, to_s, third = found
    if from_s is not None and to_s is not None and to_s < from_s:
        return [], "period", "to"
    if third is not None and keys[2] == "step_s" and third not in (MINUTE_S, QUARTER_S):
        return [], "step", "step_s"
    if third is not None and keys[2] == "last" and not 0 < third <= MOST_LAST:
        return [], "last", "last"
    return found, "", ""


def is_number(digits: str) -> bool:
    """Whether this is a whole number that fits a moment; ASCII digits alone."""
    return len(digits) <= MOST_DIGITS and all([mark in "0123456789" for mark in digits]) and int(digits) <= MOST_S


class Period:
    """Which moments are wanted: from_s ≤ moment < to_s, None for open."""

    def __init__(self, from_s: "int | None", to_s: "int | None") -> None:
        self.from_s = 0 if from_s is None else from_s
        self.to_s = MOST_S + 1 if to_s is None else to_s
        self.is_all = from_s is None and to_s is None

    def has(self, wall_s: int) -> bool:
        """Whether a moment is wanted; one that is not known (0) only where all are."""
        return self.from_s <= wall_s < self.to_s if wall_s else self.is_all


class EnergyJson:
    """Energy in steps: {"step_s", "energy": [{"at", "mwh"}, …], "undated_mwh", "unreadable"}, oldest record first."""

    def __init__(self, wanted: "list[int | None]") -> None:
        """wanted: of asked(). A step in which nothing flowed is left out; two of one moment add up."""
        self._period = Period(wanted[0], wanted[1])
        self._step_s = wanted[2] or QUARTER_S
        self._comma = ""
        self._undated_mwh = 0  # of quarter hours whose time of day nobody knew

    def may_want(self, octets: "Octets") -> bool:
        """Whether the bytes of some records in a row are worth a closer look; of a year most are soon passed over."""
        if self._period.is_all:
            return True
        for at in range(0, len(octets), ledger_record.QUARTER_B):
            begun_s = int.from_bytes(octets[at + QUARTER_NO_AT : at + QUARTER_NO_AT + 4], "little") * QUARTER_S
            if not begun_s or (begun_s < self._period.to_s and begun_s + QUARTER_S > self._period.from_s):
                return True
        return False

    def head(self) -> str:
        """What comes first."""
        return '{"step_s": %d, "energy": [' % self._step_s

    def text_of(self, octets: "Octets") -> "str | None":
        """Text of the bytes of one record, "" of one that is not wanted, None of what is no record."""
        quarter = ledger_record.quarter_of(octets)
        if quarter is None:
            return None
        begun_s = quarter.quarter_no * QUARTER_S
        steps = quarter.minutes_mwh if self._step_s == MINUTE_S else (sum(quarter.minutes_mwh),)
        if not begun_s:
            self._undated_mwh += sum(quarter.minutes_mwh)
            return ""
        text = ""
        for index in range(len(steps)):
            at_s = begun_s + index * MINUTE_S
            if steps[index] and self._period.has(at_s):
                text += '%s\n{"at": %d, "mwh": %d}' % (self._comma, at_s, steps[index])
                self._comma = ","
        return text

    def end(self, unreadable: int) -> str:
        """What comes last; unreadable: records that were passed over."""
        return '\n], "undated_mwh": %d, "unreadable": %d}\n' % (self._undated_mwh, unreadable)


def session_in(period: Period, octets: "Octets") -> "tuple[SessionRecord, int] | None":
    """(Session, its Wh, −1 where it is not wanted) of the bytes of a record, None of what is no record."""
    session = ledger_record.session_of(octets)
    if session is None:
        return None
    wh = session.to_wh - session.from_wh - (1 if session.to_mwh < session.from_mwh else 0)
    return session, max(wh, 0) if period.has(session.from_wall_s or session.to_wall_s) else -1


class SessionsJson:
    """{"sessions": [{"number", "started_at", "ended_at", "duration_s", "wh", …}, …], "unreadable"}, oldest first."""

    def __init__(self, wanted: "list[int | None]") -> None:
        """wanted: of asked()."""
        self._period = Period(wanted[0], wanted[1])
        self._comma = ""

    def may_want(self, octets: "Octets") -> bool:
        """As of EnergyJson; sessions are few."""
        return True

    def head(self) -> str:
        """What comes first."""
        return '{"sessions": ['

    def text_of(self, octets: "Octets") -> "str | None":
        """As of EnergyJson. Moments are UTC seconds, null where the clock was not set; Wh are rounded down."""
        found = session_in(self._period, octets)
        if found is None:
            return None
        session, wh = found
        if wh < 0:
            return ""
        text = (
            '%s\n{"number": %d, "started_at": %s, "ended_at": %s, "duration_s": %d, "wh": %d, '
            '"meter_from_wh": %d, "meter_to_wh": %d}'
        ) % (
            self._comma,
            session.seq,
            session.from_wall_s or "null",
            session.to_wall_s or "null",
            session.for_s,
            wh,
            session.from_wh,
            session.to_wh,
        )
        self._comma = ","
        return text

    def end(self, unreadable: int) -> str:
        """What comes last."""
        return '\n], "unreadable": %d}\n' % unreadable


class SessionsCsv:
    """Sessions as RFC 4180: digits, dates and nothing else in any cell, so no spreadsheet takes one for a formula.

    Whole Wh: a decimal point or comma would be read otherwise in another country.
    """

    def __init__(self, wanted: "list[int | None]") -> None:
        """wanted: of asked()."""
        self._period = Period(wanted[0], wanted[1])

    def may_want(self, octets: "Octets") -> bool:
        """As of EnergyJson; sessions are few."""
        return True

    def head(self) -> str:
        """What comes first."""
        return CSV_HEAD

    def text_of(self, octets: "Octets") -> "str | None":
        """As of EnergyJson."""
        found = session_in(self._period, octets)
        if found is None:
            return None
        session, wh = found
        if wh < 0:
            return ""
        times = (date_of(session.from_wall_s), date_of(session.to_wall_s), session.for_s)
        return "%d,%s,%s,%d,%d,%d,%d\r\n" % ((session.seq,) + times + (wh, session.from_wh, session.to_wh))

    def end(self, unreadable: int) -> str:
        """What comes last: how many could not be read, where there are any."""
        return "unreadable %d,,,,,,\r\n" % unreadable if unreadable else ""


def date_of(wall_s: int) -> str:
    """UTC as a spreadsheet knows it, 2026-11-21 13:05:00; "" for 0."""
    moment = moment_of(wall_s)
    return moment[:10] + " " + moment[11:19] if wall_s else ""
