"""The one clock of a demo: it goes with the wall clock, and stands while the PC keeps the world from going on.

Two things stop it. The plant's own process comes late: what is more than LATE_NS since its last turn did not
happen. The firmware's process is ready to run and no core is free: its time in the kernel's run queue did not happen
either (/proc/PID/schedstat, Documentation/scheduler/sched-stats.rst of Linux). Everything else advances it: sleeping,
waiting for a name server, flash times that are slept, and the processor time of the firmware itself. Without
/proc, or with `is_wall`, it is the wall clock.
"""

import os
import time

LATE_NS = 12_000_000  # the plant takes a turn each 5 ms
LOOK_NS = 1_500_000  # in less than this nobody waited long enough to ask the kernel
RUNNING = b"R"


class SharedClock:
    """Microseconds since it was made."""

    def __init__(self, is_wall=False, wall_ns=time.monotonic_ns, process=None):
        """is_wall: for what measures the PC; wall_ns, process: of a test."""
        self.is_wall = is_wall
        self._wall_ns = wall_ns
        self._last_ns = wall_ns()
        self._now_ns = 0
        self._unseen_ns = 0  # since the kernel was asked
        self._given_ns = 0  # that was counted without asking
        self._owed_ns = self._queued_ns = 0  # that is not judged yet, and of it known to be no time
        self._process = process or Process()

    def follow(self, pid):
        """The firmware runs in this process from now on; None: there is none."""
        self._process.follow(pid)
        self._unseen_ns = self._given_ns = self._owed_ns = self._queued_ns = 0

    def now_us(self):
        """Advances it."""
        wall_ns = self._wall_ns()
        passed_ns, self._last_ns = wall_ns - self._last_ns, wall_ns
        self._now_ns += passed_ns if self.is_wall else self._counted(passed_ns)
        return self._now_ns // 1000

    def _counted(self, passed_ns):
        """How much of the time that passed was the world's.

        A process that is ready or on a core has not told the end of its wait yet: only what it ran counts, the rest is
        owed until it waits for something else, and its time in the queue is known.
        """
        if self._unseen_ns + passed_ns < LOOK_NS:
            self._unseen_ns += passed_ns
            given_ns = 0 if self._given_ns > self._unseen_ns else passed_ns  # never on credit twice
            self._given_ns += given_ns
            return given_ns
        state, ran_ns, queued_ns = self._process.since_last()
        self._owed_ns += self._unseen_ns + min(passed_ns, max(LATE_NS, ran_ns))
        self._unseen_ns = 0
        self._queued_ns += queued_ns
        if state == RUNNING:
            earned_ns = min(self._owed_ns, ran_ns)
            self._owed_ns -= earned_ns
        else:
            earned_ns = max(0, self._owed_ns - self._queued_ns)
            self._owed_ns = self._queued_ns = 0
        counted_ns = earned_ns - self._given_ns
        self._given_ns = max(0, -counted_ns)
        return max(0, counted_ns)


class Process:
    """What the kernel tells of one process."""

    def __init__(self):
        self._files = ()
        self._ran_ns = self._queued_ns = 0

    def follow(self, pid):
        """Another process, None for none."""
        for file in self._files:
            os.close(file)
        self._files = ()
        if pid is None:
            return
        opened = []
        try:
            for name in ("stat", "schedstat"):
                opened.append(os.open(f"/proc/{pid}/{name}", os.O_RDONLY | os.O_CLOEXEC))
        except OSError:  # it has ended, or this kernel tells nothing
            for file in opened:
                os.close(file)
            return
        self._files = tuple(opened)
        self._ran_ns = self._queued_ns = 0
        self.since_last()

    def since_last(self):
        """(state letter, ns on a core, ns ready and without a core) since the last call."""
        if not self._files:
            return b"S", 0, 0
        try:
            state = os.pread(self._files[0], 256, 0).rpartition(b")")[2].split()[0]
            ran_ns, queued_ns = map(int, os.pread(self._files[1], 96, 0).split()[:2])
        except (OSError, IndexError, ValueError):
            self.follow(None)
            return b"S", 0, 0
        found = state, ran_ns - self._ran_ns, queued_ns - self._queued_ns
        self._ran_ns, self._queued_ns = ran_ns, queued_ns
        return found
