"""A story: a car, settings and what is done to the box from its start on; played under the oracle, shrunk, told."""

import ast
import re
from collections import namedtuple

from host_tools.faults import sequence
from host_tools.sim.life import Life

TRIES_MOST = 400
# head: (character, seed, settings); moves: ((wait in ms before it, line), …) from the start of the box
Story = namedtuple("Story", ("head", "moves"))
HEAD = re.compile(r"car (\w+), wiring (\d+) A(?:, (\d) phases?)?")
LINE = re.compile(r"at ([\d.]+) s sharp (.+)")


def story_of(life):
    """The Story of a life, from its very start."""
    moves = []
    before_ms = 0
    for at_ms, line in life.lines:
        moves.append((at_ms - before_ms, line))
        before_ms = at_ms
    return Story((life.box.plant.car.character, life.seed, life.changes), tuple(moves))


def played(story):
    """What breaks in a story ("" for nothing), up to LEAST_MS after its last move at least."""
    character, seed, changes = story.head
    frozen = Life(character, seed, **changes).frozen()
    least_ms = sum(wait_ms for wait_ms, _ in story.moves) + sequence.LEAST_MS
    return sequence.played(frozen, sequence.Sequence(None, story.moves, least_ms)).words


def kind_of(words):
    """What broke, without its numbers: two finds of one kind are told once."""
    return re.sub(r"\d+", "N", words)


def shrunk(story, words):
    """The shortest Story found that breaks in the same way."""
    kind = kind_of(words)
    tries = [0]

    def breaks(moves):
        tries[0] += 1
        return tries[0] < TRIES_MOST and kind_of(played(Story(story.head, tuple(moves)))) == kind

    moves = list(story.moves)
    is_better = True
    while is_better and tries[0] < TRIES_MOST:
        is_better = False
        for index in range(len(moves) - 1, -1, -1):
            fewer = without(moves, index)
            if breaks(fewer):
                moves, is_better = fewer, True
        for index, (wait_ms, line) in enumerate(moves):
            for shorter_ms in shorter(wait_ms):
                fewer = [*moves[:index], (shorter_ms, line), *moves[index + 1 :]]
                if breaks(fewer):
                    moves, is_better = fewer, True
                    break
    return Story(story.head, tuple(moves))


def without(moves, index):
    """Moves without one; its wait goes to the next, so that all others stay where they are."""
    wait_ms, _ = moves[index]
    rest = list(moves[index + 1 :])
    if rest:
        rest[0] = (rest[0][0] + wait_ms, rest[0][1])
    return [*moves[:index], *rest]


def shorter(wait_ms):
    """Shorter and rounder waits to try, the best first."""
    rounder = [one for one in (0, 100, 1000, wait_ms // 1000 * 1000) if one < wait_ms]
    return sorted({*rounder, wait_ms // 2} - {wait_ms})


def told(story, words):
    """Scenario text of a story, with what broke as its first line."""
    character, seed, changes = story.head
    head = f"car {character}, wiring {changes.get('wiring_limit_ma', 16_000) // 1000} A"
    if changes.get("phases") == 1:
        head += ", 1 phase"
    rest = {key: value for key, value in changes.items() if key not in ("phases", "wiring_limit_ma")}
    lines = [f"# {words}", f"# seed {seed}" + (f", settings {rest}" if rest else ""), head]
    at_ms = 0
    for wait_ms, line in story.moves:
        at_ms += wait_ms
        lines.append(f"at {at_ms / 1000:.3f} s sharp {line}")
    return "\n".join([*lines, ""])


def read(text):
    """Story of the text that told() wrote. Errors: ValueError."""
    head, seed, settings, moves, before_ms = None, 1, {}, [], 0
    for line in text.splitlines():
        found = re.match(r"# seed (\d+)(?:, settings (.+))?", line)
        if found:
            seed, settings = int(found[1]), ast.literal_eval(found[2] or "{}")
        found = HEAD.fullmatch(line)
        if found:
            head = (found[1], {"wiring_limit_ma": int(found[2]) * 1000, "phases": int(found[3] or 3), **settings})
        found = LINE.fullmatch(line)
        if found:
            at_ms = round(float(found[1]) * 1000)
            moves.append((at_ms - before_ms, found[2]))
            before_ms = at_ms
    if head is None:
        raise ValueError("a story begins with its car: 'car polite, wiring 16 A'")
    return Story((head[0], seed, head[1]), tuple(moves))
