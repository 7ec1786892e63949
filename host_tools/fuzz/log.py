"""Segments of the event log as a worn or tampered flash may give them: a record is what was packed, or skipped."""

import json
import struct
from binascii import crc32

from firmware.wire import log_lines
from host_tools.fuzz.broken import must

TOKENS = (b"\x00" * 8, b"\xff" * 8, b"S2", b"charging", b"\x1b[2J", b"\r\n", b'"', b"\\")
EVENTS = (
    ("start", ("0.1.0", "", 1)),
    ("state", ("idle", "testing")),
    ("fault", ("S12a",)),
    ("crash", ("ValueError: x", 'File "/lib/firmware/core/claims.py", line 77, in summed')),
    ("security", ("wrong_login", "192.168.178.31")),
    ("service", ("mqtt", "OSError: [Errno 111] ECONNREFUSED")),
)


def seeds():
    """Single records, and a segment of all."""
    made = []
    for index, (code, args) in enumerate(EVENTS):
        where = (index * 1000 + 1, index + 1, index << 33, 1_795_266_000 + index if index else 0)
        made.append(log_lines.packed(log_lines.noted(code, args, where)))
    return [*made, b"".join(made), made[0] * 3]


def repaired(octets, chance):
    """Most of them with good checksums, so that more than checksums is looked at."""
    if chance() < 0.25:
        return octets
    made = bytearray(octets)
    for at in range(0, len(made) - log_lines.ENTRY_B + 1, log_lines.ENTRY_B):
        end = at + log_lines.CHECK_AT
        made[end : end + 4] = struct.pack("<I", crc32(bytes(made[at:end])))
    return bytes(made)


def tried(octets):
    """What became of the bytes, as a short label. Errors: Broken, or whatever the reader lets out."""
    labels = []
    for at in range(0, min(len(octets), 8 * log_lines.ENTRY_B), log_lines.ENTRY_B):
        entry = log_lines.opened(octets, at)
        if entry is None:
            labels.append("-")
            continue
        must(log_lines.packed(entry) == octets[at : at + log_lines.ENTRY_B], "a record that reads otherwise")
        text = log_lines.as_text(entry)
        must(all(" " <= mark <= "~" for mark in text), "a line that leaves its place")
        shown = json.loads(log_lines.as_json(entry))
        must(
            (shown["tag"], shown["what"], shown["seq"]) == (entry.tag, entry.what, entry.seq),
            "JSON that reads otherwise",
        )
        must(log_lines.is_security(entry) in (True, False), "neither security nor not")
        must(log_lines.again(entry).times >= entry.times, "a count that falls")
        labels.append(log_lines.name_of(entry.code) if entry.code <= len(log_lines.CODES) else "new")
    return " ".join(labels[:3])
