"""Runs on both interpreters: decide() over recorded readings and commands; prints a digest of all it remembered."""

import hashlib
import json
import sys

from firmware.core import claims, decide, settings
from firmware.core.records import Command, Readings, Ref


def readings_of(fields):
    """Readings from a JSON list, lists as tuples."""
    return Readings(*[tuple(field) if type(field) is list else field for field in fields])


def command_of(fields):
    """Command from a JSON list."""
    return Command(*[Ref(*field) if type(field) is list else field for field in fields])


def plain(value):
    """Records as tuples: their names are short ones in the shrunk firmware."""
    return tuple([plain(one) for one in value]) if isinstance(value, tuple) else value


chosen = settings.changed(settings.defaults(), {"wiring_limit_ma": 16_000})
memory = decide.first_memory(0, (claims.standing("cable", 32_000, Ref("board", "cable", 0)),), (0, 0))
digest = hashlib.sha256()
ticks = 0
with open(sys.argv[1]) as file:
    for line in file:
        made, asked = json.loads(line)
        decision = decide.decide(memory, readings_of(made), tuple(command_of(one) for one in asked), chosen)
        memory = decision.memory
        digest.update(repr(plain(decision)).encode())
        ticks += 1
print("replayed: %d ticks" % ticks)
print("digest: " + "".join("%02x" % byte for byte in digest.digest()))
