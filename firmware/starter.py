"""Starts the firmware once boot.py has opened the contactor: data, slot, safe mode; survives every error."""

import hashlib
import json
import sys

import machine

SLOTS = ("a", "b")
SAFE_AFTER = 3  # crashes in a row, each within ten minutes of its start, and the contactor stays open (faults.md X1)
DATA = "/data"
FROZEN = ".frozen"  # where sys.path names the modules of the image
MOST_BYTES = 4096  # a manifest or box.json is smaller
# Stored number of the slot: bit 0 which; bits 1, 2 a trial: 1 to come, 2 and 3 starts, 0 none; bit 3 it came back;
# bit 4 the trial is that of an image too, bit 5 in which app partition (ota_0, ota_1).
START, TRIAL, CAME_BACK, IMAGE, PLACE = 2, 6, 8, 16, 32
TRIAL_MS = 420_000  # faults.md U3: 7 minutes
READ_B = 128  # littlefs reads up to four times as much with one command; a stock image mounts with 32
START_MS = 8000  # all is up by then; each step feeds it, and then firmware/app.py makes it 2 s while the coil is on


def note(words):
    """Say it on the console."""
    print("boot: " + words)


def prepare():
    """Everything before the app is loaded. Never raises; what fails is noted."""
    for step in (_count, _mount_data, _read_more, _choose_slot):
        try:
            step()
        except Exception as error:  # a broken part must not keep the others from starting (faults.md F1, F2)
            note("%s: %s %s" % (step.__name__, type(error).__name__, error))


def memory() -> "Any":
    """The chip's own small store, which no file system can take with it; None where it cannot be opened."""
    import esp32

    try:
        return esp32.NVS("ebb")
    except OSError:
        return None


def number_of(store, key):
    """A stored number, 0 when there is none. Where nobody knows there was data: a box that lost it is no new one."""
    if store is None:
        return int(key == "data")
    try:
        return store.get_i32(key)
    except OSError:
        return 0


def set_number(store, key, number):
    """Store a number where it is another than before. Errors: OSError."""
    if store is None:
        raise OSError(5)  # EIO
    if number_of(store, key) != number:
        store.set_i32(key, number)
        store.commit()


def is_noted(key, number):
    """Whether the store has a number now; one that takes nothing any more keeps no version from starting."""
    try:
        set_number(memory(), key, number)
        return True
    except OSError as error:
        note("%s cannot be noted: %s" % (key, error))
        return False


def forget_crashes():
    """The box has run well for ten minutes, or its owner says that it may go on."""
    set_number(memory(), "crashes", 0)


def is_safe_mode():
    """Whether so many starts in a row ended badly that the contactor stays open."""
    try:
        return number_of(memory(), "crashes") >= SAFE_AFTER
    except ImportError:  # a PC has no such memory
        return False


def slot():
    """Letter of the slot on the path, "" on a PC."""
    for place in sys.path[:2]:  # before it stand the modules of the image, where the slot has none of its own
        if place[1:] in SLOTS:
            return place[1:]
    return ""


def image():
    """(SHA-256 of the modules frozen into this image, whether a slot's own have room); ("", True) of a stock image."""
    try:
        import frozen_firmware as found  # pyright: ignore[reportMissingImports]  an own image has it (hardware/micropython)
    except ImportError:
        return "", True
    del sys.modules["frozen_firmware"]
    return found.SHA256, found.MAY_LOAD


def running_place():
    """PLACE where the image that runs lies in ota_1, 0 elsewhere."""
    from esp32 import Partition

    running = Partition(Partition.RUNNING)  # pyright: ignore[reportArgumentType]  the stub knows labels alone
    return PLACE if running.info()[1] & 1 else 0


def fits(frozen):
    """Whether a slot runs under this image; frozen: what its manifest says of the modules it needs, "" for its own."""
    sha256, may_load = image()
    return frozen == sha256 if frozen else may_load


def _count():
    """A reset that nobody asked for is a crash, whatever it came from; power-on starts anew."""
    cause = machine.reset_cause()
    store = memory()
    count = number_of(store, "crashes")
    is_planned = number_of(store, "planned")
    set_number(store, "planned", 0)
    if cause == machine.PWRON_RESET:
        count = 0
    elif cause != machine.SOFT_RESET and not is_planned:
        count += 1
        note("reset %d was not asked for (cause %d)" % (count, cause))
    set_number(store, "crashes", min(count, SAFE_AFTER))


