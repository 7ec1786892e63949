"""Starts the firmware once boot.py has opened the contactor: data, slot, safe mode; survives every error."""

import hashlib
import json
import sys

import machine

SLOTS = ("a", "b")
SAFE_AFTER = 3  # crashes in a row, each within ten minutes of its start, and the contactor stays open (faults.md X1)
DATA = "/data"
MOST_BYTES = 4096  # a manifest or box.json is smaller
# Stored number of the slot: bit 0 which; bits 1, 2 a trial: 1 to come, 2 and 3 starts, 0 none; bit 3 it came back.
START, TRIAL, CAME_BACK = 2, 6, 8
TRIAL_MS = 420_000  # faults.md U3: 7 minutes


def note(words):
    """Say it on the console."""
    print("boot: " + words)


def prepare():
    """Everything before the app is loaded. Never raises; what fails is noted."""
    for step in (_count, _mount_data, _choose_slot):
        try:
            step()
        except Exception as error:  # a broken part must not keep the others from starting (faults.md F1, F2)
            note("%s: %s %s" % (step.__name__, type(error).__name__, error))


def memory():
    """The chip's own small store, which no file system can take with it."""
    import esp32

    return esp32.NVS("ebb")


def number_of(store, key):
    """A stored number, 0 when there is none."""
    try:
        return store.get_i32(key)
    except OSError:
        return 0


def set_number(store, key, number):
    """Store a number where it is another than before."""
    if number_of(store, key) != number:
        store.set_i32(key, number)
        store.commit()


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
    return sys.path[0][1:] if sys.path[0][1:] in SLOTS else ""


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
        note("the data was not readable and is made anew")
        vfs.VfsLfs2.mkfs(found[0])
        vfs.mount(vfs.VfsLfs2(found[0]), DATA)
        if number_of(store, "data"):
            # There were settings once: a box that lost them is no new one, and locks itself (faults.md F1).
            with open(DATA + "/settings.json", "w") as file:
                file.write("lost")
    set_number(store, "data", 1)


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


def security_of(letter):
    """Security version of a slot that is whole, -1 of another: code that flash has changed is never run."""
    try:
        with open("/%s/manifest.json" % letter) as file:
            found = json.loads(file.read(4 * MOST_BYTES))
        for row in found["files"]:
            if sha256_of("/%s/%s" % (letter, row["path"])) != row["sha256"]:
                return -1
        return int(found.get("security", 0)) if found["files"] else -1
    except (OSError, ValueError, KeyError, TypeError):
        return -1


def _choose_slot():
    """Put the stored slot on the path, or the other one where that is not whole or has not passed its trial."""
    number = number_of(memory(), "slot")
    first, trial = number & 1, number & TRIAL
    if trial == TRIAL:
        note("slot %s has not passed its trial" % SLOTS[first])
        first, trial = _go_back(), 0
    elif trial:
        set_number(memory(), "slot", number + START)  # counted before it can do anything
    for index in (first, first ^ 1):
        security = security_of(SLOTS[index])
        if security >= 0:
            if index != first:
                note("slot %s is not whole; slot %s is started" % (SLOTS[first], SLOTS[index]))
            if trial and index != first:
                _go_back()
            elif trial:
                machine.Timer(0).init(mode=machine.Timer.ONE_SHOT, period=TRIAL_MS, callback=_end_trial)
            else:
                set_number(memory(), "security", max(security, number_of(memory(), "security")))
            sys.path.insert(0, "/" + SLOTS[index])
            return
    note("no slot holds a whole firmware; flash it again")


def _go_back():
    """Index of the slot before the one on trial, which is stored; what that one did wrong is not this one's crash."""
    back = number_of(memory(), "slot") & 1 ^ 1
    set_number(memory(), "slot", back | CAME_BACK)
    set_number(memory(), "crashes", 0)
    return back


def _end_trial(timer):
    """Seven minutes are over: a version that has not passed by now goes (faults.md U3)."""
    if number_of(memory(), "slot") & TRIAL:
        _go_back()
        set_number(memory(), "planned", 1)
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
        made.update({"is_power_return": machine.reset_cause() == machine.PWRON_RESET, "has_watchdog": True})
        number = number_of(memory(), "slot")
        made["update"] = "trial" if number & TRIAL else "came_back" if number & CAME_BACK else ""
        for key, value in (("has_wifi", True), ("web_host", "0.0.0.0"), ("web_port", 80), ("tells_log", True)):
            made.setdefault(key, value)
        made["is_safe"] = is_safe_mode()
    return made


def crashed(error):
    """The app ended with an error: tell it, and start the chip anew; the next start counts it (_count)."""
    sys.print_exception(error)
    if slot() and not is_safe_mode():
        machine.reset()
    note("the firmware cannot run; the contactor is open")
    keep_up()


def hold():
    """A person stopped the program: nothing ticks, so the coil is off."""
    note("stopped by a person; the contactor stays open until the next start")
    keep_up()


def keep_up():
    """Feed the watchdog for as long as a person works at the prompt."""
    if slot():
        try:
            from firmware.drivers.watchdog import keep_alive

            keep_alive()
        except Exception as error:  # then the watchdog starts the chip anew
            note("%s: %s" % (type(error).__name__, error))
