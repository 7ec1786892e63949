"""Random lives that went wrong: kept as what was played (JSON) and as a flight record, to be lived again."""

import contextlib
import json

from host_tools import bootstrap
from host_tools.flight.recording import Recording

FOLDER = bootstrap.ROOT / ".cache" / "lives"


class Kept:
    """What is known of a life while it is lived; `recorded(box)` once there is a box."""

    def __init__(self):
        self.recording = None

    def recorded(self, box):
        """Record this box from its first tick on; returns it."""
        self.recording = Recording(box)
        return box


@contextlib.contextmanager
def kept(name, played, folder=FOLDER):
    """Save what was played, and the record of Kept.recorded(box), when the block ends in an error, and say so.

    name: of the files; played: dict (seed, character, moves …; bytes allowed) from which it can be lived again.
    """
    life = Kept()
    try:
        yield life
    except Exception as error:
        folder.mkdir(parents=True, exist_ok=True)
        told = {**played, "why": f"{type(error).__name__}: {error}"}
        path = folder / f"{name}.json"
        path.write_text(json.dumps(told, default=lambda octets: {"latin1": octets.decode("latin-1")}) + "\n")
        print(f"ebb: this life went wrong and is kept: {path}; tests/model/lives/ makes a regression test of it.")
        if life.recording is not None and life.recording.has_ticks():
            record = path.with_suffix(".bin")
            record.write_bytes(life.recording.octets(name))
            print(f"ebb: its last minute: python3 -m host_tools replay {record}")
        raise


def stored(folder):
    """[(name, what was played)] of the lives kept in a folder, sorted."""

    def opened(fields):
        return fields["latin1"].encode("latin-1") if list(fields) == ["latin1"] else fields

    return [(path.stem, json.loads(path.read_text(), object_hook=opened)) for path in sorted(folder.glob("*.json"))]
