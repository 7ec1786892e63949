"""Command `device image-update`: an own image and the slot that runs under it, signed, as an update over the network.

What the box would find only once it was written is found here first: an app image of another chip or build, without the
maker's signature, or too long for its partition.
"""

import argparse
import hashlib
import struct
import sys
from pathlib import Path

from host_tools import bootstrap
from host_tools.device import boards, build, bundle, image, keys, locked, slot

CHIP_IDS = {"esp32": 0, "esp32s3": 9}  # ESP-IDF programming guide, "App Image Format": esp_chip_id_t
HEAD_B, CHIP_AT, MAGIC = 24, 12, 0xE9
SECTOR_B = 4096
# The sector that espsecure appends: mark, version, 2 bytes, SHA-256 of what is before, modulus with its low byte first.
SIGNED, DIGEST_AT, MODULUS_AT, MODULUS_B = b"\xe7\x02", 4, 36, 384
END = "-image" + bundle.SUFFIX


def check(app, board, frozen, modulus):
    """Refuse an app image that no box of this board could run or keep. Errors: image.BadImage."""
    if len(app) <= HEAD_B or app[0] != MAGIC:
        raise image.BadImage("the app is no image of ESP-IDF.")
    if struct.unpack_from("<H", app, CHIP_AT)[0] != CHIP_IDS[board["chip"]]:
        raise image.BadImage(f"the app is for another chip than the {board['chip']} of {board['name']}.")
    block = app[-SECTOR_B:]
    if len(app) % SECTOR_B or block[:2] != SIGNED:
        raise image.BadImage("the app is not signed: 'espsecure sign-data --version 2' does that.")
    if block[DIGEST_AT:MODULUS_AT] != hashlib.sha256(app[:-SECTOR_B]).digest():
        raise image.BadImage("the app was changed after it was signed.")
    if block[MODULUS_AT : MODULUS_AT + MODULUS_B][::-1] != modulus:
        raise image.BadImage("the app was signed with another key than the update is.")
    size_b = next(size for label, _, _, _, size in image.rows(board["flash_mb"]) if label == "ota_1")
    if len(app) > size_b:
        raise image.BadImage(f"the app has {len(app)} B, and its partition {size_b} B.")
    if frozen.encode() not in app:
        raise image.BadImage("the app holds other modules than these sources: make it anew with 'device image'.")


def packed(name, app, private, update_key=b""):
    """The update's bytes. update_key: modulus that the slot names, b"" for that of `private`.

    Errors: image.BadImage, bundle.BadBundle and those of a build.
    """
    modulus = keys.modulus(private.public_key(), "")
    board = boards.loaded(name)
    check(app, board, slot.frozen_sources(board, slot.wheels(board))[1], modulus)
    return bundle.packed(build.made(name, update_key or modulus, is_frozen=True).files, private, app)


def run(argv):
    """Run the command; exit 2 when there is no update."""
    parser = argparse.ArgumentParser(
        prog="python3 -m host_tools device image-update", description=__doc__.split("\n")[0]
    )
    parser.add_argument("--board", required=True, metavar="NAME", help=", ".join(boards.names()))
    parser.add_argument("--app", required=True, type=Path, metavar="FILE", help="the app image, signed with espsecure")
    parser.add_argument("--sign", required=True, metavar="KEY", help="the private key of device keys")
    parser.add_argument(
        "--update-key", metavar="KEY", help="the public key whose updates it takes (default: of --sign)"
    )
    parser.add_argument("--out", type=Path, metavar="DIR", help="default: build/NAME-image")
    options = parser.parse_args(argv)
    out = options.out or bootstrap.ROOT / "build" / f"{options.board}-image"
    try:
        key = keys.public_of(options.update_key) if options.update_key else b""
        octets = packed(options.board, options.app.read_bytes(), keys.loaded(options.sign), key)
        path = out / f"{options.board}-{slot.version()}{END}"
        out.mkdir(parents=True, exist_ok=True)
        build.put(path, octets)
    except (
        *(image.BadImage, bundle.BadBundle, boards.BadBoard),
        *(slot.BadBuild, locked.BadWheel, keys.BadKey),
    ) as error:
        print("ebb: " + " ".join(str(error).split()), file=sys.stderr)
        return 2
    except OSError as error:
        print(f"ebb: no update was made: {error}.", file=sys.stderr)
        return 2
    print(f"update: {path}, {len(octets)} B")
    return 0
