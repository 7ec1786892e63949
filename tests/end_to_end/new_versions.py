"""Next versions of the firmware for tests of updates, and what the virtual chip tells of them."""

import hashlib
import http.client
import json

from host_tools.device import slot


def with_changes(files, changes, **head):
    """The slot of a build with other files ({path: bytes}) or another head in its manifest, which agrees with it."""
    made = {path: data for path, data in files.items() if path.startswith("a/")}
    made.update({f"a/{path}": data for path, data in changes.items()})
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
