"""Next versions of the firmware for tests of updates, and what the virtual chip tells of them."""

import hashlib
import http.client
import json

from host_tools.device import archive, slot

ARCHIVE = "a/" + archive.PATH


def with_changes(files, changes, **head):
    """The slot of a build with other contents in its archive ({path: bytes}) and another head, which agree."""
    made = {path: data for path, data in files.items() if path.startswith("a/")}
    made[ARCHIVE] = archive.changed(made[ARCHIVE], changes)
    manifest = json.loads(made.pop("a/manifest.json"))
    manifest.update(head)
    manifest["files"] = [
        {"path": path[2:], "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
        for path, data in sorted(made.items())
    ]
    return {**made, "a/manifest.json": slot.compact(manifest)}


def is_up(port):
    """Whether the page answers."""
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        line.request("GET", "/healthz")
        return line.getresponse().status == 200
    except OSError:
        return False


def stored(flash):
    """What the chip's own small store holds."""
    return json.loads((flash / "nvs.json").read_text())["ebb"]


def one_file_each(made, **head):
    """The tree of a build as one of before 0.2 had it: each module, the words and the page in a file of its own."""
    kept = ("board.json", "manifest.json", slot.UPDATE_KEY)
    files = {path: data for path, data in made.files.items() if "/" not in path or path[2:] in kept}
    files.update({f"a/{path}": data for path, data in made.inside.items()})
    manifest = json.loads(files.pop("a/manifest.json"))
    manifest.update(head)
    manifest["files"] = [
        {"path": path[2:], "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
        for path, data in sorted(files.items())
        if path.startswith("a/")
    ]
    return {**files, "a/manifest.json": slot.compact(manifest)}
