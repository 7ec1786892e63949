"""Wear of the ledger on a real littlefs: erases a year and years at 100,000 cycles, by how many hours a day flow."""

import random

from firmware.core.records import Energy
from firmware.services import ledger, ledger_start
from firmware.services.flash_files import tally
from host_tools.device import boards
from host_tools.power_cuts import lfs_files
from host_tools.power_cuts.flash_chip import BLOCK, FlashChip

CYCLES = 100_000
DAY_S = 86_400
MIDNIGHT_S = 1_795_132_800
POWER_MWH_S = 3000  # 10.8 kW
DATA_BYTES = {4: 1 << 20, 8: 4 << 20, 16: 12 << 20}  # of the partition `data`, by MB of flash
ROWS = (("reference", 4), ("reference", 24), ("compact", 4), ("compact", 24))
DAYS = 6


def lived(blocks, history_days, hours):
    """(erases a day, most erases of one block a day, blocks used, writes a day) with a car for so many hours a day."""
    chip = FlashChip(blocks, random.Random(1), steady=blocks)
    lfs_files.formatted(chip)
    lfs_files.LfsFiles(chip).put_under()
    writes = tally.writes
    try:
        start = ledger_start.found("/", history_days)
        made = ledger.Ledger("/", start)
        meter = Energy(0, 0, 0, None, 0, 0)
        for now_s in range(0, DAYS * DAY_S, 5):
            hour = now_s % DAY_S // 3600
            is_on = hour < hours
            if is_on and meter.session_wh is None:
                meter = Energy(meter.wh, meter.mwh, 0, meter.wh, meter.mwh, now_s * 1000)
            elif not is_on and meter.session_wh is not None:
                meter = Energy(meter.wh, meter.mwh, 0, None, 0, 0)
            mwh = meter.mwh + 5 * POWER_MWH_S * is_on
            meter = Energy(
                meter.wh + mwh // 1000, mwh % 1000, 0, meter.session_wh, meter.session_mwh, meter.session_at_ms
            )
            made.step(now_s * 1000, MIDNIGHT_S + now_s, meter)
    finally:
        lfs_files.take_away()
    return sum(chip.erases) / DAYS, max(chip.erases) / DAYS, (tally.writes - writes) / DAYS


def full_bytes(board):
    """Bytes that a full history takes."""
    start = ledger_start.found("/nowhere/", board["history_days"])
    rows = ((start.quarters, 4), (start.sessions, 1))
    return sum((files.most[1] + 1) * blocks * BLOCK for files, blocks in rows) + 2 * BLOCK


def report():
    """Print the figures, one a line; True when it lasts 20 years and a full history leaves a quarter of it free."""
    is_good = True
    for name, hours in ROWS:
        board = boards.loaded(name)
        size_b = DATA_BYTES[board["flash_mb"]]
        erases, most, writes = lived(size_b // BLOCK, board["history_days"], hours)
        # littlefs moves on over the free blocks, so a long run wears them alike; a full history leaves the fewest.
        free = (size_b - full_bytes(board)) // BLOCK
        years = CYCLES * free / erases / 365
        print(f"wear_{name}_{hours}h_writes: {writes:.0f} a day")
        print(f"wear_{name}_{hours}h_erases: {erases * 365:.0f} a year, {most:.1f} a day of one block at most")
        print(
            f"wear_{name}_{hours}h_years: {years:.0f} at {CYCLES} cycles over {free} blocks that a full history leaves"
        )
        print(f"wear_{name}_history: {full_bytes(board)} B of {size_b} B at most")
        is_good = is_good and years >= 20 and full_bytes(board) <= size_b * 3 // 4
    return is_good
