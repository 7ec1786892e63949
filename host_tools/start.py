"""Task `start`: from power-on to the page, part by part, by the chip file: time, flash commands, waits of the watchdog.

boot.py, main.py and the firmware run on the 32-bit interpreter from littlefs in simulated time, as in
host_tools/sessions.py; the radio's own time is not in it.
"""

import argparse
import re
import tempfile
from collections import namedtuple

from host_tools import sessions
from host_tools.device import boards, chips

SAFE_MS, STEP_MS, TICK_MS, ALL_MS = 50, 1000, 3000, 8000  # goals
Start = namedtuple("Start", ("parts", "step_ms", "step_words", "image_ms"))
Start.__doc__ = """One start. parts: {name: (ms, flash commands, us of flash)} from power-on; step_ms: longest wait of
the watchdog and step_words: up to which module; image_ms: before any of our code runs."""


def measured(source, which, board=sessions.BOARD):
    """Start of a box that sessions.prepared() left under `source`; which: "typical" or "worst". Errors: Broken."""
    parts, step = {}, (0, "no watchdog")
    lines = sessions.started(source, which)
    for line in lines:
        found = re.match(r"mark: (\d+) (\d+) (\d+) (.+)", line)
        if found:
            parts[found[4]] = tuple(int(found[at]) for at in (1, 2, 3))
        found = re.match(r"step: (\d+) (.+)", line)
        if found:
            step = (int(found[1]), found[2])
    if "page answers" not in parts:
        raise sessions.Broken("\n".join(lines[-15:]))
    own = chips.loaded(boards.loaded(board)["chip"])
    return Start(parts, *step, chips.number(own, "start.rom_and_image_us", which) // 1000)


def goals(start):
    """[(words, whether it is reached)]."""
    parts = start.parts
    armed = [row[0] for name, row in parts.items() if name.startswith("watchdog armed")]
    safe_ms = parts["coil pins low"][0] - start.image_ms
    tick_ms = parts["first tick"][0] if "first tick" in parts else None
    tick_words = "first tick not seen" if tick_ms is None else f"first tick after {tick_ms} ms"
    return [
        (f"coil pins low after {safe_ms} ms of code, at most {SAFE_MS}", safe_ms <= SAFE_MS),
        ("watchdog armed before the app is loaded", bool(armed) and min(armed) < parts["app loaded"][0]),
        (f"the watchdog waits {start.step_ms} ms ({start.step_words}), at most {STEP_MS}", start.step_ms <= STEP_MS),
        (f"{tick_words}, at most {TICK_MS}", tick_ms is not None and tick_ms <= TICK_MS),
        (f"page answers after {parts['page answers'][0]} ms, at most {ALL_MS}", parts["page answers"][0] <= ALL_MS),
    ]


def tell(start, which):
    """Print every part; True when all goals are reached."""
    print(f"start, {which} values of the chip file: ms from power-on, flash commands, ms of flash")
    for name, (at_ms, commands, flash_us) in sorted(start.parts.items(), key=lambda row: row[1][0]):
        print(f"{at_ms:6} ms {commands:6} commands {flash_us // 1000:5} ms  {name}")
    reached = goals(start)
    for words, is_reached in reached:
        print(f"{'reached' if is_reached else 'MISSED'}: {words}")
    return all(is_reached for _, is_reached in reached)


def run(argv):
    """Run the task; exit 0 when every goal is reached with the worst values, 2 without a tree."""
    parser = argparse.ArgumentParser(prog="python3 -m host_tools start", description=__doc__.split("\n")[0])
    parser.add_argument("--from", dest="source", metavar="DIR", help="a tree of `device build`, not a new one")
    options = parser.parse_args(argv)
    try:
        files = sessions.files_of(options.source) if options.source else None
    except (OSError, ValueError, KeyError) as error:
        print(f"ebb: {options.source} holds no build ({error}).")
        return 2
    with tempfile.TemporaryDirectory(prefix="ebb-start-") as folder:
        sessions.prepared(folder, files=files)
        tell(measured(folder, "typical"), "typical")
        return 0 if tell(measured(folder, "worst"), "worst") else 1
