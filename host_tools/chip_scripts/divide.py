"""Runs on the board for `device divide`: what lies in /data, and the division; the firmware rests meanwhile."""

import os
from binascii import b2a_base64

from firmware.drivers import data_layout

# As in firmware/drivers/data_layout.py, whose own names a build may shorten.
DATA, KEPT = "/data", "/moving"
WHOLE, FILES = KEPT + "/whole", KEPT + "/files"
SETTINGS, LID_MARK, LOST, BACK = "settings.json", "divided", "lost", "moved"
FOLDER = 0x4000
MARK = "divide.json"  # in /data until all files are back: which file of the PC has them
MOST_MARK_B = 256


def state():
    """[blocks of the partition, of what is mounted, [has it files, are its settings lost], mark]; None without it."""
    from esp32 import Partition

    found = Partition.find(Partition.TYPE_DATA, label="data")
    try:
        names = os.listdir(DATA)
        blocks = os.statvfs(DATA)[2]
    except OSError:
        return None
    if not found:
        return None
    is_lost = content(DATA + "/" + SETTINGS) == LOST
    others = [name for name in names if name not in (SETTINGS, LID_MARK)]
    has_files = bool(others) or (SETTINGS in names and not is_lost)
    return [found[0].ioctl(4, 0), blocks, [has_files, is_lost], content(DATA + "/" + MARK)]


def content(path):
    """The first characters of a file, "" where they are none."""
    try:
        with open(path) as file:
            return file.read(MOST_MARK_B)
    except (OSError, ValueError):
        return ""


def tell_files():
    """Print length and path, behind /data, of each file. Errors: OSError."""
    folders = [""]
    while folders:
        folder = folders.pop()
        for name in os.listdir(DATA + folder):
            path = folder + "/" + name
            found = os.stat(DATA + path)
            if found[0] & FOLDER:
                folders.append(path)
            elif folder or name not in (LID_MARK, MARK, BACK):
                print(found[6], path)


def tell_piece(path, at, most_b):
    """Print a piece of a file. Errors: OSError."""
    with open(DATA + path, "rb") as file:
        file.seek(at)
        print(b2a_base64(file.read(most_b)).decode().strip())


def divide(mark):
    """Divide the partition: what it held is gone then, the settings count as lost, and the mark says who has them.

    After a cut anywhere behind the rename each start does it again. False where the other file system has no room for
    so little: nothing was done then. Errors: OSError.
    """
    try:
        emptied(KEPT)
        os.mkdir(KEPT)
        os.mkdir(FILES)
        for name, text in ((SETTINGS, LOST), (MARK, mark)):
            written(FILES + "/" + name, text)
        written(WHOLE + ".new", str(int.from_bytes(os.urandom(6), "big") + 1))
        os.rename(WHOLE + ".new", WHOLE)
    except OSError:
        emptied(KEPT)
        return False
    data_layout.shown()
    return True


def written(path, text):
    """Errors: OSError."""
    with open(path, "w") as file:
        file.write(text)


def emptied(folder):
    """Take a folder away with all that is in it. Errors: OSError."""
    try:
        names = os.listdir(folder)
    except OSError:
        return
    for name in names:
        path = folder + "/" + name
        if os.stat(path)[0] & FOLDER:
            emptied(path)
        else:
            os.remove(path)
    os.rmdir(folder)
