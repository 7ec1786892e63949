"""What a box stored while its division was broken off, united with what it held before; of both what permits less.

Latches of both hold, and so do claims, ids and numbers of signed commands; of the installer's settings the one that
permits less. What came alone stays. What cannot be united is named, for a person to choose.
"""

import json
import re
import tempfile
from pathlib import Path
from typing import Any

from firmware.core import claims, settings
from firmware.core import commands as core_commands
from firmware.core.records import Refusal
from firmware.services import settings_copies, state_files
from firmware.wire import sealed_text, settings_file, signed_seqs, state_record
from host_tools.device import box_file

SETTINGS, STATE = ("/settings.old", "/settings.json"), ("/state.0", "/state.1")
# What permits less of two values (core/settings.py). One phase is watched for one pole and one voltage alone.
LESS = {
    "wiring_limit_ma": min,
    "phases": max,
    "has_r37_rules": max,
    "guards_open_pen": max,
    "is_ventilated": min,
    "locked_until_allowed": max,
}
EITHER = ("nominal_mv", "nominal_hz")  # neither value permits less
LEDGER = ("ledger", "quarters", "sessions")  # one store in three kinds of files
ASKED = {"ledger": "the energy that was counted since", "issuers": "the keys of issuers"}


class Apart(Exception):
    """Two stores that cannot be united; its words say which."""


def group_of(path):
    """Which store a file belongs to."""
    name = re.split("[-._]", path[1:].rpartition("/")[2])[0]
    return "ledger" if name in LEDGER else path if "/" in path[1:] else name


def made(older, snapshots):
    """({path: bytes} that goes onto the box as well, or in place of an older file; [words of what cannot be united]).

    older: {path: bytes} of before; snapshots: the same of what the box stored since, oldest first.
    """
    newer, apart = {}, []
    groups = {group_of(path) for path in older}
    for snapshot in snapshots:
        for path, octets in snapshot.items():
            if path.endswith(box_file.FRESH):
                continue  # never came into force
            if group_of(path) not in groups:
                newer[path] = octets
            elif group_of(path) in ASKED:
                apart.append(ASKED[group_of(path)])
    for paths, unite in ((STATE, united_state), (SETTINGS, united_settings)):
        if group_of(paths[0]) in groups and any(path in snapshot for snapshot in snapshots for path in paths):
            try:
                newer.update(unite(*(part_of(files, paths) for files in (older, *snapshots))))
            except Apart as words:
                apart.append(str(words))
    return newer, sorted(set(apart))


def part_of(files, paths):
    """Those of some paths."""
    return {path: files[path] for path in paths if path in files}


def in_folder(files, read):
    """What a reader of the firmware finds in a folder with these files."""
    with tempfile.TemporaryDirectory(prefix="ebb_") as folder:
        for path, octets in files.items():
            Path(folder, path[1:]).write_bytes(octets)
        return read(folder)


def united_settings(older, *snapshots):
    """{path: bytes} of both copies, {} where those of before permit the least already. Errors: Apart."""
    found, seq = in_folder(older, loaded)[:2]
    before = found
    for files in snapshots:
        if not files:
            continue
        since, its_seq, code = in_folder(files, loaded)
        if code == "factory_safe":
            raise Apart("settings that are damaged")
        seq = max(seq, its_seq)
        changes = {key: less(getattr(found, key), getattr(since, key)) for key, less in LESS.items()}
        for key in EITHER:
            if getattr(since, key) not in (getattr(found, key), getattr(settings.defaults(), key)):
                raise Apart(f"{key}, which was changed since")
        made = settings.changed(found, changes)
        if isinstance(made, Refusal):
            raise Apart("settings that no firmware takes")
        found = made
    if found == before:
        return {}
    return {path: settings_file.packed(found, seq + 1 + at) for at, path in enumerate(SETTINGS)}


def loaded(folder):
    """(Settings, number, code) of a folder."""
    copies = settings_copies.SettingsCopies(folder)
    found, code = copies.load()
    return found, copies.seq, code


def united_state(older, *snapshots):
    """{path: bytes} of both state files. Errors: Apart."""
    parts = [in_folder(files, lambda folder: state_files.found(folder + "/state.")) for files in (older, *snapshots)]
    if any(fields is None for files, (fields, _, _) in zip(snapshots, parts[1:], strict=True) if files):
        raise Apart("latches and commands, whose file is damaged")
    whole = [fields for fields, _, _ in parts if fields is not None]
    try:
        fields = both_states(whole)
        text = json.dumps(fields)[1:-1]
    except (ValueError, TypeError, KeyError, IndexError):
        raise Apart("latches and commands, whose file is not understood") from None
    if len(text) > state_files.MOST_BYTES - 100 or len(fields["claims"]) > claims.MAX_ROWS:
        raise Apart("commands, which are too many")
    seq = max(number for _, _, number in parts) + 1
    return {STATE[one & 1]: sealed_text.sealed(text, state_record.VERSION, one) for one in (seq, seq + 1)}


def both_states(states):
    """Fields of a state file that has what each of these has, oldest first. Errors: as of fields that are none."""
    last = states[-1]
    united: dict[str, Any] = {"wall_s": max(one["wall_s"] for one in states), "at_ms": last["at_ms"]}
    rows: dict[object, list] = {}
    for one in states:
        for row in one["claims"]:
            rows[row[0], row[4], row[5]] = row
    united["claims"] = list(rows.values())
    latches, counts, numbers = {}, {}, {}
    for one in states:
        for name, is_latched, left_ms in one["latches"]:
            held = latches.get(name, (name, False, 0))
            latches[name] = (name, held[1] or is_latched, max(held[2], left_ms))
        for name, times, ago_ms in one["counts"]:
            held = counts.get(name, (name, 0, ago_ms))
            counts[name] = (name, max(held[1], times), min(held[2], ago_ms))
        for issuer, place, number in one.get("seqs", []):
            numbers[issuer, place] = max(number, numbers.get((issuer, place), number))
    united["latches"], united["counts"] = (
        [list(row) for row in latches.values()],
        [list(row) for row in counts.values()],
    )
    united["wear"] = [max(values) for values in zip(*(one["wear"] for one in states), strict=True)]
    united["hot_for_ms"] = max((one["hot_for_ms"] for one in states), key=len)
    seen = {tuple(ref): list(ref) for one in states for ref in one["seen"]}
    united["seen"] = list(seen.values())[-core_commands.SEEN_KEPT :]
    united["seqs"] = [[*key, number] for key, number in numbers.items()][-signed_seqs.MOST_ROWS :]
    return united
