"""Judges the coil by the wire alone: what was on it at each tick, the pilot's mode, and nothing of the firmware."""

import copy

# The edges with all of their hysteresis: inside it either letter is right (requirements §1).
C_LOW_MV, C_HIGH_MV = 4200, 7800
A_SURELY_MV = 11_340  # of a box at 12.6 V: it judges by its own level, which this judge does not know
REAL_MV = 13_500  # ±12 V ± 5 % and what measuring adds: beyond it no reading is a letter, an empty plug least (S8)
DIODE_MV = -10_000
FLOOR_MV = -1500  # a half that does not reach it is not there
C_MOST_MS = 100  # I1
# A missing half is a fault after 100 ms (requirements §3), found in the tick after that, which may be late; until then
# only the interlock keeps I1.
CORE_ALONE_MOST_MS = 150
STABLE_MS = 500  # requirements §1, B to C
CLOSINGS_MS = 5000  # S5
X1_MOST_MS = 6100  # I1
DIODE_MOST_MS = 500  # S2
PLUG_MOST_MS = 100  # S7
PLUG_OHM = (60, 4500)
STEPS = ((11, 500, 13_100), (13, 1000, 1300), (20, 0, 400))  # S12, tenths, plus mA, deadline
SENSOR = 0.97  # what is at the very edge may be judged either way
SIGNAL_MS = 6100
TICK_MS = 27  # the longest tick: a fault that begins after a reading is read in the next one
WIRING_MA = 16_000


class Unsafe(AssertionError):
    """The coil was on when it must not; the text begins with the rule's name."""


class WireJudge:
    """Sees each tick after the pins were driven: watch(board, row, mode) with the mode that the row was read in."""

    def __init__(self):
        self.asking_ms = self.c_since_ms = None
        self.has_diode = self.is_tested = self.has_tripped = False
        self.was_on = False
        self.closed_ms = -CLOSINGS_MS
        self.wrong_ms = {}
        self.signals = ()
        self.closings = self.openings = self.ticks_on = 0
        self.is_interlock_alone = False
        self.letter_most_ms = C_MOST_MS

    def copy(self):
        """One more judge that has seen the same, with its counts at 0."""
        made = copy.copy(self)
        made.wrong_ms = dict(self.wrong_ms)
        made.closings = made.openings = made.ticks_on = 0
        return made

    def watch(self, board, row, mode):
        """Judge this tick. Errors: Unsafe."""
        now_ms = board.now
        self._wire(board, row, mode)
        self._since("x1", board.mode == "high", now_ms)
        self._since("plug", not PLUG_OHM[0] <= row[4] <= PLUG_OHM[1], now_ms)
        self._signals(board, now_ms)
        if board.mode == "pwm" and not self.is_interlock_alone and not 100 <= board.duty_permille <= 266:
            raise Unsafe(f"I4: duty {board.duty_permille}")
        if board.is_on:
            self.ticks_on += 1
            self._on(board, now_ms)
            if not self.was_on:
                self._closing(now_ms)
        self.closings += board.is_on and not self.was_on
        self.openings += self.was_on and not board.is_on
        self.was_on = board.is_on

    def _wire(self, board, row, mode):
        """What the halves said, as the mode in which they were read lets them."""
        now_ms = board.now
        _, high_mv, low_mv, _, _ = row
        is_c = C_LOW_MV <= (low_mv if mode == "low" else high_mv) <= C_HIGH_MV
        is_seen = high_mv > FLOOR_MV or low_mv < FLOOR_MV
        if is_c:
            self.asking_ms = now_ms
            self.c_since_ms = self.c_since_ms or now_ms
        elif is_seen or self.asking_ms is None or now_ms - self.asking_ms > C_MOST_MS:
            # With neither half seen the last letter stands for 100 ms (requirements §3).
            self.c_since_ms = None
        if mode != "low" and A_SURELY_MV < high_mv <= REAL_MV:
            self.has_diode = self.has_tripped = self.is_tested = False
        if mode == "pwm" and low_mv <= DIODE_MV:
            self.has_diode = True
        self.has_tripped = self.has_tripped or board.is_tripped
        self.is_tested = self.is_tested or (self.has_tripped and not board.is_tripped)
        self._since("diode", mode == "pwm" and board.mode == "pwm" and low_mv > DIODE_MV, now_ms)

    def _since(self, name, is_wrong, now_ms):
        """Remember since when something is wrong."""
        if not is_wrong:
            self.wrong_ms.pop(name, None)
        elif name not in self.wrong_ms:
            self.wrong_ms[name] = now_ms

    def _signals(self, board, now_ms):
        """Over-current of the averaged sensor against the most that was signalled in the last 6 s."""
        signalled_ma = board.duty_permille * 60 if board.mode == "pwm" else 0
        kept = tuple(pair for pair in self.signals if now_ms - pair[0] <= SIGNAL_MS)
        if kept and kept[-1][1] == signalled_ma:
            kept = kept[:-1]
        self.signals = (*kept, (now_ms, signalled_ma))
        reference_ma = max(pair[1] for pair in self.signals)
        most_ma = board.row[3] or 0
        for step in STEPS:
            is_over = most_ma * 10 * SENSOR > reference_ma * step[0] + step[1] * 10
            self._since(step, board.is_on and is_over, now_ms)

    def _on(self, board, now_ms):
        """What must be so while the coil is on."""
        if self.asking_ms is None or now_ms - self.asking_ms > self.letter_most_ms:
            raise Unsafe(f"I1 letter: coil on, no C for {now_ms - (self.asking_ms or 0)} ms")
        if not self.has_diode:
            raise Unsafe("I1 diode: coil on, no diode seen since the plug was empty")
        if board.mode == "low":
            raise Unsafe("I1 state F: coil on in F")
        if not self.is_tested:
            raise Unsafe("I1 self-test: coil on, no self-test since the plug was empty")
        limits = (("x1", X1_MOST_MS), ("diode", DIODE_MOST_MS))
        if not self.is_interlock_alone:
            limits += (("plug", PLUG_MOST_MS + TICK_MS), *((step, step[2] + TICK_MS) for step in STEPS))
        for name, most_ms in limits:
            if name in self.wrong_ms and now_ms - self.wrong_ms[name] > most_ms:
                raise Unsafe(f"{name}: coil on for {now_ms - self.wrong_ms[name]} ms of it")

    def _closing(self, now_ms):
        """What must have been so before the coil came on."""
        if self.is_interlock_alone:
            return
        if self.c_since_ms is None or now_ms - self.c_since_ms < STABLE_MS:
            raise Unsafe(f"S5 stable: closed after {now_ms - (self.c_since_ms or now_ms)} ms of C")
        if now_ms - self.closed_ms < CLOSINGS_MS:
            raise Unsafe(f"S5 closings: {now_ms - self.closed_ms} ms after the last")
        self.closed_ms = now_ms
