"""A box and its oracle, moved by lines of scenario text: what happens to the box is told to both."""

import copy
import pickle
import re

from firmware.core.records import Command
from firmware.wire import mqtt_topics
from host_tools.sim import scenario, world
from host_tools.sim.box import Box
from host_tools.sim.oracle import Installation, Oracle

MOST_GRID = 8  # grid-contract.md: more live events than this may be refused as busy
WORD_S = 3600  # grid-contract.md: a bare "pause"
OWNER_S = 3600  # scenario: owner pauses

# What a network might send to get more than it may (I6): everything is refused, lowers, or changes nothing.
NETWORK = (
    b'{"id": "n1", "kind": "limit", "limit_ma": 80000, "duration_s": 60, "class": "emergency"}',
    b'{"id": "n2", "kind": "clear_fault", "duration_s": 60}',
    b'{"id": "n3", "kind": "setpoint", "setpoint_w": 22000, "duration_s": 60}',
    b'{"id": "n4", "kind": "resume", "issuer": "nobody"}',
    b'{"id": "n5", "kind": "charge_now", "wiring_limit_ma": 80000}',
    b"unlock",
    b"\xff\xfe",
)
HOUSE = (("max_current_ma", b"80000"), ("enable", b"1"), ("wiring_limit_ma", b"80000"), ("boost", b"1"))


class Life:
    """One box under the oracle; `lines` is what was done to it: (moment in ms, line of scenario text)."""

    def __init__(self, character, seed, **changes):
        """changes: settings beside a wiring limit of 16 A, as for Box."""
        self.box = Box(character, seed, **changes)
        house = Installation(
            changes.get("wiring_limit_ma", 16_000),
            changes.get("is_ventilated", False),
            changes.get("phases", 3),
            is_locked=changes.get("locked_until_allowed", False),
            has_proximity=True,  # the fast board has every input
        )
        self.oracle = Oracle(self.box.plant, house)
        self.box.watch = self.oracle.watch
        self.changes = changes
        self.seed = seed
        self.lines = []

    def frozen(self):
        """This life as bytes; pickle.loads makes one that goes on by itself."""
        self.box.plant.edges.clear()
        self.box.events.clear()
        return pickle.dumps(self, pickle.HIGHEST_PROTOCOL)

    def copied(self):
        """A life that goes on by itself, three times as fast as through bytes: records, which nobody changes, are
        shared.
        """
        loop = self.box.loop
        shared = (loop.memory, loop.readings, loop.settings, self.oracle.house)
        return copy.deepcopy(self, {id(part): part for part in shared})

    def go(self, for_ms):
        """Let time pass. Errors: Broken."""
        self.box.run_to_us(self.box.plant.now_us + for_ms * 1000)

    def do(self, text):
        """One line of scenario text happens at this instant."""
        self.oracle.noticed()
        self.lines.append((self.box.now_ms(), text))
        for pattern, act, tell in MOVES:
            found = pattern.fullmatch(text)
            if found:
                groups = found.groups()
                act(self.box, *groups)
                if tell is not None:
                    tell(self.oracle.sent, self.box.now_ms(), *groups)
                break
        else:
            raise scenario.BadScenario(f"nobody understands '{text}'")
        self.oracle.noticed()
        if text == "owner clears the fault":
            self.oracle.rows.cleared(False)

    def tell(self):
        """The energy counter as the box shows it (I5), and that nothing in the tick raised (I8). Errors: Broken."""
        self.oracle.tell(self.box.loop.memory.energy.wh)
        for event in self.box.events:
            if event.code == "crash":
                raise AssertionError(f"I8: {event.args}")


# what happens


def button(box, word):
    """button pressed | released"""
    world.change(box.plant, {"panel": {"button_is_pressed": word == "pressed"}})


def network(box, number):
    """network nonsense N"""
    box.grid(NETWORK[int(number)])


def house(box, number):
    """house nonsense N"""
    made = mqtt_topics.house_command(*HOUSE[int(number)], (False, box.board.now_ms()))
    if isinstance(made, Command):
        box.inbox.put(made)


def house_enable(box, word):
    """house allows | forbids"""
    made = mqtt_topics.house_command("enable", b"1" if word == "allows" else b"0", (False, box.board.now_ms()))
    assert isinstance(made, Command)
    box.inbox.put(made)


# what the oracle is told of it


def told_grid(sent, now_ms, _name, what, for_text, _rest):
    """A grid command that lowers for a time."""
    if sum(1 for row in sent.rows if row[3] == "grid" and now_ms < row[1]) < MOST_GRID:
        limit_ma = 0 if what == "pauses" else int(what.split()[2]) * 1000
        sent.limit("grid", len(sent.rows), (now_ms, now_ms + scenario.seconds(for_text)), limit_ma)


def told_word(sent, now_ms, word):
    """A bare word of the grid."""
    if word == "resume":
        sent.resume("grid")
    elif sum(1 for row in sent.rows if row[3] == "grid" and now_ms < row[1]) < MOST_GRID:
        sent.limit("grid", f"word {now_ms}", (now_ms, now_ms + WORD_S * 1000), 0)


def told_owner(sent, now_ms, what):
    """A click of the owner."""
    if what == "pauses":
        sent.limit("owner", "page", (now_ms, now_ms + OWNER_S * 1000), 0)
    elif what == "resumes":
        sent.resume("owner")
        sent.clicked_ms = now_ms
    elif what == "charges now":
        sent.charge_now(now_ms)
    elif what == "unlocks":
        sent.is_allowed = True


def told_house(sent, now_ms, word):
    """The house's switch."""
    if word == "forbids":
        sent.limit("house", "enable", (now_ms, None), 0)
    else:
        sent.resume("house")


def told_nonsense(sent, _now_ms, number):
    """The house may take back what it forbade, and nothing else."""
    if HOUSE[int(number)] == ("enable", b"1"):
        sent.resume("house")


TELLS = {scenario.grid_holds: told_grid, scenario.grid_word: told_word, scenario.owner: told_owner}
MORE = (
    (r"button (pressed|released)", button, None),
    (r"house (allows|forbids)", house_enable, told_house),
    (r"network nonsense (\d)", network, None),
    (r"house nonsense (\d)", house, told_nonsense),
)
MOVES = tuple((re.compile(pattern), act, tell) for pattern, act, tell in MORE) + tuple(
    (re.compile(pattern), act, TELLS.get(act)) for pattern, act in scenario.ACTIONS
)
