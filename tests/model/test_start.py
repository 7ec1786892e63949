"""A start by the chip file: all goals are reached with the worst values, and a file for each module misses them."""

import hashlib
import json

import pytest

from host_tools import sessions, start
from host_tools.device import build, slot


@pytest.mark.needs_chip
def test_every_goal_of_a_start_is_reached(tmp_path):
    sessions.prepared(tmp_path)
    found = start.measured(tmp_path, "worst")
    assert start.tell(found, "worst")
    assert found.parts["page answers"][1] < 6000, "flash commands"


@pytest.mark.needs_chip
def test_a_file_for_each_module_is_too_slow(tmp_path):
    made = build.made("reference")
    files = {path: data for path, data in made.files.items() if path.count("/") == 0 or path == "a/board.json"}
    files.update({f"a/{path}": data for path, data in made.inside.items()})
    manifest = json.loads(made.files["a/manifest.json"])
    manifest["files"] = [
        {"path": path[2:], "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
        for path, data in sorted(files.items())
        if path.startswith("a/")
    ]
    sessions.prepared(tmp_path, files={**files, "a/manifest.json": slot.compact(manifest)})
    found = start.measured(tmp_path, "worst")
    assert not start.tell(found, "worst")
    assert found.parts["page answers"][1] > 12_000, "flash commands, read with 128 B by now; with 32 they were 49,000"
    assert not dict(start.goals(found))[f"first tick after {found.parts['first tick'][0]} ms, at most {start.TICK_MS}"]
