"""The time of day: who may tell it, what it is never earlier than, and that nobody tells it."""

import asyncio

from firmware.wire import ntp

RANK_NTP, RANK_BROKER, RANK_BROWSER = 0, 1, 2
SILENT_MS = 86_400_000  # after a day without NTP the word of others counts
LOOK_S = 5
MISSING_MS = 600_000  # the owner learns after ten minutes that nobody told the time
KEEP_MS = 3_600_000  # how often the last known time is stored; each write wears the flash
SLACK_S = 60  # our own crystal may have been ahead when the last known time was stored
AGREE_S = 3600  # a browser's clock and NTP that say the same


class WallClock:
    """Tells the board the time of day; milliseconds since boot, by which limits end, are never touched."""

    def __init__(self, board, store, told):
        """board: has now_ms, wall_s, set_wall_s, set_floor_s, show_no_time; store: LastTime, which gives the floor.

        told: function of a code: "set" (the first time of this start, or after "early"), "missing", "early" (NTP was
        refused).
        """
        self._board = board
        self._store = store
        self._told = told
        # From the start and not from now on: within one start NTP may put right what NTP told wrong.
        self.floor_s = max(ntp.BUILT_S, store.last_s - SLACK_S)
        self._told_ms = 0
        self._kept_ms = None
        self._early = None  # what NTP told and was refused as earlier than the floor, as the epoch second of the boot
        self._is_missing = False
        self.rank = None  # who told the time: RANK_…, None while nobody has
        board.set_floor_s(self.floor_s)

    def now_ms(self):
        """Milliseconds since boot."""
        return self._board.now_ms()

    def quality(self):
        """ "never" while nobody told the time in this start, "stale" a day after it was told last, else "good"."""
        if self.rank is None:
            return "never"
        return "good" if self.now_ms() - self._told_ms < SILENT_MS else "stale"

    def offer(self, wall_s, rank):
        """Take the time from somebody, unless a better one told it within a day; True when taken.

        An earlier time than the floor is refused; a second source for other jumps (issue 13) would be asked here.
        """
        if self.rank is not None and self.rank < rank and self.quality() == "good":
            return False
        if not ntp.BUILT_S <= wall_s <= ntp.LAST_S or (wall_s < self.floor_s and not self._is_agreed(wall_s, rank)):
            if rank == RANK_NTP and wall_s < self.floor_s:
                if self._early is None:
                    self._told("early")
                self._early = wall_s - self.now_ms() // 1000
            return False
        self._take(wall_s, rank)
        return True

    def _is_agreed(self, wall_s, rank):
        """Whether the floor itself came from a clock that was wrong.

        The owner's browser and NTP say the same; or NTP has said nothing for so long that the browser is all there is.
        """
        if rank != RANK_BROWSER:
            return False
        is_alone = self._early is None and self._is_missing
        if not is_alone and (self._early is None or abs(wall_s - self.now_ms() // 1000 - self._early) > AGREE_S):
            return False
        self.floor_s = ntp.BUILT_S
        return True

    def _take(self, wall_s, rank):
        before_s = self._board.wall_s()
        if before_s is not None and wall_s < before_s - SLACK_S:
            self._kept_ms = None  # what was stored of the false one would be the next start's floor
        self._board.set_wall_s(wall_s)
        is_news = self.rank is None or self._early is not None
        self._told_ms = self.now_ms()
        self.rank = rank
        self._early = None
        if is_news:
            self._show(False)
            self._told("set")

    def _show(self, is_missing):
        self._is_missing = is_missing
        self._board.show_no_time(is_missing)

    def step(self):
        """Store the last known time now and then, and say that there is none."""
        now_ms, wall_s = self.now_ms(), self._board.wall_s()
        if self.rank is None and now_ms >= MISSING_MS and not self._is_missing:
            self._show(True)
            self._told("missing")
        is_due = self.rank is not None and (self._kept_ms is None or now_ms - self._kept_ms >= KEEP_MS)
        if (is_due or self._store.may_bring()) and self._store.keep(wall_s or self._store.last_s):
            self._kept_ms = now_ms

    async def run(self):
        """Look for ever."""
        while True:
            self.step()
            await asyncio.sleep(LOOK_S)
