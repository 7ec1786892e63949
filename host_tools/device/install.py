"""The built firmware onto a board that already runs MicroPython, file by file, each checked."""

import hashlib
import json
from pathlib import Path

from host_tools import bootstrap
from host_tools.device import boards, build, slot
from host_tools.device.esptool_call import Trouble

ROOT_FILES = ("starter.mpy", "main.py", "boot.py")  # boot.py last: until then the board starts what it had


def digest_of(content):
    """SHA-256 as hex."""
    return hashlib.sha256(content).hexdigest()


def order(files):
    """Paths in the order in which a pulled cable does least harm: the slot, its manifest, then what starts it."""
    inside = sorted(path for path in files if path not in ROOT_FILES and not path.endswith("manifest.json"))
    manifests = sorted(path for path in files if path.endswith("manifest.json"))
    return [*inside, *manifests, *ROOT_FILES]


def install(prompt, files, told):
    """Write what differs on the board; files: {path: bytes}; told(path, number, of) is called for each file.

    Returns the count of files written. A second run after a pulled cable goes on where the first ended.
    Errors: Trouble.
    """
    paths = order(files)
    known = prompt.digests(["/" + path for path in paths])
    stale = [path for path in paths if known["/" + path] != digest_of(files[path])]
    old = stray(prompt, files)
    if stale or old:
        # A slot is whole only with its manifest, which goes first and comes back last.
        for letter in sorted({path.split("/")[0] for path in [*stale, *old] if "/" in path}):
            prompt.remove(f"/{letter}/manifest.json")
            stale = [path for path in paths if path in stale or path == f"{letter}/manifest.json"]
    for path in old:
        prompt.remove("/" + path)
    for number, path in enumerate(stale, 1):
        told(path, number, len(stale))
        prompt.put("/" + path, files[path])
    return len(stale)


LIST_CODE = """
import os
def walk(folder):
    for name, kind, *_ in os.ilistdir(folder):
        path = folder + "/" + name
        if kind == 0x4000:
            walk(path)
        else:
            print(path)
try:
    walk("/%s")
except OSError:
    pass
"""


def stray(prompt, files):
    """Paths on the board inside a slot of this build that the build does not have."""
    letters = sorted({path.split("/")[0] for path in files if "/" in path})
    found = [line[1:] for letter in letters for line in prompt.run(LIST_CODE % letter).splitlines()]
    return [path for path in found if path not in files]


def told(path, number, of):
    """One line of progress."""
    bootstrap.say(f"{number} of {of}: {path}")


def files_of(name, source=None):
    """{path: bytes} to install: of the tree in the folder `source`, else of a new build for the board `name`.

    Errors: Trouble, boards.BadBoard, slot.BadBuild, locked.BadWheel.
    """
    if not source:
        return build.made(name).files
    root = Path(source)
    root = root / build.TREE if (root / build.TREE).is_dir() else root
    try:
        manifest = json.loads((root / "a" / "manifest.json").read_text())
        paths = [f"a/{row['path']}" for row in manifest["files"]] + ["a/manifest.json", *ROOT_FILES]
        files = {path: (root / path).read_bytes() for path in paths}
        sums = (root.parent / build.SUMS).read_text("utf-8").splitlines()
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Trouble(f"{root} holds no whole build ({error}).", code=2) from None
    if manifest.get("board") != name:
        raise Trouble(f"{root} was built for the board '{manifest.get('board')}', not for '{name}'.", code=2)
    for row in manifest["files"]:
        if digest_of(files[f"a/{row['path']}"]) != row["sha256"]:
            raise Trouble(f"{root}: a/{row['path']} is not what its manifest says.", code=2)
    coil_line = slot.COIL_LINE.findall(slot.boot(boards.loaded(name), files["starter.mpy"]).decode())[0]
    if slot.COIL_LINE.findall(files["boot.py"].decode(errors="replace")) != [coil_line]:
        raise Trouble(f"{root}: boot.py does not open the contactor of the board '{name}' ({coil_line}).", code=2)
    for path, content in files.items():
        if f"{digest_of(content)}  {build.TREE}/{path}" not in sums:
            raise Trouble(f"{root}: {path} is not what the build's own list says ({build.SUMS}).", code=2)
    return files
