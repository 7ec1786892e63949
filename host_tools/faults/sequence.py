"""One sequence: a stored state, then faults, commands and moves of the car under the oracle, until all is settled."""

import functools
import pickle
from collections import namedtuple

TICK_MS = 23
LEAST_MS = 160 * TICK_MS  # bench.md: at least 160 ticks
MOST_MS = 150_000  # longer than every deadline one after the other
LONG_MS = 600_000  # bench.md: some of at least 10 min
SLACK_MS = 60

# moves: ((wait in ms before it, line of scenario text), …)
Sequence = namedtuple("Sequence", ("state", "moves", "least_ms"))
# words: what broke ("" for nothing); is_on: the coil was on at the first fault; life: as it ended
Outcome = namedtuple("Outcome", ("words", "is_on", "ticks", "life"))


@functools.lru_cache(maxsize=256)
def thawed(frozen):
    """The Life in these bytes, to be copied and never moved itself."""
    return pickle.loads(frozen)


def played(frozen, sequence):
    """Outcome of a sequence from a frozen Life."""
    life = thawed(frozen).copied()
    plant = life.box.plant
    begun_ms = life.box.now_ms()
    is_on = None
    words = ""
    try:
        for wait_ms, line in sequence.moves:
            if wait_ms:
                life.go(wait_ms)
            if is_on is None and line.startswith("fault"):
                is_on = plant.is_coil_on
            life.do(line)
        settle(life, begun_ms, sequence.least_ms)
        life.tell()
    except AssertionError as broken:
        words = str(broken) or repr(broken)
    return Outcome(words, is_on, (life.box.now_ms() - begun_ms) // TICK_MS, life)


def settle(life, begun_ms, least_ms):
    """Go on for 160 ticks at least and until every started deadline has passed. Errors: Broken."""
    last_ms = life.box.now_ms()
    life.go(max(TICK_MS, begun_ms + least_ms - last_ms))
    while True:
        now_ms = life.box.now_ms()
        due_ms = life.oracle.open_until_ms() + SLACK_MS
        if due_ms < now_ms or now_ms - last_ms > MOST_MS + least_ms:
            return
        life.go(due_ms - now_ms + 1)
