"""A block device in memory, for scripts on the interpreter; what counts or fails is of those who derive from it."""

BLOCK = 4096


class Flash:
    """What `vfs.VfsLfs2` takes."""

    def __init__(self, blocks):
        self.blocks = blocks
        self.octets = bytearray(BLOCK * blocks)

    def readblocks(self, number, buffer, offset=0):
        at = number * BLOCK + offset
        buffer[:] = memoryview(self.octets)[at : at + len(buffer)]

    def writeblocks(self, number, buffer, offset=0):
        at = number * BLOCK + offset
        self.octets[at : at + len(buffer)] = buffer

    def ioctl(self, operation, argument):
        """4 and 5 ask for the size, 6 erases."""
        return {4: self.blocks, 5: BLOCK}.get(operation, 0)
