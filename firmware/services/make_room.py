"""Room on a full flash: what is least missed goes first, a file at a time; loaded when that happens (faults.md F3)."""

import os

from firmware.services import flash_files

# What may go, by the beginnings of names, the least missed first. Settings, the ledger's heads and sessions never do.
MAY_GO = ("flight-", "log-", "quarters-")
NEVER_LESS = 2  # files of one kind that stay


def drop_oldest(folder):
    """Take one file away; its name, "" when nothing may go. folder: path that ends in "/"."""
    try:
        names = os.listdir(folder)
    except OSError:
        return ""
    for name in names:
        if name.endswith(flash_files.NEW) and flash_files.removed(folder + name):
            return name
    for prefix in MAY_GO:
        numbered = sorted([(number_in(name, prefix), name) for name in names if number_in(name, prefix) >= 0])
        if len(numbered) > NEVER_LESS or (numbered and prefix == MAY_GO[0]):
            return numbered[0][1] if flash_files.removed(folder + numbered[0][1]) else ""
    return ""


def number_in(name, prefix):
    """Number behind the prefix of a name, -1 when it is no such name."""
    digits = name[len(prefix) :].split(".")[0]
    return int(digits) if name.startswith(prefix) and digits.isdigit() else -1
