"""Runs on the board for `device prove`: takes times and levels with the contactor open, and judges nothing.

Each function answers within a second or two: until it is back nobody feeds the watchdog on a virtual chip.
"""

import gc
import time

SECTOR_B = 4096
PAGE_B = 256
TIMES = 8
TURNS = 60
CAPS = 1 << 2 | 1 << 3 | 1 << 11  # as firmware/drivers/idf_memory.py


def memory():
    """Bytes: [free heap, live heap, IDF free, its largest block, its least free]; None for what it cannot tell."""
    gc.collect()
    made = [gc.mem_free(), gc.mem_alloc(), None, None, None]
    try:
        import esp32

        rows = esp32.idf_heap_info(CAPS)
        made[2:] = [sum(row[1] for row in rows), max(row[2] for row in rows), sum(row[3] for row in rows)]
    except (ImportError, AttributeError):
        pass
    return made


def spare_sector(area):
    """Number of a sector that reads as erased, the last there is; None without one.

    For the file system's own partition alone: littlefs erases each block before it programs it, so a block that reads
    0xFF holds nothing, and may be used and erased again. The journal's partition promises no such thing.
    """
    buffer = bytearray(SECTOR_B)
    for number in range(area.ioctl(4, 0) - 1, 0, -1):
        area.readblocks(number, buffer)
        if buffer.count(b"\xff") == SECTOR_B:
            return number
    return None


def flash():
    """{"read", "program", "erase": list of us} of a sector, a page, a sector; None where no sector holds nothing."""
    from esp32 import Partition

    area = Partition.find(Partition.TYPE_DATA, label="vfs")[0]
    number = spare_sector(area)
    if number is None:
        return None
    sector, page = bytearray(SECTOR_B), bytearray(PAGE_B)
    made = {"read": [], "program": [], "erase": []}

    def timed(name, call):
        start_us = time.ticks_us()
        call()
        made[name].append(time.ticks_diff(time.ticks_us(), start_us))

    for index in range(TIMES):
        timed("read", lambda: area.readblocks(number, sector))
        timed("program", lambda at=index: area.writeblocks(number, page, at * PAGE_B))
    for _ in range(2):
        timed("erase", lambda: area.ioctl(6, number))
    return made


def ticks(bench):
    """us of each of some turns of sensing and acting, the coil off."""
    from firmware.core.records import Outputs

    outputs = Outputs(False, "high", 1000, "off", False)
    made = []
    for _ in range(TURNS):
        time.sleep_ms(2)
        start_us = time.ticks_us()
        bench.board.act(outputs)
        bench.board.sense()
        made.append(time.ticks_diff(time.ticks_us(), start_us))
    return made


def levels(bench, pin, mode):
    """Readings in uV of an ADC pin, the pilot in a mode."""
    from machine import ADC, Pin

    from firmware.core.records import Outputs

    bench.ticks(Outputs(False, mode, 1000 if mode == "high" else 0, "off", False), 4)
    read_uv = ADC(Pin(pin), atten=ADC.ATTN_11DB).read_uv
    return [read_uv() for _ in range(128)]
