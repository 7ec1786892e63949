"""When a TLS handshake may stop the whole chip for a second: never with a closed contactor that only the tick holds."""

import asyncio

EVERY_MS = 300_000  # a car is charged on a train of pulses at most once in 5 min (micropython.md, the chip)
LOOK_S = 1


class TlsGate:
    """Knows whether the contactor is closed, and whether the board can hold it through a handshake."""

    def __init__(self, loop, now_ms):
        """loop: the ControlLoop; its board has facts and bridge()."""
        self._loop = loop
        self._now_ms = now_ms
        self._next_ms = 0

    def _may_stall(self):
        has_train = self._loop.board.facts.has_hardware_cutoff and self._now_ms() >= self._next_ms
        return has_train or not self._loop.memory.outputs.is_contactor_closed

    async def may_begin(self):
        """Wait, before a connection is opened, until a handshake may follow."""
        while not self._may_stall():
            await asyncio.sleep(LOOK_S)

    def begins(self):
        """The handshake comes now: the contactor is open, or held by pulses. Errors: OSError when neither is so."""
        if not self._may_stall():
            raise OSError("the car is being charged")
        if self._loop.memory.outputs.is_contactor_closed:
            self._next_ms = self._now_ms() + EVERY_MS
            self._loop.board.bridge()
