"""App images, the record of OTA and the boot loader of ESP-IDF, as a model: runs on the chip's interpreter and on a PC.

Written from ESP-IDF's programming guide ("Over The Air Updates", "App Image Format") and what its boot loader does with
CONFIG_BOOTLOADER_APP_ROLLBACK_ENABLE: two sectors hold an entry each, the valid one with the higher number counts, an
entry is erased before it is written. The RSA signature of an image is not proved here, only its block's digest.
"""

import binascii
import hashlib
import struct

SECTOR_B = 4096
ERASED = 0xFFFFFFFF
NEW, PENDING, VALID, INVALID, ABORTED, UNDEFINED = 0, 1, 2, 3, 4, ERASED
ENTRY, STATE_AT = "<I20sII", 24
VALIDATE_FAILED, FAIL = -0x1503, -1  # ESP_ERR_OTA_VALIDATE_FAILED, ESP_FAIL, as MicroPython raises them

HEAD_B, SEGMENT_B, MAGIC, SUM_BEGIN = 24, 8, 0xE9, 0xEF
SIGNED_MAGIC = b"\xe7\x02"


def made(payload, load_at=0x3F400020):
    """An app image of one segment, with its checksum and its SHA-256 behind it, filled up to whole sectors."""
    payload += bytes(-len(payload) % 4)
    head = bytes((MAGIC, 1, 2, 0x20)) + bytes(19) + b"\x01" + struct.pack("<II", load_at, len(payload))
    total = SUM_BEGIN
    for octet in payload:
        total ^= octet
    whole = head + payload
    whole += bytes(15 - len(whole) % 16) + bytes((total,))
    whole += hashlib.sha256(whole).digest()
    return whole + b"\xff" * (-len(whole) % SECTOR_B)


def signed(image):
    """The image with a sector as espsecure appends it, but without a signature: its digest alone."""
    block = SIGNED_MAGIC + bytes(2) + hashlib.sha256(image).digest()
    return image + block + b"\xff" * (SECTOR_B - len(block))


def length_of(read, size_b):
    """Bytes of the image up to its SHA-256, 0 where there is none; read: function (at, count) -> bytes."""
    head = read(0, HEAD_B)
    if head[0] != MAGIC or not 0 < head[1] <= 16 or head[23] != 1:
        return 0
    at = HEAD_B
    for _ in range(head[1]):
        at += SEGMENT_B + struct.unpack("<I", read(at + 4, 4))[0]
        if at + 64 > size_b:
            return 0
    return at + 16 - at % 16


def is_whole(read, size_b):
    """Whether the boot loader would start what lies there: the SHA-256 behind it is right."""
    length_b = length_of(read, size_b)
    if not length_b:
        return False
    found = hashlib.sha256()
    for at in range(0, length_b, SECTOR_B):
        found.update(read(at, min(SECTOR_B, length_b - at)))
    return found.digest() == read(length_b, 32)


def is_signed(read, size_b):
    """Whether a signature's block with the right digest follows it."""
    length_b = length_of(read, size_b) + 32
    at = length_b + -length_b % SECTOR_B
    if at + SECTOR_B > size_b or read(at, 2) != SIGNED_MAGIC:
        return False
    found = hashlib.sha256()
    for place in range(0, at, SECTOR_B):
        found.update(read(place, SECTOR_B))
    return found.digest() == read(at + 4, 32)


def packed(number, state, total=None):
    """32 bytes of an entry; total: its checksum, None for the right one."""
    return struct.pack(ENTRY, number, b"\xff" * 20, state, sum_of(number) if total is None else total)


def sum_of(number):
    """Checksum of an entry, which covers its number alone."""
    return binascii.crc32(struct.pack("<I", number), ERASED)


class Ota:
    """Record and partitions of one chip; a device has read(at, count), erase(sector), program(at, octets), size_b."""

    def __init__(self, record, apps):
        """record: device of two sectors; apps: devices of ota_0, ota_1, …"""
        self._record = record
        self._apps = apps

    def entries(self):
        """[(number, state, checksum)] of both sectors."""
        found = []
        for sector in range(2):
            number, _, state, total = struct.unpack(ENTRY, self._record.read(sector * SECTOR_B, 32))
            found.append((number, state, total))
        return found

    def active(self):
        """Index of the entry that counts, -1 for none."""
        best = -1
        for index, (number, state, total) in enumerate(self.entries()):
            is_valid = number != ERASED and state not in (INVALID, ABORTED) and total == sum_of(number)
            if is_valid and (best < 0 or number > self.entries()[best][0]):
                best = index
        return best

    def state(self):
        """State of the entry that counts, UNDEFINED where there is none."""
        return self.entries()[self.active()][1] if self.active() >= 0 else UNDEFINED

    def _put(self, index, number, state, total=None):
        self._record.erase(index)
        self._record.program(index * SECTOR_B, packed(number, state, total))

    def boot(self):
        """Index of the partition that the boot loader starts, None where it finds no image; it writes its record."""
        for index, (number, state, total) in enumerate(self.entries()):
            if state == PENDING:  # whatever its checksum says
                self._put(index, number, ABORTED, total)
        at, is_initial = self.active(), False
        if at >= 0:
            number, state, _ = self.entries()[at]
            first = (number - 1) % len(self._apps)
            if state == NEW:
                self._put(at, number, PENDING)
        else:
            first = 0
            is_initial = not [row for row in self.entries() if row[0] != ERASED and row[2] == sum_of(row[0])]
        for index in list(range(first, -1, -1)) + list(range(first + 1, len(self._apps))):
            if is_whole(self._apps[index].read, self._apps[index].size_b):
                if is_initial:
                    self._put(0, index + 1, VALID)
                return index
        return None

    def set_boot(self, index):
        """As esp_ota_set_boot_partition(). Errors: OSError where no whole and signed image lies there."""
        device = self._apps[index]
        if not is_whole(device.read, device.size_b) or not is_signed(device.read, device.size_b):
            raise OSError(VALIDATE_FAILED, "ESP_ERR_OTA_VALIDATE_FAILED")
        at, count = self.active(), len(self._apps)
        if at < 0:
            self._put(0, index + 1, NEW)
            return
        number = self.entries()[at][0]
        if (number - 1) % count == index:
            self._put(at, number, NEW)
            return
        later = index + 1
        while later < number:
            later += count
        self._put(1 - at, later, NEW)

    def mark_valid(self):
        """As esp_ota_mark_app_valid_cancel_rollback(), of the entry that counts, whatever runs. Errors: OSError."""
        at = self.active()
        if at < 0:
            raise OSError(FAIL, "ESP_FAIL")
        number, state, _ = self.entries()[at]
        if state != VALID:
            self._put(at, number, VALID)
