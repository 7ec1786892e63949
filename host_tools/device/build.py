"""Command `device build`: the tree as it lies on the chip, its bill of materials and the names behind the short ones.

OUT/tree holds boot.py, main.py, starter.mpy and slot a/; beside it lie NAME.cdx.json and names.json, and with --sign
the update NAME-VERSION.ebbupdate.
"""

import argparse
import json
import os
import shutil
import sys
from collections import namedtuple
from pathlib import Path

from host_tools import bootstrap
from host_tools.device import bill, boards, bundle, keys, locked, slot

TREE = "tree"
BLOCK = 4096
MOST_MPY = 300 * 1024
FOLDER_BLOCKS = 2  # littlefs keeps a folder in a pair of blocks
PARTS = ("firmware", "words", "third_party", "page", "other")
Build = namedtuple("Build", ("board", "files", "names", "bill", "sha256"))


def made(name, update_key=b""):
    """Build of a board, nothing written yet; update_key: modulus of the key whose updates it will take.

    Errors: boards.BadBoard, slot.BadBuild, locked.BadWheel.
    """
    board = boards.loaded(name)
    carried = slot.wheels(board)
    files, names = slot.tree(board, carried, update_key)
    sha256 = slot.digest(files)
    return Build(board, files, names, bill.bill(board, carried, sha256), sha256)


def put(path, data):
    """Write one file with a mode that no umask changes."""
    path.write_bytes(data)
    path.chmod(0o644)


def write(build, out):
    """Write a build under the folder `out`, in place of an older one there. Errors: OSError, slot.BadBuild."""
    tree, fresh = out / TREE, out / f".{TREE}.{os.getpid()}"
    if tree.exists() and not (tree / "a" / "manifest.json").is_file():
        raise slot.BadBuild(f"{tree} is no build of ebb and stays; choose another --out.")
    fresh.mkdir(parents=True)
    try:
        for path, data in build.files.items():
            (fresh / path).parent.mkdir(parents=True, exist_ok=True)
            put(fresh / path, data)
        for folder in (fresh, *(path for path in fresh.rglob("*") if path.is_dir())):
            folder.chmod(0o755)
        shutil.rmtree(tree, ignore_errors=True)
        fresh.rename(tree)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    put(out / f"{build.board['name']}.cdx.json", build.bill.encode())
    put(out / "names.json", json.dumps(build.names, indent=1, sort_keys=True).encode() + b"\n")


def sign(build, private, out):
    """Write the update of a build beside it, and say how long it is. Errors: bundle.BadBundle, OSError."""
    octets = bundle.packed(build.files, private)
    path = out / f"{build.board['name']}-{slot.version()}{bundle.SUFFIX}"
    put(path, octets)
    print(f"update: {path.name}, {len(octets)} B")


def part_of(path):
    """To which part of the flash a file counts."""
    if path.startswith(f"a/{slot.THIRD_PARTY}/"):
        return "third_party"
    if path.startswith("a/page/"):
        return "page"
    if path.startswith("a/firmware/") or path == "starter.mpy":
        return "firmware" if path.endswith(".mpy") else "words"
    return "other"


def use(files):
    """{part: (bytes, bytes in whole blocks)}; folders count to "other"."""
    found = {part: [0, 0] for part in PARTS}
    for path, data in files.items():
        row = found[part_of(path)]
        row[0] += len(data)
        row[1] += -(-len(data) // BLOCK) * BLOCK
    folders = {str(parent) for path in files for parent in Path(path).parents}
    found["other"][1] += len(folders) * FOLDER_BLOCKS * BLOCK
    return {part: tuple(row) for part, row in found.items()}


def mpy_bytes(files):
    """Bytes of bytecode in the slot."""
    return sum(len(data) for path, data in files.items() if path.startswith("a/") and path.endswith(".mpy"))


def report(build):
    """Print the figures; True when the slot's bytecode is within its goal."""
    rows = use(build.files)
    rows["total"] = tuple(sum(column) for column in zip(*rows.values(), strict=True))
    for part, (plain, blocks) in rows.items():
        print(f"flash_{part}: {plain} B ({blocks} B in blocks of {BLOCK})")
    found = mpy_bytes(build.files)
    print(f"mpy_per_slot: {found} B (goal {MOST_MPY} B)")
    print(f"build_sha256: {build.sha256}")
    if found > MOST_MPY:
        print(f"ebb: the slot's bytecode is {found - MOST_MPY} B above its goal.", file=sys.stderr)
    return found <= MOST_MPY


def run(argv):
    """Run the command; exit 1 when the bytecode is above its goal, 2 when there is no build."""
    parser = argparse.ArgumentParser(prog="python3 -m host_tools device build", description=__doc__.split("\n")[0])
    parser.add_argument("--board", required=True, metavar="NAME", help=", ".join(boards.names()))
    parser.add_argument("--out", type=Path, metavar="DIR", help="default: build/NAME")
    parser.add_argument("--sign", metavar="KEY", help="a private key of device keys: also make an update of the build")
    parser.add_argument(
        "--update-key", metavar="KEY", help="the public key whose updates it takes (default: of --sign)"
    )
    options = parser.parse_args(argv)
    try:
        private = keys.loaded(options.sign) if options.sign else None
        public = keys.modulus(private.public_key(), options.sign) if private else b""
        build = made(options.board, keys.public_of(options.update_key) if options.update_key else public)
        out = options.out or bootstrap.ROOT / "build" / options.board
        write(build, out)
        if private is not None:
            sign(build, private, out)
    except (boards.BadBoard, slot.BadBuild, locked.BadWheel, keys.BadKey, bundle.BadBundle) as error:
        print("ebb: " + " ".join(str(error).split()), file=sys.stderr)
        return 2
    except OSError as error:
        print(f"ebb: the build cannot be written: {error}.", file=sys.stderr)
        return 2
    return 0 if report(build) else 1
