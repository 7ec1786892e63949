"""The last numbers of signed commands, which only rise for each issuer and place: ((issuer, place, number), …)."""

MOST_ROWS = 32  # the one that was not heard for longest goes first


def is_replayed(rows: "SeqRows", row: "tuple[str, str, int]", is_seen: bool) -> bool:
    """Whether a number is one that its (issuer, place) has passed; the same once more only with the same command."""
    issuer, place, seq = row
    for known in rows:
        if known[0] == issuer and known[1] == place:
            return seq < known[2] or (seq == known[2] and not is_seen)
    return False


def with_seq(rows: "SeqRows", row: "tuple[str, str, int]") -> "SeqRows":
    """Rows with the number of a command that was proved; the same rows when it is the number they have."""
    if row in rows:
        return rows
    others = tuple([known for known in rows if known[:2] != row[:2]])
    return others[-(MOST_ROWS - 1) :] + (row,)


def rows_of(fields: "Fields") -> "SeqRows":
    """Rows of a state file; of a file without them, or with others, as many as can be read."""
    made: SeqRows = ()
    found = fields.get("seqs")
    for row in found if isinstance(found, list) else ():
        if isinstance(row, list) and [type(one) for one in row] == [str, str, int]:
            made += ((row[0], row[1], row[2]),)  # pyright: ignore[reportAssignmentType]  looked at right above
    return made[-MOST_ROWS:]
