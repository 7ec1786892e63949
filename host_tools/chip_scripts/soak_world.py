"""Runs on the interpreter: simulated time under asyncio, a board with a car on it, and a flash in a file.

The sockets are real ones, of this process to itself: while any of them has something to say, time stands still.
"""

import asyncio
import select
import sys

import utime

PERIOD = 1 << 30
BEFORE_WRAP_MS = 30_000  # ticks_ms wraps so long after the start (architecture, time)
# asyncio's C part puts woken tasks at the interpreter's own ticks: those must lie behind, by less than 2^29 ms.
AHEAD_MS = 600_000
BLOCK = 4096
IO_ERROR = -5


class SimTime:
    """Stands in for `time`; moves only in advance()."""

    ticks_diff, ticks_add, gmtime = utime.ticks_diff, utime.ticks_add, utime.gmtime
    sleep_ms = sleep_us = None  # nothing in the firmware may block

    def __init__(self):
        self._core_ms = (utime.ticks_ms() + AHEAD_MS) % PERIOD
        self.passed_ms = 0  # and passed_us of the next, so that both are small numbers
        self.passed_us = 0

    def pass_us(self, us):
        """The program stands still for so long."""
        self.passed_us += us
        self.passed_ms += self.passed_us // 1000
        self.passed_us %= 1000

    def ticks_ms(self):
        """As the chip's."""
        return (PERIOD - BEFORE_WRAP_MS + self.passed_ms) % PERIOD

    def ticks_us(self):
        """As the chip's."""
        return (self.passed_ms * 1000 + self.passed_us) % PERIOD

    def core_ticks(self):
        """What asyncio sorts by."""
        return (self._core_ms + self.passed_ms) % PERIOD


def installed(turn=None):
    """The SimTime that asyncio and the firmware live in from now on; turn: called before each turn of the loop."""
    now = SimTime()
    core, queue = asyncio.core, asyncio.core._io_queue
    tasks = core._task_queue

    def wait_io_event(wait_ms):
        """Nothing is waited for: what the sockets have comes first, else the next task's moment has come."""
        if turn is not None:
            turn()
        if queue.map:
            woken(queue, tasks, now)
        first = tasks.peek()
        if wait_ms > 0 and first:
            left_ms = utime.ticks_diff(first.ph_key, now.core_ticks())
            if left_ms > 0:
                now.pass_us(left_ms * 1000 - now.passed_us)  # at the beginning of its millisecond

    core.ticks = now.core_ticks
    queue.wait_io_event = wait_io_event
    sys.modules["time"] = now
    return now


def woken(queue, tasks, now):
    """Tasks whose sockets have something come after what was due before: asyncio's own would put them first, for it
    asks the interpreter's ticks.
    """
    for stream, event in queue.poller.ipoll(0):
        waiting = queue.map[id(stream)]
        for index, mask in ((0, ~select.POLLOUT), (1, ~select.POLLIN)):
            if event & mask and waiting[index] is not None:
                tasks.push(waiting[index], now.core_ticks())
                waiting[index] = None
        if waiting[0] is None and waiting[1] is None:
            queue._dequeue(stream)
        elif waiting[0] is None:
            queue.poller.modify(stream, select.POLLOUT)
        else:
            queue.poller.modify(stream, select.POLLIN)


class OutsideTime:
    """Stands in for `ntptime`."""

    def __init__(self, now, wall_s):
        self._now, self._wall_s = now, wall_s

    def time(self):
        """UTC epoch seconds since 1970."""
        return self._wall_s + self._now.passed_ms // 1000


class FileFlash:
    """A block device in a file of the PC, outside the interpreter's heap."""

    def __init__(self, path, blocks):
        self._blocks = blocks
        self._file = open(path, "w+b")  # noqa: SIM115 - as long as the box lives
        for _ in range(blocks):
            self._file.write(b"\xff" * BLOCK)
        self.erases = 0

    def readblocks(self, number, buffer, offset=0):
        """Bytes of a block."""
        self._file.seek(number * BLOCK + offset)
        self._file.readinto(buffer)

    def writeblocks(self, number, buffer, offset=0):
        """Bytes into a block."""
        self._file.seek(number * BLOCK + offset)
        self._file.write(buffer)

    def ioctl(self, operation, argument):
        """4 and 5 tell the size, 6 erases."""
        self.erases += operation == 6
        return {4: self._blocks, 5: BLOCK}.get(operation, 0)


class Silent:
    """The pins of a board whose readings are not measured but made."""

    def read_pin(self, pin):
        return 0

    def set_pin(self, pin, level):
        pass

    def set_pwm(self, pin, duty_u16):
        pass

    def read_uv(self, pin):
        return 1_300_000


class Car:
    """sense() and act() of a board with a car that comes, charges and leaves; a healthy box."""

    READY_MS = 1500  # from the offer to the car's own switch
    STEADY_MS = 10_000  # what is measured stays so long: each change is a message to the broker

    def __init__(self, board, chance, readings_type):
        """chance: function (count) 0..count−1; readings_type: Readings."""
        self._board, self._chance, self._readings = board, chance, readings_type
        self.is_plugged = False
        self.is_earth_ok = True
        self._outputs = None
        self._pwm_at_ms = None
        self.closings = 0
        self._moved_at_ms = 0
        self._noise = (0, 0, 0)

    def act(self, outputs):
        """Note what the box does."""
        before = self._outputs
        if outputs.is_contactor_closed and not (before and before.is_contactor_closed):
            self.closings += 1
        if outputs.pilot_mode != "pwm":
            self._pwm_at_ms = None
        elif self._pwm_at_ms is None:
            self._pwm_at_ms = self._board.now_ms()
        self._outputs = outputs

    def sense(self):
        """Readings of one tick."""
        now_ms = self._board.now_ms()
        outputs = self._outputs
        is_closed = outputs is not None and outputs.is_contactor_closed
        is_pwm = self._pwm_at_ms is not None
        wants = self.is_plugged and is_pwm and now_ms - self._pwm_at_ms >= self.READY_MS
        high_mv = 12000 if not self.is_plugged else 6000 if wants else 9000
        if now_ms - self._moved_at_ms >= self.STEADY_MS:
            self._moved_at_ms = now_ms
            self._noise = (self._chance(300), self._chance(1000), self._chance(20))
        noise = self._noise
        ma = outputs.duty_permille * 60 - 500 - noise[0] if wants and is_closed else 0
        is_tested = outputs is not None and outputs.wants_residual_test
        volts = (229_500 + noise[1], 230_000, 230_500)
        return self._readings(
            now_ms,
            high_mv,
            -12000 if is_pwm else None,
            (ma, ma, ma),
            volts,
            ma * 690,
            49_990 + noise[2],
            250 + noise[2],
            None,
            15 if is_closed else 0,
            is_closed,
            is_tested,
            self.is_earth_ok,
            True,
            False,
            is_closed,
            0,
            0,
        )
