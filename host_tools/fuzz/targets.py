"""The table of parsers that are fuzzed; a module of each has seeds(), TOKENS, repaired() and tried()."""

import importlib

# name, module, share of all inputs: a request costs fifty times what a record costs.
TARGETS = (
    ("mqtt", "host_tools.fuzz.mqtt", 25),
    ("commands", "host_tools.fuzz.commands", 25),
    ("signed", "host_tools.fuzz.signed", 6),
    ("http", "host_tools.fuzz.http", 4),
    ("settings", "host_tools.fuzz.settings_import", 16),
    ("log", "host_tools.fuzz.log", 30),
    ("ledger", "host_tools.fuzz.ledger", 20),
    ("stored", "host_tools.fuzz.stored", 12),
    ("state", "host_tools.fuzz.state", 8),
    ("update", "host_tools.fuzz.update", 8),
    ("response", "host_tools.fuzz.response", 8),
    ("announcement", "host_tools.fuzz.announcement", 6),
)


def target(name):
    """Module of a target. Errors: KeyError."""
    return importlib.import_module({row[0]: row[1] for row in TARGETS}[name])


def shares(count):
    """{name: inputs} that are `count` together."""
    whole = sum(row[2] for row in TARGETS)
    made = {row[0]: count * row[2] // whole for row in TARGETS}
    made[TARGETS[0][0]] += count - sum(made.values())
    return made
