"""A small area of flash in memory for the tests of the journal: programs clear bits, and some operation may fail."""

SECTOR_B = 4096


class RamArea:
    """What services.journal.Journal stands on."""

    def __init__(self, sectors):
        self.sectors = sectors
        self.octets = bytearray(b"\x5a" * (sectors * SECTOR_B))  # whatever lay there before
        self.programs, self.erases = [], []
        self.fails = 0  # so many operations from now on raise
        self.spoils = 0  # so many programs from now on leave a bit that was not meant

    def read_into(self, at, buffer):
        if self.fails < 0:
            raise OSError(5)
        buffer[:] = self.octets[at : at + len(buffer)]

    def program(self, at, octets):
        if self.fails:
            self.fails -= 1
            raise OSError(5)
        self.programs.append(at)
        for index in range(len(octets)):
            if self.octets[at + index] != 0xFF:
                raise ValueError("a place is programmed twice")
            self.octets[at + index] = octets[index]
        if self.spoils:
            self.spoils -= 1
            self.octets[at + 4] = 0  # the kind

    def erase(self, sector):
        if self.fails:
            self.fails -= 1
            raise OSError(5)
        self.erases.append(sector)
        at = sector * SECTOR_B
        self.octets[at : at + SECTOR_B] = b"\xff" * SECTOR_B
