"""App partitions of the virtual chip, where it has an own image: loaded for it alone, and weighed in no other heap."""

import app_images
import esp32
import flash_image

apps = []  # AppFlash of ota_0, ota_1
ota = None  # app_images.Ota of them
running = 0  # which of them the boot loader has started


class AppFlash:
    """A partition in the form that app_images wants, over a FlashFile."""

    def __init__(self, file):
        self.file = file
        self.size_b = file.ioctl(4, 0) * flash_image.SECTOR

    def read(self, at, count):
        """Bytes from a place on."""
        buffer = bytearray(count)
        self.file.readblocks(at // flash_image.SECTOR, buffer, at % flash_image.SECTOR)
        return bytes(buffer)

    def erase(self, sector):
        """One sector."""
        self.file.ioctl(6, sector)

    def program(self, at, octets):
        """Bytes at a place that is erased."""
        self.file.writeblocks(at // flash_image.SECTOR, octets, at % flash_image.SECTOR)


class Partition:
    """App partitions by what they are to the chip; find() gives those of data by their label."""

    BOOT = 0
    RUNNING = 1
    TYPE_APP = 0
    TYPE_DATA = 1
    find = esp32.Partition.find

    def __init__(self, which):
        """which: BOOT or RUNNING."""
        active = ota.active()
        self._set(running if which == Partition.RUNNING or active < 0 else (ota.entries()[active][0] - 1) % len(apps))

    def _set(self, index):
        self._index = index
        file = apps[index].file
        self.readblocks, self.writeblocks, self.ioctl = file.readblocks, file.writeblocks, file.ioctl
        return self

    def info(self):
        """(type, subtype, address, size, label, is encrypted)."""
        size_b = apps[self._index].size_b
        return (0, 0x10 + self._index, 0x10000 + self._index * size_b, size_b, "ota_%d" % self._index, False)

    def get_next_update(self):
        """The app partition behind this one."""
        return Partition(Partition.RUNNING)._set((self._index + 1) % len(apps))

    def set_boot(self):
        """The next start is of this one. Errors: OSError where no signed image lies there."""
        ota.set_boot(self._index)

    @classmethod
    def mark_app_valid_cancel_rollback(cls):
        """What runs stays. Errors: OSError."""
        ota.mark_valid()


def built(files, record, index):
    """Put them into `esp32`. files: FlashFile of each app partition; record: of OTA; index: which one runs."""
    global ota, running
    apps[:] = [AppFlash(file) for file in files]
    ota = app_images.Ota(AppFlash(record), apps)
    running = index
    esp32.Partition = Partition
