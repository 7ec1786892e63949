"""Command `device image`: a maker's own MicroPython image with the firmware frozen into it, made by ESP-IDF's build.

OUT/EBB_… is a board folder of MicroPython's esp32 port: settings, partitions and the frozen sources of one board of
ours. OUT/tree is what `device flash --from` puts onto the chip beside it. Unproved: no such image was ever made.
"""

import argparse
import csv
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from host_tools import bootstrap
from host_tools.device import boards, build, keys, locked, partitions, slot

HOME = bootstrap.ROOT / "hardware" / "micropython"
FOLDERS = {"esp32": "EBB_ESP32", "esp32s3": "EBB_ESP32S3"}
TABLES = {4: "partitions-4MiB.csv", 8: "partitions-8MiB.csv", 16: "partitions-8MiB.csv"}
VERSIONS = ((1, 27), (1, 28))  # whose port has the files that the board folders name
IDF = "5.5.1"
NUMBER = re.compile(
    r"^#define MICROPY_VERSION_(MAJOR|MINOR) \((\d+)\)|^#define MICROPY_VERSION_(MAJOR|MINOR) (\d+)", re.M
)


class BadImage(Exception):
    """The image cannot be made; the text is one clear line."""


def rows(flash_mb):
    """Partitions of an own image, for partitions.partition_table."""
    with (HOME / "common" / TABLES[flash_mb]).open(encoding="utf-8") as file:
        lines = [line for line in file if not line.startswith("#")]
    found = [[field.strip() for field in row] for row in csv.reader(lines)]
    return tuple((label, kind, sub, int(at, 0), int(size, 0)) for label, kind, sub, at, size in found)


def flash_lines(flash_mb, folder):
    """Lines of ESP-IDF's configuration that depend on the size of the flash and on where the table lies."""
    sizes = [f"CONFIG_ESPTOOLPY_FLASHSIZE_{one}MB={'y' if one == flash_mb else ''}" for one in (4, 8, 16)]
    table = f'CONFIG_PARTITION_TABLE_CUSTOM_FILENAME="{folder / "partitions.csv"}"'
    return "\n".join(
        [*sizes, f'CONFIG_ESPTOOLPY_FLASHSIZE="{flash_mb}MB"', "CONFIG_PARTITION_TABLE_CUSTOM=y", table, ""]
    )


def laid_out(name, out, update_key=b""):
    """Board folder for one board of ours, made anew under `out`, and the tree for its chip beside it.

    Errors: BadImage, OSError and those of a build.
    """
    board = boards.loaded(name)
    partitions.partition_table(rows(board["flash_mb"]), board["flash_mb"] << 20)
    folder = (out / FOLDERS[board["chip"]]).resolve()
    if folder.exists() and not (folder / "facts.cmake").exists():
        raise BadImage(f"{folder} is no folder that this command made and stays; choose another --out.")
    build.write(build.made(name, update_key, is_frozen=True), out)
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(HOME / "boards" / FOLDERS[board["chip"]], folder)
    shutil.copytree(HOME / "common", folder, dirs_exist_ok=True)
    shutil.copyfile(HOME / "modules.py", folder / "modules.py")
    (folder / TABLES[board["flash_mb"]]).rename(folder / "partitions.csv")
    for other in folder.glob("partitions-*"):
        other.unlink()
    (folder / "sdkconfig.flash").write_text(flash_lines(board["flash_mb"], folder))
    (folder / "facts.cmake").write_text(f"set(EBB_HAS_PSRAM {int(board['has_psram'])})\n")
    for path, text in slot.frozen_sources(board, slot.wheels(board))[0].items():
        target = folder / "frozen" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(text)
    return folder


def version_of(source):
    """(major, minor) of a source of MicroPython with its esp32 port. Errors: BadImage."""
    try:
        text = (source / "py" / "mpconfig.h").read_text("utf-8")
    except OSError:
        text = ""
    found = {one[0] or one[2]: int(one[1] or one[3]) for one in NUMBER.findall(text)}
    if len(found) != 2 or not (source / "ports" / "esp32" / "Makefile").is_file():
        raise BadImage(f"{source} holds no source of MicroPython: it lacks py/mpconfig.h or ports/esp32.")
    return found["MAJOR"], found["MINOR"]


def command(source, folder):
    """The one command that makes the image."""
    target = folder.parent / "esp32-build"
    return ["make", "-C", str(source / "ports" / "esp32"), f"BOARD_DIR={folder}", f"BUILD={target}"]


def make(source, folder):
    """Run ESP-IDF's build; the file that it gives. Errors: BadImage."""
    found = version_of(source)
    if found not in VERSIONS:
        wanted = " or ".join(f"{major}.{minor}" for major, minor in VERSIONS)
        raise BadImage(f"{source} is MicroPython {found[0]}.{found[1]}; the board folders are for {wanted}.")
    missing = [
        what
        for what, there in (("idf.py on the PATH", shutil.which("idf.py")), ("make", shutil.which("make")))
        if not there
    ]
    if not os.environ.get("IDF_PATH"):
        missing.append("IDF_PATH in the environment")
    if missing:
        raise BadImage(
            f"ESP-IDF is missing ({', '.join(missing)}): install ESP-IDF {IDF}, run its export.sh, and then "
            f"'{' '.join(command(source, folder))}'."
        )
    done = subprocess.run(command(source, folder))
    made = folder.parent / "esp32-build" / "micropython.bin"
    if done.returncode or not made.is_file():
        raise BadImage(f"the build of MicroPython ended with {done.returncode}; what it said stands above.")
    return made


def run(argv):
    """Run the command; exit 2 when nothing is made, 0 when the image is, or its folder where no source was named."""
    parser = argparse.ArgumentParser(prog="python3 -m host_tools device image", description=__doc__.split("\n")[0])
    parser.add_argument("--board", required=True, metavar="NAME", help=", ".join(boards.names()))
    parser.add_argument("--micropython-source", type=Path, metavar="DIR", help="of 1.27 or 1.28, with its submodules")
    parser.add_argument("--out", type=Path, metavar="DIR", help="default: build/NAME-image")
    parser.add_argument("--update-key", metavar="KEY", help="the public key whose updates the box takes")
    options = parser.parse_args(argv)
    out = options.out or bootstrap.ROOT / "build" / f"{options.board}-image"
    try:
        key = keys.public_of(options.update_key) if options.update_key else b""
        folder = laid_out(options.board, out, key)
        print(f"board folder: {folder}")
        if options.micropython_source:
            print(f"image, to be signed: {make(options.micropython_source.resolve(), folder)}")
        else:
            print("No image was made: --micropython-source tells where MicroPython lies.")
    except (BadImage, boards.BadBoard, slot.BadBuild, locked.BadWheel, keys.BadKey) as error:
        print("ebb: " + " ".join(str(error).split()), file=sys.stderr)
        return 2
    except OSError as error:
        print(f"ebb: the image's folder cannot be written: {error}.", file=sys.stderr)
        return 2
    return 0
