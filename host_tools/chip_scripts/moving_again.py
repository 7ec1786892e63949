"""Runs on the interpreter: moving_again.py; a division comes to its end, and the flash of the slots fails behind it.

From the N-th write behind the last file on each write of the slots fails, for each N; the box runs on, is changed, and
starts on a flash that works again. Prints how often that was, and how often its newer files were there.
"""

import os
import sys

import vfs
from torn_flash import TornFlash

from firmware import drivers
from firmware.drivers import data_layout, flash_area

DATA_BLOCKS, SLOT_BLOCKS = 256, 200
MOST_WRITES = 40


class Slots(data_layout.Part):
    """A partition that takes only so many writes more, None: any."""

    left = None

    def writeblocks(self, number, buffer, offset=0):
        """Errors: OSError."""
        if Slots.left is not None:
            if not Slots.left:
                raise OSError(5)
            Slots.left -= 1
        return data_layout.Part.writeblocks(self, number, buffer, offset)


class Esp32:
    """Module esp32 with that partition alone."""

    class Partition:
        """As esp32.Partition."""

        TYPE_DATA = 1

        @staticmethod
        def find(kind, label):
            """Partitions of that name."""
            return [data]


def taken_away():
    """Nothing is mounted."""
    data_layout.unmounted()
    try:
        vfs.umount("/")
    except OSError:
        pass


def started():
    """Whether the box has its journal."""
    taken_away()
    vfs.mount(vfs.VfsLfs2(slots), "/")
    vfs.mount(vfs.VfsLfs2(data), "/data")
    sys.modules["firmware.drivers.data_layout"] = drivers.data_layout = data_layout  # there is no file to load it from
    return flash_area.found({}) is not None


genuine = data_layout.Layout._make_lid
left = 0


def lid(self):
    """As the layout's; then the flash of the slots fails."""
    genuine(self)
    Slots.left = left


sys.modules["esp32"] = Esp32
counts = {"lives": 0, "journals": 0, "newer": 0, "clean": 0}
for left in range(MOST_WRITES):
    flash = TornFlash(DATA_BLOCKS + SLOT_BLOCKS)
    data, slots = data_layout.Part(flash, 0, DATA_BLOCKS), Slots(flash, DATA_BLOCKS, SLOT_BLOCKS)
    taken_away()
    Slots.left = None
    vfs.VfsLfs2.mkfs(slots)
    vfs.VfsLfs2.mkfs(data)
    vfs.mount(vfs.VfsLfs2(slots), "/")
    vfs.mount(vfs.VfsLfs2(data), "/data")
    data_layout.write("/data/settings.json", "16000")
    data_layout.write("/data/state.0", "none")
    data_layout.Layout._make_lid = lid
    counts["journals"] += started()
    data_layout.Layout._make_lid = genuine
    data_layout.write("/data/settings.json", "6000")
    data_layout.write("/data/state.0", "S14")
    counts["journals"] += started()  # the flash of the slots takes nothing yet
    Slots.left = None
    counts["journals"] += started()
    counts["newer"] += data_layout.content("/data/settings.json") + data_layout.content("/data/state.0") == "6000S14"
    counts["clean"] += sorted(os.listdir("/data")) == ["settings.json", "state.0"] and "moving" not in os.listdir("/")
    counts["lives"] += 1
print(" ".join(["%s: %d" % pair for pair in sorted(counts.items())]))
