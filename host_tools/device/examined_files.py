"""What `device doctor` sees of chip, partitions, files and crashes."""

import json
import re

from host_tools import bootstrap
from host_tools.device import boards, esptool_call

FLOOR = (1, 24)
SLOTS = ("a", "b")
LABELS = ("vfs", "data")
LEAST_FREE_PERCENT = 25
LEAST_HEAP_B = 112 * 1024  # the control part takes 96 KiB (host_tools budgets)
LEAST_PSRAM_HEAP_B = 520 * 1024  # no ESP32 has so much without PSRAM
WATCHDOG, SAFE_AFTER = 3, 3  # machine.WDT_RESET, firmware/starter.py
AGAIN = "run 'device flash'"

CHIP_CODE = """
import gc, json, machine, os, sys
gc.collect()
made = {"version": sys.implementation.version[:3], "machine": getattr(sys.implementation, "_machine", "")}
made["platform"] = sys.platform
made["heap_bytes"] = gc.mem_free() + gc.mem_alloc()
made["cause"] = machine.reset_cause()
made["files"] = os.listdir("/")
try:
    import esp32
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
    heap = chip["heap_bytes"]
    if board["has_psram"] and heap < LEAST_PSRAM_HEAP_B:
        words = f"The memory is {heap // 1024} KiB and the board '{board['name']}' has PSRAM: it is not found"
        yield words, "flash MicroPython's image with SPIRAM ('device flash')"
    elif heap < LEAST_HEAP_B:
        yield f"The memory is only {heap // 1024} KiB: the firmware does not fit", "flash MicroPython's own image"
    missing = [label for label in LABELS if label not in (chip["partitions"] or ())]
    if missing:
        yield f"There is no partition {' and no '.join(missing)}", "run 'device flash', which writes the table"


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
