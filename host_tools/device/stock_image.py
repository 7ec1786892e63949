"""A stock image of MicroPython: checked, taken apart, and laid out with the project's own partition table.

Form of an image after Espressif's "Firmware Image Format". The boot loader refuses a table that reaches beyond the
flash size in its own header, so that size becomes the board's, and the hash behind the boot loader is made anew.
"""

import hashlib
import re
import struct
from pathlib import Path

from host_tools.device import partitions
from host_tools.device.esptool_call import CHIPS, Trouble

MAGIC, HEADER_BYTES, CHECKSUM_SEED, HASH_BYTES = 0xE9, 24, 0xEF, 32
CHIP_IDS = {"esp32": 0, "esp32s3": 9}
START = {"esp32": 0x1000, "esp32s3": 0}  # where a stock image begins in the flash
SIZE_CODES = {4: 2, 8: 3, 16: 4}  # flash in MB: upper half of the header's fourth byte
APP, APP_BYTES = 0x10000, 0x1F0000
VFS = 0x200000
VARIANTS = {"esp32": ", variant SPIRAM", "esp32s3": " (variant SPIRAM_OCT for a module with 8 MB PSRAM)"}
FLOOR = (1, 24)
BANNER = re.compile(rb"MicroPython (?:\(with v2\.0 preview\) )?v(\d+)\.(\d+)")
PAGES = {
    "esp32": "https://micropython.org/download/ESP32_GENERIC/",
    "esp32s3": "https://micropython.org/download/ESP32_GENERIC_S3/",
}


def where(board):
    """Words on where the image for a board comes from."""
    variant = VARIANTS[board["chip"]] if board["has_psram"] else ""
    return f"{PAGES[board['chip']]}{variant}, version {FLOOR[0]}.{FLOOR[1]} or newer"


def rows(board):
    """The partitions of a board, for partitions.partition_table."""
    flash_bytes = board["flash_mb"] << 20
    vfs_bytes = (1 if board["flash_mb"] == 4 else 2) << 20
    return (
        ("nvs", "data", "nvs", 0x9000, 0x6000),
        ("phy_init", "data", "phy", 0xF000, 0x1000),
        ("factory", "app", "factory", APP, APP_BYTES),
        ("vfs", "data", "fat", VFS, vfs_bytes),
        ("data", "data", "fat", VFS + vfs_bytes, flash_bytes - VFS - vfs_bytes),
    )


def refused(path, words):
    """The Trouble of an image that is not taken."""
    return Trouble(f"{path} {words}: nothing was written.", code=2)


def image_end(path, content, what):
    """(end of the hashed part, end of the whole) of the image at the start of content. Errors: Trouble."""
    if len(content) < HEADER_BYTES:
        raise refused(path, f"is cut off: it has no {what}")
    if content[0] != MAGIC:
        raise refused(path, f"is no image for this chip: its {what} begins with 0x{content[0]:02x} and not 0xe9")
    end, checksum = HEADER_BYTES, CHECKSUM_SEED
    for _ in range(content[1]):
        if end + 8 > len(content):
            raise refused(path, f"is cut off inside its {what}")
        size = struct.unpack_from("<I", content, end + 4)[0]
        segment = content[end + 8 : end + 8 + size]
        if len(segment) < size:
            raise refused(path, f"is cut off inside its {what}")
        whole = int.from_bytes(segment, "big")
        shift = 1 << max(len(segment) - 1, 0).bit_length()
        while shift:  # XOR of all bytes, by halves
            whole = (whole >> 8 * shift) ^ (whole & ((1 << 8 * shift) - 1))
            shift >>= 1
        checksum ^= whole
        end += 8 + size
    end = (end | 15) + 1
    has_hash = content[23] == 1
    if end + has_hash * HASH_BYTES > len(content):
        raise refused(path, f"is cut off inside its {what}")
    digest = hashlib.sha256(content[:end]).digest()
    if content[end - 1] != checksum or (has_hash and content[end : end + HASH_BYTES] != digest):
        raise refused(path, f"is damaged: the {what} does not fit its checksum")
    return end, end + has_hash * HASH_BYTES


def check_chip(path, content, board, what):
    """Refuse an image of another chip. Errors: Trouble."""
    number = struct.unpack_from("<H", content, 12)[0]
    if number != CHIP_IDS[board["chip"]]:
        names = {CHIP_IDS[chip]: f"the {name}" for chip, name in CHIPS.items()}
        found = names.get(number, f"a chip with the number {number}")
        ours = f"the board '{board['name']}' has the {CHIPS[board['chip']]}"
        raise refused(path, f"holds {what} for {found}, but {ours}")


def check_version(path, app):
    """Refuse an app that is no MicroPython, or an older one. Errors: Trouble."""
    found = BANNER.search(app)
    if not found:
        raise refused(path, "holds no MicroPython")
    if (int(found[1]), int(found[2])) < FLOOR:
        have = f"{int(found[1])}.{int(found[2])}"
        raise refused(path, f"is MicroPython {have}, and the firmware needs {FLOOR[0]}.{FLOOR[1]}")


def sized(loader, hashed_bytes, flash_mb):
    """The boot loader with another flash size in its header, and its hash made anew."""
    made = bytearray(loader)
    made[3] = made[3] & 0x0F | SIZE_CODES[flash_mb] << 4
    if len(made) > hashed_bytes:
        made[hashed_bytes:] = hashlib.sha256(made[:hashed_bytes]).digest()
    return bytes(made)


def parts(path, board):
    """[(flash offset, bytes)] of boot loader, table and app; nvs and data stay as they are. Errors: Trouble."""
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise refused(path, f"cannot be read ({error.strerror})") from None
    start = START[board["chip"]]
    if content[:1] == bytes((MAGIC,)) and len(content) >= HEADER_BYTES:
        check_chip(path, content, board, "a boot loader")
    hashed_bytes, loader_bytes = image_end(path, content, "boot loader")
    if loader_bytes > partitions.TABLE_OFFSET - start:
        raise refused(path, "begins with no boot loader: take the file that ends in .bin, not .app-bin")
    app = content[APP - start :]
    app_bytes = image_end(path, app, "app")[1]
    check_chip(path, app, board, "an app")
    if app_bytes > APP_BYTES:
        room = f"its partition {APP_BYTES >> 10} KB"
        raise refused(path, f"is too large: its app has {(app_bytes + 1023) >> 10} KB, {room}")
    check_version(path, app[:app_bytes])
    table = partitions.partition_table(rows(board), board["flash_mb"] << 20)
    loader = sized(content[:loader_bytes], hashed_bytes, board["flash_mb"])
    return [(start, loader), (partitions.TABLE_OFFSET, table), (APP, app[:app_bytes])]


def is_ours(head, vfs_bytes):
    """Whether the first bytes of the vfs partition's two first sectors are those of a littlefs of its size."""
    for sector in (head[:0x1000], head[0x1000:]):
        if sector[8:16] == b"littlefs" and struct.unpack_from("<I", sector, 28)[0] == vfs_bytes >> 12:
            return True
    return False
