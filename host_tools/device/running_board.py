"""What a board at its prompt says of itself, and why it may not have the firmware that is meant for it."""

import collections
import json

from host_tools.device import build, stock_image
from host_tools.device.esptool_call import CHIPS, Trouble

LEAST_PSRAM_HEAP = 512 * 1024  # a chip without PSRAM has less, one with it has 2 MB or more; unconfirmed on a board

PROBE_CODE = """
import gc, json, os, sys
gc.collect()
def size(path):
    kind = os.stat(path)
    if kind[0] & 0x4000:
        return sum(size(path + "/" + row[0]) for row in os.ilistdir(path))
    return -(-kind[6] // BLOCK) * BLOCK
def sizes(paths):
    for path in paths:
        try:
            yield size(path)
        except OSError:
            yield 0
def read(path):
    try:
        with open(path) as file:
            return json.load(file).get("name")
    except (OSError, ValueError, AttributeError):
        return None
def has_data():
    try:
        from esp32 import Partition
        return bool(Partition.find(Partition.TYPE_DATA, label="data"))
    except ImportError:
        return False
fs = os.statvfs("/")
print(json.dumps([sys.implementation[0], list(sys.implementation[1])[:2], sys.implementation._machine,
    read("/a/board.json"), fs[1] * fs[4], sum(sizes(PATHS)), has_data(), gc.mem_free() + gc.mem_alloc()]))
"""
Running = collections.namedtuple("Running", "name version machine board free_bytes own_bytes has_data heap_bytes")
Running.__doc__ = """What runs: interpreter, (major, minor), its words on the machine, name of the board or None, free
flash, flash that the firmware there takes, whether there is a data partition, and the heap."""
SLOT_CODE = """
import esp32
store = esp32.NVS("ebb")
store.set_i32("slot", 0)
store.commit()
"""


def asked(prompt, paths):
    """Running of the board; paths: where its firmware lies. Errors: Trouble."""
    head = f"BLOCK, PATHS = {build.BLOCK}, {list(paths)!r}\n"
    said = prompt.run(head + PROBE_CODE)
    try:
        row = json.loads(said.strip().splitlines()[-1])
        return Running(row[0], tuple(row[1]), *row[2:])
    except (ValueError, IndexError, TypeError):
        raise Trouble(f"the board does not tell what it is, but {said.strip()[-80:]!r}.") from None


def need_bytes(files):
    """Flash that a tree takes in whole blocks."""
    return build.use(files)[1]


def chip_of(machine):
    """Chip in the interpreter's words on its machine ("... with ESP32S3"), None for one that is not known."""
    words = machine.upper().replace("-", "").split()
    return words[-1].lower() if words and words[-1].startswith("ESP32") else None


def reasons(running, board, files):
    """Sentences why this board may not have these files; --force overrules none of them."""
    wanted = f"{stock_image.FLOOR[0]}.{stock_image.FLOOR[1]}"
    chip = chip_of(running.machine)
    if chip != board["chip"]:
        found = CHIPS.get(chip or "", running.machine)
        yield f"it is an {found}, but this firmware is for the {CHIPS[board['chip']]}"
    if running.name != "micropython" or running.version < stock_image.FLOOR:
        version = ".".join(map(str, running.version))
        yield f"it runs {running.name} {version}, and the firmware needs MicroPython {wanted} or newer"
    need, room = need_bytes(files), running.free_bytes + running.own_bytes
    if need > room:
        yield f"it has {room >> 10} KB of flash for the firmware, which needs {(need + 1023) >> 10} KB"


def doubts(running, board):
    """Sentences why this board is perhaps not the right one; a person may know better (--force)."""
    if running.board is not None and running.board != board["name"]:
        yield f"it is the board '{running.board}', not '{board['name']}'"
    if board["has_psram"] and running.heap_bytes < LEAST_PSRAM_HEAP:
        image = stock_image.where(board)
        yield f"its MicroPython has {running.heap_bytes >> 10} KB of memory and sees no PSRAM (image: {image})"


def check(running, board, files, is_forced):
    """Refuse a board that may not have these files. Errors: Trouble."""
    found = list(reasons(running, board, files))
    if found:
        raise Trouble(f"the board is refused: {'; '.join(found)}. Nothing was written.", code=2)
    found = list(doubts(running, board))
    if found and not is_forced:
        raise Trouble(f"the board is refused: {'; '.join(found)}. Nothing was written; --force goes on.", code=2)


def choose_slot(prompt):
    """The slot that was just written starts next, whichever started last. Errors: Trouble."""
    prompt.run(SLOT_CODE)
