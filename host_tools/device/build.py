"""Command `device build`: the tree as it lies on the chip, its bill of materials and the names behind the short ones.

OUT/tree holds boot.py, main.py, starter.mpy and slot a/; beside it lie NAME.cdx.json, names.json and SHA256SUMS (for
`sha256sum -c`), and with --sign the update NAME-VERSION.ebbupdate.
"""

import argparse
import hashlib
import json
import os
import shutil
import sys
from collections import namedtuple
from pathlib import Path

from host_tools import bootstrap
from host_tools.device import bill, boards, bundle, keys, locked, slot

TREE = "tree"
SUMS = "SHA256SUMS"
BLOCK = 4096
MOST_MPY = 300 * 1024
FOLDER_BLOCKS = 2  # littlefs keeps a folder in a pair of blocks
PARTS = ("firmware", "words", "third_party", "page")
Build = namedtuple("Build", ("board", "files", "inside", "names", "bill", "sha256"))
Build.__doc__ = """board: dict; files: {path on the device: bytes}; inside: {path in the slot's archive: bytes};
names: {path: {short: long}}; bill: of materials, JSON; sha256: of the whole."""


def made(name, update_key=b"", is_frozen=False):
    """Build of a board, nothing written yet; update_key: modulus of the key whose updates it will take.

    is_frozen: for an own image that has the modules frozen in it (hardware/micropython).
    Errors: boards.BadBoard, slot.BadBuild, locked.BadWheel.
    """
    board = boards.loaded(name)
    carried = slot.wheels(board)
    files, inside, names = slot.tree(board, carried, update_key, is_frozen)
    sha256 = slot.digest(files)
    return Build(board, files, inside, names, bill.bill(board, carried, sha256), sha256)


def sums(files):
    """Text of a list of SHA-256, of a tree's {path: bytes}."""
    return "".join(f"{hashlib.sha256(data).hexdigest()}  {TREE}/{path}\n" for path, data in sorted(files.items()))


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
    put(out / SUMS, sums(build.files).encode())
    put(out / f"{build.board['name']}.cdx.json", build.bill.encode())
    put(out / "names.json", json.dumps(build.names, indent=1, sort_keys=True).encode() + b"\n")


def sign(build, private, out):
    """Write the update of a build beside it, and say how long it is. Errors: bundle.BadBundle, OSError."""
    octets = bundle.packed(build.files, private)
    path = out / f"{build.board['name']}-{slot.version()}{bundle.SUFFIX}"
    put(path, octets)
    print(f"update: {path.name}, {len(octets)} B")


def part_of(path):
    """To which part of the slot a content of its archive counts."""
    if path.startswith(f"{slot.THIRD_PARTY}/"):
        return "third_party"
    if path.startswith("page/"):
        return "page"
    return "firmware" if path.endswith(".mpy") else "words"


def use(files):
    """(bytes, bytes in whole blocks) of files on the flash; folders count in blocks alone."""
    plain_b = sum(len(data) for data in files.values())
    blocks = sum(-(-len(data) // BLOCK) for data in files.values())
    folders = {str(parent) for path in files for parent in Path(path).parents}
    return plain_b, (blocks + len(folders) * FOLDER_BLOCKS) * BLOCK


def mpy_bytes(inside):
    """Bytes of bytecode in the slot's archive."""
    return sum(len(data) for path, data in inside.items() if path.endswith(".mpy"))


def report(build):
    """Print the figures; True when the slot's bytecode is within its goal."""
    for part in PARTS:
        print(f"flash_{part}: {sum(len(data) for path, data in build.inside.items() if part_of(path) == part)} B")
    print("flash_total: %d B (%d B in blocks of %d)" % (*use(build.files), BLOCK))
    found = mpy_bytes(build.inside)
    print(f"mpy_per_slot: {found} B (goal {MOST_MPY} B)")
    print(f"build_sha256: {build.sha256}")
    if found > MOST_MPY:
        print(f"ebb: the slot's bytecode is {found - MOST_MPY} B above its goal.", file=sys.stderr)
    return found <= MOST_MPY


def run(argv):
    """Run the command; exit 1 when the bytecode is above its goal, 2 when there is no build."""
    parser = argparse.ArgumentParser(prog="python3 -m host_tools device build", description=__doc__.split("\n")[0])
    parser.add_argument("--board", required=True, metavar="NAME", help=boards.listed())
    parser.add_argument("--experimental", action="store_true", help="build also a board that is not offered")
    parser.add_argument("--out", type=Path, metavar="DIR", help="default: build/NAME")
    parser.add_argument("--sign", metavar="KEY", help="a private key of device keys: also make an update of the build")
    parser.add_argument(
        "--update-key", metavar="KEY", help="the public key whose updates it takes (default: of --sign)"
    )
    options = parser.parse_args(argv)
    try:
        boards.check_offered(boards.loaded(options.board), options.experimental)
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
