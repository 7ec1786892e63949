"""Records of the ledger as a worn flash may give them: what was packed, or none."""

import struct
from binascii import crc32
from typing import Any

from firmware.wire import ledger_record
from host_tools.fuzz.broken import must

TOKENS = (b"H", b"Q", b"S", b"\x00" * 4, b"\xff" * 4, b"\xff\xff\xff")
KINDS: Any = (
    ("head", ledger_record.HEAD_B, ledger_record.head_of, ledger_record.packed_head),
    ("quarter", ledger_record.QUARTER_B, ledger_record.quarter_of, ledger_record.packed_quarter),
    ("session", ledger_record.SESSION_B, ledger_record.session_of, ledger_record.packed_session),
)


def seeds():
    """A record of each kind, small and large."""
    made = []
    for value in (0, 1, 0xFFFF):
        minutes_mwh = tuple(range(value, value + 15))
        head: Any = (*[value] * 11, minutes_mwh)
        quarter: Any = (*[value] * 4, minutes_mwh)
        made.append(ledger_record.packed_head(ledger_record.Head(*head)))
        made.append(ledger_record.packed_quarter(ledger_record.Quarter(*quarter)))
        made.append(ledger_record.packed_session(ledger_record.Session(*[value] * 8)))
    return made


def repaired(octets, chance):
    """Most of them as long as a record is and with a good checksum, so that more than that is looked at."""
    if chance() < 0.25:
        return octets
    _, size_b, _, _ = KINDS[{72: 0, 81: 1, 83: 2}.get(octets[0] if octets else 0, int(chance() * 3))]
    body = (octets + bytes(size_b))[: size_b - 4]
    return body + struct.pack("<I", crc32(body))


def tried(octets):
    """What became of the bytes, as a short label. Errors: Broken, or whatever the reader lets out."""
    label = "none"
    for name, size_b, opened, packed in KINDS:
        record = opened(octets)
        if record is not None:
            must(label == "none", "a record of two kinds")
            must(len(octets) == size_b and packed(record) == octets, "a record that reads otherwise")
            label = "%s %d" % (name, sum(value == 0 for value in record))
    return label