def _mount_data():
    """Mount the data partition; one that cannot be mounted is made anew, and only that one (faults.md F2)."""
    import vfs
    from esp32 import Partition

    found = Partition.find(Partition.TYPE_DATA, label="data")
    if not found:
        note("there is no data partition; nothing is remembered")
        return
    store = memory()
    try:
        vfs.mount(vfs.VfsLfs2(found[0]), DATA)
    except OSError:
        was_there = number_of(store, "data")
        note(
            "the data was not readable and is made anew"
            if was_there
            else "the data partition is made for the first time"
        )
        vfs.VfsLfs2.mkfs(found[0])
        vfs.mount(vfs.VfsLfs2(found[0]), DATA)
        if was_there:
            # There were settings once: a box that lost them is no new one, and locks itself (faults.md F1).
            with open(DATA + "/settings.json", "w") as file:
                file.write("lost")
    set_number(store, "data", 1)


def _read_more():
    """Mount the chip's file system with longer reads before a slot is read (as firmware/slot_archive.py)."""
    import vfs
    from esp32 import Partition

    found = Partition.find(Partition.TYPE_DATA, label="vfs")
    if found:
        made = vfs.VfsLfs2(found[0], readsize=READ_B)
        vfs.umount("/")
        vfs.mount(made, "/")


def sha256_of(path):
    """SHA-256 of a file as hex."""
    made = hashlib.sha256()
    buffer = bytearray(1024)
    with open(path, "rb") as file:
        count = file.readinto(buffer)
        while count:
            made.update(memoryview(buffer)[:count])
            count = file.readinto(buffer)
    return "".join("%02x" % byte for byte in made.digest())


def is_asked_to_stop():
    """Whether Ctrl-C was typed while boot.py ran, when it was a byte like others. What follows it is the prompt's."""
    if not slot():
        return False
    import select

    poller, before = select.poll(), b""
    poller.register(sys.stdin, select.POLLIN)
    for _ in range(64):
        byte = sys.stdin.buffer.read(1) if poller.poll(0) else b""
        # Frames of a set-up (wire/improv.py) hold the same byte: always after a 1, and behind the I that begins them.
        if byte == b"\x03" and before != b"\x01":
            return True
        if byte in (b"", b"I"):
            return False
        before = byte
    return False


def is_frozen(letter):
    """Whether a slot that is whole has its modules in the image."""
    if not image()[0]:
        return False
    with open("/%s/manifest.json" % letter) as file:
        return bool(json.loads(file.read(4 * MOST_BYTES)).get("frozen"))


def security_of(letter):
    """Security version of a slot that is whole and fits the image, -1 of another: what flash changed is never run."""
    try:
        with open("/%s/manifest.json" % letter) as file:
            found = json.loads(file.read(4 * MOST_BYTES))
        for row in found["files"]:
            if sha256_of("/%s/%s" % (letter, row["path"])) != row["sha256"]:
                return -1
        if not fits(found.get("frozen", "")):
            note("slot %s is for another image of MicroPython" % letter)
            return -1
        return int(found.get("security", 0)) if found["files"] else -1
    except (OSError, ValueError, KeyError, TypeError):
        return -1


