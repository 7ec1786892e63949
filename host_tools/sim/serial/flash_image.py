"""Flash of the virtual chip: partitions in files of the host, in sectors that are erased before they are written."""

SECTOR = 4096
times = None  # a FlashTime, where commands take their time


class FlashFile:
    """One partition, as littlefs wants it (extended block protocol); opened before the host's file system goes away."""

    def __init__(self, path, size):
        try:
            open(path, "rb").close()
        except OSError:
            with open(path, "wb") as file:
                for _ in range(size // SECTOR):
                    file.write(b"\xff" * SECTOR)
        self._file = open(path, "r+b")
        self._sectors = size // SECTOR

    def readblocks(self, sector, buffer, offset=0):
        """Read into a buffer."""
        self._file.seek(sector * SECTOR + offset)
        self._file.readinto(buffer)
        if times is not None:
            times.read(len(buffer))

    def writeblocks(self, sector, buffer, offset=None):
        """Write a buffer; without an offset the sectors are erased first."""
        if offset is None:
            offset = 0
            for index in range((len(buffer) + SECTOR - 1) // SECTOR):
                self.ioctl(6, sector + index)
        if times is not None:
            times.program(offset, len(buffer))
        self._file.seek(sector * SECTOR + offset)
        self._file.write(buffer)
        self._file.flush()

    def ioctl(self, what, argument):
        """4: sectors, 5: bytes of one, 6: erase one."""
        if what == 4:
            return self._sectors
        if what == 5:
            return SECTOR
        if what == 6:
            if times is not None:
                times.erase()
            self._file.seek(argument * SECTOR)
            self._file.write(b"\xff" * SECTOR)
            self._file.flush()
            return 0
        return 0

    def is_blank(self):
        """Whether the first sector was never written."""
        buffer = bytearray(SECTOR)
        self.readblocks(0, buffer)
        return buffer == b"\xff" * SECTOR
