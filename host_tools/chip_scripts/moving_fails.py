"""Runs on the interpreter: moving_fails.py; each erase of the journal fails while the data partition is divided.

An older box whose owner locked it starts twice on such a flash. Prints how often that is told, and the box is locked.
"""

import sys

import vfs
from torn_flash import TornFlash

from firmware import drivers
from firmware.drivers import data_layout, flash_area
from firmware.services.settings_copies import SettingsCopies

DATA_BLOCKS, SLOT_BLOCKS = 256, 200


class Bad(data_layout.Part):
    """A partition whose last sectors are worn out."""

    def ioctl(self, what, argument):
        """4 tells the blocks, 6 erases one. Errors: OSError."""
        if what == 6 and argument >= DATA_BLOCKS - 5:
            raise OSError(5)
        return data_layout.Part.ioctl(self, what, argument)


class Esp32:
    """Module esp32 with that partition alone."""

    class Partition:
        """As esp32.Partition."""

        TYPE_DATA = 1

        @staticmethod
        def find(kind, label):
            """Partitions of that name."""
            return [data]


flash = TornFlash(DATA_BLOCKS + SLOT_BLOCKS)
data, slots = Bad(flash, 0, DATA_BLOCKS), data_layout.Part(flash, DATA_BLOCKS, SLOT_BLOCKS)
data_layout.unmounted()
try:
    vfs.umount("/")
except OSError:
    pass
vfs.VfsLfs2.mkfs(slots)
vfs.VfsLfs2.mkfs(data)
vfs.mount(vfs.VfsLfs2(slots), "/")
sys.modules["esp32"] = Esp32
locked = 0
for number in range(2):
    data_layout.unmounted()
    vfs.mount(vfs.VfsLfs2(data), "/data")
    if not number:
        data_layout.write("/data/settings.json", '{"wiring_limit_ma": 16000, "locked_until_allowed": true}')
    config = {}
    area = flash_area.found(config)
    sys.modules["firmware.drivers.data_layout"] = drivers.data_layout = data_layout  # there is no file to load it from
    chosen, code = SettingsCopies("/data").load()
    locked += area is None and config["storage_code"] == "fails" and code == "factory_safe"
    locked += chosen.locked_until_allowed
print("locked: %d" % locked)
