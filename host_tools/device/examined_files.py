"""What `device doctor` sees of chip, partitions, files and crashes."""

import json
import re

from firmware.wire import memory_floor
from host_tools import bootstrap
from host_tools.device import boards, chips, esptool_call, stock_image

FLOOR = (1, 24)
SLOTS = ("a", "b")
LABELS = ("vfs", "data")
LEAST_FREE_PERCENT = 25
IDF_FREE_B = {True: 40_000, False: memory_floor.HANDSHAKE_B}  # with the radio on, by whether the board has PSRAM
PSRAM_PERCENT = 90  # of the chip file's: ESP-IDF keeps a little of it
WATCHDOG, SAFE_AFTER = 3, 3  # machine.WDT_RESET, firmware/starter.py
AGAIN = "run 'device flash'"

CHIP_CODE = """
import gc, json, machine, os, sys
gc.collect()
made = {"version": sys.implementation.version[:3], "machine": getattr(sys.implementation, "_machine", "")}
made["platform"] = sys.platform
try:
    import network
    made["radio"] = ""
    try:
        network.WLAN(network.STA_IF).active(True)
    except (OSError, RuntimeError) as error:
        made["radio"] = str(error)
except ImportError:
    made["radio"] = None
made["cause"] = machine.reset_cause()
made["files"] = os.listdir("/")
try:
    import esp32
    made["idf"] = esp32.idf_heap_info(1 << 2 | 1 << 3 | 1 << 11)
    made["psram_bytes"] = sum([row[0] for row in esp32.idf_heap_info(1 << 10)])
    made["partitions"] = [label for label in ("vfs", "data") if esp32.Partition.find(1, label=label)]
    store = esp32.NVS("ebb")
    for key in ("crashes", "slot"):
        try:
            made[key] = store.get_i32(key)
        except OSError:
            made[key] = 0
except ImportError:
    made["partitions"] = None
try:
    made["data"] = os.statvfs("/data")
except OSError:
    made["data"] = None
print(json.dumps(made))
"""


def look_at_chip(prompt):
    """Dict of what the chip says of itself. Errors: Trouble."""
    return json.loads(prompt.run(CHIP_CODE).strip().splitlines()[-1])


def version_findings(chip):
    """MicroPython's age."""
    version = tuple(chip["version"][:2])
    if version < FLOOR:
        words = f"MicroPython is {version[0]}.{version[1]}, and the firmware needs {FLOOR[0]}.{FLOOR[1]} or newer"
        yield words, "run 'device flash'"


def chip_findings(chip, board):
    """Chip, memory and partitions against the board file's dict."""
    name = chip_name(chip)
    if name and name != board["chip"]:
        wanted = esptool_call.CHIPS[board["chip"]]
        yield (
            f"The chip is an {name} and the board '{board['name']}' has an {wanted}",
            "install the build of this board",
        )
    yield from memory_findings(chip, board)
    missing = [label for label in LABELS if label not in (chip["partitions"] or ())]
    if missing:
        yield f"There is no partition {' and no '.join(missing)}", "run 'device flash', which writes the table"


def memory_findings(chip, board):
    """Radio, PSRAM, and what the chip's own system has left while the radio is on."""
    if chip["radio"] is None:
        yield "This image of MicroPython has no Wi-Fi", f"flash {stock_image.where(board)} ('device flash')"
        return
    said_b = chips.memory(chips.loaded(board["chip"]))["psram_b"] if board["has_psram"] else 0
    if said_b and not chip["psram_bytes"]:
        words = f"The board '{board['name']}' has PSRAM: it is not found"
        yield words, "flash MicroPython's image with SPIRAM ('device flash')"
        return
    if chip["psram_bytes"] * 100 < said_b * PSRAM_PERCENT:
        words = f"The PSRAM has {chip['psram_bytes'] >> 10} KiB, and the board '{board['name']}' needs {said_b >> 10}"
        yield words, "use a module with as much"
    free_b, largest_b = sum(row[1] for row in chip["idf"]), max(row[2] for row in chip["idf"])
    if chip["radio"]:
        yield f"The radio does not start ({chip['radio']}); {free_b} B of the chip's own memory are free", "start anew"
    elif free_b < IDF_FREE_B[board["has_psram"]] or largest_b < memory_floor.HANDSHAKE_BLOCK_B:
        words = f"With the radio on the chip's own memory is short: {free_b} B free, {largest_b} B in one block"
        yield words, "use a module with PSRAM, or an image of your own (docs/decisions/0012-memory.md)"


