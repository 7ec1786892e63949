"""ESP-IDF's partition table in its binary form, from rows; what the boot loader would misread is refused in words.

Form after ESP-IDF's "Partition Tables" and the output of its gen_esp32part.py.
"""

import hashlib
import itertools
import struct

TABLE_OFFSET = 0x8000
FIRST_OFFSET = 0x9000  # the table has a sector of its own
TABLE_BYTES = 0xC00
LABEL_BYTES = 16
FLASH_BYTES = 8 << 20  # the reference board's
SECTOR_BYTES = 0x1000
APP, DATA = 0, 1
OTA_DATA, OTA_DATA_BYTES = (DATA, 0), 0x2000
TYPES = {"app": APP, "data": DATA}
SUBTYPES = {
    APP: {"factory": 0x00, **{f"ota_{number}": 0x10 + number for number in range(16)}, "test": 0x20},
    DATA: {
        **{"ota": 0x00, "phy": 0x01, "nvs": 0x02, "coredump": 0x03, "nvs_keys": 0x04, "efuse": 0x05},
        **{"undefined": 0x06, "fat": 0x81, "spiffs": 0x82, "littlefs": 0x83},
    },
}
ALIGNMENT = {APP: 0x10000}
ENTRY = "<2sBBII16sI"
ENTRY_MARK = b"\xaa\x50"
SUM_MARK = b"\xeb\xeb" + b"\xff" * 14


class BadTable(Exception):
    """The rows make no table that a chip could use; the text is one clear line."""


def partition_table(rows, flash_bytes=FLASH_BYTES):
    """0xC00 bytes for TABLE_OFFSET. A row is (label, type, subtype, offset, size in bytes); types by name or number.

    Errors: BadTable.
    """
    numbers, taken = [], []
    for label, kind, subtype, offset, size in rows:
        kind = numbered(kind, TYPES, f"type of '{label}'")
        subtype = numbered(subtype, SUBTYPES.get(kind, {}), f"subtype of '{label}'")
        check_place(label, kind, offset, size, flash_bytes)
        taken.append((offset, size, label, (kind, subtype)))
        numbers.append((label, kind, subtype, offset, size))
    check_together(taken)
    return packed(numbers)


def packed(rows):
    """The table's bytes from rows of numbers that were checked. Errors: BadTable."""
    whole = b"".join(
        struct.pack(ENTRY, ENTRY_MARK, kind, subtype, offset, size, encoded(label), 0)
        for label, kind, subtype, offset, size in rows
    )
    whole += SUM_MARK + hashlib.md5(whole).digest()
    if len(whole) >= TABLE_BYTES:
        raise BadTable(f"{len(rows)} partitions are too many: the table holds {TABLE_BYTES // 32 - 2}.")
    return whole.ljust(TABLE_BYTES, b"\xff")


def numbered(word, names, words):
    """A type's number from its name or itself. Errors: BadTable."""
    number = names.get(word, word) if isinstance(word, str) else word
    if not isinstance(number, int) or not 0 <= number <= 0xFE:
        raise BadTable(f"the {words} is '{word}': neither one of {', '.join(names)} nor a number of 0 to 254.")
    return number


def encoded(label):
    """The label's field. Errors: BadTable."""
    field = label.encode()
    if not field or len(field) > LABEL_BYTES or not label.isascii() or not label.isprintable():
        raise BadTable(f"the label '{label}' must be 1 to {LABEL_BYTES} plain letters.")
    return field.ljust(LABEL_BYTES, b"\0")


def check_place(label, kind, offset, size, flash_bytes):
    """Refuse one partition that lies wrong in the flash. Errors: BadTable."""
    step = ALIGNMENT.get(kind, SECTOR_BYTES)
    if offset % step:
        raise BadTable(f"'{label}' begins at 0x{offset:x}: this must be a multiple of {step // 1024} KiB.")
    if size <= 0 or size % SECTOR_BYTES:
        raise BadTable(f"'{label}' has {size} bytes: this must be a multiple of 4 KiB above 0.")
    if offset < FIRST_OFFSET:
        raise BadTable(f"'{label}' begins at 0x{offset:x}: before 0x{FIRST_OFFSET:x} lie boot loader and table.")
    if offset + size > flash_bytes:
        raise BadTable(f"'{label}' ends at 0x{offset + size:x}, beyond the flash of {flash_bytes >> 20} MB.")


def check_together(taken):
    """Refuse partitions that overlap or share a label, and a wrong OTA record. Errors: BadTable."""
    if not taken:
        raise BadTable("the table has no partition.")
    ordered = sorted(taken)
    for before, after in itertools.pairwise(ordered):
        if before[0] + before[1] > after[0]:
            raise BadTable(f"'{before[2]}' ends at 0x{before[0] + before[1]:x}, inside '{after[2]}'.")
    labels = [label for _, _, label, _ in taken]
    for label in labels:
        if labels.count(label) > 1:
            raise BadTable(f"two partitions have the label '{label}'.")
    records = [(size, label) for _, size, label, kinds in taken if kinds == OTA_DATA]
    if len(records) > 1 or any(size != OTA_DATA_BYTES for size, _ in records):
        raise BadTable(f"'{records[-1][1]}': there is one OTA record at most, of 8 KiB.")
