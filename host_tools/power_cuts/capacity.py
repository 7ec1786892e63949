"""Hours of charging that the journal takes between two checkpoints, reckoned from the records as they are."""

from firmware.drivers import flash_area
from firmware.services import journal, ledger
from firmware.wire import journal_record, ledger_record
from host_tools.device import boards
from host_tools.power_cuts.wear import DATA_BYTES

GOALS_H = (("reference", 100), ("compact", 24))
SECTOR_B = journal_record.SECTOR_B
# Slots an hour: energy each SAVE_MS, four quarter hours, a session, and, as an estimate, a command each five minutes
# with what is remembered of it (state of 100 B).
COMMANDS_AN_HOUR, STATE_B = 12, 100


def slots_an_hour():
    """How many places an hour of charging takes."""
    parts = journal_record.parts_of
    energy = 3_600_000 // ledger.SAVE_MS
    quarters = 4 * parts(bytes(ledger_record.QUARTER_B))
    session = parts(bytes(ledger_record.SESSION_B)) + parts(bytes(ledger_record.HEAD_B))
    return energy + quarters + session + COMMANDS_AN_HOUR * parts(bytes(STATE_B))


def report():
    """Print the figures, one a line; True when the goals are met."""
    is_good = True
    for name, goal_h in GOALS_H:
        blocks = DATA_BYTES[boards.loaded(name)["flash_mb"]] // SECTOR_B
        sectors = next(sectors for least, sectors in flash_area.RINGS if blocks >= least)
        # One sector is open and may be nearly full, KEPT_AHEAD are kept back.
        places = (sectors - 1 - journal.KEPT_AHEAD) * journal.USABLE - journal.KEPT_PLACES
        hours = places / slots_an_hour()
        print(f"capacity_{name}: {hours:.1f} h of {sectors} sectors at {slots_an_hour()} slots an hour (>= {goal_h})")
        is_good = is_good and hours >= goal_h
    return is_good
