"""Fields of a state file with what the journal says has changed since; needed at a start, and dropped."""

import json

MOST_CLAIMS, MOST_SEEN, MOST_SEQS = 64, 64, 32
FROM_MS, UNTIL_MS = 2, 3  # places in a row of a claim
LISTS = ("claims", "latches", "counts", "hot_for_ms", "seen", "seqs")


def nothing() -> "Fields":
    """Fields where there is no file."""
    made: Fields = {"wall_s": 0, "wear": [0, 0, 0]}
    for name in LISTS:
        made[name] = []
    return made


def with_value(fields: "Fields", seq: int, octets: "Octets") -> bool:
    """Put the changes of one value (state_changes.py) into fields; False for one older than the file with this number.

    Errors: ValueError, TypeError, where it is no such value; then fields are as before but for some of its changes.
    """
    found: Json = json.loads(str(octets, "utf-8"))
    row: list[Any] = list(found) if isinstance(found, list) else []
    if [type(one) for one in row[:3]] != [int, int, int]:
        raise ValueError("value")
    if row[2] < seq:
        return False
    age(fields, row[0], row[1])
    for change in row[3:]:
        if type(change) is not list or [type(one) for one in change[:2]] != [str, list]:  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
            raise ValueError("change")
        put(fields, change)  # pyright: ignore[reportUnknownArgumentType]
    return True


def age(fields: "Fields", now_ms: int, wall_s: int) -> None:
    """Bring the moments of all rows, which are told from when they were stored, to this one of the same start.

    A start counts anew: where now_ms is less than before, nobody knows how long the box was off. Once the clock is set
    the running box makes that good (state_store.aged).
    """
    before_ms = fields.get("at_ms")
    gap_ms = now_ms - before_ms if type(before_ms) is int else 0
    fields["at_ms"] = now_ms
    if gap_ms < 0:
        return
    known_s = fields.get("wall_s")
    fields["wall_s"] = wall_s or (known_s + gap_ms // 1000 if type(known_s) is int and known_s else 0)
    for row in rows_of(fields, "claims", 7):
        row[FROM_MS] = less(row[FROM_MS], gap_ms)
        row[UNTIL_MS] = less(row[UNTIL_MS], gap_ms)
    for row in rows_of(fields, "latches", 3):
        row[2] = less(row[2], gap_ms)
    for row in rows_of(fields, "counts", 3):
        row[2] = less(row[2], -gap_ms)
    hot = fields.get("hot_for_ms")
    if isinstance(hot, list):
        fields["hot_for_ms"] = [less(one, -gap_ms) for one in hot]


def less(value: "Json", by_ms: int) -> "Json":
    """A number less so many; what is none stays."""
    return value - by_ms if type(value) is int else value


def put(fields: "Fields", change: "list[Any]") -> None:
    """One change. Errors: ValueError for one that this firmware does not know."""
    kind, row = change[0], change[1]
    if kind == "c":
        others = [one for one in rows_of(fields, "claims", 7) if one[0] != row[0] or one[4:7] != row[4:7]]
        fields["claims"] = (others + [row])[-MOST_CLAIMS:]  # pyright: ignore[reportArgumentType]
    elif kind == "e":
        others = [one for one in rows_of(fields, "claims", 7) if [one[0]] + one[4:7] != row]
        fields["claims"] = list(others)
    elif kind == "l":
        fields["latches"] = row
    elif kind == "s":
        fields["seen"] = ([one for one in rows_of(fields, "seen", 1) if one != row] + [row])[-MOST_SEEN:]  # pyright: ignore[reportArgumentType]
    elif kind == "q":
        others = [one for one in rows_of(fields, "seqs", 2) if one[:2] != row[:2]]
        fields["seqs"] = (others + [row])[-MOST_SEQS:]  # pyright: ignore[reportArgumentType]
    elif kind == "n" and len(change) == 4:
        fields["counts"], fields["wear"], fields["hot_for_ms"] = row, change[2], change[3]
    else:
        raise ValueError("change")


def rows_of(fields: "Fields", key: str, least: int) -> "list[list[Any]]":
    """The rows of that name, each at least so long. Errors: ValueError where there are no such rows."""
    found = fields.get(key)
    made: list[list[Any]] = []
    for row in found if isinstance(found, list) else (None,):
        if not isinstance(row, list) or len(row) < least:
            raise ValueError(key)
        made.append(row)
    return made
