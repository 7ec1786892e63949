"""When a TLS handshake may stop the whole chip for a second: never with a closed contactor that only the tick holds.

And never where the chip has too little memory for it: that would end the radio's work as well.
"""

import asyncio

from firmware.wire import memory_floor, mqtt_packets

EVERY_MS = 300_000  # a car is charged on a train of pulses at most once in 5 min (micropython.md, the chip)
LOOK_S = 1


class TlsGate:
    """Knows whether the contactor is closed, and whether the board can hold it through a handshake."""

    def __init__(self, loop, now_ms, memory):
        """loop: the ControlLoop; its board has facts and bridge(). memory: function, as drivers/idf_memory.told()."""
        self._loop = loop
        self._now_ms = now_ms
        self._memory = memory
        self._next_ms = 0

    def _may_stall(self):
        has_train = self._loop.board.facts.has_hardware_cutoff and self._now_ms() >= self._next_ms
        return has_train or not self._loop.memory.outputs.is_contactor_closed

    def _check_memory(self):
        """Errors: MqttError."""
        if not memory_floor.is_enough(self._memory()):
            raise mqtt_packets.MqttError("no_memory")

    async def may_begin(self):
        """Wait, before a connection is opened, until a handshake may follow. Errors: MqttError, too little memory."""
        self._check_memory()
        while not self._may_stall():
            await asyncio.sleep(LOOK_S)

    def begins(self):
        """The handshake comes now: the contactor is open, or held by pulses. Errors: OSError where neither is so,
        MqttError."""
        self._check_memory()
        if not self._may_stall():
            raise OSError("the car is being charged")
        if self._loop.memory.outputs.is_contactor_closed:
            self._next_ms = self._now_ms() + EVERY_MS
            self._loop.board.bridge()