def chip_name(chip):
    """The chip as a board file names it, "" for an interpreter on a PC."""
    if chip["platform"] == "linux":
        return ""
    found = re.search(r"ESP32(?:-?([SCHP]\d))?(?![A-Za-z0-9])", chip["machine"])
    return ("esp32" + (found[1] or "").lower()) if found else chip["machine"] or chip["platform"]


def start_findings(chip):
    """How the last starts went."""
    count = chip.get("crashes", 0)
    if count >= SAFE_AFTER:
        words = f"The firmware restarted {count} times in a row, so the contactor stays open (safe mode)"
        yield words, "mend what is named here, then confirm on the box's page"
    elif count:
        yield f"The firmware restarted {count} times in a row and nobody asked for it", "watch it ('device watch')"
    if chip["cause"] == WATCHDOG:
        yield "The watchdog started the board: the firmware had stood still", "watch it, and tell it with its log"


def data_findings(chip):
    """The file system of the box's own files."""
    if chip["data"] is None:
        yield "The data file system is not mounted: settings are not kept", "run 'device flash' with --micropython FILE"
        return
    blocks, free = chip["data"][2], chip["data"][3]
    if free * 100 < blocks * LEAST_FREE_PERCENT:
        yield f"The data file system has only {free * 100 // blocks} % free", "remove old logs from /data"


def slot_findings(prompt, chip):
    """([findings], letter of a slot that is whole to the hash or "", its manifest or None). Errors: Trouble."""
    order = SLOTS[:: -1 if chip.get("slot", 0) & 1 else 1]
    found = []
    for letter in order:
        manifest = manifest_of(prompt, letter)
        if manifest is None and letter not in chip["files"]:
            continue
        wrong = ["it has no manifest: an installation was not finished"] if manifest is None else []
        if manifest is not None:
            wrong += file_reasons(prompt, letter, manifest)
        if not wrong:
            return found, letter, manifest
        found += [(f"Slot {letter} is damaged: {words}", AGAIN) for words in wrong]
    if not found:
        version = ".".join(map(str, chip["version"][:2]))
        found = [(f"The board runs MicroPython {version} and has no firmware", AGAIN)]
    return found, "", None


def manifest_of(prompt, letter):
    """Dict of a slot's manifest, None when it is missing or broken."""
    try:
        manifest = json.loads(prompt.read(f"/{letter}/manifest.json") or b"")
        return manifest if manifest["files"] and manifest["board"] else None
    except (ValueError, KeyError, TypeError):
        return None


def file_reasons(prompt, letter, manifest):
    """What is wrong with each file of a slot."""
    wanted = {f"/{letter}/{row['path']}": row["sha256"] for row in manifest["files"]}
    known = prompt.digests(list(wanted))
    for path, sha256 in wanted.items():
        if known[path] is None:
            yield f"{path} is missing"
        elif known[path] != sha256:
            yield f"{path} is not what the manifest says"


def box_of(prompt):
    """(dict of /box.json, findings)."""
    content = prompt.read("/box.json")
    if content is None:
        return {}, [("The box is not provisioned: there is no /box.json", "provision it")]
    try:
        box = json.loads(content)
    except ValueError:
        box = None
    if not isinstance(box, dict):
        return {}, [("/box.json is not readable, so the box is in factory state", "provision it again")]
    return box, []


def board_of(manifest):
    """(dict of the board file or None, findings)."""
    try:
        return boards.loaded(manifest["board"]), []
    except boards.BadBoard as error:
        bootstrap.say(str(error))
        return None, [(f"The firmware is for a board '{manifest['board']}', which is not known here", AGAIN)]
