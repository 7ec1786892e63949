"""Makes a failing waveform as short and plain as it can be while it still fails in the same way, and prints it."""

PLAIN_MV = (12_000, 9000, 6000, 3000, 0, -12_000)
MOST_TRIES = 400
MOST_SHOWN = 3


def rule_of(case):
    """Name of the rule that the case breaks, or None."""
    from host_tools import hostile_port
    from host_tools.hostile.wire_judge import Unsafe

    try:
        hostile_port.played(case)
    except Unsafe as unsafe:
        return str(unsafe).split(":")[0], unsafe.tick
    return None


def shrunk(case):
    """The case with fewer ticks and plainer voltages, which breaks the same rule."""
    begun = rule_of(case)
    if begun is None:
        raise ValueError("this waveform breaks no rule")
    start, layers, pause_at, minds, rows = case
    rows = rows[: begun[1] + 1]
    tries = 0
    if pause_at >= 0 and breaks((start, layers, -1, minds, rows), begun[0]):
        pause_at = -1
    length = len(rows) // 2
    while length and tries < MOST_TRIES:
        at = 0
        while at < len(rows) and tries < MOST_TRIES:
            fewer = rows[:at] + rows[at + length :]
            tries += 1
            # A cut before the pause would move it.
            if fewer and (pause_at < 0 or at > pause_at) and breaks((start, layers, pause_at, minds, fewer), begun[0]):
                rows = fewer
            else:
                at += length
        length //= 2
    return start, layers, pause_at, minds, plainer((start, layers, pause_at, minds, rows), begun[0])


def plainer(case, rule):
    """Rows with nominal voltages, a normal current and a normal plug wherever the rule is still broken."""
    *others, rows = case
    changes = [lambda row: (23, *row[1:]), lambda row: (*row[:3], None, row[4]), lambda row: (*row[:4], 220)]
    changes += [lambda row, mv=mv: (row[0], mv if abs(row[1] - mv) < 1500 else row[1], *row[2:]) for mv in PLAIN_MV]
    changes += [lambda row: (*row[:2], -12_000 if row[2] < -10_000 else row[2], *row[3:])]
    changes += [lambda row: (row[0], round(row[1], -2), round(row[2], -2), *row[3:])]
    for change in changes:
        plain = [change(row) for row in rows]
        if breaks((*others, plain), rule):
            rows = plain
    return rows


def breaks(case, rule):
    """Whether the case breaks this rule."""
    found = rule_of(case)
    return found is not None and found[0] == rule


def table(case):
    """The case as a table, one line for each run of equal rows, with the coil after it."""
    from host_tools import hostile_port
    from host_tools.hostile.wire_judge import Unsafe

    start, layers, pause_at, minds, rows = case
    lines = [f"from '{start}', at work: {layers}, pause at tick {pause_at}, asked {minds}"]
    lines.append("tick  times     high mV   low mV       mA       ohm  coil")
    at = 0
    while at < len(rows):
        end = at
        while end < len(rows) and rows[end][1:] == rows[at][1:]:
            end += 1
        words = ""
        try:
            coil = "on" if hostile_port.played((start, layers, pause_at, minds, rows[:end])).board.is_on else "off"
        except Unsafe as unsafe:
            coil, words = "on", f"   {unsafe}"
        _, high_mv, low_mv, current_ma, ohm = rows[at]
        flow = "normal" if current_ma is None else current_ma
        lines.append(f"{at:4}  {end - at:5}  {high_mv:10} {low_mv:8} {flow:>8}  {ohm:8}  {coil}{words}")
        at = end
    return "\n".join(lines) + "\n"


def told(seed, found):
    """Print the first failing waveform of each rule, shrunk."""
    from host_tools import hostile_port

    shown = set()
    for number, words in found:
        rule = words.split(":")[0]
        if rule in shown or len(shown) == MOST_SHOWN:
            continue
        shown.add(rule)
        print(f"hostile: waveform {number} of seed {seed}: {words}")
        print(table(shrunk(hostile_port.case_of(seed, number)[0])))
