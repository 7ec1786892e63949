"""Areas of flash for the journal: sectors of 4096 bytes of a partition, or of a file where there is no partition."""

SECTOR_B = 4096
# Blocks of the partition, sectors of the journal (docs/durability.md). Boxes are divided so: no number changes.
RINGS = ((1024, 212), (256, 56))
FILE_SECTORS = 48  # as on a board with 4 MB
FILE = "journal.ring"


class PartitionArea:
    """Sectors at the end of a partition."""

    def __init__(self, partition, first, sectors):
        """partition: what has readblocks, writeblocks and ioctl; first: its block where the area begins."""
        self._partition = partition
        self._first = first
        self.sectors = sectors

    def read_into(self, at, buffer):
        """Fill a buffer from this offset; it does not reach into the next sector. Errors: OSError."""
        _checked(self._partition.readblocks(self._first + at // SECTOR_B, buffer, at % SECTOR_B))

    def program(self, at, octets):
        """Clear the bits that are 0 in octets; they do not reach into the next sector. Errors: OSError."""
        _checked(self._partition.writeblocks(self._first + at // SECTOR_B, octets, at % SECTOR_B))

    def erase(self, sector):
        """Set all bits of a sector. Errors: OSError."""
        _checked(self._partition.ioctl(6, self._first + sector))


def _checked(result):
    """A block device may also say no with a number. Errors: OSError."""
    if result:
        raise OSError(-result if result < 0 else 5)  # EIO


class FileArea:
    """The same in a file, for a PC; a power cut inside an operation is not told apart from one before it."""

    def __init__(self, path, sectors):
        """The file is made where it is missing or of another length. Errors: OSError."""
        self.sectors = sectors
        size_b = sectors * SECTOR_B
        try:
            self._file = open(path, "r+b")  # noqa: SIM115  for ever
        except OSError:
            self._file = open(path, "w+b")  # noqa: SIM115  for ever
        if self._file.seek(0, 2) != size_b:
            self._file.seek(0)
            for _ in range(sectors):
                self._file.write(bytes(SECTOR_B))  # not erased yet
            self._file.flush()

    def read_into(self, at, buffer):
        """As PartitionArea."""
        self._file.seek(at)
        self._file.readinto(buffer)

    def program(self, at, octets):
        """As PartitionArea."""
        self._file.seek(at)
        before = self._file.read(len(octets))
        self._file.seek(at)
        self._file.write(bytes([before[index] & octets[index] for index in range(len(octets))]))
        self._file.flush()

    def erase(self, sector):
        """As PartitionArea."""
        self._file.seek(sector * SECTOR_B)
        self._file.write(b"\xff" * SECTOR_B)
        self._file.flush()


def found(config):
    """The area of a box, None where there is none. config: what the box is (docs/config.md).

    It gets `storage_code`: stored.… of words_en.txt, of why there is none, or "".

    On a chip this divides the data partition where that is still to be done (data_layout.py), and mounts it.
    """
    try:
        import esp32  # noqa: F401
    except ImportError:  # a PC keeps it in a file
        try:
            return FileArea(config["data_dir"].rstrip("/") + "/" + FILE, FILE_SECTORS)
        except OSError:
            return None
    import sys

    from firmware import drivers
    from firmware.drivers import data_layout

    area = None
    try:
        layout = data_layout.of_chip(watchdog_of(config))
        if layout is not None and layout.prepare(config.get("update") != "trial"):
            area = PartitionArea(layout.partition, layout.first, layout.sectors)
        config["storage_code"] = "" if layout is None else layout.code
    except OSError:
        config["storage_code"] = "fails"
        data_layout.lock()
    del sys.modules["firmware.drivers.data_layout"], drivers.data_layout  # pyright: ignore[reportAttributeAccessIssue]
    return area


def watchdog_of(config):
    """Function that feeds the watchdog, which is armed by now where the box has one."""
    if not config.get("has_watchdog"):
        return nothing
    from firmware.drivers.watchdog import START_MS, Watchdog

    return Watchdog(START_MS).feed


def nothing():
    """Where there is no watchdog to feed."""
