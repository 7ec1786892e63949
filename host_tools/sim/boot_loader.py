"""The virtual chip's boot loader and its app images: which of two partitions starts, and the modules that lie in it.

An image of the virtual chip holds the modules that a maker's image has frozen in it: an index and their bytes, in the
form of ESP-IDF's app images (app_images.py). sim/serial/rom.py reads them on the chip.
"""

import json
from pathlib import Path

from host_tools.device import slot
from host_tools.sim import app_images

RECORD = "otadata.img"
PLACES = 2
ROM_AT = app_images.HEAD_B + app_images.SEGMENT_B


class FileFlash:
    """A partition in a file of the chip's folder, made where it is missing."""

    def __init__(self, path, size_b):
        self._path = Path(path)
        self.size_b = size_b
        if not self._path.exists():
            self._path.write_bytes(b"\xff" * size_b)

    def read(self, at, count):
        """Bytes from a place on."""
        with self._path.open("rb") as file:
            file.seek(at)
            return file.read(count)

    def erase(self, sector):
        """One sector."""
        self.program(sector * app_images.SECTOR_B, b"\xff" * app_images.SECTOR_B)

    def program(self, at, octets):
        """Bytes at a place that is erased."""
        with self._path.open("r+b") as file:
            file.seek(at)
            file.write(octets)


def ota(folder, app_b):
    """app_images.Ota of a chip's folder; app_b: bytes of an app partition."""
    apps = [FileFlash(folder / f"ota_{index}.img", app_b) for index in range(PLACES)]
    return app_images.Ota(FileFlash(folder / RECORD, PLACES * app_images.SECTOR_B), apps)


def flashed(folder, image):
    """Put an image into the first app partition, as esptool does, with the record of OTA erased."""
    Path(folder).mkdir(parents=True, exist_ok=True)
    (Path(folder) / RECORD).unlink(missing_ok=True)
    path = Path(folder) / "ota_0.img"
    whole = path.read_bytes() if path.exists() else b""
    path.write_bytes(image + whole[len(image) :])


def image_of(sources):
    """Signed app image of {path: source}, modules that the chip finds after those of its own interpreter."""
    plain = {path: text for path, text in sources.items() if path == slot.FROZEN}
    contents = {**slot.compiled({path: text for path, text in sources.items() if path not in plain}), **plain}
    index, whole = {}, b""
    for path, data in sorted(contents.items()):
        index[path] = (len(whole), len(data))
        whole += data
    told = json.dumps(index).encode()
    return app_images.signed(app_images.made(len(told).to_bytes(4, "big") + told + whole))
