"""Whether files may be touched: not while the coil is on, for one call of a file system may outlast the coil's lease.

docs/durability.md says what each part does instead.
"""

import asyncio

AFTER_MS = 1000  # so long after the coil: what the opening tells is judged first
LOOK_S = 0.2
BUSY = 16  # EBUSY, errno of a write that is refused


class FlashGate:
    """One for the whole firmware; before the control loop lives the coil is off, and it is open."""

    def __init__(self):
        self._loop = None

    def watch(self, loop):
        """From now on follow this ControlLoop; None: nothing ticks."""
        self._loop = loop

    def may_touch_files(self):
        """Whether files and the chip's numbers may be written, taken away or looked for now."""
        loop = self._loop
        if loop is None:
            return True
        return not loop.memory.outputs.is_contactor_closed and loop.board.now_ms() - loop.coil_on_ms >= AFTER_MS

    async def opened(self):
        """Wait until they may; whoever waits asks again after each wait of its own."""
        while not self.may_touch_files():
            await asyncio.sleep(LOOK_S)

    def ask(self):
        """Errors: OSError, EBUSY, while they may not."""
        if not self.may_touch_files():
            raise OSError(BUSY)


gate = FlashGate()
