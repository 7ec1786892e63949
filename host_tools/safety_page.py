"""The page docs/safety.md: each fault with its reaction, its deadline, what was measured, and what proves it."""

import csv

from host_tools import bootstrap, other_faults
from host_tools.safety_proofs import PROOFS

DOCS = bootstrap.ROOT / "docs"
INTRO = """
Each fault of the control side, of what is stored and of updates: what the box does, by when, what was measured at the
worst, which tests prove it, and what a PC cannot prove. Deadlines are from the fault to the coil switched off; of P1
from the first code to safe outputs, of F1 and F2 to the end of the start, of U3 from the first start of the new one.
Measured over random offsets of loop, pilot and mains (`latency --deadlines`): fast is the simulated board, true the
firmware's own drivers over simulated pins. Nothing here was measured on a board, and nothing claims conformity with a
standard.
"""

REST = """
Runs are sequences, waveforms, closings, sessions or mutants; finds of `mutate` are mutants that survived. A healthy
box has one car after the other: only phev_glitch, which lets go under load of itself, opens more often than asked.

Bugs planted into the core are each found by the rule that is there for it: `tests/model/test_planted_bugs.py`,
`tests/model/test_hostile_port.py`, `tests/model/test_random_lives.py`. The suite fails when the unit tests leave a
line or a branch of `firmware/core` or `firmware/wire` unrun.
"""


def rows_of(name):
    """Rows of a table of figures in docs/ as dicts; none while it was never made."""
    path = DOCS / name
    if not path.exists():
        return []
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def measured(fault_id, rows):
    """What was found for one fault, in a cell."""
    found = []
    for row in rows:
        first, _, what = row["row"].partition(" ")
        if first == fault_id or (first == "S13" and fault_id.startswith("S13")):
            found.append(
                f"{what} {row['max']} of {row['deadline_ms']} ms ({row['seam']}, {int(row['trials']):,})".strip()
            )
    return "; ".join(found) or "–"


def listed(tests):
    """Tests with a blank between, in a cell; of several in one file only the first is told with its path."""
    told, before = [], ""
    for test in tests.split():
        path, _, name = test.partition("::")
        told.append(f"`::{name}`" if path == before else f"`{test}`")
        before = path
    return ", ".join(told)


def fault_table(table, phrase):
    """The table of all faults."""
    from firmware.core.faults import FAULTS

    known = {row[0]: row for row in FAULTS + other_faults.ROWS}
    deadlines = rows_of("deadlines.csv")
    made = []
    for fault_id, tests, board in PROOFS:
        row = known[fault_id]
        cells = (fault_id, phrase(f"fault.{fault_id}")[0], row[2], f"{row[3]} ms" if row[3] else "–", row[4])
        made.append((*cells, measured(fault_id, deadlines), listed(tests), board or "–"))
    columns = ("id", "fault", "reaction", "deadline", "class", "measured at the worst", "tests", "only on a board")
    return table(columns, made)


def campaign_table(table):
    """The newest row of each campaign."""
    newest = {}
    for row in rows_of("campaigns.csv"):
        newest[row["campaign"]] = row
    if not newest:
        return "None was run yet.\n"
    columns = list(next(iter(newest.values())))
    return table(columns, [[row[column] or "–" for column in columns] for row in newest.values()])


def page(head, table, phrase):
    """docs/safety.md."""
    return (
        f"{head}# Safety\n{INTRO}\n{fault_table(table, phrase)}\n## Campaigns\n\n"
        f"The newest run of each; all of them: [campaigns.csv](campaigns.csv).\n\n{campaign_table(table)}{REST}"
    )
