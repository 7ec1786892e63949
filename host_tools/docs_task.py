"""Task `docs`: write the references from the firmware's own tables; --check only compares."""

import argparse
import sys

from host_tools import bootstrap

DOCS = bootstrap.ROOT / "docs"
HEAD = "<!-- Made by `python3 -m host_tools docs` from the firmware's tables; change the tables. -->\n"


def table(columns, rows):
    """A Markdown table."""
    lines = ["| " + " | ".join(columns) + " |", "|" + "---|" * len(columns)]
    lines += ["| " + " | ".join(str(cell).replace("|", "\\|") for cell in row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def phrase(code):
    """(words, what to do) of a code of firmware/words_en.txt."""
    from firmware.services.phrase_book import PhraseBook

    return PhraseBook(str(bootstrap.ROOT / "firmware" / "words_en.txt")).phrase(code)


def settings_page():
    """docs/settings.md."""
    from firmware.core.settings import SETTINGS

    rows = [
        (f"`{key}`", phrase(f"setting.{key}")[0], kind, f"{low}–{high}", default if not is_secret else "", who)
        for key, kind, low, high, _, default, who, _, is_secret in SETTINGS
    ]
    columns = ("key", "what", "kind", "range", "factory", "who may change it")
    return f"{HEAD}# Settings\n\n{table(columns, rows)}"


def faults_page():
    """docs/faults.md."""
    from firmware.core.faults import FAULTS
    from host_tools.other_faults import ROWS

    rows = [
        (
            row[0],
            *phrase(f"fault.{row[0]}"),
            f"{row[1]} ms",
            row[2],
            f"{row[3]} ms",
            row[4],
            row[5] or "",
            row[6] or "",
        )
        for row in FAULTS + ROWS
    ]
    columns = ("id", "fault", "what to do", "confirm", "reaction", "deadline", "class", "hard after", "MREC")
    return f"{HEAD}# Faults\n\n{table(columns, rows)}"


def states_page():
    """docs/states.md, with a picture of the transitions."""
    from firmware.core.charging import TRANSITIONS
    from firmware.core.states import STATES

    states = [
        (name, "**closed**" if is_closed else "open", mode, light, phrase(f"state.{name}")[0])
        for name, is_closed, mode, light in STATES
    ]
    moves = [
        (froms.replace(" ", ", "), guard.__doc__.split("\n")[0], to, clause) for froms, guard, to, clause in TRANSITIONS
    ]
    picture = "\n".join(
        f"    {one} --> {to}: {guard.__name__}" for froms, guard, to, _ in TRANSITIONS for one in froms.split()
    )
    return (
        f"{HEAD}# States\n\n{table(('state', 'contactor', 'pilot', 'light', 'words'), states)}\n"
        "A light that is off winks in blue, 80 ms in 4 s, once nobody has told the time of day for ten minutes.\n\n"
        f"First match wins.\n\n{table(('from', 'when', 'to', 'clause'), moves)}\n"
        f"```mermaid\nstateDiagram-v2\n    [*] --> idle\n{picture}\n```\n"
    )


def topics_page():
    """docs/topics.md."""
    from firmware.core import claims, decide, settings
    from firmware.core.records import Ref
    from firmware.wire import grid_contract, mqtt_topics, status

    chosen = settings.defaults()
    memory = decide.first_memory(0, (claims.standing("cable", 32000, Ref("board", "cable", 0)),), (0, 0))
    made = status.status(status.View("<box>", "", memory, None, chosen, None, phrase, "", None, 0))
    listens = [(f"`{topic}`",) for topic in mqtt_topics.subscriptions("<box>", "<group>")]
    speaks = [
        (f"`{mqtt_topics.built('<box>', name)}`",) for name in mqtt_topics.FROM_BOX[:2] + mqtt_topics.FROM_BOX[4:]
    ]
    values = [(f"`{mqtt_topics.value_topic('<box>', name)}`", text) for name, text in mqtt_topics.values(made)]
    reasons = [(f"`{code}`", phrase(f"reason.{code}")[0]) for code in grid_contract.REASONS.split()]
    return (
        f"{HEAD}# MQTT topics\n\nThe box listens to\n\n{table(('topic',), listens)}\nand speaks on\n\n"
        f"{table(('topic',), speaks)}\nPlain scalars, retained (with their values on a box at rest)\n\n"
        f"{table(('topic', 'at rest'), values)}\nReasons of a refusal\n\n{table(('reason', 'words'), reasons)}"
    )


def safety_page():
    """docs/safety.md."""
    from host_tools import safety_page as made

    return made.page(HEAD, table, phrase)


def log_page():
    """docs/event-log.md."""
    from host_tools import log_page as made

    return made.page(HEAD, table, phrase)


PAGES = (
    ("settings.md", settings_page),
    ("faults.md", faults_page),
    ("states.md", states_page),
    ("topics.md", topics_page),
    ("safety.md", safety_page),
    ("event-log.md", log_page),
)


def run(argv):
    """Run the task; with --check exit 1 and name the stale files."""
    parser = argparse.ArgumentParser(prog="python3 -m host_tools docs", description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare only")
    options = parser.parse_args(argv)
    sys.path.insert(0, str(bootstrap.ROOT))
    stale = []
    for name, page in PAGES:
        path = DOCS / name
        text = page()
        if path.exists() and path.read_text() == text:
            continue
        stale.append(name)
        if not options.check:
            path.write_text(text)
            print(f"written: docs/{name}")
    if stale and options.check:
        print(f"ebb: stale references: {', '.join(stale)}; run 'python3 -m host_tools docs'.", file=sys.stderr)
        return 1
    return 0