def _choose_slot():
    """Put the stored slot on the path, or the other one where that is not whole or has not passed its trial."""
    number = number_of(memory(), "slot")
    first, trial = number & 1, number & TRIAL
    is_image = trial and number & IMAGE
    is_back = is_image and running_place() != number & PLACE  # the boot loader gives an image one start (decision 19)
    if is_image and not is_back and trial > START and machine.reset_cause() != machine.SOFT_RESET:
        # A second one comes only after ESP-IDF was told that it stays: power went before the slot was.
        trial = is_image = 0
        is_noted("slot", first)
    if is_back or trial == TRIAL:
        note("%s %s has not passed its trial" % ("the image of slot" if is_back else "slot", SLOTS[first]))
        first, trial = _go_back(), 0
        if is_image and not is_back:
            _reset()
    elif trial and not is_noted("slot", number + START):  # counted before it can do anything
        if is_image:
            _reset()  # the boot loader takes the image before
        first, trial, is_image = first ^ 1, 0, 0
    for index in (first, first ^ 1):
        security = security_of(SLOTS[index])
        if security >= 0:
            if index != first:
                note("slot %s is not whole; slot %s is started" % (SLOTS[first], SLOTS[index]))
            if trial and index != first:
                _go_back()
                if is_image:
                    _reset()  # its own slot is not whole: the image before has one
            elif trial:
                machine.Timer(0).init(mode=machine.Timer.ONE_SHOT, period=TRIAL_MS, callback=_end_trial)
            else:
                is_noted("security", max(security, number_of(memory(), "security")))
            sys.path.insert(0, "/" + SLOTS[index])
            if is_frozen(SLOTS[index]):
                sys.path.insert(0, FROZEN)  # nothing on the flash stands for a module of the image
            return
    if is_image and trial:
        _go_back()
        _reset()
    note("no slot holds a whole firmware; flash it again")


def _go_back():
    """Index of the slot before the one on trial, which is stored; what that one did wrong is not this one's crash."""
    back = number_of(memory(), "slot") & 1 ^ 1
    if is_noted("slot", back | CAME_BACK):
        is_noted("crashes", 0)
    return back


def _end_trial(timer):
    """Seven minutes are over: a version that has not passed by now goes (faults.md U3)."""
    if number_of(memory(), "slot") & TRIAL:
        _go_back()
        _reset()


def _reset():
    """A reset that is no crash. An image that was not confirmed by now is given up by the boot loader."""
    is_noted("planned", 1)
    machine.reset()


def config_of(path):
    """The box's config: box.json, with what the chosen slot brings. A broken one leaves a box in factory state.

    Errors: KeyboardInterrupt when a person typed Ctrl-C while boot.py ran.
    """
    if is_asked_to_stop():
        raise KeyboardInterrupt()
    made: dict[str, object] = {"box": "ebb-" + "".join("%02x" % byte for byte in machine.unique_id()[-3:])}
    try:
        with open(path) as file:
            found = json.loads(file.read(MOST_BYTES))
        if type(found) is dict:
            made.update(found)
    except (OSError, ValueError) as error:
        note("box.json: %s; the box is in factory state" % error)
    if slot():
        root = "/" + slot()
        made.update({"board_path": root + "/board.json", "page_path": root + "/page/index.html.gz", "data_dir": DATA})
        if sys.path[0] == FROZEN:
            made["words_path"] = root + "/words_en.txt"
        made.update({"is_power_return": machine.reset_cause() == machine.PWRON_RESET, "has_watchdog": True})
        number = number_of(memory(), "slot")
        is_trial = number & TRIAL and SLOTS[number & 1] == slot()  # the one before runs where nothing could be noted
        made["update"] = "trial" if is_trial else "came_back" if number & (TRIAL | CAME_BACK) else ""
        for key, value in (("has_wifi", True), ("web_host", "0.0.0.0"), ("web_port", 80), ("tells_log", True)):
            made.setdefault(key, value)
        made["is_safe"] = is_safe_mode()
        # From here on a start that hangs is a crash. It cannot be stopped: not before there is something to start.
        made["feed"] = machine.WDT(timeout=START_MS).feed
    return made


def crashed(error):
    """The app ended with an error: tell it, and start the chip anew; the next start counts it (_count)."""
    sys.print_exception(error)
    if slot() and not is_safe_mode():
        machine.reset()
    note("the firmware cannot run; the contactor is open")
    keep_up()


def hold():
    """A person stopped the program: main.py has opened the contactor, and no task goes on at the prompt."""
    note("stopped by a person; the contactor stays open until the next start")
    try:
        import asyncio

        asyncio.new_event_loop()
    except Exception as error:
        note("%s: %s" % (type(error).__name__, error))
    keep_up()


def keep_up():
    """Feed the watchdog for as long as a person works at the prompt."""
    if slot():
        try:
            from firmware.drivers.watchdog import keep_alive

            keep_alive()
        except Exception as error:  # then the watchdog starts the chip anew
            note("%s: %s" % (type(error).__name__, error))
