"""A flight record of a simulated box: attach at the start, take the bytes when it went wrong."""

from firmware import app
from firmware.services import flight_ring

SECONDS = 60


def record_of(box, why):
    """Bytes of the last minute of a box to which a Recording was attached before; why: what went wrong, in a word.

    The shortest way for a campaign: `Recording(box)` before the first tick, `record_of(box, "S2")` when it failed.
    """
    return box.flight.octets(why)


class Recording:
    """The firmware's own ring on a host_tools.sim.box.Box (or anything with `.loop` and `.board`)."""

    def __init__(self, box, seconds=SECONDS):
        """Attaches itself: box.loop.note. A box that runs already is recorded from its next tick on."""
        self._box = box
        self.ring = flight_ring.FlightRing(box.loop, seconds)
        box.loop.note = self.ring.note
        box.flight = self

    def has_ticks(self):
        """Whether a tick was noted."""
        held = self.ring.held()
        flight_ring.freed(held)
        return bool(held[0])

    def octets(self, why):
        """The record so far, as a board would write it to flash; why: what stands in place of the fault's id."""
        box = self._box
        held = self.ring.held()
        about = {
            "format": flight_ring.flight_record.FORMAT,
            "firmware": app.VERSION,
            "box": "simulated",
            "tables": flight_ring.tables_digest(),
            "tick_ms": box.loop.board.facts.tick_ms,
            "fault": why,
            "at_ms": box.loop.memory.now_ms,
            "wall_s": None,
        }
        try:
            return b"".join(bytes(piece) for piece in flight_ring.pieces(held, about))
        finally:
            flight_ring.freed(held)
