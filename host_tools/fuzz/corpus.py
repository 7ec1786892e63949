"""What guided runs found to reach further code, committed small: the next one begins with it, and `test` tries it."""

import base64
from pathlib import Path

FOLDER = Path(__file__).parent / "corpora"
MOST, MOST_B = 64, 12_000  # inputs of one target, and bytes of all of them


def of(name):
    """[bytes] of a target, shortest first; none where nothing was committed."""
    path = FOLDER / (name + ".txt")
    if not path.exists():
        return []
    return [base64.b64decode(line, validate=True) for line in path.read_text().splitlines()]


def keep(name, inputs):
    """Write the shortest of these inputs in place of what was kept; returns how many."""
    kept, size_b = [], 0
    for octets in sorted(set(inputs), key=lambda one: (len(one), one)):
        size_b += len(octets)
        if len(kept) < MOST and size_b <= MOST_B:
            kept.append(octets)
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / (name + ".txt")).write_text("".join(base64.b64encode(octets).decode() + "\n" for octets in kept))
    return len(kept)
